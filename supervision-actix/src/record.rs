//! What is kept of each failure beside the seed's seven fields.

use serde::{Deserialize, Serialize};
use supervision_core::{Decision, FailureInfo};

/// A failure, what was decided, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureRecord {
    /// The failure itself.
    pub info: FailureInfo,
    /// The decision; `None` for a failure of an incarnation whose end was already decided
    /// ([`Outcome::Superseded`]): such a failure is recorded, not charged.
    pub decision: Option<Decision>,
    /// What came of the decision.
    pub outcome: Outcome,
}

impl FailureRecord {
    pub(crate) fn new(info: FailureInfo, decision: Option<Decision>) -> Self {
        let outcome = if decision.is_some() {
            Outcome::Pending
        } else {
            Outcome::Superseded
        };
        Self {
            info,
            decision,
            outcome,
        }
    }
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// It is being carried out; a restart waits for its delay or its start.
    Pending,
    /// The same value went on.
    Resumed,
    /// A new incarnation is up: `started` and the hook have run.
    Restarted,
    /// As [`Restarted`](Self::Restarted), although the decision was to relocate: no cluster is
    /// attached, so there was no other node. It was charged to the relocations.
    RestartedInPlace,
    /// The new incarnation failed before it was up; its failure has a record of its own.
    StartFailed,
    /// The actor ended.
    Stopped,
    /// The actor ended and the failure was reported upward.
    Escalated,
    /// The last address was dropped before the new incarnation was started.
    Abandoned,
    /// The failing incarnation's end was already decided; nothing was charged.
    Superseded,
}
