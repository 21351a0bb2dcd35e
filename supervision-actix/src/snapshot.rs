//! The tree snapshot: what the actors and groups of a tree are doing, how often they failed, and how
//! much more they may fail.

mod ask;
mod display;
mod options;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use supervision_core::{
    RemainingBudget,
    group::{ChildId, ChildStatus, GroupStrategy},
};

use crate::{death_watch::Termination, record::FailureRecord};

pub(crate) use self::ask::{Ask, Pending, UnderWay, gather};
pub use self::{
    ask::GetSnapshot,
    options::{DEFAULT_DEADLINE, DEFAULT_PAGE, PageToken, SnapshotOptions},
};

/// A tree at one time: data that can be printed, kept and sent.
///
/// Its nodes were asked one after the other, each on its own arbiter, so what one says may be some
/// microseconds older than what another one says; a node that changes meanwhile may be told as its
/// group saw it or as it sees itself. Of each node every part is of one moment.
///
/// `{}` prints it as an indented tree. In JSON each level of the tree is two levels of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TreeSnapshot {
    /// When it was complete, in milliseconds since the Unix epoch (wall clock; for people).
    pub taken_at: u64,
    /// The group that was asked, with all below it.
    pub root: NodeSnapshot,
}

/// An actor or a group in a [`TreeSnapshot`].
///
/// How many messages wait in a mailbox is not in here: actix does not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSnapshot {
    /// Its id in its group; `None` for one that is in none.
    pub id: Option<ChildId>,
    /// Its path.
    pub path: String,
    /// The actor's type; for a dynamic supervisor that of its children, for another group `None`.
    pub actor_type: Option<String>,
    /// What it is.
    pub kind: NodeKind,
    /// What it is doing.
    pub state: NodeState,
    /// The running incarnation, or the last one, counted from 1; 0 before the first, and where it is
    /// not known.
    pub incarnation: u64,
    /// Restarts so far, whatever the reason.
    pub restarts: usize,
    /// How many of them were decided as relocations.
    pub relocations: usize,
    /// What is left of the budgets that decide about its own failures, if it does not share them
    /// with siblings: those of a lone actor, and of a child with a strategy of its own.
    pub budgets: Vec<RemainingBudget>,
    /// What is left of the budgets that the children of a group have in common.
    pub shared_budgets: Vec<RemainingBudget>,
    /// The last failure that it remembers, with the decision and what came of it. `None` for groups:
    /// theirs are those of their children.
    pub last_failure: Option<FailureRecord>,
    /// How many watch it, see [`Watchable`](crate::Watchable).
    pub watchers: usize,
    /// How many children do what, for a group: all of them, on this page or not.
    pub counts: BTreeMap<ChildStatus, usize>,
    /// The children on this page, in start order.
    pub children: Vec<NodeSnapshot>,
    /// Where the next page begins, if not all children are on this one.
    pub next: Option<PageToken>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeKind {
    /// An actor.
    Actor,
    /// A group of different children.
    Group(GroupStrategy),
    /// A supervisor of many children of one kind.
    Dynamic,
}

/// What a node is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeState {
    /// It is being started; a group starts its children for the first time.
    Starting,
    /// It handles messages; a group waits for what happens to its children.
    Running,
    /// It failed, is sound, and does nothing until its failure is decided by a group above.
    Suspended,
    /// It failed or ended, its value is gone, and that waits to be decided.
    Undecided,
    /// It does not run, and is started again when its delay is over.
    BackingOff {
        /// How much longer it waits.
        left: Duration,
    },
    /// Its delay is over, and a [limiter](crate::SharedLimiter) holds its start back.
    HeldBack {
        /// The limiter's name.
        limiter: String,
        /// How much longer it waits.
        left: Duration,
    },
    /// It does not run, and is started when its turn comes.
    Awaiting,
    /// A group stops and starts children, one after the other.
    Restarting,
    /// A group has asked the one above about a failure, and waits.
    Escalating,
    /// It is being stopped.
    Stopping,
    /// It has ended, and no start of it is due.
    Stopped {
        /// Why; `None` where it is not known any more.
        reason: Option<Termination>,
    },
    /// It did not answer in time, or its arbiter has stopped. The rest is what its group knows.
    Unresponsive {
        /// What its group takes it to be doing.
        last_known: Box<NodeState>,
    },
}

impl NodeSnapshot {
    /// One of which nothing is known but this.
    pub(crate) fn new(path: String, kind: NodeKind, state: NodeState) -> Self {
        Self {
            id: None,
            path,
            actor_type: None,
            kind,
            state,
            incarnation: 0,
            restarts: 0,
            relocations: 0,
            budgets: Vec::new(),
            shared_budgets: Vec::new(),
            last_failure: None,
            watchers: 0,
            counts: BTreeMap::new(),
            children: Vec::new(),
            next: None,
        }
    }

    /// This node and all below it, each before its children.
    pub fn nodes(&self) -> impl Iterator<Item = &Self> {
        let mut rest = vec![self];
        std::iter::from_fn(move || {
            let node = rest.pop()?;
            rest.extend(node.children.iter().rev());
            Some(node)
        })
    }

    /// The child of this id, if it is on this page.
    pub fn child(&self, id: &str) -> Option<&Self> {
        let has_id = |node: &&Self| node.id.as_ref().is_some_and(|own| own.as_str() == id);
        self.children.iter().find(has_id)
    }

    /// How many children a group has, on this page or not.
    pub fn count(&self) -> usize {
        self.counts.values().sum()
    }

    /// What the node says of itself, completed by what its group knows.
    fn completed_by(mut self, known: Self) -> Self {
        self.state = known.state.refined_by(self.state);
        self.id = known.id;
        self.budgets = known.budgets;
        self
    }

    /// What the group knows of a node that does not answer.
    fn unresponsive(mut self) -> Self {
        let last_known = Box::new(self.state);
        self.state = NodeState::Unresponsive { last_known };
        self
    }

    /// What the group knows of a node that is not there. One that does not run need not be.
    fn without_answer(self) -> Self {
        match self.state {
            NodeState::Stopped { .. } => self,
            _ => self.unresponsive(),
        }
    }
}

impl NodeState {
    /// Of what a group knows and what its child says of itself, what is more.
    fn refined_by(self, own: Self) -> Self {
        match (&self, &own) {
            // Between lives a child knows only that it has not been told to start.
            (Self::Running | Self::Starting, Self::Awaiting) => self,
            (Self::Running | Self::Starting, _) => own,
            (Self::Stopped { .. }, Self::Stopped { .. }) => own,
            _ => self,
        }
    }
}

impl TreeSnapshot {
    /// All nodes, each before its children.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeSnapshot> {
        self.root.nodes()
    }

    /// The first node with this path.
    pub fn find(&self, path: &str) -> Option<&NodeSnapshot> {
        self.nodes().find(|node| node.path == path)
    }
}
