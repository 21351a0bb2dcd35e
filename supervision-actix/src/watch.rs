//! Futures that run in tasks of their own, where a panic would be nobody's.

use std::{
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use crate::{
    control::{Call, Remark},
    current,
    panics::{cause_of_passing_panic, payload_caught},
};

/// A future whose panic is reported to the actor that made it, see
/// [`watch`](crate::SupervisedContext::watch).
#[must_use = "futures do nothing unless polled"]
pub struct Watched<F> {
    // Boxed, so that no projection into a pinned field is needed.
    future: Pin<Box<F>>,
    reports_to: Option<(Arc<Call>, u64)>,
}

impl<F> Watched<F> {
    pub(crate) fn new(future: F, reports_to: Option<(Arc<Call>, u64)>) -> Self {
        Self {
            future: Box::pin(future),
            reports_to,
        }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        current::task_scope(|| {
            payload_caught(|| this.future.as_mut().poll(task)).unwrap_or_else(|payload| {
                if let Some((call, incarnation)) = this.reports_to.take() {
                    let cause = cause_of_passing_panic(&*payload);
                    call.remark(Remark { cause, incarnation });
                }
                // The task ends as it would have; its asker must not wait for ever.
                resume_unwind(payload)
            })
        })
    }
}
