//! What `decide` charges, in which order rungs are tried, and what it answers when all is used up.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use supervision_core::{
    Backoff, Budgets, Cause, Decision, EscalationReason, Failure, NodeId, PlacementStrategy,
    Policy, RestartReason, RestartType, StopReason, SupervisionStrategy, Timestamp, decide,
};

use crate::{
    property::check,
    strategies::{
        Choices, SECOND, ladder, matching, relocate, restart, restart_after, valid, with_backoff,
    },
};

/// One supervised thing and its clock.
pub(crate) struct Subject {
    pub(crate) policy: Policy,
    pub(crate) budgets: Budgets,
}

impl Subject {
    pub(crate) fn under(strategy: SupervisionStrategy) -> Self {
        Self {
            policy: Policy::new(strategy).expect("valid"),
            budgets: Budgets::default(),
        }
    }

    /// A lost value, no parent, `seconds` after the start.
    pub(crate) fn fails(&mut self, cause: &Cause, seconds: u64) -> Decision {
        self.decides(&Failure::of(cause), seconds)
    }

    pub(crate) fn decides(&mut self, failure: &Failure<'_>, seconds: u64) -> Decision {
        let now = Timestamp::from_secs(seconds);
        decide(&mut self.budgets, &self.policy, failure, now, 0)
    }
}

pub(crate) fn panic() -> Cause {
    Cause::panic("boom")
}

fn io() -> Cause {
    Cause::named("std::io::Error", "disk full")
}

pub(crate) const EXHAUSTED: Decision = Decision::Stop {
    reason: StopReason::Exhausted,
};

fn restarts(decision: &Decision) -> bool {
    matches!(decision, Decision::Restart { .. })
}

fn relocates(decision: &Decision) -> bool {
    matches!(decision, Decision::Relocate { .. })
}

#[test]
fn each_rule_of_a_match_has_a_budget_of_its_own() {
    let rules = [
        ("std::io::Error", relocate(3)),
        ("panic", restart(2, SECOND)),
    ];
    let mut subject = Subject::under(matching(rules, restart(1, SECOND)));
    for _ in 0..3 {
        assert!(relocates(&subject.fails(&io(), 0)));
    }
    assert_eq!(subject.fails(&io(), 0), EXHAUSTED);
    for _ in 0..2 {
        assert!(restarts(&subject.fails(&panic(), 0)));
    }
    assert_eq!(subject.fails(&panic(), 0), EXHAUSTED);
    let other = Cause::named("app::Error", "no");
    assert!(restarts(&subject.fails(&other, 0)));
    assert_eq!(subject.fails(&other, 0), EXHAUSTED);
}

#[test]
fn two_rules_with_equal_strategies_do_not_share_a_budget() {
    let rules = [("A", restart(1, SECOND)), ("B", restart(1, SECOND))];
    let mut subject = Subject::under(matching(rules, SupervisionStrategy::Stop));
    assert!(restarts(&subject.fails(&Cause::named("A", ""), 0)));
    assert!(restarts(&subject.fails(&Cause::named("B", ""), 0)));
    assert_eq!(subject.fails(&Cause::named("A", ""), 0), EXHAUSTED);
}

#[test]
fn a_ladder_climbs_when_a_rung_is_used_up() {
    let thrice = restart(3, Duration::from_secs(30));
    let rungs = [thrice, relocate(2), SupervisionStrategy::Escalate];
    let mut subject = Subject::under(ladder(rungs));
    for second in 0..3 {
        assert!(restarts(&subject.fails(&panic(), second)));
    }
    for second in 3..5 {
        assert!(relocates(&subject.fails(&panic(), second)));
    }
    let escalate = Decision::Escalate {
        reason: EscalationReason::Policy,
    };
    assert_eq!(subject.fails(&panic(), 5), escalate);
}

#[test]
fn a_ladder_climbs_down_again_when_the_window_has_slid() {
    let mut subject = Subject::under(ladder([restart(1, SECOND), relocate(1)]));
    assert!(restarts(&subject.fails(&panic(), 0)));
    assert!(relocates(&subject.fails(&panic(), 1)));
    assert!(restarts(&subject.fails(&panic(), 10)));
    assert_eq!(subject.fails(&panic(), 11), EXHAUSTED);
}

