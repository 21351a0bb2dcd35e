//! What an actor can do about its own supervision, from inside: fail, find its supervisor, watch
//! its tasks, leave state for its successor.

use std::{
    any::{Any, type_name},
    error::Error,
};

use actix::{Actor, ActorContext, Addr, Context};
use supervision_core::Cause;

use crate::{
    control::{call_of, supervisor_of},
    current,
    handling::{self, Handling},
    panics::{caught, drop_guarded},
    supervisor::SupervisorActor,
    suspension::{self, Entered},
    tracked::TrackedAddr,
    watch::Watched,
};

mod sealed {
    pub trait Sealed {}
}

impl<A: Actor<Context = Context<A>>> sealed::Sealed for Context<A> {}

/// The actor that was asked to do something about its supervision is not supervised; nothing was
/// done. Holds what was given.
#[derive(Debug, thiserror::Error)]
#[error("this actor is not supervised")]
pub struct NotSupervised<T>(pub T);

/// Supervision, seen from inside a supervised actor. Implemented for every `actix::Context`.
pub trait SupervisedContext<A: Actor<Context = Context<A>>>: sealed::Sealed {
    /// Fails with an error: "I cannot go on like this". The strategy decides what happens.
    ///
    /// The current handler runs on to its end; after it the actor handles no message and polls no
    /// future until the decision is made. An actor that is not supervised logs the error and stops.
    ///
    /// At most 64 failures of one incarnation wait for a decision; more are dropped, since those
    /// before them are enough to decide by.
    fn fail<E: Error + 'static>(&mut self, error: E);

    /// As [`fail`](Self::fail), with a boxed error whose type is recovered as far as possible, see
    /// [`ReportFailure::new`](crate::ReportFailure::new).
    fn fail_boxed(&mut self, error: Box<dyn Error + Send>);

    /// As [`fail`](Self::fail), if the actor is supervised.
    ///
    /// # Errors
    /// [`NotSupervised`] returns the error; the actor goes on.
    fn try_fail<E: Error + 'static>(&mut self, error: E) -> Result<(), NotSupervised<E>>;

    /// Whether the actor is supervised.
    fn is_supervised(&self) -> bool;

    /// The number of the running incarnation, counted from 1; 0 if the actor is not supervised.
    fn incarnation(&self) -> u64;

    /// The address of the actor's supervisor, `None` if it is not supervised. The supervisor's
    /// channel is made when this is first called.
    fn supervisor(&self) -> Option<Addr<SupervisorActor<A>>>;

    /// A tracked address of the actor; `None` if it is not supervised.
    fn tracked_address(&self) -> Option<TrackedAddr<A>>;

    /// Does the work of a handler of `M`, so that a failure in it names `M` in its record: for
    /// messages by plain addresses, which do not tell what they are. What a
    /// [`TrackedAddr`](crate::TrackedAddr) sends needs no such help.
    ///
    /// ```
    /// # use actix::prelude::*;
    /// # use supervision_actix::prelude::*;
    /// # struct Clerk;
    /// # impl Clerk { fn file(&mut self, _: Letter) {} }
    /// # impl Actor for Clerk { type Context = Context<Self>; }
    /// # #[derive(Message)] #[rtype(result = "()")] struct Letter;
    /// impl Handler<Letter> for Clerk {
    ///     type Result = ();
    ///
    ///     fn handle(&mut self, letter: Letter, ctx: &mut Context<Self>) {
    ///         ctx.handling::<Letter, _>(|_| self.file(letter))
    ///     }
    /// }
    /// ```
    ///
    /// Futures made in there know it too, where [`watch`](Self::watch) or
    /// [`fail_on_err`](crate::FailOnErrExt::fail_on_err) makes them.
    fn handling<M, R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R;

    /// Wraps a future that will run in a task of its own (`ResponseFuture`, `actix::spawn`), so
    /// that a panic in it is a failure of this actor. The panic then goes on, so the asker gets
    /// `MailboxError::Closed`.
    ///
    /// A failure of a task that works for an earlier incarnation is recorded, not charged. The
    /// actor does not wait for the task, nor does the task keep the actor alive. For a task that must
    /// finish in time see [`Watched::with_deadline`].
    fn watch<F: Future>(&self, future: F) -> Watched<F>;

