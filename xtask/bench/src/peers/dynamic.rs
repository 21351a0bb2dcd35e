//! Children of one `DynamicSupervisor`.

use std::cell::Cell;

use actix::prelude::*;
use supervision_actix::group::{DynamicProps, DynamicSupervisor};

use crate::{
    peer::Place,
    probe::{Probe, Start, Started, UNLIMITED, arbiter},
};

pub struct Dynamic {
    children: DynamicSupervisor<Probe, Cell<u32>>,
    _arbiter: Option<Arbiter>,
}

/// The argument counts the incarnations made from it.
fn make(made: &Cell<u32>) -> Probe {
    made.set(made.get() + 1);
    Probe::new(made.get())
}

impl Start for Dynamic {
    type Kept = ();

    async fn open(place: Place) -> Self {
        let start = || DynamicProps::new("/bench", UNLIMITED, make).start();
        let arbiter = arbiter(place);
        let children = match &arbiter {
            None => start(),
            Some(arbiter) => {
                let (started, children) = tokio::sync::oneshot::channel();
                arbiter.spawn_fn(move || drop(started.send(start())));
                children.await.expect("it has started")
            }
        };
        Self {
            children,
            _arbiter: arbiter,
        }
    }

    async fn start(&self, index: u32) -> Started<()> {
        let added = self.children.add(index.to_string(), Cell::new(0)).await;
        Started {
            addr: added.expect("it has started"),
            _kept: (),
        }
    }

    async fn close(self) {
        self.children.shutdown().await;
    }
}
