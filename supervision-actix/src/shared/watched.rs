//! The end of an actor, as those who watch it learn of it.

use std::sync::Arc;

use actix::{Actor, Context};

use super::{Shared, Status};
use crate::{
    death_watch::{Teller, Termination, Watchers},
    event::EndReason,
};

/// What an actor that is watched, or can be asked after its end, remembers for that.
#[derive(Default)]
pub(super) struct Watched {
    watchers: Option<Arc<Watchers>>,
    /// Why it has ended, and the path it had then.
    over: Option<Box<(String, EndReason)>>,
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Somebody watches.
    pub(crate) fn be_watched(&self, teller: Teller) {
        if let Some(reason) = self.end_so_far() {
            return teller.tell(&self.path(), &Termination::Actor(reason));
        }
        let over = self.rare().watched.borrow_mut().over.clone();
        match over {
            Some(over) => teller.tell(&over.0, &Termination::Actor(over.1)),
            None if self.status() == Status::Ended => drop(teller),
            None => {
                let watchers = self
                    .rare()
                    .watched
                    .borrow_mut()
                    .watchers
                    .get_or_insert_default()
                    .clone();
                watchers.accept(teller);
            }
        }
    }

    /// How many watch.
    pub(crate) fn watchers(&self) -> usize {
        self.known_watchers().map_or(0, |watchers| watchers.len())
    }

    fn known_watchers(&self) -> Option<Arc<Watchers>> {
        self.rare.get()?.watched.borrow().watchers.clone()
    }

    /// Tells the watchers of an end.
    pub(crate) fn tell_watchers(&self, reason: &EndReason) {
        if let Some(watchers) = self.known_watchers() {
            watchers.tell_all(&self.path(), &Termination::Actor(reason.clone()));
        }
    }

    /// Remembers the end for those who ask later, if any can.
    pub(super) fn remember_end(&self, reason: &EndReason) {
        if self.port().is_some_and(|port| port.has_inbox()) {
            let over = (self.path(), reason.clone());
            self.rare().watched.borrow_mut().over = Some(Box::new(over));
        }
    }

    /// Why it has ended, if it is remembered.
    pub(super) fn remembered_end(&self) -> Option<Termination> {
        let watched = self.rare.get()?.watched.borrow();
        let (_, reason) = &**watched.over.as_ref()?;
        Some(Termination::Actor(reason.clone()))
    }

    /// The arbiter is going down with the actor.
    pub(crate) fn abandon_watchers(&self) {
        if let Some(watchers) = self.known_watchers() {
            watchers.tell_all(&self.path(), &Termination::ArbiterStopped);
        }
    }
}
