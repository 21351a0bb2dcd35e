//! What a supervised actor remembers: budgets, history, and who waits for an answer.
//!
//! Created at the first failure, so an actor that never fails pays for none of it.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix::{Actor, Addr};
use supervision_core::{
    Budgets, Decision, Failure, FailureInfo, Policy, RemainingBudget, Timestamp, ValidStrategy,
    decide,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    limiter::SharedLimiter,
    luggage::Luggage,
    record::{FailureRecord, Kept, Outcome},
    settle::Verdict,
    suspension::{Entered, Reporter},
};

/// The memory of one supervised actor.
pub(crate) struct Ledger<A: Actor> {
    /// Budgets count from here; tokio's clock, so that paused time is honoured.
    epoch: Instant,
    budgets: Budgets,
    policy: Option<Policy>,
    history: VecDeque<Kept>,
    capacity: usize,
    restarts: usize,
    relocations: usize,
    /// What the next incarnation waits for.
    pub(crate) wait: Option<Wait>,
    /// The failure whose outcome is not known yet.
    open: Option<Uuid>,
    in_place: bool,
    reporters: Vec<Reporter<A>>,
    pub(crate) entered: VecDeque<Entered<A>>,
    pub(crate) verdict: Option<Verdict>,
    /// What the restart that was decided last has to go through.
    pub(crate) limiter: Option<SharedLimiter>,
    /// The failure that the incarnation being started recovers from.
    pub(crate) recovering: Option<Rc<FailureInfo>>,
    handed: BTreeMap<TypeId, Box<dyn Any>>,
}

/// What an incarnation that is not made yet waits for.
pub(crate) struct Wait {
    pub(crate) until: Instant,
    /// The limiter that holds it back; `None` while its decided delay runs.
    pub(crate) held_by: Option<SharedLimiter>,
}

