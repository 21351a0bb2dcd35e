//! The order in which nodes come for one path.

use std::{cmp::Ordering, collections::BTreeMap};

use super::eligible::{Candidate, SpreadTerm};

/// The rendezvous order; ties by name.
pub(super) fn order(path: u64, a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    a.lot(path).order(&b.lot(path)).then_with(|| a.id.cmp(b.id))
}

/// The first in rendezvous order.
pub(super) fn first<'v>(path: u64, candidates: &[Candidate<'v>]) -> Option<Candidate<'v>> {
    candidates.iter().copied().min_by(|a, b| order(path, a, b))
}

/// All in rendezvous order.
pub(super) fn ranked<'v>(path: u64, candidates: &[Candidate<'v>]) -> Vec<Candidate<'v>> {
    let mut ranked = candidates.to_vec();
    ranked.sort_by_cached_key(|candidate| Ranked(*candidate, candidate.lot(path)));
    ranked
}

/// A candidate with its lot, drawn once.
struct Ranked<'v>(Candidate<'v>, super::hash::Lot);

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1
            .order(&other.1)
            .then_with(|| self.0.id.cmp(other.0.id))
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked<'_> {}

/// The same nodes so that the values of the labels take turns: no second one of a value comes
/// before the first one of another. Otherwise the order is kept.
pub(super) fn in_turns<'v>(
    ranked: Vec<Candidate<'v>>,
    spreads: &[SpreadTerm<'_>],
) -> Vec<Candidate<'v>> {
    if spreads.is_empty() {
        return ranked;
    }
    let mut seen: BTreeMap<Vec<Option<&str>>, usize> = BTreeMap::new();
    let mut turns = Vec::with_capacity(ranked.len());
    for candidate in ranked {
        let labels = candidate.node;
        let values = spreads.iter().map(|term| labels.labels.get(term.label));
        let turn = seen
            .entry(values.map(|value| value.map(String::as_str)).collect())
            .or_default();
        turns.push((*turn, candidate));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, candidate)| candidate).collect()
}