#[test]
fn a_failure_that_a_higher_rung_answers_is_counted_by_the_lower_one_too() {
    let mut subject = Subject::under(ladder([restart(1, SECOND), relocate(usize::MAX)]));
    assert!(restarts(&subject.fails(&panic(), 0)));
    for second in 1..20 {
        assert!(relocates(&subject.fails(&panic(), second)), "{second}");
    }
}

#[test]
fn relocations_are_counted_for_life() {
    let mut subject = Subject::under(relocate(2));
    assert!(relocates(&subject.fails(&panic(), 0)));
    assert!(relocates(&subject.fails(&panic(), 1_000_000)));
    assert_eq!(subject.fails(&panic(), 1_000_000_000), EXHAUSTED);
}

#[test]
fn a_relocation_carries_its_placement_and_its_delay() {
    let placement = PlacementStrategy::Node(NodeId::new("b").expect("valid"));
    let mut subject = Subject::under(SupervisionStrategy::Relocate {
        placement: placement.clone(),
        max_relocations: 1,
        delay: SECOND,
    });
    let after = SECOND;
    assert_eq!(
        subject.fails(&panic(), 0),
        Decision::Relocate { placement, after }
    );
}

#[test]
fn with_a_parent_the_last_exhausted_budget_escalates_and_says_why() {
    let mut subject = Subject::under(ladder([restart(0, SECOND), relocate(0)]));
    let decision = subject.decides(&Failure::of(&panic()).with_parent(true), 0);
    let reason = EscalationReason::Exhausted;
    assert_eq!(decision, Decision::Escalate { reason });
}

#[test]
fn resume_without_a_sound_value_restarts_at_once_three_times_a_minute() {
    let mut subject = Subject::under(SupervisionStrategy::Resume);
    let fallback = Decision::Restart {
        after: Duration::ZERO,
        reason: RestartReason::NotResumable,
    };
    for second in [0, 20, 40] {
        assert_eq!(subject.fails(&panic(), second), fallback);
    }
    assert_eq!(subject.fails(&panic(), 60), EXHAUSTED);
    assert_eq!(subject.fails(&panic(), 101), fallback);
}

#[test]
fn resuming_uses_no_budget() {
    let mut subject = Subject::under(SupervisionStrategy::Resume);
    let cause = panic();
    let sound = Failure::of(&cause).with_resumable(true);
    for _ in 0..100 {
        assert_eq!(subject.decides(&sound, 0), Decision::Resume);
    }
    for _ in 0..3 {
        assert!(restarts(&subject.fails(&cause, 0)));
    }
}

#[test]
fn resume_as_the_last_rung_falls_back_and_is_then_exhausted() {
    let mut subject = Subject::under(ladder([restart(1, SECOND), SupervisionStrategy::Resume]));
    let reasons = (0..5).map(|_| match subject.fails(&panic(), 0) {
        Decision::Restart { reason, .. } => Some(reason),
        _ => None,
    });
    let fallback = Some(RestartReason::NotResumable);
    let policy = Some(RestartReason::Policy);
    let expected = vec![policy, fallback, fallback, fallback, None];
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
}

#[test]
fn a_normal_end_charges_nothing_and_is_not_a_failure() {
    let mut subject = Subject::under(restart(1, SECOND));
    let exit = Cause::exit("done");
    let token = subject.budgets.token();
    for _ in 0..10 {
        let reason = StopReason::Finished;
        assert_eq!(subject.fails(&exit, 0), Decision::Stop { reason });
    }
    assert_eq!(subject.budgets.token(), token);
    assert!(restarts(&subject.fails(&panic(), 0)));
}

#[test]
fn something_temporary_charges_nothing() {
    let mut subject = Subject::under(restart(1, SECOND));
    let cause = panic();
    let temporary = Failure::of(&cause).with_restart_type(RestartType::Temporary);
    for _ in 0..10 {
        let reason = StopReason::Temporary;
        assert_eq!(subject.decides(&temporary, 0), Decision::Stop { reason });
    }
    assert!(restarts(&subject.fails(&cause, 0)));
}

#[test]
fn a_permanent_end_can_be_matched_as_exit() {
    let rules = [("exit", restart_after(1, SECOND, SECOND))];
    let mut subject = Subject::under(matching(rules, SupervisionStrategy::Stop));
    let cause = Cause::exit("done");
    let permanent = Failure::of(&cause).with_restart_type(RestartType::Permanent);
    assert_eq!(subject.decides(&permanent, 0).delay(), Some(SECOND));
}

