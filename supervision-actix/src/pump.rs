//! The future inside each incarnation that hands it the messages of the shared mailbox.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix::{Actor, ActorFuture, AsyncContext, Context, dev::EnvelopeProxy};

use crate::{
    panics::caught,
    shared::Shared,
    suspension::{self, Entered},
};

/// Whether an incarnation has its pump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PumpState {
    /// It runs.
    Installed,
    /// It ended because nobody can send any more.
    Finished,
    /// It is not there: not yet, or no longer, because it was cancelled (`ctx.handle()` inside a
    /// message handler is the pump's handle).
    Missing,
}

/// Moves messages from the mailbox to the actor's handlers.
struct Pump<A: Actor<Context = Context<A>>> {
    shared: Rc<Shared<A>>,
}

/// Never ends. actix stops an actor that has no future and no sender left; should the pump be
/// cancelled, this keeps the incarnation until the pump is back. Zero-sized, so it costs no memory.
struct KeepAlive;

impl<A: Actor> ActorFuture<A> for KeepAlive {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        _: &mut A,
        _: &mut A::Context,
        _: &mut TaskContext<'_>,
    ) -> Poll<()> {
        Poll::Pending
    }
}

/// Puts a pump into an incarnation that has none.
pub(crate) fn install<A: Actor<Context = Context<A>>>(
    shared: &Rc<Shared<A>>,
    ctx: &mut Context<A>,
) {
    ctx.spawn(Pump {
        shared: shared.clone(),
    });
    if shared.keep_alive.get().is_none() {
        shared.keep_alive.set(Some(ctx.spawn(KeepAlive)));
    }
    shared.pump.set(PumpState::Installed);
}

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Pump<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let shared = &self.shared;
        if shared.is_starting() {
            shared.finish_start(actor, ctx);
        }
        // Caught here rather than around the whole incarnation, a handler's panic leaves the value
        // reachable: `Resume` and `before_restart` need it.
        match caught(|| drain(shared, actor, ctx, task)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => {
                shared.pump.set(PumpState::Finished);
                if let Some(keep_alive) = shared.keep_alive.take() {
                    ctx.cancel_future(keep_alive);
                }
                Poll::Ready(())
            }
            Err(panic) => {
                suspension::suspend(shared, ctx, Entered::resumable(panic));
                Poll::Pending
            }
        }
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Pump<A> {
    fn drop(&mut self) {
        if self.shared.pump.get() == PumpState::Installed {
            self.shared.pump.set(PumpState::Missing);
        }
    }
}

/// Handles messages until there is none, or the actor must wait or stop. Ready when nobody can
/// send any more and everything that was sent has been handled.
fn drain<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    actor: &mut A,
    ctx: &mut Context<A>,
    task: &mut TaskContext<'_>,
) -> Poll<()> {
    // A sender may send and go between the last receive and the look at the senders: only an empty
    // mailbox *after* they were seen gone is final.
    let mut nobody_left = false;
    while !ctx.waiting() {
        match shared.poll_mailbox(task) {
            Poll::Ready(mut envelope) => {
                nobody_left = false;
                envelope.handle(actor, ctx);
            }
            Poll::Pending if shared.is_referenced() => return Poll::Pending,
            Poll::Pending if nobody_left => return Poll::Ready(()),
            Poll::Pending => nobody_left = true,
        }
    }
    Poll::Pending
}
