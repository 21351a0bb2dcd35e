//! A handler's `Err` as a failure: the caller gets the error, and the supervisor learns of it.

use std::{
    any::type_name,
    error::Error,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use actix::{
    Actor, ActorFuture, Context, Message,
    dev::{MessageResponse, OneshotSender},
};

use crate::{fail::fail_with, handling};

/// A handler's result of which an `Err` is a failure of the actor.
///
/// The caller gets the result as it is; the error is described to the supervisor first. Since `?`
/// needs a `Result`, write the work as a method or closure that returns one, and convert:
///
/// ```
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// # struct Parser;
/// # impl Actor for Parser { type Context = Context<Self>; }
/// #[derive(Message)]
/// #[rtype(result = "Result<i32, std::num::ParseIntError>")]
/// struct Parse(String);
///
/// impl Handler<Parse> for Parser {
///     type Result = FailOnErr<i32, std::num::ParseIntError>;
///
///     fn handle(&mut self, msg: Parse, _: &mut Context<Self>) -> Self::Result {
///         FailOnErr::run(|| {
///             let number: i32 = msg.0.trim().parse()?;
///             Ok(number + 1)
///         })
///     }
/// }
/// ```
///
/// For an answer that is computed asynchronously there is [`FailOnErrExt::fail_on_err`]. In an
/// actor that is not supervised it is an ordinary result.
#[derive(Debug)]
pub struct FailOnErr<T, E>(pub Result<T, E>);

impl<T, E> FailOnErr<T, E> {
    /// Does the work of a handler; `?` works inside.
    pub fn run(work: impl FnOnce() -> Result<T, E>) -> Self {
        Self(work())
    }
}

impl<T, E> From<Result<T, E>> for FailOnErr<T, E> {
    fn from(result: Result<T, E>) -> Self {
        Self(result)
    }
}

impl<A, M, T, E> MessageResponse<A, M> for FailOnErr<T, E>
where
    A: Actor<Context = Context<A>>,
    M: Message<Result = Result<T, E>>,
    T: 'static,
    E: Error + 'static,
{
    fn handle(self, ctx: &mut Context<A>, reply: Option<OneshotSender<Result<T, E>>>) {
        if let Err(error) = &self.0 {
            fail_with(ctx, error, Some(type_name::<M>()));
        }
        if let Some(reply) = reply {
            // An asker that went away needs no answer.
            let _ = reply.send(self.0);
        }
    }
}

/// Makes the `Err` of an actor future a failure of the actor; works for `ResponseActFuture`,
/// `AtomicResponse` and `ctx.spawn`.
pub trait FailOnErrExt<A, T, E>: ActorFuture<A, Output = Result<T, E>> + Sized
where
    A: Actor<Context = Context<A>>,
    E: Error + 'static,
{
    /// Passes the result on; an `Err` is a failure of the actor as well.
    fn fail_on_err(self) -> FailOnErrFuture<Self> {
        FailOnErrFuture {
            future: Box::pin(self),
            message_type: handling::message_type(),
        }
    }
}

impl<A, T, E, F> FailOnErrExt<A, T, E> for F
where
    A: Actor<Context = Context<A>>,
    E: Error + 'static,
    F: ActorFuture<A, Output = Result<T, E>>,
{
}

/// See [`FailOnErrExt::fail_on_err`].
#[must_use = "futures do nothing unless polled"]
pub struct FailOnErrFuture<F> {
    future: Pin<Box<F>>,
    /// Of the message that it was made for, where that was known.
    message_type: Option<&'static str>,
}

impl<A, T, E, F> ActorFuture<A> for FailOnErrFuture<F>
where
    A: Actor<Context = Context<A>>,
    E: Error + 'static,
    F: ActorFuture<A, Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(
        mut self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Result<T, E>> {
        let result = ready!(self.future.as_mut().poll(actor, ctx, task));
        if let Err(error) = &result {
            fail_with(ctx, error, self.message_type);
        }
        Poll::Ready(result)
    }
}
