//! Threads that a supervised actor blocks, seen from outside: what is told, and to whom.
//!
//! A handler that blocks its thread keeps everything on its arbiter from running, its own
//! supervision included. An actor with a deadline
//! ([`with_stall_deadline`](crate::ActorProps::with_stall_deadline)) is therefore also watched from
//! a thread outside, one for the process. That thread cannot end the handler, nothing can; it tells
//! at once, through `tracing` at level error and to whoever [subscribes](subscribe). What becomes of
//! the actor is decided when the thread comes back: the failure is of type `stall`.
//!
//! Real time counts here, also where tokio's clock is paused. A thread that gets no processor for so
//! long, or a process that is halted, counts as blocked too: deadlines of less than some 100 ms are
//! for machines with time to spare.
//!
//! The watching thread starts with the first actor that has a deadline, and sleeps while no such
//! actor is polled. Where it cannot be started, that is logged, and blocked threads go unseen.

pub(crate) mod slot;
mod watchdog;

use std::{
    thread::ThreadId,
    time::{Duration, Instant},
};

pub(crate) use self::watchdog::{Registration, rename, wake_by};

/// A poll of a supervised actor has lasted longer than the actor's deadline: a handler, a hook, its
/// factory, or a future inside it blocks the thread of its arbiter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockedThread {
    /// The actor's path.
    pub path: String,
    /// The incarnation that blocks it, counted from 1.
    pub incarnation: u64,
    /// The type of the message that is being handled; `None` where that is not known, see
    /// [`TrackedAddr`](crate::TrackedAddr).
    pub message_type: Option<&'static str>,
    /// The arbiter's thread.
    pub thread_id: ThreadId,
    /// The thread's name, if it has one.
    pub thread_name: Option<String>,
    /// How long the poll has lasted so far; longer than the deadline.
    pub lasted: Duration,
    /// The actor's deadline.
    pub deadline: Duration,
}

/// Has `callback` told of every thread that a supervised actor of this process blocks, once for each
/// time, until the returned guard is dropped.
///
/// It runs on the watching thread, so it should be quick: while it runs nobody else is told
/// anything. A panic in it is logged and changes nothing. If it is running while the guard is
/// dropped it runs to its end.
///
/// ```
/// let guard = supervision_actix::stalls::subscribe(|blocked| {
///     eprintln!("{} blocks {:?}", blocked.path, blocked.thread_name);
/// });
/// drop(guard); // nothing is told any more
/// ```
pub fn subscribe(callback: impl Fn(&BlockedThread) + Send + Sync + 'static) -> Subscription {
    Subscription(watchdog::subscribe(std::sync::Arc::new(callback)))
}

/// Keeps a [subscription](subscribe); dropping it ends it.
#[must_use = "dropping it ends the subscription"]
#[derive(Debug)]
pub struct Subscription(u64);

impl Drop for Subscription {
    fn drop(&mut self) {
        watchdog::unsubscribe(self.0);
    }
}

/// Nanoseconds of real time since this process first asked; never 0.
pub(crate) fn now() -> u64 {
    static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let since = EPOCH.get_or_init(Instant::now).elapsed();
    nanos(since).max(1)
}

/// A duration as nanoseconds; deadlines and processes last less than 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
