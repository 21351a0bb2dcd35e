//! Which values of a label may take one actor more without becoming too uneven.

use std::collections::BTreeMap;

use super::{
    eligible::{Candidate, SpreadTerm},
    request::PlacementRequest,
};

/// Those of `allowed` in open values, for each term in turn. Never empty if `allowed` is not: the
/// value with the fewest is always open.
///
/// `fitting` are all nodes that count; a node that is only excluded from this request counts too.
pub(super) fn open<'v>(
    terms: &[SpreadTerm<'_>],
    fitting: &[Candidate<'v>],
    allowed: &[Candidate<'v>],
    request: &PlacementRequest<'_>,
) -> Vec<Candidate<'v>> {
    let mut open = allowed.to_vec();
    for term in terms {
        let counts = counts(term, fitting, request);
        let count = |candidate: &Candidate<'_>| {
            let value = candidate.label(term.label).unwrap_or_default();
            counts.get(value).copied().unwrap_or(0)
        };
        let fewest = open.iter().map(count).min().unwrap_or(0);
        open.retain(|candidate| count(candidate) - fewest < term.max_skew);
    }
    open
}

/// Actors that count by the value of the label, without the one that is placed.
fn counts<'v>(
    term: &SpreadTerm<'_>,
    fitting: &[Candidate<'v>],
    request: &PlacementRequest<'_>,
) -> BTreeMap<&'v str, u64> {
    let mut counts = BTreeMap::new();
    for candidate in fitting {
        let value = candidate.node.labels.get(term.label);
        let here = candidate.node.counted(request.kind, term.group);
        let leaves = u64::from(request.source == Some(candidate.id));
        let sum: &mut u64 = counts.entry(value.map_or("", String::as_str)).or_default();
        *sum = sum.saturating_add(here.saturating_sub(leaves));
    }
    counts
}
