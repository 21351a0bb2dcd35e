//! What a decision costs in memory: storage comes with the first failures and is used again.

use std::time::Duration;

use allocation_counter::measure;
use supervision_core::{
    Backoff, Budgets, Cause, Decision, Failure, NodeId, PlacementStrategy, Policy,
    SupervisionStrategy, Timestamp, decide,
};

use crate::strategies::{SECOND, ladder, matching, relocate, restart, with_backoff};

/// Ten failures in a second, then two quiet seconds, and so on, with a long pause after each
/// thousand; tells how many were answered by a new incarnation.
fn storm(budgets: &mut Budgets, policy: &Policy, causes: &[Cause], from: u64, count: u64) -> u64 {
    let answered = (from..from + count).filter(|number| {
        let cause = &causes[*number as usize % causes.len()];
        let now = Timestamp::from_secs(number / 10 * 3 + number / 1_000 * 100);
        let now = now.saturating_add(Duration::from_millis(number % 10 * 100));
        let decision = decide(budgets, policy, &Failure::of(cause), now, *number);
        decision.delay().is_some()
    });
    answered.count() as u64
}

fn assert_settles(strategy: SupervisionStrategy, warm_up: u64) {
    let causes = [
        Cause::panic("boom"),
        Cause::named("std::io::Error", "disk full"),
        Cause::named("app::db::DatabaseError", "gone"),
    ];
    let policy = Policy::new(strategy.clone()).expect("valid");
    let mut budgets = Budgets::default();
    let first = measure(|| {
        storm(&mut budgets, &policy, &causes, 0, warm_up);
    });
    assert!(
        first.count_total > 0,
        "storage is made at the first failures of {strategy:?}"
    );
    let mut answered = 0;
    let later = measure(|| answered = storm(&mut budgets, &policy, &causes, warm_up, 5_000));
    assert_eq!(later.count_total, 0, "{strategy:?}");
    assert!(
        answered > 0,
        "a decision that charges was measured: {strategy:?}"
    );
}

#[test]
fn a_restart_allocates_nothing_once_its_window_has_its_room() {
    assert_settles(restart(3, SECOND), 4);
    assert_settles(restart(1_000, 60 * SECOND), 1_001);
    assert_settles(restart(usize::MAX, SECOND), 1);
}

#[test]
fn a_backoff_allocates_nothing_once_its_window_has_its_room() {
    let backoff = Backoff::new(SECOND, 60 * SECOND).expect("valid");
    assert_settles(with_backoff(3, SECOND, backoff), 4);
}

#[test]
fn a_relocation_allocates_nothing_not_even_for_a_named_node() {
    assert_settles(relocate(usize::MAX), 1);
    let node = NodeId::new("a-node-with-quite-a-long-name").expect("valid");
    let strategy = SupervisionStrategy::Relocate {
        placement: PlacementStrategy::Node(node),
        max_relocations: 1_000_000,
        delay: Duration::ZERO,
    };
    assert_settles(strategy, 1);
}

#[test]
fn the_fallback_of_resume_allocates_nothing_once_its_window_has_its_room() {
    assert_settles(SupervisionStrategy::Resume, 4);
}

#[test]
fn a_match_and_a_ladder_allocate_nothing_once_all_their_windows_have_their_room() {
    let climbs = ladder([
        restart(3, SECOND),
        restart(9, 2 * SECOND),
        relocate(1_000_000),
    ]);
    assert_settles(climbs.clone(), 50);
    let rules = [
        ("std::io::Error", climbs),
        (
            "DatabaseError",
            matching([("panic", relocate(1))], restart(3, SECOND)),
        ),
    ];
    assert_settles(matching(rules, SupervisionStrategy::Resume), 200);
}

#[test]
fn nothing_is_stored_before_the_first_failure() {
    let made = measure(|| {
        let mut budgets = std::hint::black_box(Budgets::default());
        assert!(budgets.reset_backoff(budgets.token()));
        std::hint::black_box(budgets.clone());
    });
    assert_eq!(made.count_total, 0);
}

#[test]
fn what_never_charges_never_stores() {
    let cause = Cause::panic("boom");
    let sound = Failure::of(&cause).with_resumable(true).with_parent(true);
    for strategy in [
        SupervisionStrategy::Stop,
        SupervisionStrategy::Escalate,
        SupervisionStrategy::Resume,
    ] {
        let policy = Policy::new(strategy).expect("valid");
        let mut budgets = Budgets::default();
        let mut kept_going = 0;
        let cost = measure(|| {
            for _ in 0..1_000 {
                let now = Timestamp::default();
                let decision = decide(&mut budgets, &policy, &sound, now, 0);
                kept_going += u32::from(decision == Decision::Resume);
            }
        });
        assert_eq!(cost.count_total, 0, "{:?}", policy.strategy());
        assert!(kept_going == 0 || kept_going == 1_000);
    }
}

#[test]
fn no_limit_keeps_one_small_record_however_much_fails() {
    let policy = Policy::new(restart(usize::MAX, SECOND)).expect("valid");
    let mut budgets = Budgets::default();
    let cause = [Cause::panic("boom")];
    let mut answered = 0;
    let cost = measure(|| answered = storm(&mut budgets, &policy, &cause, 0, 100_000));
    assert_eq!(answered, 100_000);
    assert_eq!(cost.count_total, 1, "the leaf's record, and no instant");
    assert!(cost.bytes_total < 128, "{cost:?}");
}

#[test]
fn a_storm_leaves_no_more_than_its_limit_in_memory() {
    let policy = Policy::new(restart(1_000, Duration::MAX)).expect("valid");
    let mut budgets = Budgets::default();
    let cause = [Cause::panic("boom")];
    let mut answered = 0;
    let cost = measure(|| answered = storm(&mut budgets, &policy, &cause, 0, 100_000));
    assert_eq!(answered, 1_000);
    // A deque doubles, so up to twice what it holds.
    assert!(cost.bytes_current <= 2 * 8 * 1_024 + 128, "{cost:?}");
}
