//! What observers are told.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use supervision_core::{Decision, FailureInfo, InvalidStrategy, NodeId, SupervisionStrategy};

use crate::record::Outcome;

/// Something happened to a supervised actor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SupervisionEvent {
    /// An incarnation is up that recovers from no failure of its own: the first one, or one that
    /// its group started again along with a sibling or by request.
    Started {
        /// The actor's path.
        path: String,
    },
    /// A failure was decided on.
    Failed {
        /// The failure.
        failure: FailureInfo,
        /// The incarnation that failed, counted from 1.
        incarnation: u64,
        /// What will be done.
        decision: Decision,
    },
    /// A group above the actor has left the failure to its own parent; meanwhile a suspended actor
    /// stays suspended.
    Escalated {
        /// The failure.
        failure: FailureInfo,
        /// Path of the group that escalated it.
        by: String,
    },
    /// The decided delay of a restart is over, and a [limiter](crate::SharedLimiter) holds it back.
    Delayed {
        /// The actor's path.
        path: String,
        /// The failure it is to recover from.
        failure: FailureInfo,
        /// The limiter's name.
        limiter: String,
        /// How much longer it waits.
        by: Duration,
    },
    /// A new incarnation is up after a failure.
    Restarted {
        /// The actor's path.
        path: String,
        /// The new incarnation.
        incarnation: u64,
        /// The failure it recovered from.
        failure: FailureInfo,
        /// [`Outcome::Restarted`], or [`Outcome::RestartedInPlace`] where a relocation had no
        /// other node to go to.
        outcome: Outcome,
    },
    /// The strategy was changed through the supervisor, see [`ChangeStrategy`](crate::ChangeStrategy).
    StrategyChanged {
        /// The actor's path.
        path: String,
        /// The strategy before.
        from: SupervisionStrategy,
        /// The strategy in force now.
        to: SupervisionStrategy,
        /// Whether `to` is what the actor was configured with.
        configured: bool,
    },
    /// An incarnation is up that came from another node.
    Relocated {
        /// The actor's path.
        path: String,
        /// Where it came from.
        from: NodeId,
        /// The failure that was the reason; `None` of a move that somebody ordered.
        failure: Option<FailureInfo>,
    },
    /// The actor has ended; nothing comes after this.
    Ended {
        /// The actor's path.
        path: String,
        /// Why.
        reason: EndReason,
    },
}

/// Why a supervised actor ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EndReason {
    /// It stopped by itself, and its restart type takes that for its normal end.
    Finished,
    /// The last address was dropped.
    Unreferenced,
    /// Its strategy said so.
    Stopped {
        /// The failure that ended it.
        failure: FailureInfo,
    },
    /// Its last budget was used up.
    Exhausted {
        /// The failure that was one too many.
        failure: FailureInfo,
    },
    /// It failed, and its restart type is temporary.
    Temporary {
        /// The failure that ended it.
        failure: FailureInfo,
    },
    /// The failure was reported upward.
    Escalated {
        /// The failure, with its own cause.
        failure: FailureInfo,
        /// Whether it was escalated because a budget was used up, not because the strategy says
        /// so.
        exhausted: bool,
    },
    /// `supervision_strategy()` returned an invalid strategy.
    InvalidStrategy {
        /// The field and the rule it breaks.
        problem: String,
    },
    /// It was stopped through its supervisor, or by its host.
    Requested,
    /// It goes on on another node.
    Relocated {
        /// Which.
        to: NodeId,
        /// The failure that was the reason; `None` of a move that somebody ordered.
        failure: Option<Box<FailureInfo>>,
    },
}

impl EndReason {
    pub(crate) fn invalid(problem: &InvalidStrategy) -> Self {
        Self::InvalidStrategy {
            problem: problem.to_string(),
        }
    }

    /// What becomes of the record of the failure that is being handled when the actor ends.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Escalated { .. } => Outcome::Escalated,
            Self::Unreferenced => Outcome::Abandoned,
            Self::Relocated { .. } => Outcome::Relocated,
            Self::Finished
            | Self::Stopped { .. }
            | Self::Exhausted { .. }
            | Self::Temporary { .. }
            | Self::InvalidStrategy { .. }
            | Self::Requested => Outcome::Stopped,
        }
    }
}
