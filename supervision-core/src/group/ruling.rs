//! What decides about failures: a policy with its budgets, and how one policy follows another.

use crate::{
    budget::{Budgets, Timestamp},
    decide::{Decision, Failure, decide},
    policy::Policy,
    remaining::RemainingBudget,
};

/// A policy with its budgets: the group's own, or that of one child.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    /// What the budgets were charged by last.
    policy: Policy,
    budgets: Budgets,
    /// What decides next, if it was changed since. Budgets go from one decision to the next: a
    /// policy that was replaced and put back meanwhile has lost nothing.
    next: Option<Box<Policy>>,
}

impl Ruling {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            budgets: Budgets::default(),
            next: None,
        }
    }

    /// Has every failure that is not decided yet be decided by `policy`.
    pub(super) fn change_to(&mut self, policy: Policy) {
        self.next = Some(Box::new(policy));
    }

    /// What is left at `now` of the budgets that the next failure is charged to.
    pub(super) fn remaining(&self, now: Timestamp) -> Vec<RemainingBudget> {
        let Some(next) = &self.next else {
            return self.budgets.remaining(&self.policy, now);
        };
        let mut budgets = self.budgets.clone();
        budgets.carry_over(&self.policy, next);
        budgets.remaining(next, now)
    }

    pub(super) fn decide(
        &mut self,
        failure: &Failure<'_>,
        now: Timestamp,
        entropy: u64,
    ) -> Decision {
        if let Some(next) = self.next.take() {
            self.budgets.carry_over(&self.policy, &next);
            self.policy = *next;
        }
        decide(&mut self.budgets, &self.policy, failure, now, entropy)
    }
}
