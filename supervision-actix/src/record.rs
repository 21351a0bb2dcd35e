//! What is kept of each failure beside the seed's seven fields.

use std::{borrow::Cow, rc::Rc, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use supervision_core::{Cause, Decision, FailureInfo};

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
    /// Where the code panicked, as `src/x.rs:12:5`; `None` if it did not panic or the place is not
    /// known, see [`panic_hook`](crate::panic_hook). Of an incarnation that panics more than once the
    /// first panic is its failure; the others have records of their own
    /// ([`Outcome::Superseded`]).
    #[serde(default)]
    pub panic_location: Option<String>,
    /// The type of the message that was being handled; `None` if the failure was no message's, or
    /// where the message came by a plain `Addr` and nothing said its type. See
    /// [`TrackedAddr`](crate::TrackedAddr) for the ways in which it is known.
    #[serde(default)]
    pub message_type: Option<String>,
    /// Paths of the groups that escalated the failure, the actor's own group first; empty where
    /// none did.
    #[serde(default)]
    pub escalated_by: Vec<String>,
    /// How much longer than decided the restart waits, or waited, because it went through a
    /// [limiter](crate::SharedLimiter) that held it back: the time from the failure to the start is
    /// the decision's `after` and this. `None` until the decided delay is over, and where nothing
    /// held it back.
    #[serde(default)]
    pub delayed_by: Option<Duration>,
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
    /// attached, or no other node was eligible. It was charged to the relocations.
    RestartedInPlace,
    /// The actor was given up to go on on another node, where its history goes too.
    Relocated,
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

/// What is known of where a failure happened.
#[derive(Default)]
pub(crate) struct Place {
    location: Option<Box<str>>,
    message_type: Option<&'static str>,
}

impl Place {
    /// What a cause says of it.
    pub(crate) fn of(cause: &Cause) -> Self {
        Self {
            location: cause.location().map(Into::into),
            message_type: cause.message_type(),
        }
    }
}

/// A record in the history; the failure is shared with whoever is recovering from it.
pub(crate) struct Kept {
    pub(crate) info: Rc<FailureInfo>,
    pub(crate) decision: Option<Decision>,
    pub(crate) outcome: Outcome,
    pub(crate) panic_location: Option<Box<str>>,
    pub(crate) message_type: Option<Cow<'static, str>>,
    pub(crate) escalated_by: Vec<Arc<str>>,
    pub(crate) delayed_by: Option<Duration>,
}

impl Kept {
    /// A failure whose decision is being carried out.
    pub(crate) fn decided(place: Place, info: Rc<FailureInfo>, decision: Decision) -> Self {
        Self {
            info,
            decision: Some(decision),
            outcome: Outcome::Pending,
            panic_location: place.location,
            message_type: place.message_type.map(Cow::Borrowed),
            escalated_by: Vec::new(),
            delayed_by: None,
        }
    }

    /// A failure that came too late to be decided on.
    pub(crate) fn superseded(place: Place, info: Rc<FailureInfo>) -> Self {
        Self {
            info,
            decision: None,
            outcome: Outcome::Superseded,
            panic_location: place.location,
            message_type: place.message_type.map(Cow::Borrowed),
            escalated_by: Vec::new(),
            delayed_by: None,
        }
    }

    /// A record that came from another node.
    pub(crate) fn unpacked(record: FailureRecord) -> Self {
        Self {
            info: Rc::new(record.info),
            decision: record.decision,
            outcome: record.outcome,
            panic_location: record.panic_location.map(Into::into),
            message_type: record.message_type.map(Cow::Owned),
            escalated_by: record.escalated_by.into_iter().map(Into::into).collect(),
            delayed_by: record.delayed_by,
        }
    }

    /// A copy to give away.
    pub(crate) fn record(&self) -> FailureRecord {
        FailureRecord {
            info: (*self.info).clone(),
            decision: self.decision.clone(),
            outcome: self.outcome,
            panic_location: self.panic_location.as_deref().map(str::to_owned),
            message_type: self.message_type.as_deref().map(str::to_owned),
            escalated_by: self.escalated_by.iter().map(|by| by.to_string()).collect(),
            delayed_by: self.delayed_by,
        }
    }
}
