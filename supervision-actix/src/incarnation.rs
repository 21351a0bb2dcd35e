//! One life of the actor's value: actix's own future, with our address and our pump in it.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, Addr, Context,
    dev::{AsyncContextParts, ContextFut, channel::channel},
};
use supervision_core::Cause;

use crate::{
    panics::{Payload, caught, payload_caught},
    pump,
    shared::Shared,
};

/// A running value with its context.
pub(crate) struct Incarnation<A: Actor<Context = Context<A>>>(ContextFut<A, Context<A>>);

impl<A: Actor<Context = Context<A>>> Incarnation<A> {
    pub(crate) fn new(shared: &Shared<A>, actor: A) -> Self {
        // actix wants a channel for a mailbox of its own; nobody sends to it.
        let (sender, receiver) = channel(0);
        shared.begin_keeping(Addr::new(sender).downgrade());
        let mut ctx = Context::with_receiver(receiver);
        shared.renew_parts(&mut ctx);
        pump::install(shared, &mut ctx);
        Self(ctx.into_future(actor))
    }

    /// Runs it. A panic is its end: what is left must be discarded and never polled again.
    #[inline]
    pub(crate) fn poll(&mut self, task: &mut TaskContext<'_>) -> Result<Poll<()>, Payload> {
        payload_caught(|| Future::poll(Pin::new(&mut self.0), task))
    }

    pub(crate) fn ctx(&mut self) -> &mut Context<A> {
        self.0.ctx()
    }

    /// Drops it; a panic in a destructor is returned.
    ///
    /// actix's destructor polls a future that has not stopped, so that `stopping` and `stopped`
    /// run. On what a panic left behind that would be wrong, and would abort the process if it
    /// panicked again; hence it is marked as stopped first.
    pub(crate) fn discard(mut self, shared: &Shared<A>) -> Option<Cause> {
        shared.end_keeping();
        self.ctx().parts().terminate();
        caught(|| drop(self)).err()
    }
}
