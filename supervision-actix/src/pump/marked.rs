//! The pump of an actor with a deadline: it tells that it had its turn, and ends it in time.

use std::{
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use actix::{Actor, ActorFuture, Context};

use crate::{
    shared::Shared,
    stalls::{
        rename,
        slot::{Slot, here},
    },
};

use super::{Pump, pump};

/// As [`Pump`].
pub(super) struct Marked<A: Actor<Context = Context<A>>> {
    pump: Pump<A>,
    slot: Arc<Slot>,
}

impl<A: Actor<Context = Context<A>>> Marked<A> {
    /// For the incarnation that has begun in the poll under way.
    pub(super) fn new(shared: &Rc<Shared<A>>) -> Self {
        let slot = here();
        let actor = slot.begin(shared.incarnation());
        rename(actor, shared.path());
        let pump = Pump(shared.clone());
        Self { pump, slot }
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
        self.pump.0.forget_wait();
        pump(&self.pump.0, actor, ctx, task, || self.slot.must_yield())
    }
}