impl<A: Actor> Ledger<A> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            epoch: Instant::now(),
            budgets: Budgets::default(),
            policy: None,
            history: VecDeque::new(),
            capacity,
            restarts: 0,
            relocations: 0,
            wait: None,
            open: None,
            in_place: false,
            reporters: Vec::new(),
            entered: VecDeque::new(),
            verdict: None,
            limiter: None,
            recovering: None,
            handed: BTreeMap::new(),
        }
    }

    /// Restarts so far.
    pub(crate) fn restarts(&self) -> usize {
        self.restarts
    }

    /// How many of them were decided as relocations.
    pub(crate) fn relocations(&self) -> usize {
        self.relocations
    }

    /// The last failure in the history.
    pub(crate) fn last_record(&self) -> Option<FailureRecord> {
        self.history.back().map(Kept::record)
    }

    /// What is left of the budgets now, under `strategy`.
    pub(crate) fn remaining(&self, strategy: &ValidStrategy) -> Vec<RemainingBudget> {
        let now = Timestamp::after_start(self.epoch.elapsed());
        match &self.policy {
            Some(policy) if *policy.strategy() == *strategy.get() => {
                self.budgets.remaining(policy, now)
            }
            earlier => {
                let (mut budgets, policy) = (self.budgets.clone(), Policy::from(strategy.clone()));
                if let Some(earlier) = earlier {
                    budgets.carry_over(earlier, &policy);
                }
                budgets.remaining(&policy, now)
            }
        }
    }

    /// Has a failure decided, now, under `strategy`.
    pub(crate) fn decide(&mut self, strategy: &ValidStrategy, failure: &Failure<'_>) -> Decision {
        let now = Timestamp::after_start(self.epoch.elapsed());
        let policy = match self.policy.take() {
            Some(policy) if *policy.strategy() == *strategy.get() => policy,
            earlier => {
                let policy = Policy::from(strategy.clone());
                // A strategy that changed keeps the budgets that have a successor.
                if let Some(earlier) = earlier {
                    self.budgets.carry_over(&earlier, &policy);
                }
                policy
            }
        };
        let decision = decide(&mut self.budgets, &policy, failure, now, fastrand::u64(..));
        self.policy = Some(policy);
        decision
    }

    /// What is remembered, to be taken along.
    pub(crate) fn pack(&self) -> Luggage {
        let now = Timestamp::after_start(self.epoch.elapsed());
        Luggage {
            strategy: self.policy.as_ref().map(|policy| policy.strategy().clone()),
            budgets: self.budgets.pack(now),
            history: self.records(),
            restarts: self.restarts,
            ..Luggage::default()
        }
    }

    /// Goes on with what was remembered elsewhere.
    pub(crate) fn unpack(&mut self, luggage: &Luggage) {
        let now = Timestamp::after_start(self.epoch.elapsed());
        let strategy = luggage.strategy.clone().map(Policy::new);
        // Budgets of a strategy that this node does not take for one have no meaning here.
        if let Some(Ok(policy)) = strategy {
            self.budgets = Budgets::unpack(&luggage.budgets, now);
            self.policy = Some(policy);
        }
        for record in luggage.history.iter().cloned() {
            self.record(Kept::unpacked(record));
        }
        self.open = None;
        self.restarts = luggage.restarts;
    }

    /// Keeps a record; the oldest goes when there is no room.
    pub(crate) fn record(&mut self, record: Kept) {
        if record.outcome == Outcome::Pending {
            self.open = Some(record.info.failure_id);
        }
        if self.capacity == 0 {
            return;
        }
        if self.history.len() == self.capacity {
            self.history.pop_front();
        }
        self.history.push_back(record);
    }

    /// Writes the outcome into the record that waits for one.
    pub(crate) fn close_record(&mut self, outcome: Outcome) -> Outcome {
        let in_place = std::mem::take(&mut self.in_place);
        let outcome = match outcome {
            Outcome::Restarted if in_place => {
                self.relocations = self.relocations.saturating_add(1);
                Outcome::RestartedInPlace
            }
            outcome => outcome,
        };
        if let Some(record) = self.open_record() {
            record.outcome = outcome;
        }
        self.open = None;
        outcome
    }

    /// Notes, in the record that waits for its outcome, who escalated the failure.
    pub(crate) fn note_escalation(&mut self, by: Arc<str>) {
        if let Some(record) = self.open_record() {
            record.escalated_by.push(by);
        }
    }

    /// Writes into the record that waits for its outcome by how much its restart is held back.
    pub(crate) fn set_delayed(&mut self, by: Duration) {
        if let Some(record) = self.open_record() {
            record.delayed_by = Some(by);
        }
    }

    fn open_record(&mut self) -> Option<&mut Kept> {
        let id = self.open?;
        let mut latest_first = self.history.iter_mut().rev();
        latest_first.find(|record| record.info.failure_id == id)
    }

    /// A start that failed is what became of the failure before, if that one waits for its outcome.
    pub(crate) fn close_failed_start(&mut self) {
        if self.open.is_some() {
            self.close_record(Outcome::StartFailed);
        }
    }

    /// Notes that the relocation being carried out is a restart in place.
    pub(crate) fn set_in_place(&mut self) {
        self.in_place = true;
    }

    pub(crate) fn count_restart(&mut self) {
        self.restarts = self.restarts.saturating_add(1);
    }

    pub(crate) fn records(&self) -> Vec<FailureRecord> {
        self.history.iter().map(Kept::record).collect()
    }

    pub(crate) fn failures(&self) -> Vec<FailureInfo> {
        self.history
            .iter()
            .map(|kept| (*kept.info).clone())
            .collect()
    }

    /// Lets a reporter wait until the decision is carried out.
    pub(crate) fn join(&mut self, reporter: Reporter<A>) {
        if reporter.is_some() {
            self.reporters.push(reporter);
        }
    }

    /// Those to answer now.
    pub(crate) fn take_reporters(&mut self) -> Vec<Reporter<A>> {
        std::mem::take(&mut self.reporters)
    }

    /// Leaves a value for the next incarnation; one of the same type is replaced and returned.
    pub(crate) fn hand_over<T: Any>(&mut self, value: T) -> Option<Box<dyn Any>> {
        self.handed.insert(TypeId::of::<T>(), Box::new(value))
    }

    pub(crate) fn take_handed<T: Any>(&mut self) -> Option<T> {
        let value = self.handed.remove(&TypeId::of::<T>())?;
        value.downcast().ok().map(|value| *value)
    }

    /// Everything handed over and never fetched.
    pub(crate) fn take_all_handed(&mut self) -> BTreeMap<TypeId, Box<dyn Any>> {
        std::mem::take(&mut self.handed)
    }
}

/// Answers reporters outside any borrow: whoever waits may run code when it is dropped.
pub(crate) fn answer<A: Actor>(reporters: Vec<Reporter<A>>, address: impl Fn() -> Option<Addr<A>>) {
    for reporter in reporters.into_iter().flatten() {
        // A reporter that went away needs no answer.
        let _ = reporter.send(address());
    }
}
