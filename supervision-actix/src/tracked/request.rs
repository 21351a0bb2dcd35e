//! An ask by a tracked address, on its way to its answer.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use actix::MailboxError;
use tokio::{
    sync::oneshot::Receiver,
    time::{Sleep, sleep},
};

/// Waits for room in the mailbox.
pub(super) type Entering = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The answer to a message that was sent by [`TrackedAddr::send`](crate::TrackedAddr::send).
///
/// Dropping it cancels the message, unless it has been handled by then.
#[must_use = "dropping it cancels the message"]
pub struct TrackedRequest<R> {
    // Dropped before what waits for room, so that this one finds its asker gone.
    answer: Receiver<R>,
    entering: Option<Entering>,
    timeout: Option<Pin<Box<Sleep>>>,
}

impl<R> TrackedRequest<R> {
    pub(super) fn new(answer: Receiver<R>, entering: Option<Entering>) -> Self {
        Self {
            answer,
            entering,
            timeout: None,
        }
    }

    /// Gives up after this time from now, of tokio's clock: waiting for room in the mailbox counts
    /// too. The message is cancelled if it has not been handled by the time the request is dropped.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(Box::pin(sleep(limit)));
        self
    }
}

impl<R> Future for TrackedRequest<R> {
    type Output = Result<R, MailboxError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(entering) = &mut this.entering
            && entering.as_mut().poll(task).is_ready()
        {
            this.entering = None;
        }
        if let Poll::Ready(answer) = Pin::new(&mut this.answer).poll(task) {
            return Poll::Ready(answer.map_err(|_| MailboxError::Closed));
        }
        match &mut this.timeout {
            Some(timeout) => timeout
                .as_mut()
                .poll(task)
                .map(|()| Err(MailboxError::Timeout)),
            None => Poll::Pending,
        }
    }
}
