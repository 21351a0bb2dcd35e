//! What goes into a group and what comes out of it: inputs, commands, and the names they use.

use std::{borrow::Borrow, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    cause::Cause,
    decide::{Decision, EscalationReason},
    group::{
        check::InvalidGroup,
        spec::{ChildSpec, Shutdown},
    },
    placement::PlacementStrategy,
    strategy::SupervisionStrategy,
};

/// A child's id. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ChildId(Arc<str>);

impl ChildId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ChildId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for ChildId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl From<ChildId> for String {
    fn from(id: ChildId) -> Self {
        id.as_str().to_owned()
    }
}

impl Borrow<str> for ChildId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One life of one child: it names the child too, and no other life in the group has the same.
///
/// Inputs carry the incarnation they are about; one about a life that is over is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation {
    pub(super) key: u64,
    pub(super) number: u64,
}

impl Incarnation {
    /// Counts the lives in the group: a later one has a greater number, whosever it is.
    pub fn number(self) -> u64 {
        self.number
    }
}

/// One wait of one child; a wait that is not wanted any more is ignored when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DelayToken {
    pub(super) key: u64,
    pub(super) number: u64,
}

/// The caller's name for a request, given back with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// How a child ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It had done what it had to do.
    Normal,
    /// It shut down in an orderly way; a normal end too, under another name.
    Shutdown,
    /// It failed, and its value is lost.
    Failed(Cause),
}

impl Exit {
    /// What [`decide`](crate::decide) is told.
    pub(super) fn into_cause(self) -> Cause {
        match self {
            Self::Normal => Cause::exit("normal"),
            Self::Shutdown => Cause::exit("shutdown"),
            Self::Failed(cause) => cause,
        }
    }
}

/// Something that happened, or that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Start all children. Only the first one counts.
    Start,
    /// The incarnation of a [`Command::Start`] runs.
    Started(Incarnation),
    /// The incarnation of a [`Command::Start`] does not run and is gone.
    StartFailed(Incarnation, Cause),
    /// An incarnation ended by itself and is gone.
    Exited(Incarnation, Exit),
    /// An incarnation failed; its value is sound, and it does nothing until it is resumed or
    /// stopped.
    Suspended(Incarnation, Cause),
    /// The incarnation of a [`Command::Stop`] is gone.
    Stopped(Incarnation),
    /// The time of a [`Command::Delay`] is over.
    Elapsed(DelayToken),
    /// The parent has decided about a [`Command::Escalate`].
    Answered(Incarnation, Verdict),
    /// Stop all children and end.
    ShutDown,
    /// A change while the group runs; it is answered by exactly one [`Command::Reply`].
    Request(RequestId, Request),
}

/// What a parent decides about an escalated failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The suspended child goes on, and the group with it.
    Resume,
    /// The group stops all its children and ends. To restart it, start another one then.
    End,
}

/// A change of a running group: OTP's functions of the same names, and changes of strategies.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Start one more child, the last in order. Where its start fails it is not added.
    Add(ChildSpec),
    /// Stop the child with this id. It stays in the group, not running; a temporary one leaves it.
    Terminate(ChildId),
    /// Start the child with this id, which does not run.
    Restart(ChildId),
    /// Remove the child with this id, which does not run.
    Delete(ChildId),
    /// Have another strategy decide about failed children, all but those with one of their own.
    ///
    /// This request and the next one wait for nothing: they go from now on for every failure that
    /// is not decided, one that waits for its turn included. What is decided is carried out as it
    /// was: delays that run, a restart of several children that is under way, a failure the parent
    /// is asked about. Budgets are kept as [`Budgets::carry_over`](crate::Budgets::carry_over)
    /// tells, from one decision to the next.
    ChangeStrategy(SupervisionStrategy),
    /// Have another strategy decide about the child with this id; without one the group's decides.
    ///
    /// Budgets belong to the strategy they are counted by: a child that is given its first one
    /// starts afresh, and one that loses its own leaves what it has used behind.
    ChangeChildStrategy(ChildId, Option<SupervisionStrategy>),
}

impl Request {
    /// Whether it changes only what is decided later, so that it need not wait for its turn.
    pub(super) fn is_of_strategy(&self) -> bool {
        match self {
            Self::ChangeStrategy(_) | Self::ChangeChildStrategy(..) => true,
            Self::Add(_) | Self::Terminate(_) | Self::Restart(_) | Self::Delete(_) => false,
        }
    }
}

