//! Placement and relocation of supervised actors across nodes.
//!
//! A node [joins](Cluster::join) a cluster over an [`engine`]: a store that compares and swaps, and
//! messages between nodes. It can run the [kinds](Kind) of actors it was told of. Each actor has a path
//! and runs once in the whole cluster; a [`ClusterRef`] reaches it from every node. Actors move when
//! their strategy says `Relocate`, when somebody [orders it](Cluster::relocate), when their node
//! [drains](Cluster::drain), and are started elsewhere when their node is lost. What of them survives
//! is said by their kind.
//!
//! [`protocol`] has the rules, as machines without clock or network; [`clock`] is the time they live by.

pub mod clock;
pub mod codec;
pub mod engine;
pub mod protocol;

mod cluster_ref;
mod config;
mod kind;
mod node;
mod remote;
mod snapshot;

pub use crate::{
    cluster_ref::{ClusterRef, SendError},
    config::{ClusterConfig, ConfigError},
    kind::Kind,
    node::{
        handle::{Cluster, DrainReport, EndError, JoinError, MoveError, StartError},
        profile::MemberView,
        shared::MessageCounts,
    },
    remote::{EncodeError, RemoteMessage},
    snapshot::{Snapshot, UnreadableSnapshot, UnwritableSnapshot},
};
