//! Clusters for tests of placement: short constructors, a generator, and an oracle that is naive.

use std::{cmp::Ordering, num::NonZeroU16};

use proptest::{collection::vec, prelude::*};
use supervision_core::{
    LabelRule, NodeId, PlacementStrategy,
    placement::{ClusterView, NodeState, NodeView, PlacementRequest},
};
use xxhash_rust::xxh3::xxh3_64;

use crate::strategies::node;

pub(crate) const KIND: &str = "counter";
pub(crate) const PATH: &str = "/user/counter/7";

/// `count` live nodes, `n0`, `n1`, ..., each changed by its number.
pub(crate) fn cluster(count: usize, change: impl Fn(usize, NodeView) -> NodeView) -> ClusterView {
    let each = |number| (node(number), change(number, NodeView::new([KIND])));
    ClusterView {
        nodes: (0..count).map(each).collect(),
    }
}

pub(crate) fn weight(of: u16) -> NonZeroU16 {
    NonZeroU16::new(of).expect("not zero")
}

/// A node of any sort; most of them can be chosen.
pub(crate) fn any_node() -> impl Strategy<Value = NodeView> {
    let state = prop_oneof![
        12 => Just(NodeState::Alive),
        1 => Just(NodeState::Joining),
        1 => Just(NodeState::Draining),
        1 => Just(NodeState::Dead),
    ];
    let zone = prop_oneof![1 => Just(None), 6 => "[abc]".prop_map(Some)];
    let disk =
        prop_oneof![1 => Just(None), 4 => prop_oneof![Just("ssd"), Just("hdd")].prop_map(Some)];
    let weights = prop_oneof![3 => Just(1u16), 2 => 1..5u16, 1 => Just(u16::MAX)];
    let loads = prop_oneof![4 => 0..6u64, 1 => Just(u64::MAX)];
    (
        state,
        zone,
        disk,
        weights,
        loads,
        prop::bool::weighted(0.9),
        vec(0..4u64, 4),
    )
        .prop_map(|(state, zone, disk, of, load, has_kind, counts)| {
            let kinds = if has_kind {
                &[KIND, "other"][..]
            } else {
                &["other"]
            };
            let mut node = NodeView::new(kinds.iter().copied())
                .with_state(state)
                .with_weight(weight(of))
                .with_load(load);
            let labels = [("zone", zone), ("disk", disk.map(str::to_owned))];
            for (key, value) in labels {
                node.labels
                    .extend(value.map(|value| (key.to_owned(), value)));
            }
            for (kind, count) in [(KIND, counts[0]), ("other", counts[1])] {
                node.owned.insert(kind.to_owned(), count);
            }
            for (group, count) in [("g", counts[2]), ("h", counts[3] / 3)] {
                node.groups.insert(group.to_owned(), count);
            }
            node
        })
}

/// A cluster of up to 8 nodes of any sort.
pub(crate) fn any_view() -> impl Strategy<Value = ClusterView> {
    vec(any_node(), 0..8).prop_map(|nodes| ClusterView {
        nodes: nodes
            .into_iter()
            .enumerate()
            .map(|(at, view)| (node(at), view))
            .collect(),
    })
}

/// What the wrappers of a strategy demand and what is within them, found by recursion. The fallback
/// of an affinity counts as within only if nobody of the group is where it may be.
pub(crate) struct Demands {
    pub(crate) rules: Vec<LabelRule>,
    pub(crate) spreads: Vec<(String, Option<String>, u64)>,
    pub(crate) within: PlacementStrategy,
}

