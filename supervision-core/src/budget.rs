//! How often a failure may still be answered: sliding windows, counts and rows of delays.
//!
//! Budgets belong to the leaves of a policy, so three relocations after io errors do not use up
//! three restarts after anything else. They know only what the caller told them: a monotonic time.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

mod packed;

pub use packed::PackedBudgets;

use crate::{
    backoff::Backoff,
    policy::{Delay, Policy},
};

/// A monotonic time in nanoseconds since a start that the caller chooses and keeps.
///
/// Never a wall clock: a clock that is set back would forgive failures, one set forward would
/// forget them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(u64);

impl Timestamp {
    /// `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `secs` seconds after the start (at most some 584 years; later is the same as then).
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// As much time after the start as `elapsed`, for example an `Instant`'s.
    pub fn after_start(elapsed: Duration) -> Self {
        Self(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This time plus `duration`, at most the last one that can be told.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(Self::after_start(duration).0))
    }

    /// This time less `duration`, at least the start.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(Self::after_start(duration).0))
    }
}

/// The sliding window of OTP's `supervisor` (`add_restart/3`), at nanosecond resolution.
///
/// A failure is counted before it is acted on. It may be answered by a restart while the failures
/// at or after `now - window`, itself included, are at most `max`. Unlike a window that is emptied
/// at fixed borders, no `window` ever holds more than `max` answered failures; unlike a counter
/// that a quiet gap resets, a slow flapper does not use it up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestartWindow {
    instants: VecDeque<Timestamp>,
}

impl RestartWindow {
    /// Room for failures that is made at the first one; more is made only when more are counted.
    const FIRST_ROOM: usize = 16;

    /// Counts a failure at `now` and tells whether it is within `max` failures in `window`.
    ///
    /// A `now` before that of the last call counts as that of the last call. `usize::MAX` always
    /// allows and 0 never does; neither remembers anything. At most `max` + 1 instants are kept.
    pub fn charge(&mut self, now: Timestamp, max: usize, window: Duration) -> bool {
        if max == usize::MAX || max == 0 {
            return max != 0;
        }
        let now = self.instants.back().map_or(now, |last| now.max(*last));
        let threshold = now.saturating_sub(window);
        while self
            .instants
            .front()
            .is_some_and(|instant| *instant < threshold)
        {
            self.instants.pop_front();
        }
        // A lowered limit leaves more instants than it needs; of those over it one is enough.
        while self.instants.len() > max {
            self.instants.pop_front();
        }
        if self.instants.capacity() == 0 {
            self.instants.reserve(Self::FIRST_ROOM.min(max + 1));
        }
        self.instants.push_back(now);
        self.instants.len() <= max
    }

    /// Failures at or after `now - window`.
    pub fn count(&self, now: Timestamp, window: Duration) -> usize {
        let threshold = now.saturating_sub(window);
        self.instants
            .iter()
            .rev()
            .take_while(|instant| **instant >= threshold)
            .count()
    }

    /// Instants kept.
    pub fn len(&self) -> usize {
        self.instants.len()
    }

    /// Whether no instant is kept.
    pub fn is_empty(&self) -> bool {
        self.instants.is_empty()
    }
}

/// Stands for "nothing has failed since": see [`Budgets::reset_backoff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureToken(u64);

/// What is left for each leaf of a policy. Nothing is stored before the first failure.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    failures: u64,
    leaves: Vec<LeafBudget>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct LeafBudget {
    window: RestartWindow,
    used: usize,
    row: Row,
}

/// Failures in a row, for a backoff.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    length: u32,
    ends_at: Timestamp,
}

impl Budgets {
    /// A token that stays current until the next failure.
    pub fn token(&self) -> FailureToken {
        FailureToken(self.failures)
    }

