//! A changed policy keeps the budgets of what stayed the same.

use std::time::Duration;

use supervision_core::{
    Backoff, Budgets, Cause, Decision, Policy, SupervisionMatcher, SupervisionStrategy,
};

use crate::{
    decide::{EXHAUSTED, Subject, panic},
    strategies::{SECOND, ladder, matching, relocate, restart, with_backoff},
};

const MINUTE: Duration = Duration::from_secs(60);

fn io() -> Cause {
    Cause::named("std::io::Error", "disk full")
}

fn db() -> Cause {
    Cause::named("app::DatabaseError", "gone")
}

impl Subject {
    fn changes_to(&mut self, strategy: SupervisionStrategy) {
        let new = Policy::new(strategy).expect("valid");
        self.budgets.carry_over(&self.policy, &new);
        self.policy = new;
    }

    /// How many more failures at the first second are answered by a new incarnation.
    fn left(&mut self, cause: &Cause) -> usize {
        let mut answered = || self.fails(cause, 1).delay().is_some();
        (0..100).take_while(|_| answered()).count()
    }
}

/// A subject that has failed `times` times in this way.
fn failed(strategy: SupervisionStrategy, cause: &Cause, times: usize) -> Subject {
    let mut subject = Subject::under(strategy);
    for _ in 0..times {
        assert!(subject.fails(cause, 0).delay().is_some());
    }
    subject
}

#[test]
fn a_raised_limit_counts_what_has_failed_already() {
    let mut subject = failed(restart(3, MINUTE), &panic(), 3);
    subject.changes_to(restart(5, MINUTE));
    assert_eq!(subject.left(&panic()), 2);
}

#[test]
fn a_lowered_limit_counts_what_has_failed_already() {
    let mut subject = failed(restart(5, MINUTE), &panic(), 3);
    subject.changes_to(restart(3, MINUTE));
    assert_eq!(subject.left(&panic()), 0);
}

#[test]
fn the_same_policy_again_changes_nothing() {
    let mut subject = failed(relocate(4), &panic(), 3);
    subject.changes_to(relocate(4));
    assert_eq!(subject.left(&panic()), 1);
}

#[test]
fn a_different_kind_starts_afresh() {
    let mut subject = failed(restart(3, MINUTE), &panic(), 3);
    subject.changes_to(relocate(3));
    assert_eq!(subject.left(&panic()), 3);
    subject.changes_to(restart(3, MINUTE));
    assert_eq!(subject.left(&panic()), 3);
}

#[test]
fn a_backoff_is_the_same_kind_as_a_fixed_delay() {
    let mut subject = failed(restart(3, MINUTE), &panic(), 2);
    let backoff = Backoff::new(SECOND, MINUTE).expect("valid");
    subject.changes_to(with_backoff(3, MINUTE, backoff));
    assert_eq!(subject.left(&panic()), 1);
}

#[test]
fn a_rule_is_known_by_its_error_type_wherever_it_moves() {
    let stop = SupervisionStrategy::Stop;
    let rules = [
        ("std::io::Error", relocate(3)),
        ("DatabaseError", restart(3, MINUTE)),
    ];
    let mut subject = failed(matching(rules, stop.clone()), &io(), 2);
    assert!(subject.fails(&db(), 0).delay().is_some());
    let rules = [
        ("panic", restart(1, MINUTE)),
        ("DatabaseError", restart(3, MINUTE)),
        ("std::io::Error", relocate(3)),
    ];
    subject.changes_to(matching(rules, stop));
    assert_eq!(subject.left(&io()), 1);
    assert_eq!(subject.left(&db()), 2);
    assert_eq!(subject.left(&panic()), 1);
}

#[test]
fn a_rule_that_was_removed_takes_its_budget_with_it() {
    let with_rule = || matching([("io::Error", relocate(2))], restart(2, MINUTE));
    let mut subject = failed(with_rule(), &io(), 2);
    assert!(subject.fails(&panic(), 0).delay().is_some());
    subject.changes_to(matching([], restart(2, MINUTE)));
    assert_eq!(subject.left(&panic()), 1, "the default keeps its budget");
    subject.changes_to(with_rule());
    assert_eq!(subject.left(&io()), 2, "the rule is a new one");
}

#[test]
fn of_rules_that_repeat_a_type_the_position_counts() {
    let rules = |second: SupervisionStrategy| {
        matching(
            [("io::Error", restart(1, MINUTE)), ("io::Error", second)],
            restart(1, MINUTE),
        )
    };
    let mut subject = failed(rules(relocate(1)), &io(), 1);
    subject.changes_to(rules(restart(5, MINUTE)));
    assert_eq!(
        subject.left(&io()),
        0,
        "the first rule still answers, and is used up"
    );
}

