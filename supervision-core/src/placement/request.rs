//! What is asked of a placement, what it answers, and why it may have no answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::InvalidPlacement;
use crate::failure::NodeId;

/// What is to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementRequest<'a> {
    /// The actor's path.
    pub path: &'a str,
    /// Its kind, which the node must advertise.
    pub kind: &'a str,
    /// The node it comes from, which is never chosen; `None` for one that is started.
    pub source: Option<&'a NodeId>,
    /// More nodes that are not to be chosen: those that have refused it.
    pub avoid: &'a [NodeId],
}

impl<'a> PlacementRequest<'a> {
    /// An actor that is started.
    pub fn start(path: &'a str, kind: &'a str) -> Self {
        Self {
            path,
            kind,
            source: None,
            avoid: &[],
        }
    }

    /// An actor that leaves `source`.
    pub fn relocation(path: &'a str, kind: &'a str, source: &'a NodeId) -> Self {
        Self {
            source: Some(source),
            ..Self::start(path, kind)
        }
    }

    /// The same, and none of `nodes`.
    #[must_use]
    pub fn avoiding(self, nodes: &'a [NodeId]) -> Self {
        Self {
            avoid: nodes,
            ..self
        }
    }
}

/// Where an actor goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a placement does nothing by itself"]
pub struct Placement {
    /// The node that is to own it.
    pub node: NodeId,
    /// The nodes that stand by, the first to take over first; without duplicates and without the
    /// owner. Empty but for `Redundant`.
    pub standbys: Vec<NodeId>,
}

/// Whose turn it is by `RoundRobin`: the node after the one that was chosen last.
///
/// It remembers a name and no number, so that nodes that come and go do not disturb the turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) last: Option<NodeId>,
}

impl Cursor {
    /// The node that was chosen last.
    pub fn last(&self) -> Option<&NodeId> {
        self.last.as_ref()
    }
}

/// Nothing was placed; the cursor is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// Every node was excluded.
    #[error("no eligible node: {0}")]
    NoEligibleNode(Excluded),
    /// The strategy makes no sense.
    #[error(transparent)]
    Invalid(#[from] InvalidPlacement),
}

/// How many nodes were excluded for which reason; each node is counted once, by the first reason
/// in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Excluded {
    /// Dead.
    pub dead: usize,
    /// Not ready yet.
    pub joining: usize,
    /// Draining.
    pub draining: usize,
    /// Not advertising the kind.
    pub kind: usize,
    /// Breaking a label rule, or without a label to spread over.
    pub labels: usize,
    /// The node the actor comes from.
    pub source: usize,
    /// To be avoided.
    pub avoided: usize,
    /// Where a label's value has its share already; only what `Node` names can fail by that.
    pub spread: usize,
    /// Eligible, but not the node that `Node` names.
    pub not_named: usize,
}

impl Excluded {
    /// All of them: the nodes of the view.
    pub fn total(&self) -> usize {
        self.reasons().iter().map(|(count, _)| count).sum()
    }

    fn reasons(&self) -> [(usize, &'static str); 9] {
        [
            (self.dead, "dead"),
            (self.joining, "joining"),
            (self.draining, "draining"),
            (self.kind, "without the kind"),
            (self.labels, "without the labels"),
            (self.source, "the source"),
            (self.avoided, "to be avoided"),
            (self.spread, "where there are enough already"),
            (self.not_named, "not the named one"),
        ]
    }
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (count, reason) in self.reasons().iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {reason}")?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("there are no nodes")?;
        }
        Ok(())
    }
}
