//! Who is started and stopped, and in which order.

use supervision_actix::{
    group::{EndReason, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    group_stage::{Act, Stage, pass, player, secs},
    probe::restart,
    quiet::{MEANT, on_virtual_time},
};

const STARTED: &str = "a1:started b1:started c1:started";

#[test]
fn children_start_in_order_and_stop_in_reverse_order() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        assert_eq!(stage.story(), STARTED);
        assert_eq!(group.count(), 3);
        let end = group.shutdown().await;
        assert_eq!(end.reason, EndReason::Shutdown);
        assert_eq!(stage.story(), "c1:stopped b1:stopped a1:stopped");
        assert_eq!(stage.alive(), 0);
        assert_eq!(group.count(), 0);
        assert_eq!(group.children().await, []);
        assert_eq!(group.ended().await, end, "it can be asked again");
    });
}

#[test]
fn a_child_starts_only_when_the_one_before_it_has_started() {
    on_virtual_time(async {
        let stage = Stage::new();
        stage.on("a", "started", |player, ctx| {
            use actix::prelude::*;
            let stage = player.stage.clone();
            let slow = async move {
                pass(secs(1)).await;
                stage.log("a is ready");
            };
            ctx.wait(slow.into_actor(player));
        });
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        assert_eq!(stage.story(), "a1:started a is ready b1:started c1:started");
    });
}

/// What `b` fails with, and what is seen of each strategy.
async fn after_failure_of_b(strategy: GroupStrategy, act: fn() -> Act) -> String {
    let stage = Stage::new();
    let group = stage.trio(strategy).start();
    assert_eq!(group.started().await, Ok(()));
    stage.take_log();
    let b = player(&group, "b");
    b.do_send(act());
    pass(secs(1)).await;
    assert_eq!(
        b.send(Act::nothing()).await,
        Ok(2),
        "the address is the same"
    );
    let story = stage.story();
    assert!(group.shutdown().await.reason.is_normal());
    assert_eq!(stage.alive(), 0);
    story
}

#[test]
fn each_strategy_restarts_whom_it_names() {
    let expected = [
        (
            GroupStrategy::OneForOne,
            "b1:before! b1:stopped b2:started b2:after!",
        ),
        (
            GroupStrategy::OneForAll,
            "b1:before! b1:stopped c1:before c1:stopped a1:before a1:stopped \
             a2:started a2:after b2:started b2:after! c2:started c2:after",
        ),
        (
            GroupStrategy::RestForOne,
            "b1:before! b1:stopped c1:before c1:stopped b2:started b2:after! c2:started c2:after",
        ),
    ];
    for (strategy, story) in expected {
        on_virtual_time(async {
            assert_eq!(after_failure_of_b(strategy, Act::fail).await, story);
            assert_eq!(after_failure_of_b(strategy, Act::panic).await, story);
            // Where the value is lost, nothing is called on it.
            let lost = story.replace("b1:before! b1:stopped ", "");
            assert_eq!(after_failure_of_b(strategy, Act::die).await, lost);
        });
    }
}

#[test]
fn messages_wait_while_siblings_restart_and_are_handled_once_in_order() {
    for strategy in [GroupStrategy::OneForAll, GroupStrategy::RestForOne] {
        on_virtual_time(async {
            let stage = Stage::new();
            let group = GroupProps::new("/pair", strategy, restart(3, 500))
                .child(stage.child("a"))
                .child(ChildWithRoom::of(&stage, "b"))
                .start();
            assert_eq!(group.started().await, Ok(()));
            let (a, b) = (player(&group, "a"), player(&group, "b"));
            a.do_send(Act::panic());
            pass(std::time::Duration::from_millis(100)).await;
            assert_eq!(stage.alive(), 0, "both are down");
            stage.take_log();
            for n in 0..20 {
                b.do_send(Act::say(n));
            }
            let asked = b.send(Act::nothing());
            assert_eq!(asked.await, Ok(2));
            let said = stage.take_log().into_iter();
            let said = said.filter(|entry| !entry.contains("started") && !entry.contains("after"));
            let expected = (0..20).map(|n| format!("b2:{n}"));
            assert!(said.eq(expected));
        });
    }
}

struct ChildWithRoom;

impl ChildWithRoom {
    fn of(stage: &std::sync::Arc<Stage>, name: &str) -> supervision_actix::group::ChildProps {
        let props = stage.props(name).with_mailbox_capacity(0);
        supervision_actix::group::ChildProps::actor(name, props)
    }
}

#[test]
fn a_failed_start_ends_the_group_and_stops_those_before_it() {
    on_virtual_time(async {
        let stage = Stage::new();
        stage.on("b", "started", |_, _| panic!("{MEANT}: no start"));
        let group = stage.trio(GroupStrategy::OneForOne).start();
        let end = group.started().await.expect_err("b does not start");
        let EndReason::StartFailed { child, cause } = &end.reason else {
            panic!("{end:?}");
        };
        assert_eq!(child.as_str(), "b");
        assert!(cause.message().contains("no start"));
        assert_eq!(stage.story(), "a1:started b1:started a1:stopped");
        assert_eq!(stage.alive(), 0);
        assert_eq!(group.ended().await, end);
    });
}

#[test]
fn a_restart_that_fails_in_the_middle_is_retried() {
    let expected = [
        // From the one that failed on.
        (
            GroupStrategy::RestForOne,
            "c1:before c1:stopped b1:before b1:stopped a2:started a2:after! b2:started b3:started \
             b3:after! c2:started c2:after",
        ),
        // From the beginning.
        (
            GroupStrategy::OneForAll,
            "c1:before c1:stopped b1:before b1:stopped a2:started a2:after! b2:started a2:before \
             a2:stopped a3:started a3:after b3:started b3:after! c2:started c2:after",
        ),
    ];
    for (strategy, story) in expected {
        on_virtual_time(async {
            let stage = Stage::new();
            let group = stage.trio(strategy).start();
            assert_eq!(group.started().await, Ok(()));
            stage.take_log();
            stage.on("b", "started", |player, _| {
                assert!(player.number != 2, "{MEANT}: no second start");
            });
            player(&group, "a").do_send(Act::die());
            pass(secs(1)).await;
            assert_eq!(stage.story(), story);
        });
    }
}

#[test]
fn the_group_is_charged_once_for_a_failure_whoever_restarts_along() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/group", GroupStrategy::OneForAll, restart(2, 0))
            .child(stage.child("a"))
            .child(stage.child("b"))
            .child(stage.child("c"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        for number in [2, 3] {
            a.do_send(Act::panic());
            pass(secs(1)).await;
            assert_eq!(a.send(Act::nothing()).await, Ok(number));
        }
        stage.take_log();
        a.do_send(Act::panic());
        let end = group.ended().await;
        let EndReason::Exhausted { child, cause } = end.reason else {
            panic!("{end:?}");
        };
        assert_eq!(child.as_str(), "a");
        assert!(cause.message().contains(MEANT));
        assert_eq!(stage.story(), "c3:stopped b3:stopped a3:stopped");
        assert!(a.send(Act::nothing()).await.is_err());
    });
}

#[test]
fn a_child_of_its_own_strategy_is_decided_by_it() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/group", GroupStrategy::OneForOne, restart(0, 0))
            .child(stage.child("a").with_strategy(SupervisionStrategy::Resume))
            .child(stage.child("b"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        for _ in 0..9 {
            assert!(a.send(Act::panic()).await.is_err());
            assert_eq!(a.send(Act::nothing()).await, Ok(1), "the same value");
        }
        player(&group, "b").do_send(Act::panic());
        assert!(!group.ended().await.reason.is_normal());
    });
}
