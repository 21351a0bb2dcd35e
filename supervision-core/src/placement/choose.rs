//! The one function that places.

use std::cmp::Ordering;

use super::{
    eligible::{Candidate, Terms, allowed},
    hash::path_hash,
    ranking::{first, in_turns, order, ranked},
    request::{Cursor, Excluded, Placement, PlacementError, PlacementRequest},
    spread::open,
    strategy::PlacementStrategy,
    view::ClusterView,
};
use crate::failure::NodeId;

/// Chooses the node for an actor.
///
/// The same arguments give the same answer. `entropy` is used by `Random` alone, and `cursor`, by
/// `RoundRobin` alone, is advanced when a node was found. The cost grows with the number of nodes;
/// for many placements by `Rendezvous` over one view, make a
/// [`RendezvousIndex`](super::RendezvousIndex).
///
/// ```
/// use supervision_core::{NodeId, PlacementStrategy};
/// use supervision_core::placement::{ClusterView, Cursor, NodeView, PlacementRequest, place};
///
/// let mut view = ClusterView::default();
/// for (name, zone) in [("a", "north"), ("b", "south"), ("c", "south")] {
///     let node = NodeView::new(["counter"]).with_label("zone", zone);
///     view.nodes.insert(NodeId::new(name)?, node);
/// }
/// let source = NodeId::new("b")?;
/// let request = PlacementRequest::relocation("/user/counter/7", "counter", &source);
/// let strategy = PlacementStrategy::Node(NodeId::new("c")?);
/// let placement = place(&strategy, &view, &request, &mut Cursor::default(), 0)?;
/// assert_eq!(placement.node.as_str(), "c");
///
/// let nowhere = PlacementRequest::relocation("/user/counter/7", "printer", &source);
/// let error = place(&strategy, &view, &nowhere, &mut Cursor::default(), 0).unwrap_err();
/// assert_eq!(error.to_string(), "no eligible node: 3 without the kind");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`PlacementError::NoEligibleNode`] tells how many nodes were excluded for which reason;
/// [`PlacementError::Invalid`] that the strategy makes no sense.
pub fn place(
    strategy: &PlacementStrategy,
    view: &ClusterView,
    request: &PlacementRequest<'_>,
    cursor: &mut Cursor,
    entropy: u64,
) -> Result<Placement, PlacementError> {
    strategy.validate()?;
    let mut terms = Terms::of(strategy);
    loop {
        let mut excluded = Excluded::default();
        let fitting = terms.fitting(view, request.kind, &mut excluded);
        let allowed = allowed(&fitting, request, &mut excluded);
        let open = open(&terms.spreads, view, &allowed, request);
        excluded.spread = allowed.len() - open.len();
        if let PlacementStrategy::LocalAffinity { group, fallback } = terms.choice {
            if let Some(near) = nearest(group, &open) {
                return Ok(alone(near));
            }
            terms = terms.with(fallback);
            continue;
        }
        let Some(chosen) = choose(terms.choice, &open, request.path, cursor, entropy) else {
            if let PlacementStrategy::Node(_) = terms.choice {
                excluded.not_named = open.len();
            }
            return Err(PlacementError::NoEligibleNode(excluded));
        };
        return Ok(match terms.choice {
            PlacementStrategy::RoundRobin => {
                cursor.last = Some(chosen.id.clone());
                alone(chosen)
            }
            PlacementStrategy::Redundant { replicas } => {
                let mut nodes = ranked(path_hash(request.path), &allowed);
                nodes.retain(|other| other.id != chosen.id);
                nodes.insert(0, chosen);
                let nodes = in_turns(nodes, &terms.spreads);
                let standbys = nodes[1..].iter().take(replicas - 1);
                Placement {
                    node: chosen.id.clone(),
                    standbys: standbys.map(|other| other.id.clone()).collect(),
                }
            }
            _ => alone(chosen),
        });
    }
}

fn alone(chosen: Candidate<'_>) -> Placement {
    Placement {
        node: chosen.id.clone(),
        standbys: Vec::new(),
    }
}

/// What the strategy, taken apart, chooses among those that are left, which are ordered by name.
fn choose<'v>(
    choice: &PlacementStrategy,
    open: &[Candidate<'v>],
    path: &str,
    cursor: &Cursor,
    entropy: u64,
) -> Option<Candidate<'v>> {
    match choice {
        PlacementStrategy::RoundRobin => after(cursor.last.as_ref(), open),
        PlacementStrategy::Random => open.get(below(entropy, open.len())).copied(),
        PlacementStrategy::LeastLoaded => {
            let path = path_hash(path);
            let lighter = |a: &Candidate<'v>, b: &Candidate<'v>| {
                by_load(a, b).then_with(|| order(path, a, b))
            };
            open.iter().copied().min_by(lighter)
        }
        PlacementStrategy::Node(id) => open.iter().copied().find(|candidate| candidate.id == id),
        PlacementStrategy::Rendezvous | PlacementStrategy::Redundant { .. } => {
            first(path_hash(path), open)
        }
        // Taken apart, a strategy is none of these.
        PlacementStrategy::LocalAffinity { .. }
        | PlacementStrategy::Labels { .. }
        | PlacementStrategy::Spread { .. } => None,
    }
}

/// The one after `last` by name, else the first.
fn after<'v>(last: Option<&NodeId>, open: &[Candidate<'v>]) -> Option<Candidate<'v>> {
    let next = last.map_or(0, |last| {
        open.partition_point(|candidate| candidate.id <= last)
    });
    open.get(next).or(open.first()).copied()
}

/// A number below `end` made of 64 random bits, each as likely as can be.
fn below(entropy: u64, end: usize) -> usize {
    ((u128::from(entropy) * end as u128) >> 64) as usize
}

/// Load for weight, then actors for weight, without dividing.
fn by_load(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    let weigh =
        |load: u64, other: &Candidate<'_>| u128::from(load) * u128::from(other.node.weight.get());
    weigh(a.node.load, b)
        .cmp(&weigh(b.node.load, a))
        .then_with(|| weigh(a.node.actors(), b).cmp(&weigh(b.node.actors(), a)))
}

/// The one that has most of the group.
pub(super) fn nearest<'v>(group: &str, open: &[Candidate<'v>]) -> Option<Candidate<'v>> {
    let members = |candidate: &Candidate<'v>| candidate.node.counted("", Some(group));
    let key = path_hash(group);
    open.iter()
        .copied()
        .filter(|candidate| members(candidate) > 0)
        .min_by(|a, b| members(b).cmp(&members(a)).then_with(|| order(key, a, b)))
}
