//! The strategy of a running group, or of one of its children, is changed.

use std::time::Duration;

use supervision_core::{
    Cause, RestartType, Rule, SupervisionStrategy,
    group::{
        ChildSpec, Command, GroupRule, GroupSpec, GroupStrategy, Input, Request, RequestError,
        RequestId, Verdict,
    },
};

use crate::group_told::{NOTHING, Told, lives, restart};

const GRANTED: [&str; 1] = ["granted"];

fn to(strategy: SupervisionStrategy) -> Request {
    Request::ChangeStrategy(strategy)
}

fn of_b(strategy: impl Into<Option<SupervisionStrategy>>) -> Request {
    Request::ChangeChildStrategy("b".into(), strategy.into())
}

/// `a`, `b`, `c`, one-for-one, of which `b` has this strategy of its own.
fn with_own(group: SupervisionStrategy, own: SupervisionStrategy) -> Told {
    Told::running(
        GroupSpec::new(GroupStrategy::OneForOne, group)
            .with_child(ChildSpec::new("a"))
            .with_child(ChildSpec::new("b").with_strategy(own))
            .with_child(ChildSpec::new("c")),
    )
}

/// Fails the latest life of the child at `index` of `a`, `b`, `c`, and starts it again; `false` if
/// the group gives up instead.
fn survives(told: &mut Told, index: usize) -> bool {
    let id = ["a", "b", "c"][index];
    let life = told.latest[id];
    let wanted = told.fails(life);
    if wanted != [format!("start {id}")] {
        return false;
    }
    assert_eq!(told.started(), NOTHING);
    true
}

#[test]
fn a_changed_strategy_goes_for_the_next_failure_and_keeps_the_budget() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(2, 0));
    assert!(survives(&mut told, 0));
    assert!(survives(&mut told, 1));
    assert_eq!(told.asks(to(restart(4, 0))), GRANTED);
    assert!(survives(&mut told, 2));
    assert!(survives(&mut told, 0));
    assert!(!survives(&mut told, 0), "the fifth failure of four");
}

#[test]
fn a_lowered_limit_counts_what_has_failed_already() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(9, 0));
    assert!(survives(&mut told, 0));
    assert!(survives(&mut told, 0));
    assert_eq!(told.asks(to(restart(2, 0))), GRANTED);
    assert!(!survives(&mut told, 1));
}

#[test]
fn a_strategy_that_was_replaced_and_put_back_before_anything_failed_has_lost_nothing() {
    let mut told = with_own(restart(1, 0), restart(1, 0));
    assert!(survives(&mut told, 0));
    assert!(survives(&mut told, 1));
    for strategy in [SupervisionStrategy::Stop, restart(1, 0)] {
        assert_eq!(told.asks(to(strategy.clone())), GRANTED);
        assert_eq!(told.asks(of_b(strategy)), GRANTED);
    }
    let mut other = told.clone();
    assert!(!survives(&mut told, 0));
    assert!(!survives(&mut other, 1));
}

#[test]
fn the_strategy_of_a_child_is_changed_and_keeps_its_own_budget() {
    let mut told = with_own(restart(0, 0), restart(1, 0));
    assert!(survives(&mut told, 1));
    assert_eq!(told.asks(of_b(restart(2, 0))), GRANTED);
    assert!(survives(&mut told, 1));
    assert!(!survives(&mut told, 1));
}

#[test]
fn a_child_without_a_strategy_of_its_own_is_decided_by_the_groups_and_charged_there() {
    let mut told = with_own(restart(1, 0), restart(9, 0));
    assert!(survives(&mut told, 1));
    assert_eq!(told.asks(of_b(None)), GRANTED);
    assert!(survives(&mut told, 1), "the first that the group counts");
    assert!(!survives(&mut told, 0), "the second");
}

#[test]
fn a_first_strategy_of_its_own_starts_afresh() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(1, 0));
    assert!(survives(&mut told, 1));
    assert_eq!(told.asks(of_b(restart(1, 0))), GRANTED);
    assert!(survives(&mut told, 1));
    assert!(!survives(&mut told, 1));
}

#[test]
fn what_is_decided_stays_decided() {
    let mut told = Told::of(GroupStrategy::OneForAll, restart(9, 10));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    // In the middle of the stops.
    let change = Input::Request(RequestId(1), to(restart(9, 20)));
    let stopping = told.life();
    assert_eq!(told.tell(change), GRANTED, "at once");
    assert_eq!(told.tell(Input::Stopped(stopping)), ["stop a"]);
    assert_eq!(told.stopped(), ["wait 10"], "as it was decided");
    let token = told.token();
    // While the delay runs.
    assert_eq!(told.asks(to(SupervisionStrategy::Stop)), GRANTED);
    told.now = 10;
    assert_eq!(told.tell(Input::Elapsed(token)), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(told.started(), NOTHING);
    let a = told.latest["a"];
    assert_eq!(
        told.fails(a),
        NOTHING,
        "now the new one decides: it stays down"
    );
}

#[test]
fn a_failure_that_waits_for_its_turn_is_decided_by_the_new_strategy() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(9, 0));
    let [a, b, c] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(
        told.tell(Input::Suspended(a, Cause::panic("soft"))),
        NOTHING
    );
    assert_eq!(told.asks(to(SupervisionStrategy::Resume)), GRANTED);
    assert_eq!(told.tell(Input::Stopped(c)), ["start b"]);
    assert_eq!(told.started(), ["start c"]);
    assert_eq!(told.started(), ["resume a"]);
}

