//! When a survivor claims an actor of a lost node.

use super::{
    eligible::{Candidate, Terms, allowed},
    hash::path_hash,
    ranking::{in_turns, order, ranked},
    request::{Excluded, PlacementRequest},
    strategy::PlacementStrategy,
    view::ClusterView,
};
use crate::failure::NodeId;

/// The place of `node` among the survivors that may claim the actor: 0 claims at once, 1 after the
/// first has had its time, and so on; `None` never claims it.
///
/// Nobody is asked and nobody leads: every survivor computes its own rank from what it sees.
/// Survivors with the same view have different ranks without gaps, so one of them claims first; where
/// views differ two may claim at once, and the epoch decides. The order is the path's rendezvous
/// order over the nodes that the strategy permits, so that each survivor claims its own share; what
/// the strategy chooses by (turns, load, entropy) plays no part. `Redundant` within a `Spread` lets
/// the label's values take turns, as its stand-bys do; a `LocalAffinity` goes by the members that
/// survive and then by the group's name, so that a lost group gathers on one node again.
///
/// `request.source` is the lost node; it is left out even where the view still shows it alive.
pub fn claim_rank(
    strategy: &PlacementStrategy,
    view: &ClusterView,
    request: &PlacementRequest<'_>,
    node: &NodeId,
) -> Option<usize> {
    strategy.validate().ok()?;
    let mut terms = Terms::of(strategy);
    let mut key = path_hash(request.path);
    loop {
        let mut excluded = Excluded::default();
        let fitting = terms.fitting(view, request.kind, &mut excluded);
        let allowed = allowed(&fitting, request, &mut excluded);
        let claimant = allowed
            .iter()
            .copied()
            .find(|candidate| candidate.id == node);
        match terms.choice {
            PlacementStrategy::LocalAffinity { group, fallback } => {
                key = path_hash(group);
                let members = |of: &Candidate<'_>| of.node.counted("", Some(group));
                if allowed.iter().any(|candidate| members(candidate) > 0) {
                    let claimant = claimant?;
                    return Some(position(&allowed, |other| {
                        let more = members(&claimant).cmp(&members(other));
                        more.then_with(|| order(key, other, &claimant)).is_lt()
                    }));
                }
                terms = terms.with(fallback);
            }
            PlacementStrategy::Node(id) => return claimant.filter(|it| it.id == id).map(|_| 0),
            PlacementStrategy::Redundant { .. } => {
                let turns = in_turns(ranked(key, &allowed), &terms.spreads);
                return turns.iter().position(|candidate| candidate.id == node);
            }
            _ => {
                let claimant = claimant?;
                return Some(position(&allowed, |other| {
                    order(key, other, &claimant).is_lt()
                }));
            }
        }
    }
}

/// How many come before.
fn position(all: &[Candidate<'_>], before: impl Fn(&Candidate<'_>) -> bool) -> usize {
    all.iter().filter(|other| before(other)).count()
}
