//! How a group ends, and what is asked of it while it runs, told step by step.

use std::time::Duration;

use supervision_core::{
    Cause, SupervisionStrategy,
    group::{
        AutoShutdown, ChildId, ChildSpec, ChildStatus, Command, EndReason, Exit, Group, GroupSpec,
        GroupStrategy, Input, Request, RequestError, Shutdown, Verdict,
    },
};

use crate::group_told::{NOTHING, Told, lives, restart};

#[test]
fn the_parent_decides_about_a_suspended_child_and_may_let_it_go_on() {
    let mut told = Told::of(GroupStrategy::OneForOne, SupervisionStrategy::Escalate);
    let [a, b, _] = lives(&told);
    assert_eq!(
        told.tell(Input::Suspended(b, Cause::panic("p"))),
        ["escalate b"]
    );
    assert_eq!(
        told.tell(Input::Exited(a, Exit::Failed(Cause::panic("q")))),
        NOTHING,
        "it waits"
    );
    assert_eq!(
        told.tell(Input::Answered(a, Verdict::Resume)),
        NOTHING,
        "nobody asked about a"
    );
    let answered = told.tell(Input::Answered(b, Verdict::Resume));
    assert_eq!(
        answered,
        ["resume b", "stop c"],
        "a is gone and cannot go on: the group ends"
    );
    assert_eq!(told.stopped(), ["stop b"]);
    assert_eq!(told.stopped(), ["done: escalated"]);
}

#[test]
fn a_parent_that_ends_it_gets_the_childs_own_cause() {
    let mut told = Told::of(GroupStrategy::RestForOne, SupervisionStrategy::Escalate);
    let [_, b, _] = lives(&told);
    told.tell(Input::Suspended(b, Cause::panic("the cause")));
    assert_eq!(told.tell(Input::Answered(b, Verdict::End)), ["stop c"]);
    assert_eq!(told.stopped(), ["stop b"]);
    assert_eq!(told.stopped(), ["stop a"]);
    told.stopped();
    let child = ChildId::from("b");
    let reason = EndReason::Escalated {
        child,
        cause: Cause::panic("the cause"),
    };
    assert!(!reason.is_normal());
    assert_eq!(told.last, [Command::Done { reason }]);
}

#[test]
fn giving_up_says_exhausted_and_who_and_why() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(0, 0));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["stop c"]);
    told.stopped();
    told.stopped();
    let (child, cause) = (ChildId::from("b"), Cause::panic("boom"));
    let reason = EndReason::Exhausted { child, cause };
    assert_eq!(told.last, [Command::Done { reason }]);
    assert!(told.group.has_ended());
}

#[test]
fn a_shutdown_stops_what_is_being_started_and_starts_nothing_more() {
    let mut told = Told::of(GroupStrategy::OneForAll, restart(3, 0));
    let [_, _, c] = lives(&told);
    told.fails(c);
    told.stopped();
    assert_eq!(told.stopped(), ["start a"]);
    assert_eq!(told.tell(Input::ShutDown), ["stop a"]);
    assert_eq!(told.tell(Input::Started(told.life())), NOTHING, "too late");
    assert_eq!(told.tell(Input::ShutDown), NOTHING);
    let a = lives(&told)[0];
    assert_eq!(told.tell(Input::Stopped(a)), NOTHING, "an older life");
    let refused = told.asks(Request::Delete("a".into()));
    assert_eq!(refused, ["refused: the group is ending"]);
}

#[test]
fn a_shutdown_voids_a_pending_delay() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(3, 10));
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), ["wait 10"]);
    let token = told.token();
    assert_eq!(told.tell(Input::ShutDown), ["stop c"]);
    assert_eq!(told.tell(Input::Elapsed(token)), NOTHING);
}

#[test]
fn each_child_is_stopped_in_its_own_way() {
    let ways = [
        Shutdown::Kill,
        Shutdown::Infinity,
        Shutdown::Timeout(Duration::from_secs(9)),
    ];
    let spec = ["a", "b", "c"]
        .into_iter()
        .zip(ways)
        .fold(GroupSpec::default(), |spec, (id, way)| {
            spec.with_child(ChildSpec::new(id).with_shutdown(way))
        });
    let mut told = Told::running(spec);
    told.tell(Input::ShutDown);
    for way in ways.into_iter().rev() {
        let [Command::Stop { shutdown, .. }] = told.last[..] else {
            panic!("{:?}", told.last);
        };
        assert_eq!(shutdown, way);
        told.stopped();
    }
    assert_eq!(
        told.last,
        [Command::Done {
            reason: EndReason::Shutdown
        }]
    );
}

#[test]
fn the_first_start_that_fails_ends_the_group_and_is_not_charged() {
    let spec = GroupSpec::new(GroupStrategy::OneForOne, restart(9, 0))
        .with_child(ChildSpec::new("a"))
        .with_child(ChildSpec::new("b"));
    let mut told = Told {
        group: Group::new(spec).expect("valid"),
        now: 0,
        last: Vec::new(),
        begun: Vec::new(),
        latest: Default::default(),
    };
    assert_eq!(told.tell(Input::Start), ["start a"]);
    assert_eq!(told.started(), ["start b"]);
    assert_eq!(told.start_failed(), ["stop a"]);
    assert_eq!(told.stopped(), ["done: start failed"]);
}

fn significant(auto_shutdown: AutoShutdown) -> Told {
    let spec = GroupSpec::new(GroupStrategy::OneForOne, restart(3, 0));
    let child = |id| ChildSpec::new(id).with_significant(true);
    Told::running(
        spec.with_auto_shutdown(auto_shutdown)
            .with_child(child("a"))
            .with_child(ChildSpec::new("b"))
            .with_child(child("c")),
    )
}

