//! What is said to be left of a budget is what `decide` would still answer, to the failure.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};
use supervision_core::{
    BudgetKind, Budgets, Cause, Failure, Policy, RemainingBudget, SupervisionStrategy, Timestamp,
    decide,
};

use crate::{
    property::{cases, check},
    strategies::{SECOND, ladder, matching, relocate, restart, restart_after},
};

const FAILURES: [&str; 3] = ["app::DiskError", "app::NetError", "app::Other"];

/// Every leaf with a delay of its own, by which its answers are known.
fn policy(limits: &[usize]) -> (Policy, Vec<(&'static str, Vec<u64>)>) {
    let limit = |at: usize| limits[at];
    let rung = |at: usize, window| {
        restart_after(
            limit(at),
            Duration::from_secs(window),
            Duration::from_millis(at as u64 + 1),
        )
    };
    let moves = SupervisionStrategy::Relocate {
        placement: supervision_core::PlacementStrategy::RoundRobin,
        max_relocations: limit(2),
        delay: Duration::from_millis(3),
    };
    let strategy = matching(
        [
            ("DiskError", ladder([rung(0, 5), rung(1, 30), moves])),
            ("NetError", rung(3, 10)),
        ],
        rung(4, 20),
    );
    let leaves = vec![
        (FAILURES[0], vec![1, 2, 3]),
        (FAILURES[1], vec![4]),
        (FAILURES[2], vec![5]),
    ];
    (Policy::new(strategy).expect("valid"), leaves)
}

/// Which leaf answers how often when everything fails again and again at `now`.
fn use_up(
    budgets: &Budgets,
    policy: &Policy,
    failure: &'static str,
    now: Timestamp,
) -> BTreeMap<u64, usize> {
    let mut budgets = budgets.clone();
    let mut answered = BTreeMap::new();
    let cause = Cause::named(failure, "again");
    while let Some(after) = decide(&mut budgets, policy, &Failure::of(&cause), now, 0).delay() {
        let leaf = u64::try_from(after.as_millis()).expect("small");
        *answered.entry(leaf).or_default() += 1;
    }
    answered
}

#[test]
fn what_is_left_is_what_decide_still_answers() {
    let limits = vec(0_usize..6, 5);
    let history = vec((0_usize..3, 0_u64..7_000), 0..60);
    let values = (limits, history, 0_u64..40_000, any::<bool>());
    let count = u32::try_from(cases(2_000)).expect("fewer");
    check(count, values, |(limits, history, pause, earlier)| {
        let (policy, leaves) = policy(&limits);
        let (mut budgets, mut now) = (Budgets::default(), Timestamp::from_secs(100));
        for (which, gap) in history {
            now = now.saturating_add(Duration::from_millis(gap));
            let cause = Cause::named(FAILURES[which], "once");
            let _ = decide(&mut budgets, &policy, &Failure::of(&cause), now, 0);
        }
        // A clock that runs backwards forgives nothing here either.
        let pause = Duration::from_millis(pause);
        let at = if earlier {
            now.saturating_sub(pause)
        } else {
            now.saturating_add(pause)
        };
        let told = budgets.remaining(&policy, at);
        prop_assert_eq!(told.len(), 5);
        let mut told = told.into_iter();
        for (failure, delays) in leaves {
            let answered = use_up(&budgets, &policy, failure, at);
            for delay in delays {
                let told = told.next().expect("as many as leaves");
                let truth = answered.get(&delay).copied().unwrap_or(0);
                prop_assert_eq!(told.left, Some(truth), "{} of {:?}", told, limits);
            }
        }
        Ok(())
    });
}

fn shown(strategy: SupervisionStrategy, failures: usize) -> Vec<String> {
    let policy = Policy::new(strategy).expect("valid");
    let mut budgets = Budgets::default();
    for _ in 0..failures {
        let cause = Cause::panic("boom");
        let _ = decide(
            &mut budgets,
            &policy,
            &Failure::of(&cause),
            Timestamp::from_secs(9),
            0,
        );
    }
    let left = budgets.remaining(&policy, Timestamp::from_secs(10));
    left.iter().map(RemainingBudget::to_string).collect()
}

#[test]
fn budgets_are_named_after_their_rules_and_rungs() {
    let minute = Duration::from_secs(60);
    assert_eq!(shown(restart(3, minute), 2), ["1 of 3 restarts left in 1m"]);
    let nested = matching(
        [
            ("DiskError", ladder([restart(1, SECOND), relocate(2)])),
            ("DiskError", restart(usize::MAX, SECOND)),
            ("NetError", SupervisionStrategy::Stop),
        ],
        matching([("panic", SupervisionStrategy::Resume)], relocate(7)),
    );
    assert_eq!(
        shown(nested, 1),
        [
            "DiskError / rung 1: 1 of 1 restarts left in 1s",
            "DiskError / rung 2: 2 of 2 relocations left",
            "DiskError #2: restarts without limit",
            "default / panic: 2 of 3 restarts instead of resuming left in 1m",
            "default / default: 7 of 7 relocations left",
        ]
    );
}

#[test]
fn what_is_left_survives_the_way_through_json() {
    let policy = Policy::new(ladder([
        restart(3, SECOND),
        relocate(1),
        restart(usize::MAX, SECOND),
    ]));
    let left = Budgets::default().remaining(&policy.expect("valid"), Timestamp::default());
    assert_eq!(left[0].kind, BudgetKind::Restarts);
    let text = serde_json::to_string(&left).expect("serializable");
    assert!(text.contains(r#""window":"1s""#), "{text}");
    let read: Vec<RemainingBudget> = serde_json::from_str(&text).expect("what was written");
    assert_eq!(read, left);
    let bytes = postcard::to_allocvec(&left).expect("serializable");
    assert_eq!(
        postcard::from_bytes::<Vec<RemainingBudget>>(&bytes).expect("what was written"),
        left
    );
}
