//! What a group waits for: the delays of restarts, and the ends of its patience with children that
//! are being stopped. One sleep serves them all.

use std::collections::BTreeMap;

use supervision_core::group::{ChildId, DelayToken};
use tokio::time::Instant;

use crate::order::Life;

/// What is due.
pub(super) enum Timer {
    /// A delay of the group's is over.
    Delay(DelayToken),
    /// The child was asked to stop and has not: it is killed.
    Kill(ChildId, Life),
    /// The child was killed and does not die: the group goes on without it.
    Abandon(ChildId, Life),
}

/// The name of one timer.
pub(super) type TimerKey = (Instant, u64);

#[derive(Default)]
pub(super) struct Timers {
    due: BTreeMap<TimerKey, Timer>,
    last: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, timer: Timer) -> TimerKey {
        self.last += 1;
        let key = (at, self.last);
        self.due.insert(key, timer);
        key
    }

    pub(super) fn cancel(&mut self, key: TimerKey) {
        self.due.remove(&key);
    }

    pub(super) fn clear(&mut self) {
        self.due.clear();
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next one, if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let first = self.due.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
