//! The future inside each incarnation that hands it the messages of the shared mailbox.

mod marked;

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, ActorFuture, AsyncContext, Context,
    dev::{Envelope, EnvelopeProxy},
};

use crate::{
    current,
    panics::{Payload, cause_of_panic, payload_caught},
    shared::Shared,
    suspension::{self, Entered},
};

use self::marked::Marked;

/// What the pump finds when it looks for a message.
pub(crate) enum Next<A: Actor> {
    Message(Envelope<A>),
    /// None now; the task will be woken.
    Empty,
    /// None, and nobody is left who could send one.
    Deserted,
}

/// Moves messages from the mailbox to the actor's handlers. It finds them by the poll it is in, so it
/// is zero-sized, and boxing it costs nothing.
struct Pump<A>(PhantomData<fn() -> A>)
where
    A: Actor<Context = Context<A>>;

/// Puts a pump into a context that has none.
pub(crate) fn install<A: Actor<Context = Context<A>>>(shared: &Shared<A>, ctx: &mut Context<A>) {
    let pump = Pump(PhantomData);
    if shared.spec().settings.stall_deadline().is_some() {
        ctx.spawn(Marked::new(shared, pump));
    } else {
        ctx.spawn(pump);
    }
    shared.install_pump();
}

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Pump<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let turn = |shared: &Shared<A>| pump(shared, actor, ctx, task, || false);
        current::with(turn).unwrap_or(Poll::Pending)
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Pump<A> {
    fn drop(&mut self) {
        // Cancelled, ended or discarded with its incarnation: in any case it is not there. It can
        // be cancelled because `ctx.handle()` inside a message handler is the pump's handle.
        current::with(Shared::<A>::lose_pump);
    }
}

/// One turn of the pump; ready when nobody can send any more and everything has been handled. After
/// a message, `must_yield` says whether the others wait for another turn.
// Always: the pump of actors with a deadline, a second caller, must not cost this one its inlining.
#[inline(always)]
fn pump<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    actor: &mut A,
    ctx: &mut Context<A>,
    task: &mut TaskContext<'_>,
    must_yield: impl Fn() -> bool,
) -> Poll<()> {
    if shared.is_starting() {
        shared.finish_start(actor, ctx);
    }
    // Caught here rather than around the whole incarnation, a handler's panic leaves the value
    // reachable: `Resume` and `before_restart` need it.
    match payload_caught(|| drain(shared, actor, ctx, task, must_yield)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(())) => {
            shared.finish_pump();
            Poll::Ready(())
        }
        Err(payload) => {
            suspend(shared, ctx, payload);
            Poll::Pending
        }
    }
}

#[cold]
fn suspend<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    ctx: &mut Context<A>,
    payload: Payload,
) {
    suspension::suspend(shared, ctx, Entered::resumable(cause_of_panic(payload)));
}

/// Handles messages until there is none, or the actor must wait or stop.
#[inline(always)]
fn drain<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    actor: &mut A,
    ctx: &mut Context<A>,
    task: &mut TaskContext<'_>,
    must_yield: impl Fn() -> bool,
) -> Poll<()> {
    // A sender may send and go between the last receive and the look at the senders: only an empty
    // mailbox *after* they were seen gone is final.
    let mut nobody_left = false;
    while !ctx.waiting() {
        match shared.next_message(task) {
            Next::Message(mut envelope) => {
                nobody_left = false;
                shared.count_dispatched();
                envelope.handle(actor, ctx);
                if must_yield() {
                    task.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            Next::Empty => return Poll::Pending,
            Next::Deserted if nobody_left => return Poll::Ready(()),
            Next::Deserted => nobody_left = true,
        }
    }
    Poll::Pending
}