#[test]
fn a_start_that_failed_and_is_tried_again_is_decided_by_the_new_strategy() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(9, 0));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    assert_eq!(told.stopped(), ["start b"]);
    let b = told.life();
    assert_eq!(told.asks(to(restart(9, 5))), GRANTED);
    let failed = Input::StartFailed(b, Cause::panic("no start"));
    assert_eq!(told.tell(failed), ["wait 5"]);
}

#[test]
fn a_failure_the_parent_is_asked_about_stays_with_the_parent() {
    let spec = GroupSpec::new(GroupStrategy::OneForOne, SupervisionStrategy::Escalate)
        .with_child(ChildSpec::new("a"));
    let mut told = Told::running(spec);
    let a = told.latest["a"];
    let escalated = told.tell(Input::Suspended(a, Cause::panic("soft")));
    assert_eq!(escalated, ["escalate a"]);
    assert_eq!(told.asks(to(SupervisionStrategy::Resume)), GRANTED);
    assert_eq!(told.tell(Input::Answered(a, Verdict::End)), ["stop a"]);
    assert_eq!(told.stopped(), ["done: escalated"]);
}

#[test]
fn an_invalid_strategy_is_refused_and_nothing_changes() {
    let mut told = with_own(restart(1, 0), restart(1, 0));
    let invalid = SupervisionStrategy::Restart {
        max_restarts: 1,
        window: Duration::ZERO,
        delay: Duration::ZERO,
    };
    for request in [to(invalid.clone()), of_b(invalid)] {
        told.asks(request);
        let [
            Command::Reply {
                answer: Err(RequestError::Invalid(error)),
                ..
            },
        ] = &told.last[..]
        else {
            panic!("{:?}", told.last);
        };
        assert_eq!(error.field, "strategy.window");
        assert_eq!(error.rule, GroupRule::Strategy(Rule::NotZero));
    }
    assert!(survives(&mut told, 0));
    assert!(survives(&mut told, 1));
    assert!(!survives(&mut told, 1));
}

#[test]
fn a_child_that_is_not_there_and_a_group_that_has_ended_have_no_strategy_to_change() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(1, 0));
    let nobody = Request::ChangeChildStrategy("nobody".into(), None);
    assert_eq!(told.asks(nobody), ["refused: no child has this id"]);
    told.tell(Input::ShutDown);
    for request in [to(restart(1, 0)), of_b(None)] {
        assert_eq!(told.asks(request), ["refused: the group is ending"]);
    }
}

#[test]
fn a_stop_says_whether_it_is_for_a_restart() {
    let flags = |told: &Told| {
        let stops = told.last.iter().filter_map(|command| match command {
            Command::Stop { restarts, .. } => Some(*restarts),
            _ => None,
        });
        stops.collect::<Vec<_>>()
    };
    let spec = |group| {
        GroupSpec::new(group, restart(9, 0))
            .with_child(ChildSpec::new("a"))
            .with_child(ChildSpec::new("b"))
            .with_child(ChildSpec::new("c").with_restart_type(RestartType::Temporary))
    };
    let mut told = Told::running(spec(GroupStrategy::OneForAll));
    let [a, b, _] = lives(&told);
    let soft = Cause::panic("soft");
    assert_eq!(told.tell(Input::Suspended(b, soft.clone())), ["stop b"]);
    assert_eq!(flags(&told), [true], "the one that failed");
    assert_eq!(told.stopped(), ["stop c"]);
    assert_eq!(flags(&told), [false], "it leaves the group");
    assert_eq!(told.stopped(), ["stop a"]);
    assert_eq!(flags(&told), [true], "a sibling");
    assert_eq!(told.tell(Input::Stopped(a)), ["start a"]);
    told.tell(Input::ShutDown);
    assert_eq!(flags(&told), [false]);

    let mut told = Told::running(spec(GroupStrategy::OneForOne));
    let [a, ..] = lives(&told);
    told.tell(Input::Suspended(a, soft.clone()));
    assert_eq!(flags(&told), [true]);
    told.asks(Request::Terminate("b".into()));
    assert_eq!(flags(&told), [false]);
    let mut told = Told::running(
        GroupSpec::new(GroupStrategy::OneForOne, SupervisionStrategy::Stop)
            .with_child(ChildSpec::new("a")),
    );
    let a = told.latest["a"];
    told.tell(Input::Suspended(a, soft));
    assert_eq!(flags(&told), [false]);
}
