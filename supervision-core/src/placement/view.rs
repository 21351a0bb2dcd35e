//! What is known of the cluster when something is placed, as plain data.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU16,
};

use serde::{Deserialize, Serialize};

use crate::failure::NodeId;

/// The nodes, as one member sees them at one instant.
///
/// Members may differ in what they see. Nothing breaks then: a placement is only a wish, and who
/// owns a path is settled where ownership is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterView {
    /// All that are known, those that cannot be chosen too.
    pub nodes: BTreeMap<NodeId, NodeView>,
}

/// What is known of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Whether it takes actors.
    pub state: NodeState,
    /// Its labels, such as `zone` = `a`.
    pub labels: BTreeMap<String, String>,
    /// The kinds of actors it can run.
    pub kinds: BTreeSet<String>,
    /// How much it can carry in relation to the others: of two nodes with weights 1 and 2 the
    /// second gets twice as many actors by `Rendezvous`, and carries twice the load as lightly.
    pub weight: NonZeroU16,
    /// The load it reports, in any unit that all nodes share; used by `LeastLoaded` alone.
    pub load: u64,
    /// How many actors of each kind it owns.
    pub owned: BTreeMap<String, u64>,
    /// How many actors of each group it owns. An actor may be counted in several groups.
    pub groups: BTreeMap<String, u64>,
}

/// Whether a node takes actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeState {
    /// Not ready yet: owns nothing and is given nothing.
    Joining,
    /// Takes actors.
    Alive,
    /// Keeps its actors until they have moved; takes none.
    Draining,
    /// Gone; what it owned is to be claimed.
    Dead,
}

impl NodeView {
    /// A live node that can run these kinds: of weight 1, without labels, load or actors.
    pub fn new<K: Into<String>>(kinds: impl IntoIterator<Item = K>) -> Self {
        Self {
            state: NodeState::Alive,
            labels: BTreeMap::new(),
            kinds: kinds.into_iter().map(Into::into).collect(),
            weight: NonZeroU16::MIN,
            load: 0,
            owned: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// Sets a label.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets the weight.
    #[must_use]
    pub fn with_weight(self, weight: NonZeroU16) -> Self {
        Self { weight, ..self }
    }

    /// Sets the load.
    #[must_use]
    pub fn with_load(self, load: u64) -> Self {
        Self { load, ..self }
    }

    /// Sets the state.
    #[must_use]
    pub fn with_state(self, state: NodeState) -> Self {
        Self { state, ..self }
    }

    /// Number of actors it owns.
    pub fn actors(&self) -> u64 {
        self.owned.values().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Actors of the kind, or of the group where one is named.
    pub(super) fn counted(&self, kind: &str, group: Option<&str>) -> u64 {
        let count = match group {
            Some(group) => self.groups.get(group),
            None => self.owned.get(kind),
        };
        count.copied().unwrap_or(0)
    }
}
