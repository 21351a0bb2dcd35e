//! Who is stopped and started when a child fails, one rule at a time, told step by step.

use std::time::Duration;

use supervision_core::{
    Cause, Decision, PlacementStrategy, RestartType, SupervisionMatcher, SupervisionStrategy,
    group::{ChildSpec, ChildStatus, Command, Exit, GroupSpec, GroupStrategy, Input},
};

use crate::group_told::{NOTHING, Told, lives, restart};

#[test]
fn one_for_one_restarts_the_one_that_failed() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(3, 0));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["start b"]);
    assert_eq!(told.started(), NOTHING);
}

#[test]
fn one_for_all_stops_the_others_in_reverse_one_at_a_time_and_starts_all_in_order() {
    let mut told = Told::of(GroupStrategy::OneForAll, restart(3, 0));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.stopped(), ["stop a"]);
    assert_eq!(told.stopped(), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(told.started(), NOTHING);
}

#[test]
fn rest_for_one_leaves_those_before_alone() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(3, 0));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.stopped(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(told.started(), NOTHING);
}

#[test]
fn a_start_that_fails_in_the_middle_is_charged_and_retried_from_that_child() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(2, 0));
    let [a, ..] = lives(&told);
    assert_eq!(told.fails(a), ["stop c"]);
    assert_eq!(told.stopped(), ["stop b"]);
    assert_eq!(told.stopped(), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(
        told.start_failed(),
        ["start b"],
        "the second failure of two"
    );
    assert_eq!(told.start_failed(), ["stop a"], "the third");
    assert_eq!(told.stopped(), ["done: exhausted"]);
}

#[test]
fn a_start_that_fails_in_the_middle_begins_again_from_the_first_in_one_for_all() {
    let mut told = Told::of(GroupStrategy::OneForAll, restart(9, 0));
    let [_, _, c] = lives(&told);
    assert_eq!(told.fails(c), ["stop b"]);
    assert_eq!(told.stopped(), ["stop a"]);
    assert_eq!(told.stopped(), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.start_failed(), ["stop a"]);
    assert_eq!(told.stopped(), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
}

#[test]
fn what_dies_before_its_turn_to_be_stopped_counts_as_stopped_and_is_not_charged() {
    let mut told = Told::of(GroupStrategy::OneForAll, restart(1, 0));
    let [a, b, c] = lives(&told);
    assert_eq!(told.fails(a), ["stop c"]);
    assert_eq!(told.fails(b), NOTHING);
    assert_eq!(told.fails(c), ["start a"], "it died instead of stopping");
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(told.started(), NOTHING);
}

#[test]
fn what_fails_while_others_are_restarted_is_handled_after_them() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(3, 0));
    let [a, b, c] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.tell(Input::Exited(a, Exit::Normal)), NOTHING);
    assert_eq!(told.tell(Input::Stopped(c)), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(told.started(), ["stop c"], "now it is the turn of a");
    assert_eq!(told.stopped(), ["stop b"]);
    assert_eq!(told.stopped(), ["start a"]);
}

#[test]
fn a_delayed_restart_stops_the_others_at_once_and_starts_none_before_its_time() {
    let mut told = Told::of(GroupStrategy::OneForAll, restart(3, 10));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    told.now = 4;
    assert_eq!(told.stopped(), ["stop a"]);
    assert_eq!(told.stopped(), ["wait 6"], "counted from the failure");
    let token = told.token();
    assert_eq!(
        told.status(),
        [
            ChildStatus::Awaiting,
            ChildStatus::Restarting,
            ChildStatus::Awaiting
        ]
    );
    told.now = 10;
    assert_eq!(told.tell(Input::Elapsed(token)), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    let again = told.tell(Input::Elapsed(token));
    assert_eq!(again, NOTHING, "that wait is over");
}

#[test]
fn a_stop_that_takes_longer_than_the_delay_leaves_nothing_to_wait_for() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(3, 10));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    told.now = 11;
    assert_eq!(told.stopped(), ["start b"]);
}