/// A request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No child has this id; nothing was changed.
    #[error("no child has this id")]
    NotFound,
    /// A child with this id is running; nothing was changed.
    #[error("a child with this id is running")]
    AlreadyStarted,
    /// A child with this id is in the group and not running; nothing was changed.
    #[error("a child with this id is in the group already")]
    AlreadyPresent,
    /// The child is running, or is being started or stopped; nothing was changed.
    #[error("the child is running")]
    Running,
    /// The child is going to be restarted; nothing was changed.
    #[error("the child is going to be restarted")]
    Restarting,
    /// The child could not be started. One that was to be added is not in the group; one that was
    /// to be restarted is not running.
    #[error("the child could not be started: {}", .0.message())]
    StartFailed(Cause),
    /// The child was stopped before it had started; it is in the group, not running.
    #[error("the child was stopped before it had started")]
    Interrupted,
    /// The child or the strategy breaks a rule; nothing was changed.
    #[error(transparent)]
    Invalid(#[from] InvalidGroup),
    /// The group is ending or has ended; nothing was changed.
    #[error("the group is ending")]
    Ending,
}

/// What is to be done. Commands are carried out in the order in which they come; none needs to be
/// done before the next one is begun.
#[must_use = "a command that is not carried out leaves the group waiting for ever"]
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start the child; answered by [`Input::Started`] or [`Input::StartFailed`].
    Start {
        /// The child.
        child: ChildId,
        /// The life that begins.
        incarnation: Incarnation,
        /// Where, if the strategy says to relocate it.
        placement: Option<PlacementStrategy>,
    },
    /// Stop the child, also if it is suspended or has not started yet; answered by
    /// [`Input::Stopped`].
    Stop {
        /// The child.
        child: ChildId,
        /// The life that ends.
        incarnation: Incarnation,
        /// How, and after what time it is killed.
        shutdown: Shutdown,
        /// Whether it is stopped in order to be started again, for its own failure or along with a
        /// sibling. What comes meanwhile may still keep it from that.
        restarts: bool,
    },
    /// Let the suspended child go on.
    Resume {
        /// The child.
        child: ChildId,
        /// The life that goes on.
        incarnation: Incarnation,
    },
    /// Answer with [`Input::Elapsed`] after this time.
    Delay {
        /// Goes into the answer.
        token: DelayToken,
        /// The time; not zero.
        after: Duration,
    },
    /// Ask the parent about a suspended child; answered by [`Input::Answered`]. Meanwhile the
    /// group decides nothing.
    Escalate {
        /// The child.
        child: ChildId,
        /// The life that is suspended.
        incarnation: Incarnation,
        /// What went wrong.
        cause: Cause,
        /// Why the parent is asked.
        reason: EscalationReason,
    },
    /// Nothing to do: a decision was taken, to be recorded.
    Decided {
        /// The child it is about.
        child: ChildId,
        /// What went wrong; an exit that is decided as finished is no failure.
        cause: Cause,
        /// The decision.
        decision: Decision,
    },
    /// Nothing to do: all children have been started for the first time.
    Ready,
    /// Answer a request.
    Reply {
        /// The request.
        request: RequestId,
        /// The answer.
        answer: Result<(), RequestError>,
    },
    /// The group has ended: no child is left running, and no command follows but the refusal of
    /// requests.
    Done {
        /// Why.
        reason: EndReason,
    },
}

/// Why a group ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// It was asked to.
    Shutdown,
    /// Its significant children have ended by themselves, this one last: a normal end.
    AutoShutdown {
        /// The child.
        child: ChildId,
    },
    /// A budget is used up: the group gave up. OTP says `shutdown` here too, which a parent cannot
    /// tell from a normal end.
    Exhausted {
        /// The child whose failure was one too many.
        child: ChildId,
        /// That failure.
        cause: Cause,
    },
    /// The strategy leaves the failure to the parent.
    Escalated {
        /// The child that failed.
        child: ChildId,
        /// The failure.
        cause: Cause,
    },
    /// A child could not be started for the first time. Not charged, as in OTP: the parent is
    /// starting the group and will charge it.
    StartFailed {
        /// The child.
        child: ChildId,
        /// The failure.
        cause: Cause,
    },
}

impl EndReason {
    /// Whether this is a normal end: none that the parent must take for a failure.
    pub fn is_normal(&self) -> bool {
        match self {
            Self::Shutdown | Self::AutoShutdown { .. } => true,
            Self::Exhausted { .. } | Self::Escalated { .. } | Self::StartFailed { .. } => false,
        }
    }
}
