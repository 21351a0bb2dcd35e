//! Children of a group whose restarts go through a shared limiter.

use std::time::Duration;

use supervision_actix::{
    RestartRate, SharedLimiter,
    group::{ChildProps, GroupHandle, GroupProps, GroupStrategy},
    prelude::*,
};
use tokio::time::Instant;

use crate::{
    group_stage::{Act, Stage, pass, player, records, secs},
    probe::restart,
    quiet::{MEANT, on_virtual_time},
};

/// One restart a second, the first at once.
fn postgres() -> SharedLimiter {
    let rate = RestartRate::new(1, secs(1)).and_then(|rate| rate.with_burst(1));
    let rate = rate.and_then(|rate| rate.with_spread(Duration::ZERO));
    SharedLimiter::new("postgres", rate.expect("a valid rate"))
}

fn limited(stage: &std::sync::Arc<Stage>, limiter: &SharedLimiter) -> GroupProps {
    let group = GroupProps::new("/limited", GroupStrategy::OneForOne, restart(usize::MAX, 0));
    ["a", "b", "c"].into_iter().fold(group, |group, name| {
        let props = stage.props(name).with_restart_limiter(limiter.clone());
        group.child(ChildProps::actor(name, props))
    })
}

#[test]
fn children_of_a_group_that_fail_at_once_come_back_at_the_rate_of_their_limiter() {
    on_virtual_time(async {
        let (stage, limiter) = (Stage::new(), postgres());
        let group = limited(&stage, &limiter).start();
        assert_eq!(group.started().await, Ok(()));
        let begun = Instant::now();
        for name in ["a", "b", "c"] {
            player(&group, name).do_send(Act::panic());
        }
        let mut back = Vec::new();
        for name in ["a", "b", "c"] {
            let answer = player(&group, name).send(Act::nothing()).await;
            assert!(answer.is_ok());
            back.push(begun.elapsed().as_secs());
        }
        back.sort_unstable();
        assert_eq!(back, [0, 1, 2]);
        let delayed = records(&group, "c").await[0].delayed_by;
        assert!(delayed.is_some_and(|by| by > secs(1)), "{delayed:?}");
        assert!(group.shutdown().await.reason.is_normal());
    });
}

#[test]
fn a_child_that_is_held_back_can_be_stopped() {
    on_virtual_time(async {
        let (stage, limiter) = (Stage::new(), postgres());
        let group = limited(&stage, &limiter).start();
        assert_eq!(group.started().await, Ok(()));
        for name in ["a", "b", "c"] {
            player(&group, name).do_send(Act::panic());
        }
        pass(Duration::from_millis(500)).await;
        let begun = Instant::now();
        assert!(group.shutdown().await.reason.is_normal());
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(stage.alive(), 0);
    });
}

/// Two groups of one child each, which leave failures to the group above.
fn leaving_it_to_the_top(stage: &std::sync::Arc<Stage>, limiter: &SharedLimiter) -> GroupProps {
    let top = GroupProps::new("/top", GroupStrategy::OneForOne, restart(usize::MAX, 0));
    ["a", "b"].into_iter().fold(top, |top, name| {
        let props = stage.props(name).with_restart_limiter(limiter.clone());
        let escalate = SupervisionStrategy::Escalate;
        let inner = GroupProps::new(format!("/top/{name}"), GroupStrategy::OneForOne, escalate);
        let inner = inner.child(ChildProps::actor(name, props));
        top.child(ChildProps::group(name, inner))
    })
}

fn below(top: &GroupHandle, name: &str) -> actix::Addr<crate::group_stage::Player> {
    player(&top.group(name).expect("a group"), name)
}

#[test]
fn a_restart_that_a_group_above_decides_takes_a_place_too() {
    for act in [Act::fail, Act::panic, Act::die] {
        on_virtual_time(async {
            let (stage, limiter) = (Stage::new(), postgres());
            let top = leaving_it_to_the_top(&stage, &limiter).start();
            assert_eq!(top.started().await, Ok(()));
            let begun = Instant::now();
            let mut back = Vec::new();
            below(&top, "a").do_send(act());
            below(&top, "b").do_send(act());
            for name in ["a", "b"] {
                pass(Duration::from_millis(1)).await;
                assert_eq!(below(&top, name).send(Act::nothing()).await, Ok(2));
                back.push(begun.elapsed().as_secs());
            }
            assert_eq!(back, [0, 1]);
            assert!(top.shutdown().await.reason.is_normal());
        });
    }
}

#[test]
fn a_failure_that_a_group_above_resumes_takes_no_place() {
    on_virtual_time(async {
        let (stage, limiter) = (Stage::new(), postgres());
        let props = stage.props("a").with_restart_limiter(limiter.clone());
        let inner = GroupProps::new(
            "/top/inner",
            GroupStrategy::OneForOne,
            SupervisionStrategy::Escalate,
        );
        let inner = inner.child(ChildProps::actor("a", props));
        let top = GroupProps::new(
            "/top",
            GroupStrategy::OneForOne,
            SupervisionStrategy::Resume,
        )
        .child(ChildProps::group("inner", inner))
        .start();
        assert_eq!(top.started().await, Ok(()));
        let inner = top.group("inner").expect("a group");
        assert!(player(&inner, "a").send(Act::panic()).await.is_err());
        assert_eq!(player(&inner, "a").send(Act::nothing()).await, Ok(1));
        // Nor does the start by request that comes after it.
        assert_eq!(inner.terminate("a").await, Ok(()));
        assert_eq!(inner.restart("a").await, Ok(()));
        assert_eq!(limiter.backlog(), Duration::ZERO);
    });
}

#[test]
fn a_first_start_that_fails_and_is_tried_again_from_above_takes_a_place() {
    on_virtual_time(async {
        let (stage, limiter) = (Stage::new(), postgres());
        stage.on("a", "started", |player, _| {
            assert!(player.number != 2, "{MEANT}: no second start");
        });
        let top = leaving_it_to_the_top(&stage, &limiter).start();
        assert_eq!(top.started().await, Ok(()));
        let begun = Instant::now();
        below(&top, "a").do_send(Act::die());
        pass(Duration::from_millis(1)).await;
        assert_eq!(below(&top, "a").send(Act::nothing()).await, Ok(3));
        // The restart that failed came at once.
        assert_eq!(begun.elapsed().as_secs(), 1);
        assert!(top.shutdown().await.reason.is_normal());
    });
}
