//! What a node tells about itself in its lease, and what is seen of the others by that.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU16,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use supervision_core::placement::{ClusterView, NodeState, NodeView};

use crate::{
    codec,
    protocol::{LeaseRecord, Member},
};

/// The part of a lease that placement reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) draining: bool,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) weight: NonZeroU16,
    pub(crate) load: u64,
    /// The kinds it can run, with how many of each it owns.
    pub(crate) kinds: BTreeMap<String, u64>,
}

/// A member of the cluster, as a node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberView {
    /// Which run of which node.
    pub member: Member,
    /// Whether it gives its actors away and takes none.
    pub draining: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it can carry in relation to the others.
    pub weight: NonZeroU16,
    /// The load it reports.
    pub load: u64,
    /// The kinds it can run.
    pub kinds: BTreeSet<String>,
    /// How many actors it owns.
    pub actors: u64,
}

impl Profile {
    pub(crate) fn encode(&self) -> Bytes {
        codec::encode(self)
    }

    fn view(&self) -> NodeView {
        let state = if self.draining {
            NodeState::Draining
        } else {
            NodeState::Alive
        };
        NodeView {
            labels: self.labels.clone(),
            weight: self.weight,
            owned: self.kinds.clone(),
            ..NodeView::new(self.kinds.keys().cloned())
                .with_load(self.load)
                .with_state(state)
        }
    }
}

/// What is seen of the cluster. A member whose profile cannot be read is alive and takes nothing.
pub(crate) fn see<'a>(
    leases: impl Iterator<Item = &'a LeaseRecord>,
    me: &Member,
    mine: &Profile,
) -> (ClusterView, Vec<MemberView>) {
    let mut view = ClusterView::default();
    let mut members = Vec::new();
    for lease in leases {
        let profile = if lease.member == *me {
            Some(mine.clone())
        } else {
            codec::decode::<Profile>(&lease.profile).ok()
        };
        let Some(profile) = profile else {
            continue;
        };
        let node = profile.view();
        members.push(MemberView {
            member: lease.member.clone(),
            draining: profile.draining,
            labels: profile.labels.clone(),
            weight: profile.weight,
            load: profile.load,
            kinds: profile.kinds.keys().cloned().collect(),
            actors: node.actors(),
        });
        view.nodes.insert(lease.member.node.clone(), node);
    }
    (view, members)
}