#[test]
fn an_earlier_failure_takes_a_pending_restart_in_and_comes_no_sooner() {
    let slow = ChildSpec::new("b").with_strategy(restart(3, 30));
    let spec = GroupSpec::new(GroupStrategy::RestForOne, restart(3, 1))
        .with_child(ChildSpec::new("a"))
        .with_child(slow)
        .with_child(ChildSpec::new("c"));
    let mut told = Told::running(spec);
    let [a, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.stopped(), ["wait 30"]);
    let void = told.token();
    told.now = 5;
    assert_eq!(told.fails(a), ["wait 25"]);
    let token = told.token();
    told.now = 30;
    assert_eq!(told.tell(Input::Elapsed(void)), NOTHING);
    assert_eq!(told.tell(Input::Elapsed(token)), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
}

#[test]
fn a_child_with_its_own_strategy_has_its_own_budget() {
    let own = ChildSpec::new("b").with_strategy(restart(2, 0));
    let spec = GroupSpec::new(GroupStrategy::OneForOne, restart(1, 0))
        .with_child(ChildSpec::new("a"))
        .with_child(own)
        .with_child(ChildSpec::new("c"));
    let mut told = Told::running(spec);
    let [a, b, c] = lives(&told);
    assert_eq!(told.fails(b), ["start b"]);
    told.started();
    let b = told.begun[3];
    assert_eq!(told.fails(b), ["start b"]);
    told.started();
    assert_eq!(told.fails(a), ["start a"], "nothing of the group's is used");
    told.started();
    assert_eq!(told.fails(c), ["stop b"], "but now it is");
}

#[test]
fn a_suspended_child_is_resumed_or_ended_first() {
    let matchers = vec![SupervisionMatcher::new("Soft", SupervisionStrategy::Resume)];
    let strategy = SupervisionStrategy::Match {
        default: Box::new(restart(3, 0)),
        matchers,
    };
    let mut told = Told::of(GroupStrategy::OneForAll, strategy);
    let [_, b, _] = lives(&told);
    let soft = Cause::named("app::Soft", "never mind");
    assert_eq!(told.tell(Input::Suspended(b, soft)), ["resume b"]);
    let hard = Cause::named("app::Hard", "broken");
    assert_eq!(
        told.tell(Input::Suspended(b, hard)),
        ["stop b"],
        "before its siblings"
    );
    assert_eq!(told.stopped(), ["stop c"]);
    assert_eq!(told.stopped(), ["stop a"]);
    assert_eq!(told.stopped(), ["start a"]);
}

#[test]
fn a_relocated_child_starts_elsewhere_and_its_siblings_here() {
    let strategy = SupervisionStrategy::Relocate {
        placement: PlacementStrategy::RoundRobin,
        max_relocations: 1,
        delay: Duration::from_secs(2),
    };
    let mut told = Told::of(GroupStrategy::RestForOne, strategy);
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.stopped(), ["wait 2"]);
    told.now = 2;
    assert_eq!(
        told.tell(Input::Elapsed(told.token())),
        ["start b elsewhere"]
    );
    assert_eq!(told.started(), ["start c"]);
}

#[test]
fn a_temporary_sibling_is_stopped_along_and_leaves_the_group() {
    let spec = GroupSpec::new(GroupStrategy::OneForAll, restart(3, 0))
        .with_child(ChildSpec::new("a"))
        .with_child(ChildSpec::new("b"))
        .with_child(ChildSpec::new("c").with_restart_type(RestartType::Temporary));
    let mut told = Told::running(spec);
    let [a, ..] = lives(&told);
    assert_eq!(told.fails(a), ["stop c"]);
    assert_eq!(told.stopped(), ["stop b"]);
    assert_eq!(told.stopped(), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), NOTHING);
    assert_eq!(told.status(), [ChildStatus::Running; 2]);
}

#[test]
fn every_decision_is_told_with_its_cause() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(3, 0));
    let [_, b, _] = lives(&told);
    told.fails(b);
    let decided = |command: &&Command| matches!(command, Command::Decided { .. });
    let Some(Command::Decided {
        child,
        cause,
        decision,
    }) = told.last.iter().find(decided)
    else {
        panic!("{:?}", told.last);
    };
    assert_eq!((child.as_str(), cause.message()), ("b", "boom"));
    assert!(matches!(decision, Decision::Restart { .. }));
}

#[test]
fn what_came_in_before_a_start_failed_is_handled_before_the_next_try() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(2, 0));
    let [a, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.stopped(), ["start b"]);
    let b = told.begun[3];
    assert_eq!(told.fails(a), NOTHING);
    let failed = Input::StartFailed(b, Cause::panic("no start"));
    assert_eq!(
        told.tell(failed),
        ["start a"],
        "which takes the next try in"
    );
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(
        told.started(),
        NOTHING,
        "two failures were charged, not three"
    );
}
