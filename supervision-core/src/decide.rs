//! The one function that decides what happens after a failure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    budget::{Budgets, Timestamp},
    cause::{Cause, CauseKind},
    placement::PlacementStrategy,
    policy::{Action, Delay, Leaf, Policy},
};

/// What `Resume` falls back to where no value can be resumed.
pub(crate) const RESUME_MAX: usize = 3;
pub(crate) const RESUME_WINDOW: Duration = Duration::from_secs(60);

/// When an end is to be answered by a restart at all (OTP's restart types).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestartType {
    /// Always: ending by itself is a failure of type [`EXIT`](crate::EXIT) too.
    Permanent,
    /// Only after a failure; who ends by itself has ended normally. The default.
    #[default]
    Transient,
    /// Never: whatever would restart or relocate stops instead.
    Temporary,
}

/// A failure as [`decide`] sees it.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// What went wrong.
    pub cause: &'a Cause,
    /// Whether an end is to be answered at all.
    pub restart_type: RestartType,
    /// Whether the failed value is sound, so that it could go on.
    pub resumable: bool,
    /// Whether there is a parent to escalate to when a budget is exhausted.
    pub has_parent: bool,
}

impl<'a> Failure<'a> {
    /// A failure of something transient that cannot be resumed and has no parent.
    pub fn of(cause: &'a Cause) -> Self {
        Self {
            cause,
            restart_type: RestartType::default(),
            resumable: false,
            has_parent: false,
        }
    }

    /// Sets the restart type.
    #[must_use]
    pub fn with_restart_type(self, restart_type: RestartType) -> Self {
        Self {
            restart_type,
            ..self
        }
    }

    /// Sets whether the failed value could go on.
    #[must_use]
    pub fn with_resumable(self, resumable: bool) -> Self {
        Self { resumable, ..self }
    }

    /// Sets whether there is a parent.
    #[must_use]
    pub fn with_parent(self, has_parent: bool) -> Self {
        Self { has_parent, ..self }
    }
}

/// What is to be done. It says everything; who carries it out decides nothing more.
#[must_use = "a decision that is not carried out leaves the failure unhandled"]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Go on with the same value.
    Resume,
    /// Start a new incarnation here.
    Restart {
        /// Time to wait first.
        after: Duration,
        /// Why a restart.
        reason: RestartReason,
    },
    /// Start a new incarnation on another node.
    Relocate {
        /// How to choose the node.
        placement: PlacementStrategy,
        /// Time to wait first.
        after: Duration,
    },
    /// End it.
    Stop {
        /// Why.
        reason: StopReason,
    },
    /// Let the parent decide.
    Escalate {
        /// Why.
        reason: EscalationReason,
    },
}

/// Why a [`Decision::Restart`] was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestartReason {
    /// The strategy says so.
    Policy,
    /// The strategy says `Resume`, but there is no sound value to go on with.
    NotResumable,
}

/// Why a [`Decision::Stop`] was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// The strategy says so.
    Policy,
    /// The budget is used up and there is no parent.
    Exhausted,
    /// The strategy would restart it, but its restart type is temporary.
    Temporary,
    /// It ended by itself, and its restart type takes that for its normal end.
    Finished,
}

/// Why a [`Decision::Escalate`] was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EscalationReason {
    /// The strategy says so.
    Policy,
    /// The budget is used up.
    Exhausted,
}

impl Decision {
    /// The time to wait before a new incarnation starts; `None` if none will.
    pub fn delay(&self) -> Option<Duration> {
        match self {
            Self::Restart { after, .. } | Self::Relocate { after, .. } => Some(*after),
            Self::Resume | Self::Stop { .. } | Self::Escalate { .. } => None,
        }
    }
}

/// Decides what happens after a failure, and charges the budget it uses.
///
/// `now` is a monotonic time that does not run backwards between calls with the same `budgets`;
/// `entropy` is any 64 random bits and is used for jitter only. The same arguments give the same
/// decision. Nothing is allocated once the budget of the leaf concerned has been used (its storage
/// is made at the first failure and grows with the failures its window holds).
///
/// A budget that is used up hands the failure to the next rung of its ladder; "exhausted" below is
/// where there is none: `Escalate` (`Exhausted`) if there is a parent, else `Stop` (`Exhausted`).
/// Something "failed" by an error, a panic or a stall; it "ended by itself" if the cause is an exit,
/// which is a failure only of what is [permanent](RestartType::Permanent). A `Match` is what the
/// rule it chose is. What `Resume` falls back to restarts at once, at most 3 times in 60 s.
///
#[doc = include_str!("truth_table.md")]
pub fn decide(
    budgets: &mut Budgets,
    policy: &Policy,
    failure: &Failure<'_>,
    now: Timestamp,
    entropy: u64,
) -> Decision {
    let permanent = failure.restart_type == RestartType::Permanent;
    if failure.cause.kind() == CauseKind::Exit && !permanent {
        return Decision::Stop {
            reason: StopReason::Finished,
        };
    }
    budgets.count_failure();
    policy
        .select(failure.cause)
        .iter()
        .find_map(|leaf| try_leaf(leaf, budgets, policy, failure, now, entropy))
        .unwrap_or_else(|| exhausted(failure))
}

/// What this leaf says, or `None` if its budget is used up.
fn try_leaf(
    leaf: &Leaf,
    budgets: &mut Budgets,
    policy: &Policy,
    failure: &Failure<'_>,
    now: Timestamp,
    entropy: u64,
) -> Option<Decision> {
    let temporary = failure.restart_type == RestartType::Temporary;
    let new_incarnation = match leaf.action {
        Action::Stop => {
            return Some(Decision::Stop {
                reason: StopReason::Policy,
            });
        }
        Action::Escalate => {
            return Some(Decision::Escalate {
                reason: EscalationReason::Policy,
            });
        }
        Action::Resume => !can_resume(failure),
        Action::Restart { .. } | Action::Relocate { .. } => true,
    };
    if !new_incarnation {
        return Some(Decision::Resume);
    }
    if temporary {
        return Some(Decision::Stop {
            reason: StopReason::Temporary,
        });
    }
    let budget = budgets.leaf(leaf.slot, policy);
    let (max, window, delay, reason) = match &leaf.action {
        Action::Relocate {
            placement,
            max,
            delay,
        } => {
            return budget.charge_relocation(*max).then(|| Decision::Relocate {
                placement: placement.clone(),
                after: *delay,
            });
        }
        Action::Restart { max, window, delay } => (*max, *window, delay, RestartReason::Policy),
        Action::Resume | Action::Stop | Action::Escalate => (
            RESUME_MAX,
            RESUME_WINDOW,
            &Delay::Fixed(Duration::ZERO),
            RestartReason::NotResumable,
        ),
    };
    budget
        .charge_restart(now, max, window, delay, entropy)
        .map(|after| Decision::Restart { after, reason })
}

fn can_resume(failure: &Failure<'_>) -> bool {
    failure.resumable && failure.cause.kind() != CauseKind::Exit
}

fn exhausted(failure: &Failure<'_>) -> Decision {
    if failure.has_parent {
        Decision::Escalate {
            reason: EscalationReason::Exhausted,
        }
    } else {
        Decision::Stop {
            reason: StopReason::Exhausted,
        }
    }
}
