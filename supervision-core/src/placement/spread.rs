//! Which values of a label may take one actor more without becoming too uneven.

use std::collections::BTreeMap;

use super::{
    eligible::{Candidate, SpreadTerm},
    request::PlacementRequest,
    view::{ClusterView, NodeState},
};

/// Those of `allowed` in open values, for each term in turn. Never empty if `allowed` is not: the
/// value with the fewest is always open.
pub(super) fn open<'v>(
    terms: &[SpreadTerm<'_>],
    view: &ClusterView,
    allowed: &[Candidate<'v>],
    request: &PlacementRequest<'_>,
) -> Vec<Candidate<'v>> {
    let mut open = allowed.to_vec();
    for term in terms {
        let counts = counts(term, view, request);
        retain_open(&mut open, term.max_skew, |candidate| {
            let value = candidate.label(term.label).unwrap_or_default();
            counts.get(value).copied().unwrap_or(0)
        });
    }
    open
}

/// Keeps what is in a value that may take one more; `count` tells how many its value has.
pub(super) fn retain_open<T>(open: &mut Vec<T>, max_skew: u64, count: impl Fn(&T) -> u64) {
    let fewest = open.iter().map(&count).min().unwrap_or(0);
    open.retain(|one| count(one) - fewest < max_skew);
}

/// Actors that count by the value of the label, on all live nodes, without the one that is placed.
fn counts<'v>(
    term: &SpreadTerm<'_>,
    view: &'v ClusterView,
    request: &PlacementRequest<'_>,
) -> BTreeMap<&'v str, u64> {
    let mut counts = BTreeMap::new();
    for (id, node) in &view.nodes {
        let (NodeState::Alive, Some(value)) = (node.state, node.labels.get(term.label)) else {
            continue;
        };
        let here = node.counted(request.kind, term.group);
        let leaves = u64::from(request.source == Some(id));
        let sum: &mut u64 = counts.entry(value.as_str()).or_default();
        *sum = sum.saturating_add(here.saturating_sub(leaves));
    }
    counts
}
