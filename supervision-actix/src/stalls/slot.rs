//! What a thread tells the watchdog about the poll that is under way on it, in a few atomics.
//!
//! A thread polls one actor at a time, so there is a slot for each thread and not for each actor:
//! the watchdog looks at as many as there are arbiters. The one word `poll` says when the poll began
//! and what the watchdog thinks of it; both sides change it by one atomic operation, so they agree
//! on whether a poll was found blocked.

use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    thread::{self, Thread},
};

use super::{now, wake_by, watchdog};

/// Set in `poll` by the watchdog: the deadline is over.
const BLOCKED: u64 = 1;
/// Set in `poll` by the watchdog: half the deadline is over; handle no further message.
const HURRY: u64 = 2;
/// Bits of `poll` below the time.
const FLAGS: u32 = 2;

/// A thread's slot.
#[derive(Debug)]
pub(crate) struct Slot {
    thread: Thread,
    /// When the poll began, in nanoseconds, above the flags; 0 while none is under way.
    poll: AtomicU64,
    actor: AtomicU64,
    deadline: AtomicU64,
    incarnation: AtomicU64,
    /// The incarnation that was running when the poll was found blocked.
    blocked: AtomicU64,
    /// Whether the pump had its turn in this poll.
    reached: AtomicBool,
    /// The type of the message that is being handled, where that is known.
    handled: Message,
    /// The same, when the poll was found blocked.
    blocked_by: Message,
}

/// The type of a message. Locked for a moment, and by an actor with a deadline only.
type Message = Mutex<Option<&'static str>>;

/// A poll as the watchdog sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    word: u64,
    pub(super) actor: u64,
    pub(super) deadline: u64,
    pub(super) incarnation: u64,
}

/// How a poll went.
pub(crate) struct Polled {
    /// Whether the actor could handle messages in it.
    pub(crate) reached: bool,
    /// What was found to block the thread.
    pub(crate) blocked: Option<Blocked>,
}

/// A poll that was too long.
pub(crate) struct Blocked {
    pub(crate) incarnation: u64,
    /// In nanoseconds.
    pub(crate) lasted: u64,
    pub(crate) message_type: Option<&'static str>,
}

fn lock(message: &Message) -> MutexGuard<'_, Option<&'static str>> {
    message.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static SLOT: RefCell<Option<Arc<Slot>>> = const { RefCell::new(None) };
}

/// This thread's slot, made when it is first asked for.
pub(crate) fn here() -> Arc<Slot> {
    SLOT.with(|slot| {
        let mut slot = slot.borrow_mut();
        let made = slot.get_or_insert_with(|| {
            let slot = Arc::new(Slot {
                thread: thread::current(),
                poll: AtomicU64::new(0),
                actor: AtomicU64::new(0),
                deadline: AtomicU64::new(0),
                incarnation: AtomicU64::new(0),
                blocked: AtomicU64::new(0),
                reached: AtomicBool::new(false),
                handled: Mutex::default(),
                blocked_by: Mutex::default(),
            });
            watchdog::add(&slot);
            slot
        });
        made.clone()
    })
}

/// The side of the thread itself.
impl Slot {
    /// Runs a poll of an actor. One inside another (a handler that drives a runtime of its own) hides
    /// the outer one while it lasts.
    #[inline]
    pub(crate) fn during<R>(
        &self,
        actor: u64,
        deadline: u64,
        incarnation: u64,
        poll: impl FnOnce() -> R,
    ) -> (R, Polled) {
        let outer = (self.poll.load(Relaxed) != 0).then(|| self.set_aside());
        self.actor.store(actor, Relaxed);
        self.deadline.store(deadline, Relaxed);
        self.incarnation.store(incarnation, Relaxed);
        self.reached.store(false, Relaxed);
        let began = now();
        self.poll.store(began << FLAGS, SeqCst);
        wake_by(began.saturating_add(deadline / 2));
        let result = poll();
        let word = self.poll.swap(0, SeqCst);
        let blocked = (word & BLOCKED != 0).then(|| Blocked {
            incarnation: self.blocked.load(Relaxed),
            lasted: now().saturating_sub(began),
            message_type: *lock(&self.blocked_by),
        });
        let reached = self.reached.load(Relaxed);
        if let Some(outer) = outer {
            self.go_back(&outer);
        }
        (result, Polled { reached, blocked })
    }