#[test]
fn only_a_new_incarnation_has_a_delay() {
    let mut never = Subject::under(SupervisionStrategy::Stop);
    assert_eq!(never.fails(&panic(), 0).delay(), None);
    let mut escalates = Subject::under(SupervisionStrategy::Escalate);
    assert_eq!(escalates.fails(&panic(), 0).delay(), None);
    assert_eq!(Decision::Resume.delay(), None);
    let mut relocates = Subject::under(relocate(1));
    assert_eq!(relocates.fails(&panic(), 0).delay(), Some(Duration::ZERO));
}

#[test]
fn budgets_start_fresh_and_a_clone_goes_its_own_way() {
    let mut one = Subject::under(restart(1, SECOND));
    assert!(restarts(&one.fails(&panic(), 0)));
    let mut other = Subject {
        policy: one.policy.clone(),
        budgets: one.budgets.clone(),
    };
    assert_eq!(one.fails(&panic(), 0), EXHAUSTED);
    assert!(restarts(&other.fails(&panic(), 2)));
}

fn choices() -> Choices {
    let lengths = || (1..3_000_000_000u64).prop_map(Duration::from_nanos).boxed();
    Choices {
        windows: lengths(),
        delays: lengths(),
        error_types: "(A|B|panic)".boxed(),
    }
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        Just(Cause::named("A", "")),
        Just(Cause::named("x::B", "")),
        Just(Cause::panic("")),
        Just(Cause::exit("")),
    ]
}

#[test]
fn the_same_inputs_give_the_same_decisions() {
    let events = vec((cause(), 0..2_000_000_000u64, any::<u64>()), 1..30);
    check(1_000, (valid(&choices()), events), |(strategy, events)| {
        let run = || {
            let mut subject = Subject::under(strategy.clone());
            let mut now = 0;
            let decide_one = |(cause, step, entropy): &(Cause, u64, u64)| {
                now += step;
                let time = Timestamp::from_nanos(now);
                let failure = Failure::of(cause);
                decide(
                    &mut subject.budgets,
                    &subject.policy,
                    &failure,
                    time,
                    *entropy,
                )
            };
            events.iter().map(decide_one).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
        Ok(())
    });
}

#[test]
fn entropy_changes_nothing_but_the_delay() {
    let backoff = Backoff::new(SECOND, 60 * SECOND).expect("valid");
    let strategy = ladder([with_backoff(3, 60 * SECOND, backoff), relocate(2)]);
    check(200, vec(any::<[u64; 2]>(), 10), |entropies| {
        let mut subjects = [
            Subject::under(strategy.clone()),
            Subject::under(strategy.clone()),
        ];
        for (second, entropy) in (0..).zip(&entropies) {
            let kinds = [0, 1].map(|at| {
                let subject = &mut subjects[at];
                let (cause, now) = (panic(), Timestamp::from_secs(second));
                let failure = Failure::of(&cause);
                let budgets = &mut subject.budgets;
                let decision = decide(budgets, &subject.policy, &failure, now, entropy[at]);
                std::mem::discriminant(&decision)
            });
            prop_assert_eq!(kinds[0], kinds[1]);
        }
        Ok(())
    });
}

#[test]
fn a_decision_survives_a_journey_as_json() {
    let decisions = [
        Decision::Resume,
        EXHAUSTED,
        Subject::under(restart_after(1, SECOND, SECOND)).fails(&panic(), 0),
        Subject::under(relocate(1)).fails(&panic(), 0),
        Subject::under(SupervisionStrategy::Escalate).fails(&panic(), 0),
    ];
    for decision in decisions {
        let text = serde_json::to_string(&decision).expect("writes");
        assert_eq!(
            serde_json::from_str::<Decision>(&text).expect("reads"),
            decision
        );
    }
}

#[test]
fn a_name_changes_nothing_about_what_is_decided() {
    let plain = [
        restart(2, SECOND),
        relocate(1),
        SupervisionStrategy::Escalate,
    ];
    let names = ["first", "second", "third"];
    let named = plain.clone().into_iter().zip(names);
    let named = named
        .map(|(rung, name)| rung.named(name))
        .collect::<Vec<_>>();
    let (mut one, mut other) = (Subject::under(ladder(plain)), Subject::under(ladder(named)));
    for second in [0, 0, 0, 1, 5, 5, 5] {
        assert_eq!(one.fails(&panic(), second), other.fails(&panic(), second));
    }
}
