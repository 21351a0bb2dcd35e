//! The deadline of an actor.

use std::time::Duration;

use actix::{Actor, Context};
use supervision_core::MAX_DELAY;

use crate::settings::Settings;

use super::{ActorProps, StartError};

impl<A: Actor<Context = Context<A>>, F> ActorProps<A, F> {
    /// Sets how long the actor may go without being able to handle a message; longer than zero, at
    /// most 365 days. Default: nothing is watched.
    ///
    /// Two things are failures of type `stall` then, handled by the strategy like any other (rules
    /// for `stall` match them):
    ///
    /// * A `ctx.wait` future, that of an `AtomicResponse` or one of `started` included, holds
    ///   messages back for longer. This is tokio's time, and exact to its millisecond. The value is
    ///   sound but cannot be reached, so there is no `before_restart`; after `Resume` the actor goes
    ///   on waiting, and stalls again after another deadline. A timer runs only while something
    ///   waits.
    /// * The actor blocks its thread for longer: see [`stalls`](crate::stalls), which tells of it at
    ///   once. This is real time. The failure enters when the thread comes back; nothing can be done
    ///   before. A queue of many short handlers is no such case: the actor yields at half the
    ///   deadline. A handler that takes more than half of it may be counted.
    ///
    /// An ordinary response or task is watched by
    /// [`Watched::with_deadline`](crate::Watched::with_deadline) instead.
    ///
    /// Each poll of such an actor reads the clock once and writes a few atomics: some 100 ns, measured
    /// where a message that wakes its actor takes 450 ns. Such an actor takes some 340 bytes more.
    pub fn with_stall_deadline(mut self, deadline: Duration) -> Self {
        self.settings.extras_mut().stall_deadline = Some(Box::new(deadline));
        self
    }
}

/// Whether the deadline, if there is one, can be kept.
pub(super) fn check(settings: &Settings) -> Result<(), StartError> {
    match settings.stall_deadline() {
        Some(deadline) if deadline.is_zero() || deadline > MAX_DELAY => {
            Err(StartError::StallDeadline(deadline))
        }
        _ => Ok(()),
    }
}
