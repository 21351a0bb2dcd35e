//! What becomes of the messages of one actor that were sent by its tracked addresses: each is
//! counted once when it is sent and once when its fate is known.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire},
};

use serde::{Deserialize, Serialize};

use crate::{
    dead_letters::{DeadLetter, DeadLetterReason, Subscriber, is_wanted, tell},
    panics::drop_guarded,
};

/// How many messages were sent by all [`TrackedAddr`](crate::TrackedAddr)s of one actor, and what
/// became of them.
///
/// Each message that is sent comes to exactly one end, so
/// `sent == handled + failed + cancelled + dead_lettered` once nothing is on its way any more; what
/// is on its way is [`in_transit`](Self::in_transit).
///
/// | fate | when |
/// |---|---|
/// | handled | its handler returned, and reported no failure. An answer that is still being computed then (`ResponseFuture`, `ResponseActFuture`, `AtomicResponse`) is a matter of its own: what fails in it later is a failure of the actor, and the asker gets `Closed` |
/// | failed | its handler panicked, or the actor failed while it was handling it: `ctx.fail`, [`FailOnErr`](crate::FailOnErr) |
/// | cancelled | an ask whose request was dropped before the message was handled |
/// | dead-lettered | it will never be handled, see [`DeadLetterReason`] |
///
/// A message that `try_send` gives back to its sender was not sent; it is counted as refused.
///
/// A message is counted when its handler has returned, which may be a moment after another thread
/// got its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrackedCounts {
    /// Messages that were sent.
    pub sent: u64,
    /// Those that were handled.
    pub handled: u64,
    /// Those in whose handling the actor failed.
    pub failed: u64,
    /// Those whose asker was gone before they were handled.
    pub cancelled: u64,
    /// Those that could not be handled.
    pub dead_lettered: u64,
    /// Messages that `try_send` gave back because the mailbox was full or closed; not among those
    /// that were sent.
    pub refused: u64,
}

impl TrackedCounts {
    /// Messages on their way: waiting for room, in the mailbox, or being handled.
    pub fn in_transit(&self) -> u64 {
        let ended = self.handled + self.failed + self.cancelled + self.dead_lettered;
        self.sent.saturating_sub(ended)
    }
}

/// The end of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Handled,
    Failed,
    Cancelled,
}

/// The counts of one actor.
pub(crate) struct Tally {
    sent: AtomicU64,
    handled: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    dead_lettered: AtomicU64,
    refused: AtomicU64,
    /// What a dead letter says about its actor; looked at only then.
    said: Mutex<Said>,
    subscriber: Option<Arc<Subscriber>>,
}

/// What is said about an actor whose messages cannot be handled.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) path: Arc<str>,
    pub(crate) incarnation: u64,
    pub(crate) reason: DeadLetterReason,
}

impl Tally {
    pub(crate) fn new(path: &str, subscriber: Option<Arc<Subscriber>>) -> Arc<Self> {
        Arc::new(Self {
            sent: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            dead_lettered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            said: Mutex::new(Said {
                path: path.into(),
                incarnation: 0,
                // Until it is said otherwise: a mailbox that goes without anybody saying why.
                reason: DeadLetterReason::ArbiterStopped,
            }),
            subscriber,
        })
    }

    pub(super) fn count_sent(&self) {
        self.sent.fetch_add(1, AcqRel);
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, AcqRel);
    }

    pub(super) fn count(&self, fate: Fate) {
        let count = match fate {
            Fate::Handled => &self.handled,
            Fate::Failed => &self.failed,
            Fate::Cancelled => &self.cancelled,
        };
        count.fetch_add(1, AcqRel);
    }

    /// Says why messages that are dropped from now on are not handled.
    pub(crate) fn say(&self, said: Said) {
        let before = std::mem::replace(&mut *self.said(), said);
        drop(before);
    }

    /// A message that will not be handled, for this reason or the one that was said last.
    pub(super) fn bury<M: Send + 'static>(&self, message: M, reason: Option<DeadLetterReason>) {
        self.dead_lettered.fetch_add(1, AcqRel);
        if self.subscriber.is_none() && !is_wanted() {
            drop_guarded(message);
            return;
        }
        let mut said = self.said().clone();
        said.reason = reason.unwrap_or(said.reason);
        tell(self.subscriber.as_ref(), || {
            DeadLetter::of_message(said, message)
        });
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> TrackedCounts {
        // What was sent is read last: no fate is counted before its message was.
        let [handled, failed, cancelled, dead_lettered, refused, sent] = [
            &self.handled,
            &self.failed,
            &self.cancelled,
            &self.dead_lettered,
            &self.refused,
            &self.sent,
        ]
        .map(|count| count.load(Acquire));
        TrackedCounts {
            sent,
            handled,
            failed,
            cancelled,
            dead_lettered,
            refused,
        }
    }
}
