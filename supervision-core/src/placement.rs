//! Which node an actor goes to: strategies as values, and pure functions over a view of the cluster.
//!
//! Whoever places knows a [`ClusterView`] and asks [`place`]; survivors of a lost node ask
//! [`claim_rank`] when to claim what it owned; [`rebalance`] proposes moves where the cluster has
//! changed. None of them reads a clock, draws a number or remembers anything: what round-robin
//! remembers is a [`Cursor`] of the caller's, and randomness is an argument. Nodes are ordered by
//! their names everywhere, so the same view gives the same answer however it was put together.
//!
//! | strategy | chooses among the eligible nodes | after the loss of the node |
//! |---|---|---|
//! | `RoundRobin` | the next one by name | rendezvous order |
//! | `Random` | any, each equally likely | rendezvous order |
//! | `LeastLoaded` | the least load for its weight | rendezvous order |
//! | `Node(id)` | that one or none | that one or none |
//! | `Rendezvous` | the first in the path's rendezvous order | rendezvous order |
//! | `Redundant` | as `Rendezvous`; the next ones stand by | the stand-bys in turn, then the rest |
//! | `LocalAffinity` | the one with most of the group, else as its fallback | the same, by the group |
//! | `Labels`, `Spread` | as the strategy within, among fewer nodes | as the strategy within |
//!
//! A node is eligible when it is [`Alive`](NodeState::Alive), advertises the kind, fits every label
//! rule, and is neither the node the actor comes from nor one that has refused it.

mod check;
mod label;
mod strategy;

mod request;
mod view;

mod eligible;
mod hash;
mod ranking;
mod rendezvous;
mod spread;

mod choose;
mod claim;
mod rebalance;

pub use self::{
    check::{InvalidPlacement, MAX_LABELS, MAX_PLACEMENT_DEPTH, MAX_REPLICAS, PlacementRule},
    choose::place,
    claim::claim_rank,
    label::{InvalidLabel, LabelRule, MAX_LABEL},
    rebalance::{Move, MoveReason, OwnedActor, RebalancePolicy, RebalancePolicyError, rebalance},
    rendezvous::RendezvousIndex,
    request::{Cursor, Excluded, Placement, PlacementError, PlacementRequest},
    strategy::PlacementStrategy,
    view::{ClusterView, NodeState, NodeView},
};
