//! What a world is made of, and the names of what is in it.

use std::{sync::OnceLock, time::Duration};

use supervision_cluster::protocol::{
    ActorPath, BootId, Bug, Bugs, Durability, KindName, LeaseTerms, Member, NodeSettings,
    PathLimits, Repeat,
};
use supervision_core::NodeId;
use uuid::Uuid;

/// One length of time of the world; a node's clock counts nine to eleven in it.
pub(crate) const STEP: u8 = 10;
/// The length of a lease on a node's own clock: four of the world's lengths.
pub(crate) const LEASE: u64 = 4 * STEP as u64;
/// No world has more nodes, or more paths.
pub(crate) const MOST: usize = 4;

/// What a world is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Setup {
    pub(crate) nodes: u8,
    pub(crate) paths: u8,
    pub(crate) durability: Durability,
    pub(crate) repeat: Repeat,
    pub(crate) limits: PathLimits,
    /// How many versions that are no more a read may still show.
    pub(crate) stale: u8,
    /// How long a caller waits, in the world's lengths.
    pub(crate) patience: u8,
    pub(crate) bug: Option<Bug>,
}

impl Setup {
    /// Two nodes with one durable actor, and limits that nothing runs into.
    pub(crate) fn small(bug: Option<Bug>) -> Self {
        Self {
            nodes: 2,
            paths: 1,
            durability: Durability::Durable,
            repeat: Repeat::AcrossEpochs,
            limits: PathLimits {
                held: 64,
                table: 64,
                batch: 4,
                tries: 1000,
            },
            stale: 0,
            patience: 20,
            bug,
        }
    }

    pub(crate) fn settings(&self) -> NodeSettings {
        NodeSettings {
            terms: LeaseTerms::new(nanos(LEASE), nanos(0), nanos(1)).unwrap(),
            limits: self.limits,
            kinds: [(kind(), self.durability)].into(),
            bugs: self.bug.map_or(Bugs::default(), Bugs::only),
        }
    }

    /// Whether an actor may be parked here because its owners were lost.
    pub(crate) fn parks(&self) -> bool {
        self.limits.tries < 100
    }
}

pub(crate) fn node_id(name: u8) -> NodeId {
    static NAMES: OnceLock<Vec<NodeId>> = OnceLock::new();
    let all = NAMES.get_or_init(|| {
        let letters = ["a", "b", "c", "d"];
        letters.map(|name| NodeId::new(name).unwrap()).into()
    });
    all[usize::from(name)].clone()
}

pub(crate) fn path_name(path: u8) -> ActorPath {
    static NAMES: OnceLock<Vec<ActorPath>> = OnceLock::new();
    let all = NAMES.get_or_init(|| {
        let numbers = ["/0", "/1", "/2", "/3"];
        numbers.map(|name| ActorPath::new(name).unwrap()).into()
    });
    all[usize::from(path)].clone()
}

pub(crate) fn boot_of(name: u8, boot: u8) -> Member {
    Member {
        node: node_id(name),
        boot: BootId(Uuid::from_u128(u128::from(name) * 1000 + u128::from(boot))),
    }
}

pub(crate) fn kind() -> KindName {
    static KIND: OnceLock<KindName> = OnceLock::new();
    KIND.get_or_init(|| KindName::new("k")).clone()
}

pub(crate) fn nanos(n: u64) -> Duration {
    Duration::from_nanos(n)
}
