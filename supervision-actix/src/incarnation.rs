//! One life of the actor's value: actix's own future, with our address and our pump in it.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, Context,
    dev::{AsyncContextParts, ContextFut},
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
    pub(crate) fn new(shared: &Rc<Shared<A>>, actor: A) -> Self {
        let mut ctx = Context::new();
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
    pub(crate) fn discard(mut self) -> Option<Cause> {
        self.ctx().parts().terminate();
        caught(|| drop(self)).err()
    }
}
