//! A thread with a runtime of its own, for actors that are tokio tasks.

#![cfg(feature = "peers")]

use tokio::runtime::{Builder, Handle};

use crate::peer::Place;

/// Where a peer's tasks run: here, or on the other thread.
pub struct Tasks {
    handle: Handle,
    place: Place,
}

impl Tasks {
    /// Must be called inside the caller's runtime.
    pub fn on(place: Place) -> Self {
        match place {
            Place::Same => Self {
                handle: Handle::current(),
                place,
            },
            Place::Other => {
                let runtime = Builder::new_current_thread().enable_all().build();
                let runtime = runtime.expect("a runtime");
                let handle = runtime.handle().clone();
                std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
                Self { handle, place }
            }
        }
    }

    /// Does something where the tasks run; on the caller's own thread without a task of its own.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.place {
            Place::Same => work.await,
            Place::Other => self.handle.spawn(work).await.expect("it does not panic"),
        }
    }
}