    /// Leaves a value for the next incarnation, meant for
    /// [`before_restart`](crate::SupervisedDistributedActor::before_restart). One value of each
    /// type is kept, the last one; what is not fetched until the next incarnation is up is dropped.
    ///
    /// # Errors
    /// [`NotSupervised`] returns the value.
    fn hand_over<T: Any>(&mut self, value: T) -> Result<(), NotSupervised<T>>;

    /// Fetches what the incarnation before left, in `started` or
    /// [`after_restart`](crate::SupervisedDistributedActor::after_restart).
    fn take_handed<T: Any>(&mut self) -> Option<T>;
}

impl<A: Actor<Context = Context<A>>> SupervisedContext<A> for Context<A> {
    fn fail<E: Error + 'static>(&mut self, error: E) {
        if let Err(NotSupervised(error)) = self.try_fail(error) {
            stop_unsupervised(self, &error);
        }
    }

    fn fail_boxed(&mut self, error: Box<dyn Error + Send>) {
        match current::of(self) {
            Some(shared) => {
                let cause =
                    shared.with_known_errors(|known| described(|| Cause::erased(&*error, known)));
                drop_guarded(error);
                let cause = handling::blame(&shared, cause);
                suspension::suspend(&shared, self, Entered::resumable(cause));
            }
            None => stop_unsupervised(self, &*error),
        }
    }

    fn try_fail<E: Error + 'static>(&mut self, error: E) -> Result<(), NotSupervised<E>> {
        if fail_with(self, &error, None) {
            Ok(())
        } else {
            Err(NotSupervised(error))
        }
    }

    fn is_supervised(&self) -> bool {
        current::of(self).is_some()
    }

    fn incarnation(&self) -> u64 {
        current::of(self).map_or(0, |shared| shared.incarnation())
    }

    fn supervisor(&self) -> Option<Addr<SupervisorActor<A>>> {
        current::of(self).map(|shared| supervisor_of(&shared))
    }

    fn tracked_address(&self) -> Option<TrackedAddr<A>> {
        current::of(self)?.tracked_address()
    }

    fn handling<M, R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let Some(shared) = current::of(self) else {
            return work(self);
        };
        let handling = Handling::begin(&shared, type_name::<M>());
        let result = work(self);
        handling.end(&shared, self);
        result
    }

    fn watch<F: Future>(&self, future: F) -> Watched<F> {
        let call = current::of(self).map(|shared| (call_of(&shared), shared.incarnation()));
        Watched::new(future, call)
    }

    fn hand_over<T: Any>(&mut self, value: T) -> Result<(), NotSupervised<T>> {
        let Some(shared) = current::of(self) else {
            return Err(NotSupervised(value));
        };
        let replaced = shared.ledger().hand_over(value);
        drop(replaced);
        Ok(())
    }

    fn take_handed<T: Any>(&mut self) -> Option<T> {
        let shared = current::of(self)?;
        shared.take_handed()
    }
}

/// Fails with a borrowed error; `false` if the actor is not supervised.
///
/// `message_type` is that of the message the error is an answer to, if that is known.
pub(crate) fn fail_with<A, E>(
    ctx: &mut Context<A>,
    error: &E,
    message_type: Option<&'static str>,
) -> bool
where
    A: Actor<Context = Context<A>>,
    E: Error + 'static,
{
    let Some(shared) = current::of(ctx) else {
        return false;
    };
    let cause = shared.with_known_errors(|known| described(|| Cause::of(error, known)));
    let cause = handling::blame(&shared, cause.handling(message_type));
    suspension::suspend(&shared, ctx, Entered::resumable(cause));
    true
}

/// Describes an error; its own `Display` or `source` may panic, and then that is the cause.
fn described(describe: impl FnOnce() -> Cause) -> Cause {
    caught(describe).unwrap_or_else(|panic| panic)
}

fn stop_unsupervised<A: Actor<Context = Context<A>>>(ctx: &mut Context<A>, error: &dyn Error) {
    tracing::error!(%error, "an actor that is not supervised failed; it is stopped");
    ctx.stop();
}
