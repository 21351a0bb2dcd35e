//! Futures that run in tasks of their own, where a panic would be nobody's and one that never
//! finishes would go unseen.

use std::{
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
    time::Duration,
};

use supervision_core::Cause;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    control::{Call, Remark},
    current, handling,
    panics::{cause_of_passing_panic, drop_guarded, payload_caught},
};

/// A future whose panic is reported to the actor that made it, see
/// [`watch`](crate::SupervisedContext::watch).
#[must_use = "futures do nothing unless polled"]
pub struct Watched<F> {
    // Boxed, so that no projection into a pinned field is needed. `None` once it is over.
    future: Option<Pin<Box<F>>>,
    reports_to: Option<(Arc<Call>, u64)>,
    deadline: Option<Box<Deadline>>,
    /// Of the message that it works for, where that was known.
    message_type: Option<&'static str>,
}

/// When it is to be finished.
struct Deadline {
    limit: Duration,
    at: Instant,
    /// Made at the first poll, which is in the task and so in a runtime.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F> Watched<F> {
    pub(crate) fn new(future: F, reports_to: Option<(Arc<Call>, u64)>) -> Self {
        Self {
            future: Some(Box::pin(future)),
            reports_to,
            deadline: None,
            message_type: handling::message_type(),
        }
    }

    /// Gives the future `limit` from now, in tokio's time. If it is not finished by then, that is a
    /// failure of type `stall` of the actor, as a panic in it would be. The future is dropped and its
    /// task ends by unwinding, without the panic hook, so the asker gets `MailboxError::Closed` (and
    /// a `JoinHandle` a panic).
    ///
    /// Like `watch` this is for futures with a task of their own (`ResponseFuture`, `actix::spawn`):
    /// inside the context the unwinding would be a panic of the incarnation. A limit of zero lets it
    /// finish only at its first poll; one beyond the end of the clock is none. A future that blocks
    /// its thread is not seen by this.
    ///
    /// ```
    /// # use actix::prelude::*;
    /// # use supervision_actix::prelude::*;
    /// # use std::time::Duration;
    /// # struct Client;
    /// # impl Actor for Client { type Context = Context<Self>; }
    /// # async fn fetch() -> u32 { 7 }
    /// #[derive(Message)]
    /// #[rtype(result = "u32")]
    /// struct Fetch;
    ///
    /// impl Handler<Fetch> for Client {
    ///     type Result = ResponseFuture<u32>;
    ///
    ///     fn handle(&mut self, _: Fetch, ctx: &mut Context<Self>) -> ResponseFuture<u32> {
    ///         Box::pin(ctx.watch(fetch()).with_deadline(Duration::from_secs(5)))
    ///     }
    /// }
    /// ```
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        let at = Instant::now().checked_add(limit);
        self.deadline = at.map(|at| {
            Box::new(Deadline {
                limit,
                at,
                timer: None,
            })
        });
        self
    }

    fn report(&mut self, cause: Cause) {
        if let Some((call, incarnation)) = self.reports_to.take() {
            let cause = cause.handling(self.message_type);
            call.remark(Remark { cause, incarnation });
        }
    }
}

impl Deadline {
    fn poll(&mut self, task: &mut TaskContext<'_>) -> Poll<()> {
        let at = self.at;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        timer.as_mut().poll(task)
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let Some(future) = &mut this.future else {
            panic!("a watched future was polled after its end");
        };
        // Described where the panic's place was noted.
        let polled = current::task_scope(|| {
            payload_caught(|| future.as_mut().poll(task))
                .map_err(|payload| (Box::new(cause_of_passing_panic(&*payload)), payload))
        });
        match polled {
            Ok(Poll::Pending) => {}
            Ok(ready) => return ready,
            Err((cause, payload)) => {
                this.report(*cause);
                // The task ends as it would have; its asker must not wait for ever.
                resume_unwind(payload)
            }
        }
        let Some(deadline) = &mut this.deadline else {
            return Poll::Pending;
        };
        ready!(deadline.poll(task));
        let limit = deadline.limit;
        let text = format!("a watched future was not finished within {limit:?}");
        this.report(Cause::stall(text.clone()));
        drop_guarded(this.future.take());
        // There is no value to end with; the asker learns it from the end of the task.
        resume_unwind(Box::new(text))
    }
}
