//! Which node a relocated actor goes to, as a value.

use serde::{Deserialize, Serialize};

use crate::failure::NodeId;

/// How the target of a relocation is chosen among the eligible nodes (alive, not draining, able to
/// run this kind of actor; never the node it comes from).
///
/// The value only names the wish. Where no cluster is attached there is no other node, and a
/// relocation restarts the actor in place, which is counted and recorded as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PlacementStrategy {
    /// The eligible nodes in turn.
    RoundRobin,
    /// Any eligible node, each equally likely.
    Random,
    /// The eligible node that reports the least load.
    LeastLoaded,
    /// This node, and no other.
    Node(NodeId),
}
