//! Rendezvous order over many nodes for many paths: the nodes' hashes are computed once.

use std::{iter, num::NonZeroU16, ops::Range};

use super::{
    eligible::{Candidate, Terms},
    hash::{Lot, node_hash, path_hash, score},
    request::Excluded,
    strategy::PlacementStrategy,
    view::ClusterView,
};
use crate::failure::NodeId;

/// The nodes that may run a kind, ready to be asked for the order of any path.
///
/// It answers as [`place`](super::place()) with `Rendezvous` and [`claim_rank`](super::claim_rank)
/// do for the view it was made of; after a change of the view another one is made. Finding the first
/// node costs one multiplication and one comparison for each node, and one logarithm for each weight
/// that occurs.
#[derive(Clone, Debug)]
pub struct RendezvousIndex {
    /// By weight, then by name.
    nodes: Vec<NodeId>,
    /// Of the nodes, in their order.
    hashes: Vec<u64>,
    /// The weights that occur, with the end of their nodes.
    classes: Vec<(NonZeroU16, usize)>,
}

impl RendezvousIndex {
    /// Of the nodes that are eligible for this kind under the label rules and spreads of
    /// `strategy`. What it chooses by is left aside: the order is always that of rendezvous.
    pub fn new(view: &ClusterView, kind: &str, strategy: &PlacementStrategy) -> Self {
        Self::of(Terms::of(strategy).fitting(view, kind, &mut Excluded::default()))
    }

    /// Of these nodes, which come by name.
    pub(super) fn of(mut nodes: Vec<Candidate<'_>>) -> Self {
        // The sort is stable, and they come by name.
        nodes.sort_by_key(|candidate| candidate.node.weight);
        let mut classes: Vec<(NonZeroU16, usize)> = Vec::new();
        for (at, candidate) in nodes.iter().enumerate() {
            match classes.last_mut() {
                Some((weight, end)) if *weight == candidate.node.weight => *end = at + 1,
                _ => classes.push((candidate.node.weight, at + 1)),
            }
        }
        let hash = |candidate: &Candidate<'_>| node_hash(candidate.id.as_str());
        Self {
            hashes: nodes.iter().map(hash).collect(),
            nodes: nodes.iter().map(|candidate| candidate.id.clone()).collect(),
            classes,
        }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The first node for the path; `None` if there are none.
    pub fn owner(&self, path: &str) -> Option<&NodeId> {
        let path = path_hash(path);
        let best = |(weight, nodes): (NonZeroU16, Range<usize>)| {
            // Within one weight the order is that of the scores: no logarithm is needed.
            let (at, score) = largest(path, &self.hashes[nodes.clone()]);
            (nodes.start + at, Lot { score, weight })
        };
        let first = self.by_weight().map(best).min_by(|a, b| self.order(*a, *b));
        first.map(|(at, _)| &self.nodes[at])
    }

    /// The first `count` nodes for the path, in order; fewer if there are not so many.
    pub fn ranked(&self, path: &str, count: usize) -> Vec<&NodeId> {
        let path = path_hash(path);
        let lots = self.by_weight().flat_map(|(weight, nodes)| {
            nodes.map(move |at| (at, Lot::draw(path, self.hashes[at], weight)))
        });
        let mut lots: Vec<_> = lots.collect();
        lots.sort_by(|a, b| self.order(*a, *b));
        let first = lots.iter().take(count);
        first.map(|(at, _)| &self.nodes[*at]).collect()
    }

    /// The place of `node` in the order of the path, from 0; `None` if it is not among the nodes.
    pub fn rank(&self, path: &str, node: &NodeId) -> Option<usize> {
        let path = path_hash(path);
        let of = |(weight, nodes): (NonZeroU16, Range<usize>)| {
            // Within one weight they are ordered by name.
            let at = self.nodes[nodes.clone()].binary_search(node).ok()? + nodes.start;
            Some((at, Lot::draw(path, self.hashes[at], weight)))
        };
        let this = self.by_weight().find_map(of)?;
        let before = |(weight, nodes): (NonZeroU16, Range<usize>)| {
            let lots = nodes.map(|at| (at, Lot::draw(path, self.hashes[at], weight)));
            lots.filter(|other| self.order(*other, this).is_lt())
                .count()
        };
        Some(self.by_weight().map(before).sum())
    }

    /// The weights that occur, with their nodes.
    fn by_weight(&self) -> impl Iterator<Item = (NonZeroU16, Range<usize>)> {
        let begins = iter::once(0).chain(self.classes.iter().map(|(_, end)| *end));
        let classes = begins.zip(&self.classes);
        classes.map(|(begin, (weight, end))| (*weight, begin..*end))
    }

    fn order(&self, a: (usize, Lot), b: (usize, Lot)) -> std::cmp::Ordering {
        let by_name = || self.nodes[a.0].cmp(&self.nodes[b.0]);
        a.1.order(&b.1).then_with(by_name)
    }
}

/// The first of the largest scores.
fn largest(path: u64, hashes: &[u64]) -> (usize, u64) {
    let mut best = (0, 0);
    for (at, hash) in hashes.iter().enumerate() {
        let score = score(path, *hash);
        if score > best.1 {
            best = (at, score);
        }
    }
    best
}
