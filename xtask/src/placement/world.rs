//! The cluster that is measured.

use std::num::NonZeroU16;

use supervision_core::{
    NodeId, PlacementStrategy,
    placement::{ClusterView, NodeView, RendezvousIndex},
};

pub(super) const KIND: &str = "counter";

/// Nodes in four zones, with weight 1, and the paths of actors.
pub(super) struct World {
    pub(super) view: ClusterView,
    pub(super) paths: Vec<String>,
}

impl World {
    pub(super) fn new(nodes: usize, actors: usize, seed: u64) -> Self {
        let mut view = ClusterView::default();
        for number in 0..nodes {
            view.nodes.insert(name(seed, number), node(number));
        }
        let path = |number| format!("/user/counter/{seed}/{number}");
        Self {
            view,
            paths: (0..actors).map(path).collect(),
        }
    }

    /// The same with one node more.
    pub(super) fn grown(&self, seed: &str) -> (ClusterView, NodeId) {
        let mut view = self.view.clone();
        let id = NodeId::new(format!("new-{seed}")).unwrap_or_else(|_| NodeId::local());
        view.nodes.insert(id.clone(), node(view.nodes.len()));
        (view, id)
    }

    pub(super) fn weighted(&self) -> ClusterView {
        let mut view = self.view.clone();
        for (node, weight) in view.nodes.values_mut().zip((1..=4).cycle()) {
            node.weight = NonZeroU16::MIN.saturating_add(weight - 1);
        }
        view
    }
}

fn name(seed: u64, number: usize) -> NodeId {
    NodeId::new(format!("node-{seed}-{number}")).unwrap_or_else(|_| NodeId::local())
}

fn node(number: usize) -> NodeView {
    let zone = ["a", "b", "c", "d"][number % 4];
    NodeView::new([KIND]).with_label("zone", zone)
}

pub(super) fn index(view: &ClusterView) -> RendezvousIndex {
    RendezvousIndex::new(view, KIND, &PlacementStrategy::Rendezvous)
}
