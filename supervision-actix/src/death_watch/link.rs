//! One watch, as both sides hold it. Whoever takes the way to the watcher out of it tells the one
//! notice, or gives the watch up: there cannot be two.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use actix::WeakRecipient;
use tokio::sync::oneshot;

use super::{Terminated, Termination, WatchId, Watchers};
use crate::panics::{caught, drop_guarded};

/// The way to a watcher.
pub(super) enum To {
    Future(oneshot::Sender<Terminated>),
    Actor(WeakRecipient<Terminated>),
}

/// What the watcher's guard and the watched have in common.
pub(super) struct Link {
    id: WatchId,
    state: Mutex<State>,
}

struct State {
    /// `None` once the notice is sent or the watch is given up.
    to: Option<To>,
    /// Where the watched keeps the watch.
    kept_in: Weak<Watchers>,
}

impl Link {
    pub(super) fn new(id: WatchId, to: To, path: String) -> (Arc<Self>, Teller) {
        let state = State {
            to: Some(to),
            kept_in: Weak::new(),
        };
        let link = Arc::new(Self {
            id,
            state: Mutex::new(state),
        });
        let travelling = Travelling {
            link: Some(link.clone()),
            path,
            otherwise: Termination::Gone,
        };
        (link, Teller(Box::new(travelling)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn id(&self) -> WatchId {
        self.id
    }

    /// Notes who keeps it; `false` if the watch has been given up meanwhile.
    pub(super) fn keep_in(&self, watchers: &Arc<Watchers>) -> bool {
        let mut state = self.state();
        state.kept_in = Arc::downgrade(watchers);
        state.to.is_some()
    }

    /// Whether the watcher is an actor that has ended.
    pub(super) fn is_orphan(&self) -> bool {
        match &self.state().to {
            Some(To::Actor(watcher)) => watcher.upgrade().is_none(),
            Some(To::Future(to)) => to.is_closed(),
            None => true,
        }
    }

    /// Gives the watch up; `false` if the notice was sent before.
    pub(super) fn unwatch(&self) -> bool {
        let (to, kept_in) = {
            let mut state = self.state();
            (state.to.take(), state.kept_in.upgrade())
        };
        let given_up = to.is_some();
        drop_guarded(to);
        // Not while the link is locked: who keeps it locks in the other order.
        if let (true, Some(watchers)) = (given_up, kept_in) {
            watchers.forget(self.id);
        }
        given_up
    }

    /// Sends the notice, unless the watch was given up or told before.
    pub(super) fn tell(&self, path: &str, reason: &Termination, was_over: bool) {
        let to = self.state().to.take();
        let Some(to) = to else { return };
        let notice = Terminated {
            path: path.to_owned(),
            watch: self.id,
            reason: reason.clone(),
            was_over,
        };
        // The waker of a future is not ours.
        let told = caught(|| match to {
            // One that has just ended needs no notice.
            To::Future(to) => drop(to.send(notice)),
            To::Actor(watcher) => {
                if let Some(watcher) = watcher.upgrade() {
                    watcher.do_send(notice);
                }
            }
        });
        if let Err(panic) = told {
            tracing::error!(error = panic.message(), "a watcher's waker panicked");
        }
    }
}

/// A watch on its way to the watched. However it is lost on the way, the watcher is told. Small: it
/// travels in the same channels as everything else.
pub(crate) struct Teller(Box<Travelling>);

struct Travelling {
    /// `None` once it has arrived.
    link: Option<Arc<Link>>,
    path: String,
    /// What it means if it is lost.
    otherwise: Termination,
}

impl Teller {
    /// Says what it means if it is lost from now on.
    pub(crate) fn or(mut self, otherwise: Termination) -> Self {
        self.0.otherwise = otherwise;
        self
    }

    /// Tells at once: what is watched has ended.
    pub(crate) fn tell(mut self, path: &str, reason: &Termination) {
        if let Some(link) = self.arrive() {
            link.tell(path, reason, true);
        }
    }

    /// Tells at once that it cannot be brought to where it was to go.
    pub(crate) fn tell_otherwise(self, reason: Termination) {
        drop(self.or(reason));
    }

    /// Gives the watch to whoever will tell of the end.
    pub(super) fn arrive(&mut self) -> Option<Arc<Link>> {
        self.0.link.take()
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Some(link) = self.arrive() {
            link.tell(&self.0.path, &self.0.otherwise, true);
        }
    }
}
