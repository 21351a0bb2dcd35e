//! Few moves that mend what has changed since the actors were placed.
//!
//! A pass looks at four things in this order, so that no later one undoes an earlier one, and passes
//! follow one another until one changes nothing:
//!
//! 1. An actor must leave: its node drains, or no longer fits its kind or its labels; or it is to be
//!    on the node that its `Node` names.
//! 2. A spread is too uneven: actors go from the fullest value of the label to the emptiest, until
//!    the skew is kept.
//! 3. An actor placed by `Rendezvous` or `Redundant` has another owner now. It goes there: of all its
//!    kind only those whose owner has changed, which are few.
//! 4. Loads differ: from the heaviest node to the lightest, actors of `RoundRobin`, `Random` and
//!    `LeastLoaded`.
//!
//! Why it never flaps, each a test: 1 ends on a node that fits. A step of 2 brings the sum of the
//! squares of all counts down, and 3 and 4 change no count: they move an actor only between nodes of
//! the same label values. 3 has one target. A step of 4 leaves the receiver lighter than the giver
//! was; it begins only where two nodes differ by more than the tolerance and goes on until they
//! differ by half of it, so what then changes by less changes nothing. So each call ends where a
//! second one has nothing to do, or at `max_moves`, from where the next one goes on.

mod level;
mod load;
mod must;
mod owner;
mod plan;
mod policy;

use std::collections::BTreeMap;

use self::plan::Plan;
pub use self::policy::{RebalancePolicy, RebalancePolicyError};
use super::{strategy::PlacementStrategy, view::ClusterView};
use crate::{budget::Timestamp, failure::NodeId};

/// An actor and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedActor<'a> {
    /// The node that owns it.
    pub node: &'a NodeId,
    /// Its kind.
    pub kind: &'a str,
    /// How it was placed.
    pub placement: &'a PlacementStrategy,
    /// The group it counts in, beside the one its placement names.
    pub group: Option<&'a str>,
    /// What it adds to its node's load, in any unit that all actors share; 1 if all are alike. The
    /// loads in the view play no part here, as nobody knows what a move would do to them.
    pub cost: u32,
    /// Never moved.
    pub pinned: bool,
    /// When it has moved last.
    pub last_move: Option<Timestamp>,
}

/// One actor that should move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The actor's path.
    pub path: String,
    /// The node that owns it.
    pub from: NodeId,
    /// The node it should go to.
    pub to: NodeId,
    /// Why.
    pub reason: MoveReason,
}

/// Why an actor should move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MoveReason {
    /// Its node drains.
    Evacuation,
    /// Its node does not fit its kind, its labels or its `Node`.
    Constraint,
    /// A spread is too uneven.
    Spread,
    /// Its owner by rendezvous order has changed.
    Owner,
    /// Its node is too heavy, or another one too light.
    Load,
}

/// Proposes moves, by path; at most as many as the policy allows.
///
/// `owned` are all actors by path; counts and loads are taken from it and not from the view. Actors
/// on nodes that are dead, joining or unknown are left to those who claim them, and invalid
/// placements are left alone. An actor that has moved within the cooldown moves only if it must
/// leave, as does one with a `LocalAffinity`: where its group is, is where it was placed. The same
/// arguments give the same moves.
#[must_use]
pub fn rebalance(
    view: &ClusterView,
    owned: &BTreeMap<&str, OwnedActor<'_>>,
    policy: &RebalancePolicy,
    now: Timestamp,
) -> Vec<Move> {
    let mut plan = Plan::new(view, owned, policy, now);
    loop {
        let before = plan.steps_left();
        plan.leave_where_it_must();
        plan.level_spreads();
        plan.go_to_owners();
        plan.even_loads();
        if plan.steps_left() == before || plan.steps_left() == 0 {
            return plan.into_moves();
        }
    }
}