    /// Starts all backoffs at their shortest delay again, if nothing failed since `token` was
    /// taken; tells whether it did. Windows and counts are kept.
    ///
    /// A backoff also resets by itself once nothing failed for its `reset_after`; this is for
    /// callers who know earlier that all is well.
    pub fn reset_backoff(&mut self, token: FailureToken) -> bool {
        let current = token == self.token();
        if current {
            self.leaves
                .iter_mut()
                .for_each(|leaf| leaf.row = Row::default());
        }
        current
    }

    /// Goes on under `new` instead of `old`: a leaf of the same [name](crate::SupervisionStrategy::Named),
    /// else one at the same place (a rule is known by its error type, a rung by its number), keeps its
    /// budget if it is of the same kind; the others start afresh.
    pub fn carry_over(&mut self, old: &Policy, new: &Policy) {
        if self.leaves.is_empty() {
            return;
        }
        let mut before: Vec<_> = std::mem::take(&mut self.leaves);
        let kept = new.kept_slots(old).into_iter();
        let keep = |slot: Option<usize>| slot.and_then(|at| before.get_mut(at)).map(std::mem::take);
        self.leaves = kept.map(keep).map(Option::unwrap_or_default).collect();
    }

    pub(crate) fn count_failure(&mut self) {
        self.failures = self.failures.wrapping_add(1);
    }

    pub(crate) fn known_leaf(&self, slot: usize) -> Option<&LeafBudget> {
        self.leaves.get(slot)
    }

    pub(crate) fn leaf(&mut self, slot: usize, policy: &Policy) -> &mut LeafBudget {
        if self.leaves.len() <= slot {
            let wanted = policy.leaves().max(slot + 1);
            // Room for just these: there may be many supervisors, and most policies have one leaf.
            self.leaves.reserve_exact(wanted - self.leaves.len());
            self.leaves.resize_with(wanted, LeafBudget::default);
        }
        &mut self.leaves[slot]
    }
}

impl LeafBudget {
    /// Failures that a charge at `now` would find in its window.
    pub(crate) fn charged_since(&self, now: Timestamp, window: Duration) -> usize {
        let last = self.window.instants.back();
        let now = last.map_or(now, |last| now.max(*last));
        self.window.count(now, window)
    }

    /// Relocations so far, where they are limited.
    pub(crate) fn relocations(&self) -> usize {
        self.used
    }

    /// Counts a failure and gives the delay of the restart, or `None` if `max` is exceeded.
    pub(crate) fn charge_restart(
        &mut self,
        now: Timestamp,
        max: usize,
        window: Duration,
        delay: &Delay,
        entropy: u64,
    ) -> Option<Duration> {
        let allowed = self.window.charge(now, max, window);
        match delay {
            Delay::Fixed(delay) => allowed.then_some(*delay),
            Delay::Backoff(backoff) if allowed => Some(self.row.next(backoff, now, entropy)),
            Delay::Backoff(backoff) => {
                self.row.go_on(backoff, now);
                None
            }
        }
    }

    pub(crate) fn charge_relocation(&mut self, max: usize) -> bool {
        let allowed = self.used < max;
        if allowed && max != usize::MAX {
            self.used += 1;
        }
        allowed
    }
}

impl Row {
    /// The delay of the next restart in the row.
    fn next(&mut self, backoff: &Backoff, now: Timestamp, entropy: u64) -> Duration {
        self.end_if_stable(now);
        let delay = backoff.delay(self.length, entropy);
        self.length = self.length.saturating_add(1);
        self.ends_at = now
            .saturating_add(delay)
            .saturating_add(backoff.reset_after());
        delay
    }

    /// Notes a failure that this backoff may not answer: nothing is stable yet.
    fn go_on(&mut self, backoff: &Backoff, now: Timestamp) {
        self.end_if_stable(now);
        let stable_at = now.saturating_add(backoff.reset_after());
        self.ends_at = self.ends_at.max(stable_at);
    }

    fn end_if_stable(&mut self, now: Timestamp) {
        if now >= self.ends_at {
            self.length = 0;
        }
    }
}
