//! Who may be chosen at all, and what a strategy demands before it chooses.

use std::collections::BTreeMap;

use super::{
    hash::{Lot, node_hash},
    label::LabelRule,
    request::{Excluded, PlacementRequest},
    strategy::PlacementStrategy,
    view::{ClusterView, NodeState, NodeView},
};
use crate::failure::NodeId;

/// A node that may be chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'v> {
    pub(super) id: &'v NodeId,
    pub(super) node: &'v NodeView,
}

impl Candidate<'_> {
    pub(super) fn lot(&self, path: u64) -> Lot {
        Lot::draw(path, node_hash(self.id.as_str()), self.node.weight)
    }

    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.node.labels.get(key).map(String::as_str)
    }
}

/// A strategy taken apart: what all its wrappers demand, and what chooses in the end.
#[derive(Clone, Debug)]
pub(super) struct Terms<'s> {
    pub(super) rules: Vec<&'s LabelRule>,
    pub(super) spreads: Vec<SpreadTerm<'s>>,
    /// Neither `Labels` nor `Spread`.
    pub(super) choice: &'s PlacementStrategy,
}

/// One `Spread`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpreadTerm<'s> {
    pub(super) label: &'s str,
    pub(super) group: Option<&'s str>,
    pub(super) max_skew: u64,
}

impl<'s> Terms<'s> {
    pub(super) fn of(strategy: &'s PlacementStrategy) -> Self {
        let terms = Self {
            rules: Vec::new(),
            spreads: Vec::new(),
            choice: strategy,
        };
        terms.with(strategy)
    }

    /// These demands and those of `strategy`, which chooses.
    pub(super) fn with(mut self, strategy: &'s PlacementStrategy) -> Self {
        self.choice = strategy;
        loop {
            self.choice = match self.choice {
                PlacementStrategy::Labels { require, among } => {
                    self.rules.extend(require);
                    among
                }
                PlacementStrategy::Spread {
                    label,
                    group,
                    max_skew,
                    among,
                } => {
                    self.spreads.push(SpreadTerm {
                        label,
                        group: group.as_deref(),
                        max_skew: *max_skew,
                    });
                    among
                }
                _ => return self,
            };
        }
    }

    /// The group that is named by the outermost of them that names one.
    pub(super) fn group(&self) -> Option<&'s str> {
        let near = match self.choice {
            PlacementStrategy::LocalAffinity { group, .. } => Some(group.as_str()),
            _ => None,
        };
        self.spreads.iter().find_map(|term| term.group).or(near)
    }

    /// Whether the node may run the kind under these terms.
    pub(super) fn fit(&self, node: &NodeView, kind: &str) -> bool {
        node.state == NodeState::Alive && node.kinds.contains(kind) && self.fits(&node.labels)
    }

    /// Whether the labels fit the rules and hold what is spread over.
    fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        self.rules.iter().all(|rule| rule.fits(labels))
            && self
                .spreads
                .iter()
                .all(|term| labels.contains_key(term.label))
    }

    /// The nodes that can run the kind under these terms, by name; the rest is counted.
    pub(super) fn fitting<'v>(
        &self,
        view: &'v ClusterView,
        kind: &str,
        excluded: &mut Excluded,
    ) -> Vec<Candidate<'v>> {
        let mut fitting = Vec::with_capacity(view.nodes.len());
        for (id, node) in &view.nodes {
            let reason = match node.state {
                NodeState::Dead => &mut excluded.dead,
                NodeState::Joining => &mut excluded.joining,
                NodeState::Draining => &mut excluded.draining,
                NodeState::Alive if !node.kinds.contains(kind) => &mut excluded.kind,
                NodeState::Alive if !self.fits(&node.labels) => &mut excluded.labels,
                NodeState::Alive => {
                    fitting.push(Candidate { id, node });
                    continue;
                }
            };
            *reason += 1;
        }
        fitting
    }
}

/// Those of `fitting` that the request does not rule out; the rest is counted.
pub(super) fn allowed<'v>(
    fitting: &[Candidate<'v>],
    request: &PlacementRequest<'_>,
    excluded: &mut Excluded,
) -> Vec<Candidate<'v>> {
    let mut allowed = Vec::with_capacity(fitting.len());
    for candidate in fitting {
        if request.source == Some(candidate.id) {
            excluded.source += 1;
        } else if request.avoid.contains(candidate.id) {
            excluded.avoided += 1;
        } else {
            allowed.push(*candidate);
        }
    }
    allowed
}