#[test]
fn any_significant_child_that_ends_by_itself_ends_the_group() {
    let mut told = significant(AutoShutdown::AnySignificant);
    let [_, b, c] = lives(&told);
    assert_eq!(
        told.tell(Input::Exited(b, Exit::Normal)),
        NOTHING,
        "not significant"
    );
    assert_eq!(told.tell(Input::Exited(c, Exit::Shutdown)), ["stop a"]);
    assert_eq!(told.stopped(), ["done: auto-shutdown"]);
}

#[test]
fn all_significant_children_must_have_ended_and_those_terminated_count() {
    let mut told = significant(AutoShutdown::AllSignificant);
    let [a, _, c] = lives(&told);
    assert_eq!(told.asks(Request::Terminate("c".into())), ["stop c"]);
    assert_eq!(
        told.tell(Input::Stopped(c)),
        ["granted"],
        "which by itself ends nothing"
    );
    assert_eq!(told.tell(Input::Exited(a, Exit::Normal)), ["stop b"]);
    assert_eq!(told.stopped(), ["done: auto-shutdown"]);
}

#[test]
fn requests_are_answered_when_they_are_done() {
    let mut told = Told::of(GroupStrategy::OneForOne, restart(3, 0));
    assert_eq!(
        told.asks(Request::Delete("b".into())),
        ["refused: the child is running"]
    );
    assert_eq!(told.asks(Request::Terminate("b".into())), ["stop b"]);
    assert_eq!(told.stopped(), ["granted"]);
    assert_eq!(
        told.asks(Request::Terminate("b".into())),
        ["granted"],
        "it does not run"
    );
    assert_eq!(told.asks(Request::Restart("b".into())), ["start b"]);
    assert_eq!(
        told.start_failed(),
        ["refused: the child could not be started: no start"]
    );
    assert_eq!(told.asks(Request::Restart("b".into())), ["start b"]);
    assert_eq!(told.started(), ["granted"]);
    assert_eq!(told.asks(Request::Terminate("b".into())), ["stop b"]);
    told.stopped();
    assert_eq!(told.asks(Request::Delete("b".into())), ["granted"]);
    assert_eq!(
        told.asks(Request::Restart("b".into())),
        ["refused: no child has this id"]
    );
    assert_eq!(told.asks(Request::Add(ChildSpec::new("b"))), ["start b"]);
    assert_eq!(told.started(), ["granted"]);
    let again = told.asks(Request::Add(ChildSpec::new("b")));
    assert_eq!(again, ["refused: a child with this id is running"]);
    told.asks(Request::Add(ChildSpec::new("")));
    let [
        Command::Reply {
            answer: Err(RequestError::Invalid(invalid)),
            ..
        },
    ] = &told.last[..]
    else {
        panic!("{:?}", told.last);
    };
    assert_eq!(invalid.field, "child.id");
}

#[test]
fn siblings_that_wait_for_a_child_are_not_left_behind_when_it_is_terminated() {
    let mut told = Told::of(GroupStrategy::RestForOne, restart(3, 10));
    let [_, b, _] = lives(&told);
    told.fails(b);
    assert_eq!(told.stopped(), ["wait 10"]);
    assert_eq!(
        told.asks(Request::Terminate("b".into())),
        ["granted", "start c"]
    );
}

#[test]
fn a_stop_by_policy_ends_the_one_child() {
    let mut told = Told::of(GroupStrategy::OneForAll, SupervisionStrategy::Stop);
    let [_, b, _] = lives(&told);
    assert_eq!(told.fails(b), NOTHING);
    let running = ChildStatus::Running;
    assert_eq!(told.status(), [running, ChildStatus::Down, running]);
}

#[test]
fn one_significant_child_of_several_does_not_end_a_group_that_waits_for_all() {
    let mut told = significant(AutoShutdown::AllSignificant);
    let [a, _, c] = lives(&told);
    assert_eq!(told.tell(Input::Exited(c, Exit::Normal)), NOTHING);
    assert_eq!(told.tell(Input::Exited(a, Exit::Normal)), ["stop b"]);
}

#[test]
fn a_significant_child_that_is_terminated_while_it_waits_ends_nothing() {
    let spec = GroupSpec::new(GroupStrategy::OneForOne, restart(3, 10))
        .with_auto_shutdown(AutoShutdown::AnySignificant)
        .with_child(ChildSpec::new("a").with_significant(true));
    let mut told = Told::running(spec);
    assert_eq!(told.fails(told.begun[0]), ["wait 10"]);
    let token = told.token();
    assert_eq!(told.asks(Request::Terminate("a".into())), ["granted"]);
    assert_eq!(told.tell(Input::Elapsed(token)), NOTHING);
    let again = told.asks(Request::Add(ChildSpec::new("a")));
    assert_eq!(
        again,
        ["refused: a child with this id is in the group already"]
    );
}

#[test]
fn a_group_that_waits_for_all_does_one_thing_after_the_other() {
    let mut told = significant(AutoShutdown::AllSignificant);
    let [a, _, c] = lives(&told);
    assert_eq!(told.asks(Request::Terminate("c".into())), ["stop c"]);
    assert_eq!(
        told.tell(Input::Exited(a, Exit::Normal)),
        NOTHING,
        "c is on its way out"
    );
    assert_eq!(
        told.tell(Input::Stopped(c)),
        ["granted", "stop b"],
        "so a was the last one"
    );
}
