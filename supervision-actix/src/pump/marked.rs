//! The pump of an actor with a deadline: it tells that it had its turn, and ends it in time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use actix::{Actor, ActorFuture, Context};

use crate::{
    current,
    shared::Shared,
    stalls::{
        rename,
        slot::{Slot, here},
    },
};

use super::{Pump, pump};

/// As [`Pump`].
pub(super) struct Marked<A: Actor<Context = Context<A>>> {
    /// For its destructor.
    _pump: Pump<A>,
    slot: Arc<Slot>,
}

impl<A: Actor<Context = Context<A>>> Marked<A> {
    /// For the incarnation that has begun in the poll under way.
    pub(super) fn new(shared: &Shared<A>, pump: Pump<A>) -> Self {
        let slot = here();
        let actor = slot.begin(shared.incarnation());
        rename(actor, shared.path());
        Self { _pump: pump, slot }
    }
}

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Marked<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        self.slot.reach();
        // The incarnation can be polled again in a poll that has been told to end: a message handled
        // in what is left of one found blocked already would not be watched.
        if self.slot.must_yield() {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let must_yield = || self.slot.must_yield();
        let turn = |shared: &Shared<A>| {
            shared.forget_wait();
            pump(shared, actor, ctx, task, must_yield)
        };
        current::with(turn).unwrap_or(Poll::Pending)
    }
}
