//! Budgets on a journey: instants mean nothing on another machine, so they travel as ages.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Budgets, LeafBudget, RestartWindow, Row, Timestamp};

/// Most instants that one window takes from a stranger; more than any strategy can ask for is
/// nothing that was ever packed.
const MAX_INSTANTS: usize = crate::validate::MAX_COUNTED + 1;

/// What is left of the budgets of something that moves to another machine, as ages.
///
/// The time of the journey is not counted: failures are taken to be younger by it than they are, so
/// what moves is forgiven nothing by moving.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedBudgets {
    failures: u64,
    leaves: Vec<PackedLeaf>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PackedLeaf {
    /// How long ago each failure of the window was, in nanoseconds, the oldest first.
    ages: Vec<u64>,
    used: usize,
    row: u32,
    /// How much longer the row lasts, in nanoseconds.
    row_left: u64,
}

impl Budgets {
    /// What is left, told without a clock.
    pub fn pack(&self, now: Timestamp) -> PackedBudgets {
        PackedBudgets {
            failures: self.failures,
            leaves: self.leaves.iter().map(|leaf| leaf.pack(now)).collect(),
        }
    }

    /// What was left elsewhere, counted on from `now` on a clock of this machine.
    ///
    /// A failure that is older than that clock counts as old as the clock.
    pub fn unpack(packed: &PackedBudgets, now: Timestamp) -> Self {
        let leaf = |leaf: &PackedLeaf| LeafBudget::unpack(leaf, now);
        Self {
            failures: packed.failures,
            leaves: packed.leaves.iter().map(leaf).collect(),
        }
    }
}

impl LeafBudget {
    fn pack(&self, now: Timestamp) -> PackedLeaf {
        let now = now.as_nanos();
        let age = |at: &Timestamp| now.saturating_sub(at.as_nanos());
        PackedLeaf {
            ages: self.window.instants.iter().map(age).collect(),
            used: self.used,
            row: self.row.length,
            row_left: self.row.ends_at.as_nanos().saturating_sub(now),
        }
    }

    fn unpack(packed: &PackedLeaf, now: Timestamp) -> Self {
        let ago = |age: &u64| now.saturating_sub(Duration::from_nanos(*age));
        let mut instants: Vec<_> = packed.ages.iter().map(ago).collect();
        // What comes from elsewhere may be in any order and of any length.
        instants.sort_unstable();
        let surplus = instants.len().saturating_sub(MAX_INSTANTS);
        let instants: VecDeque<_> = instants.split_off(surplus).into();
        Self {
            window: RestartWindow { instants },
            used: packed.used,
            row: Row {
                length: packed.row,
                ends_at: now.saturating_add(Duration::from_nanos(packed.row_left)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Decision, Failure, PlacementStrategy, Policy, SupervisionStrategy, decide};

    fn policy(strategy: SupervisionStrategy) -> Policy {
        Policy::new(strategy).unwrap()
    }

    #[test]
    fn a_window_goes_on_where_it_was_on_another_clock() {
        let policy = policy(SupervisionStrategy::Restart {
            max_restarts: 2,
            window: Duration::from_secs(60),
            delay: Duration::ZERO,
        });
        let cause = Cause::panic("x");
        let mut here = Budgets::default();
        for at in [1_000, 1_030] {
            let now = Timestamp::from_secs(at);
            let _ = decide(&mut here, &policy, &Failure::of(&cause), now, 0);
        }
        let packed = here.pack(Timestamp::from_secs(1_040));
        // Its clock has run for 100 s only. The first failure is 40 s old, so 19 s later it still
        // counts, and 21 s later it does not.
        for (later, restarts) in [(119, false), (121, true)] {
            let mut there = Budgets::unpack(&packed, Timestamp::from_secs(100));
            let now = Timestamp::from_secs(later);
            let decision = decide(&mut there, &policy, &Failure::of(&cause), now, 0);
            assert_eq!(matches!(decision, Decision::Restart { .. }), restarts);
        }
    }

    #[test]
    fn relocations_are_counted_across_machines() {
        let policy = policy(SupervisionStrategy::Relocate {
            placement: PlacementStrategy::RoundRobin,
            max_relocations: 2,
            delay: Duration::ZERO,
        });
        let cause = Cause::panic("x");
        let now = Timestamp::from_secs(1);
        let mut budgets = Budgets::default();
        let mut moves = 0;
        while let Decision::Relocate { .. } =
            decide(&mut budgets, &policy, &Failure::of(&cause), now, 0)
        {
            moves += 1;
            budgets = Budgets::unpack(&budgets.pack(now), now);
        }
        assert_eq!(moves, 2);
    }

    #[test]
    fn what_no_machine_packed_is_taken_without_harm() {
        let packed = PackedBudgets {
            failures: u64::MAX,
            leaves: vec![PackedLeaf {
                ages: vec![0, u64::MAX, 5],
                used: usize::MAX,
                row: u32::MAX,
                row_left: u64::MAX,
            }],
        };
        let now = Timestamp::from_secs(1);
        let budgets = Budgets::unpack(&packed, now);
        let instants = &budgets.leaves[0].window.instants;
        assert!(instants.iter().is_sorted());
        assert!(instants.iter().all(|at| *at <= now));
    }
}
