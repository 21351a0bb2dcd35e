//! Who is told of dead letters, and how much.

use std::{
    cell::Cell,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst},
    },
};

use actix::{Recipient, prelude::SendError};
use supervision_core::Cause;

use crate::panics::caught;

use super::DeadLetter;

type Filter = Box<dyn Fn(&DeadLetter) -> bool + Send + Sync>;

/// How many there are; all that is looked at where there is none.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static ALL: RwLock<Vec<Arc<Subscriber>>> = RwLock::new(Vec::new());

thread_local! {
    /// Whether filters are being asked on this thread.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Somebody who is told.
pub(crate) struct Subscriber {
    to: Recipient<DeadLetter>,
    filter: Option<Filter>,
    missed: AtomicU64,
}

impl Subscriber {
    pub(crate) fn new(to: Recipient<DeadLetter>, filter: Option<Filter>) -> Arc<Self> {
        Arc::new(Self {
            to,
            filter,
            missed: AtomicU64::new(0),
        })
    }

    fn miss(&self, letter: &DeadLetter) {
        self.missed.fetch_add(letter.count, Relaxed);
    }

    /// Tells it; `false` if it is gone.
    fn tell(&self, letter: &DeadLetter) -> bool {
        match self.asked(letter) {
            Some(Ok(false)) => return true,
            Some(Err(panic)) => {
                let error = panic.message();
                tracing::error!(error, "a filter of dead letters panicked");
                self.miss(letter);
                return true;
            }
            Some(Ok(true)) | None => {}
        }
        match self.to.try_send(letter.clone()) {
            Ok(()) => true,
            Err(SendError::Full(_)) => {
                self.miss(letter);
                true
            }
            Err(SendError::Closed(_)) => false,
        }
    }

    /// What its filter says. One that loses messages itself is not asked about those in turn.
    fn asked(&self, letter: &DeadLetter) -> Option<Result<bool, Cause>> {
        let filter = self.filter.as_ref()?;
        if ASKING.replace(true) {
            self.miss(letter);
            return Some(Ok(false));
        }
        let wanted = caught(|| filter(letter));
        ASKING.set(false);
        Some(wanted)
    }

    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }
}

/// Has `to` told of all dead letters of this process, until the subscription is dropped or `to` is
/// gone.
pub fn subscribe(to: Recipient<DeadLetter>) -> Subscription {
    add(Subscriber::new(to, None))
}

/// As [`subscribe`], for those letters only that `filter` says `true` to. It is called wherever a
/// message is lost, the message not taken yet, so it should be quick. A panic in it is logged, and the
/// letter missed; so are letters that come of what it does itself.
pub fn subscribe_to(
    to: Recipient<DeadLetter>,
    filter: impl Fn(&DeadLetter) -> bool + Send + Sync + 'static,
) -> Subscription {
    add(Subscriber::new(to, Some(Box::new(filter))))
}

fn add(subscriber: Arc<Subscriber>) -> Subscription {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    all.push(subscriber.clone());
    COUNT.store(all.len(), SeqCst);
    Subscription(subscriber)
}

fn remove(subscriber: &Arc<Subscriber>) {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    let found = all.iter().position(|other| Arc::ptr_eq(other, subscriber));
    let removed = found.map(|at| all.remove(at));
    COUNT.store(all.len(), SeqCst);
    drop(all);
    // A filter's destructor is the user's.
    drop(removed);
}

/// Keeps a [subscription](subscribe); dropping it ends it.
#[must_use = "dropping it ends the subscription"]
pub struct Subscription(Arc<Subscriber>);

impl Subscription {
    /// How many messages were lost of which the subscriber was not told, because its mailbox was
    /// full, or its filter panicked or lost them itself.
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription")
            .field("missed", &self.missed())
            .finish_non_exhaustive()
    }
}

/// Whether anybody subscribed to all dead letters.
pub(crate) fn is_wanted() -> bool {
    COUNT.load(SeqCst) > 0
}

/// Tells an actor's own subscriber and all others.
pub(crate) fn tell(own: Option<&Arc<Subscriber>>, letter: impl FnOnce() -> DeadLetter) {
    if own.is_none() && !is_wanted() {
        return;
    }
    let letter = letter();
    if let Some(own) = own {
        own.tell(&letter);
    }
    if !is_wanted() {
        return;
    }
    // Not locked while a filter runs, which may subscribe.
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner).clone();
    for subscriber in all {
        if !subscriber.tell(&letter) {
            remove(&subscriber);
        }
    }
}
