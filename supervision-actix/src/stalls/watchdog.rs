//! The thread outside: it sleeps until a poll under way may be too long, and looks then.
//!
//! It is told when to look next by `NEXT`. A poll that could be due earlier lowers it and wakes the
//! thread; all others only read it. Having looked, the thread sleeps until the next poll under way
//! can be due, or for as long as nothing is polled. So a busy actor costs two wake-ups in each half
//! of its deadline, and an idle one none.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};

use crate::panics::caught;

use super::{
    BlockedThread, now,
    slot::{Seen, Slot},
};

/// Never: nothing is being polled.
const NEVER: u64 = u64::MAX;

/// When the watchdog looks next, in nanoseconds.
static NEXT: AtomicU64 = AtomicU64::new(NEVER);
/// `None` where no thread could be started.
static WATCHDOG: OnceLock<Option<Thread>> = OnceLock::new();
static REGISTER: Mutex<Register> = Mutex::new(Register {
    last: 0,
    slots: Vec::new(),
    paths: BTreeMap::new(),
    subscribers: BTreeMap::new(),
});

type Callback = Arc<dyn Fn(&BlockedThread) + Send + Sync>;

/// What the watchdog knows. Never locked while code of the user's runs.
struct Register {
    /// The last number given to an actor or a subscriber.
    last: u64,
    slots: Vec<Weak<Slot>>,
    paths: BTreeMap<u64, String>,
    subscribers: BTreeMap<u64, Callback>,
}

impl Register {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

fn register() -> MutexGuard<'static, Register> {
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An actor with a deadline; the watchdog knows its path for as long as this is there.
#[derive(Debug)]
pub(crate) struct Registration(u64);

impl Registration {
    /// Makes an actor known; the first one starts the watchdog.
    pub(crate) fn new(path: String) -> Self {
        WATCHDOG.get_or_init(start);
        let mut register = register();
        let number = register.number();
        register.paths.insert(number, path);
        Self(number)
    }

    pub(crate) fn number(&self) -> u64 {
        self.0
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        register().paths.remove(&self.0);
    }
}

/// Notes the path an incarnation says it has.
pub(crate) fn rename(actor: u64, path: String) {
    if let Some(known) = register().paths.get_mut(&actor) {
        *known = path;
    }
}

/// Makes a thread's slot known; those of threads that have ended are forgotten.
pub(super) fn add(slot: &Arc<Slot>) {
    let mut register = register();
    register.slots.retain(|slot| slot.strong_count() > 0);
    register.slots.push(Arc::downgrade(slot));
}

pub(super) fn subscribe(callback: Callback) -> u64 {
    let mut register = register();
    let number = register.number();
    register.subscribers.insert(number, callback);
    number
}

pub(super) fn unsubscribe(number: u64) {
    let callback = register().subscribers.remove(&number);
    // Dropped when the register is unlocked: its destructor is the user's.
    drop(callback);
}

/// Has the watchdog look no later than at `due`.
#[inline]
pub(crate) fn wake_by(due: u64) {
    if due < NEXT.load(SeqCst) {
        wake(due);
    }
}

#[cold]
fn wake(due: u64) {
    if due < NEXT.fetch_min(due, SeqCst)
        && let Some(Some(watchdog)) = WATCHDOG.get()
    {
        watchdog.unpark();
    }
}

fn start() -> Option<Thread> {
    let name = "supervision-stalls".to_owned();
    match thread::Builder::new().name(name).spawn(watch) {
        Ok(thread) => Some(thread.thread().clone()),
        Err(error) => {
            tracing::error!(%error, "no thread to watch for blocked threads");
            None
        }
    }
}

fn watch() {
    loop {
        let (next, now) = (NEXT.load(SeqCst), now());
        if next == NEVER {
            thread::park();
        } else if now < next {
            thread::park_timeout(Duration::from_nanos(next - now));
        } else {
            // A poll that begins after its slot was looked at finds this `NEVER`, or an earlier
            // time, and asks for its own.
            NEXT.store(NEVER, SeqCst);
            NEXT.fetch_min(look_at_all(now), SeqCst);
        }
    }
}

/// Looks at every thread; returns when one may be due next.
fn look_at_all(now: u64) -> u64 {
    let slots = register().slots.clone();
    let dues = slots.iter().filter_map(Weak::upgrade).map(|slot| {
        let seen = slot.look();
        seen.map_or(NEVER, |seen| look(&slot, seen, now))
    });
    dues.min().unwrap_or(NEVER)
}

/// Looks at a poll under way; returns when it is due next.
fn look(slot: &Slot, seen: Seen, now: u64) -> u64 {
    let half = seen.began().saturating_add(seen.deadline / 2);
    let full = seen.began().saturating_add(seen.deadline);
    if now <= half {
        return half.saturating_add(1);
    }
    if now > full {
        if slot.block(seen) {
            // What logs may be the user's, and its panic must not end the watch.
            drop(caught(|| tell(slot, seen, now)));
        }
        return NEVER;
    }
    if !seen.is_hurried() {
        slot.hurry(seen);
    }
    full.saturating_add(1)
}

fn tell(slot: &Slot, seen: Seen, now: u64) {
    let thread = slot.thread();
    let (path, subscribers) = {
        let register = register();
        let subscribers = register.subscribers.values().cloned();
        let path = register.paths.get(&seen.actor).cloned();
        (path.unwrap_or_default(), subscribers.collect::<Vec<_>>())
    };
    let blocked = BlockedThread {
        path,
        incarnation: seen.incarnation,
        message_type: slot.blocked_by(),
        thread_id: thread.id(),
        thread_name: thread.name().map(str::to_owned),
        lasted: Duration::from_nanos(now.saturating_sub(seen.began())),
        deadline: Duration::from_nanos(seen.deadline),
    };
    tracing::error!(
        path = blocked.path,
        incarnation = blocked.incarnation,
        message_type = blocked.message_type,
        thread = ?blocked.thread_id,
        thread_name = blocked.thread_name,
        lasted = ?blocked.lasted,
        "an actor blocks its thread"
    );
    for callback in subscribers {
        // The last clone may be this one, and a destructor may panic too.
        if let Err(panic) = caught(|| {
            callback(&blocked);
            drop(callback);
        }) {
            let error = panic.message();
            tracing::error!(error, "a subscriber to blocked threads panicked");
        }
    }
}
