//! A failure inside a live incarnation suspends it until the decision is made.
//!
//! The failure is queued and a future is given to `ctx.wait`. actix polls that future next,
//! handling no message and polling nothing else meanwhile, and gives it the actor's value and
//! context: the one place where the value of a failing incarnation can be reached.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use actix::{Actor, ActorContext, ActorFuture, Addr, AsyncContext, Context, dev::OneshotSender};
use supervision_core::Cause;

use crate::{
    alerts::Alert,
    current,
    managed::Consulted,
    settle::{Settled, settle},
    shared::Shared,
};

/// Failures that one incarnation can have waiting for a decision. A handler that fails in a loop
/// is refused beyond this; the failures before are enough to decide by.
pub(crate) const MAX_ENTERED: usize = 64;

/// Where the answer to a `ReportFailure` goes.
pub(crate) type Reporter<A> = Option<OneshotSender<Option<Addr<A>>>>;

/// A failure that has entered and waits for its decision.
pub(crate) struct Entered<A: Actor> {
    pub(crate) cause: Cause,
    pub(crate) resumable: bool,
    pub(crate) reporter: Reporter<A>,
}

impl<A: Actor> Entered<A> {
    /// A failure that leaves the value sound.
    pub(crate) fn resumable(cause: Cause) -> Self {
        Self {
            cause,
            resumable: true,
            reporter: None,
        }
    }

    /// A failure that leaves no value to go on with.
    pub(crate) fn fatal(cause: Cause) -> Self {
        Self {
            cause,
            resumable: false,
            reporter: None,
        }
    }
}

/// Waits, inside an incarnation, for the decisions on the failures that entered. Zero-sized, as the
/// pump is.
struct Suspension<A>(PhantomData<fn() -> A>);

/// Lets other tasks have their turn after a resumed failure: what fails at every poll would
/// otherwise keep the thread to itself.
struct Turn {
    given: bool,
}

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Turn {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        _: &mut A,
        _: &mut Context<A>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        if std::mem::replace(&mut self.given, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Queues a failure and suspends the incarnation.
pub(crate) fn suspend<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    ctx: &mut Context<A>,
    entered: Entered<A>,
) {
    if shared.enter(entered) {
        attach(ctx);
    }
}

/// Suspends the incarnation for failures that are queued already.
pub(crate) fn attach<A: Actor<Context = Context<A>>>(ctx: &mut Context<A>) {
    ctx.wait(Suspension::<A>(PhantomData));
}

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Suspension<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        _: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let polled = current::with(|shared| {
            if shared.is_managed() {
                return consult_manager(shared, actor, ctx);
            }
            settle_all(shared, actor, ctx);
            Poll::Ready(())
        });
        polled.unwrap_or(Poll::Ready(()))
    }
}

/// The actor's group decides; the incarnation is not polled while it does.
fn consult_manager<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    actor: &mut A,
    ctx: &mut Context<A>,
) -> Poll<()> {
    match shared.consult(Some((&mut *actor, &mut *ctx))) {
        Consulted::Waiting => return Poll::Pending,
        Consulted::Idle => {}
        Consulted::Resumed => ctx.wait(Turn { given: false }),
        Consulted::Ended => end_incarnation(shared, ctx),
    }
    Poll::Ready(())
}

fn end_incarnation<A: Actor<Context = Context<A>>>(shared: &Shared<A>, ctx: &mut Context<A>) {
    // actix never comes out of a poll that finds a future cancelled in a context that is
    // terminated; fresh parts have forgotten what `before_restart` or a waited future cancelled.
    shared.renew_parts(ctx);
    // `stopping` must not veto the end of a failed incarnation; `stopped` runs.
    ctx.terminate();
}

fn settle_all<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    actor: &mut A,
    ctx: &mut Context<A>,
) {
    while !shared.has_verdict() {
        let settled = match shared.next_entered() {
            Some(entered) => settle(shared, Some((&mut *actor, &mut *ctx)), entered),
            None if shared.alerts.is(Alert::EndRequested) => shared.settle_request(),
            None if shared.is_departing() => shared.settle_departure(actor, ctx),
            None => return,
        };
        match settled {
            Settled::Resumed => ctx.wait(Turn { given: false }),
            Settled::Ended => end_incarnation(shared, ctx),
        }
    }
}