#[test]
fn a_rung_is_known_by_its_number() {
    let mut subject = failed(ladder([restart(1, MINUTE), relocate(2)]), &panic(), 2);
    subject.changes_to(ladder([
        restart(1, MINUTE),
        relocate(4),
        SupervisionStrategy::Escalate,
    ]));
    let moves = (0..4).map(|_| subject.fails(&panic(), 1));
    let moved = moves
        .filter(|d| matches!(d, Decision::Relocate { .. }))
        .count();
    assert_eq!(moved, 3);
}

#[test]
fn a_named_rung_keeps_its_budget_wherever_it_moves() {
    let here = |max| restart(max, MINUTE).named("here");
    let mut subject = failed(ladder([here(2), relocate(2).named("there")]), &panic(), 3);
    // One is put in before it, which has a budget of its own.
    subject.changes_to(ladder([
        restart(1, MINUTE),
        here(2),
        relocate(2).named("there"),
    ]));
    assert_eq!(subject.left(&panic()), 1 + 1, "its own, and a relocation");
    // It may move into a rule too.
    subject.changes_to(matching(
        [("panic", relocate(3).named("there"))],
        SupervisionStrategy::Stop,
    ));
    assert_eq!(subject.left(&panic()), 1);
}

#[test]
fn naming_and_unnaming_a_rung_at_its_place_changes_nothing_but_another_name_does() {
    let one = |strategy| ladder([strategy, SupervisionStrategy::Escalate]);
    let left = |before: SupervisionStrategy, after: SupervisionStrategy| {
        let mut subject = failed(one(before), &panic(), 2);
        subject.changes_to(one(after));
        let restarts = (0..9).map(|_| subject.fails(&panic(), 1));
        restarts
            .filter(|decision| decision.delay().is_some())
            .count()
    };
    let unnamed = || restart(3, MINUTE);
    assert_eq!(left(unnamed(), unnamed().named("a")), 1);
    assert_eq!(left(unnamed().named("a"), unnamed()), 1);
    assert_eq!(left(unnamed().named("a"), unnamed().named("a")), 1);
    assert_eq!(left(unnamed().named("a"), unnamed().named("b")), 3);
    assert_eq!(
        left(relocate(3).named("a"), unnamed().named("a")),
        3,
        "another kind"
    );
}

#[test]
fn a_budget_that_went_away_with_its_name_is_not_taken_by_its_place_too() {
    let mut subject = failed(ladder([restart(2, MINUTE).named("a")]), &panic(), 2);
    subject.changes_to(ladder([restart(2, MINUTE), restart(2, MINUTE).named("a")]));
    assert_eq!(subject.left(&panic()), 2);
}

#[test]
fn nested_rules_keep_their_budgets_too() {
    let nested = |limit| {
        let inner = matching(
            [("app::DatabaseError", restart(limit, MINUTE))],
            relocate(1),
        );
        matching([("DatabaseError", inner)], SupervisionStrategy::Stop)
    };
    let mut subject = failed(nested(2), &db(), 2);
    subject.changes_to(nested(3));
    assert_eq!(subject.left(&db()), 1);
}

#[test]
fn a_rule_inside_a_rule_is_not_confused_with_one_whose_name_looks_like_both() {
    let one = |rule: &str, strategy| matching([(rule, strategy)], SupervisionStrategy::Stop);
    let chain = r#"{"kind":"Error","outer":{"error_type":"A","message":""},
        "sources":[{"error_type":"B","message":""}]}"#;
    let cause: Cause = serde_json::from_str(chain).expect("a cause");
    for name in [
        "A#0/B", "A/B", "A B", "A 0/B", "A/0 B", "A 0 B", "A::B", "A.B",
    ] {
        let mut subject = failed(one("A", one("B", restart(2, MINUTE))), &cause, 1);
        subject.changes_to(one(name, restart(2, MINUTE)));
        assert_eq!(
            subject.left(&Cause::named(name.to_owned(), "")),
            2,
            "{name}"
        );
    }
}

#[test]
fn budgets_that_were_never_used_have_nothing_to_carry_over() {
    let mut subject = Subject::under(restart(1, MINUTE));
    subject.changes_to(matching([], restart(1, MINUTE)));
    assert_eq!(subject.left(&panic()), 1);
    assert_eq!(subject.fails(&panic(), 1), EXHAUSTED);
}

#[test]
fn a_token_taken_before_the_change_stays_good() {
    let mut budgets = Budgets::default();
    let token = budgets.token();
    let policy = |max| Policy::new(restart(max, MINUTE)).expect("valid");
    budgets.carry_over(&policy(1), &policy(2));
    assert!(budgets.reset_backoff(token));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test measures, the crate does not"
)]
fn a_change_of_the_largest_policy_takes_no_noticeable_time() {
    let rule = |n: usize| SupervisionMatcher::new(format!("E{n}"), restart(3, MINUTE));
    let largest = SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Stop),
        matchers: (1..supervision_core::MAX_LEAVES).map(rule).collect(),
    };
    let mut subject = failed(largest.clone(), &Cause::named("E4000", ""), 2);
    let start = std::time::Instant::now();
    subject.changes_to(largest);
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
    assert_eq!(subject.left(&Cause::named("E4000", "")), 1);
}