pub(crate) fn demands(
    strategy: &PlacementStrategy,
    view: &ClusterView,
    request: &PlacementRequest<'_>,
) -> Demands {
    fn walk(found: &mut Demands, view: &ClusterView, request: &PlacementRequest<'_>) {
        match found.within.clone() {
            PlacementStrategy::Labels { require, among } => {
                found.rules.extend(require);
                found.within = *among;
            }
            PlacementStrategy::Spread {
                label,
                group,
                max_skew,
                among,
            } => {
                found.spreads.push((label, group, max_skew));
                found.within = *among;
            }
            PlacementStrategy::LocalAffinity { group, fallback } => {
                let open = open(found, view, request);
                if open.iter().any(|id| members(view, id, &group) > 0) {
                    return;
                }
                found.within = *fallback;
            }
            _ => return,
        }
        walk(found, view, request);
    }
    let mut found = Demands {
        rules: Vec::new(),
        spreads: Vec::new(),
        within: strategy.clone(),
    };
    walk(&mut found, view, request);
    found
}

pub(crate) fn members(view: &ClusterView, id: &NodeId, group: &str) -> u64 {
    view.nodes[id].groups.get(group).copied().unwrap_or(0)
}

/// The nodes that may be chosen but for the spreads.
pub(crate) fn allowed(
    demands: &Demands,
    view: &ClusterView,
    request: &PlacementRequest<'_>,
) -> Vec<NodeId> {
    let may = |id: &NodeId, node: &NodeView| {
        let has_value = |key: &str| node.labels.contains_key(key);
        node.state == NodeState::Alive
            && node.kinds.contains(request.kind)
            && request.source != Some(id)
            && !request.avoid.contains(id)
            && demands.spreads.iter().all(|(label, ..)| has_value(label))
            && demands.rules.iter().all(|rule| match rule.value() {
                Some(value) => node
                    .labels
                    .get(rule.key())
                    .is_some_and(|found| found == value),
                None => has_value(rule.key()),
            })
    };
    let nodes = view.nodes.iter();
    nodes
        .filter(|(id, node)| may(id, node))
        .map(|(id, _)| id.clone())
        .collect()
}

/// The nodes that may be chosen.
pub(crate) fn open(
    demands: &Demands,
    view: &ClusterView,
    request: &PlacementRequest<'_>,
) -> Vec<NodeId> {
    let mut open = allowed(demands, view, request);
    for (label, group, max_skew) in &demands.spreads {
        let count = |value: &String| -> u64 {
            let live = view.nodes.iter().filter(|(_, node)| {
                node.state == NodeState::Alive && node.labels.get(label) == Some(value)
            });
            live.map(|(id, node)| {
                let counted = match group {
                    Some(group) => node.groups.get(group),
                    None => node.owned.get(request.kind),
                };
                let here = counted.copied().unwrap_or(0);
                if request.source == Some(id) {
                    here.saturating_sub(1)
                } else {
                    here
                }
            })
            .sum()
        };
        let value = |id: &NodeId| view.nodes[id].labels[label].clone();
        let least = open.iter().map(|id| count(&value(id))).min();
        open.retain(|id| count(&value(id)) < least.unwrap_or(0) + max_skew);
    }
    open
}

/// The rendezvous order by the published formula, with a logarithm in floating point. Lots of
/// different weights that are too close for it are taken as the code under test has them.
pub(crate) fn comes_before(
    key: &str,
    a: (&NodeId, NonZeroU16),
    b: (&NodeId, NonZeroU16),
) -> Option<bool> {
    let score = |id: &NodeId| {
        let key = u128::from(xxh3_64(key.as_bytes()) ^ 0x9E37_79B9_7F4A_7C15);
        let product = key * u128::from(xxh3_64(id.as_str().as_bytes()) ^ 0xC2B2_AE3D_27D4_EB4F);
        (product >> 64) as u64 ^ product as u64
    };
    let lot =
        |id, weight: NonZeroU16| -(score(id) as f64 / 2f64.powi(64)).ln() / f64::from(weight.get());
    if a.1 == b.1 {
        return Some((score(b.0), a.0).cmp(&(score(a.0), b.0)) == Ordering::Less);
    }
    let (this, that) = (lot(a.0, a.1), lot(b.0, b.1));
    let is_close = (this - that).abs() < 0.004 * this.max(that);
    (!is_close).then_some(this < that)
}