    #[cold]
    fn set_aside(&self) -> Outer {
        Outer {
            word: self.poll.swap(0, SeqCst),
            actor: self.actor.load(Relaxed),
            deadline: self.deadline.load(Relaxed),
            incarnation: self.incarnation.load(Relaxed),
            reached: self.reached.load(Relaxed),
            handled: lock(&self.handled).take(),
        }
    }

    #[cold]
    fn go_back(&self, outer: &Outer) {
        self.actor.store(outer.actor, Relaxed);
        self.deadline.store(outer.deadline, Relaxed);
        self.incarnation.store(outer.incarnation, Relaxed);
        self.reached.store(outer.reached, Relaxed);
        self.handle(outer.handled);
        self.poll.store(outer.word, SeqCst);
        wake_by(now());
    }

    /// Notes that the actor could handle messages.
    #[inline]
    pub(crate) fn reach(&self) {
        self.reached.store(true, Relaxed);
    }

    /// Notes what is being handled.
    pub(crate) fn handle(&self, message: Option<&'static str>) {
        *lock(&self.handled) = message;
    }

    /// Whether the poll should end before another message is handled, so that a long queue of short
    /// handlers is not taken for a blocked thread.
    #[inline]
    pub(crate) fn must_yield(&self) -> bool {
        self.poll.load(Relaxed) & (HURRY | BLOCKED) != 0
    }

    /// Notes that another incarnation has begun in this poll; returns the actor's number.
    pub(crate) fn begin(&self, incarnation: u64) -> u64 {
        self.incarnation.store(incarnation, Relaxed);
        self.actor.load(Relaxed)
    }
}

/// A poll that another one has been started in.
struct Outer {
    word: u64,
    actor: u64,
    deadline: u64,
    incarnation: u64,
    reached: bool,
    handled: Option<&'static str>,
}

/// The side of the watchdog.
impl Slot {
    /// The poll under way and not found blocked yet, if there is one.
    pub(super) fn look(&self) -> Option<Seen> {
        let word = self.poll.load(SeqCst);
        let seen = Seen {
            word,
            actor: self.actor.load(SeqCst),
            deadline: self.deadline.load(SeqCst),
            incarnation: self.incarnation.load(SeqCst),
        };
        // All of it is of one poll if that one is still under way.
        let same = self.poll.load(SeqCst) == word;
        (same && word != 0 && word & BLOCKED == 0).then_some(seen)
    }

    /// Asks for the poll to end soon; nothing happens if it has ended.
    pub(super) fn hurry(&self, seen: Seen) {
        let hurried = seen.word | HURRY;
        // It has ended otherwise, and there is nobody to hurry.
        let _ = self
            .poll
            .compare_exchange(seen.word, hurried, SeqCst, Relaxed);
    }

    /// Notes that the poll blocks the thread; `false` if it has ended.
    pub(super) fn block(&self, seen: Seen) -> bool {
        self.blocked.store(seen.incarnation, SeqCst);
        let message = *lock(&self.handled);
        *lock(&self.blocked_by) = message;
        let blocked = seen.word | BLOCKED;
        self.poll
            .compare_exchange(seen.word, blocked, SeqCst, Relaxed)
            .is_ok()
    }

    /// What was being handled when the poll was found blocked.
    pub(super) fn blocked_by(&self) -> Option<&'static str> {
        *lock(&self.blocked_by)
    }

    pub(super) fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl Seen {
    /// When the poll began.
    pub(super) fn began(self) -> u64 {
        self.word >> FLAGS
    }

    /// Whether it was asked to end soon.
    pub(super) fn is_hurried(self) -> bool {
        self.word & HURRY != 0
    }
}
