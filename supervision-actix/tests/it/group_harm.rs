//! Nothing that a child does harms its group, its siblings or the arbiter; and nothing is kept.

use std::{sync::Arc, time::Duration};

use actix::prelude::*;
use supervision_actix::{
    ChangeStrategy, ChangeStrategyError,
    group::{EndReason, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    child::alone,
    group_stage::{Act, Stage, pass, player, secs},
    probe::{eventually, restart},
    quiet::{MEANT, on_virtual_time},
};

type Way = (&'static str, fn() -> Act);

/// Ways to fail, by the place where it happens.
fn acts() -> Vec<Way> {
    vec![
        ("handler", Act::panic),
        ("error", Act::fail),
        ("spawned future", Act::die),
        ("timer", || {
            Act::new(|_, ctx| {
                ctx.run_later(Duration::from_millis(1), |_, _| panic!("{MEANT}"));
            })
        }),
        ("waited future", || {
            Act::new(|player, ctx| ctx.wait(async { panic!("{MEANT}") }.into_actor(player)))
        }),
    ]
}

#[test]
fn a_panic_in_any_place_is_a_failure_of_the_child_and_of_nobody_else() {
    let places = [
        "made", "started", "stopping", "stopped", "drop", "before", "after",
    ];
    for strategy in [
        GroupStrategy::OneForOne,
        GroupStrategy::OneForAll,
        GroupStrategy::RestForOne,
    ] {
        for (kind, act) in acts() {
            for place in places {
                on_virtual_time(async {
                    let stage = Stage::new();
                    let group = stage.trio(strategy).start();
                    assert_eq!(group.started().await, Ok(()));
                    let mut left = 2;
                    stage.on("b", place, move |_, _| {
                        left -= i32::from(left > 0);
                        assert!(left == 0, "{MEANT}: {place}");
                    });
                    let b = player(&group, "b");
                    b.do_send(act());
                    pass(secs(1)).await;
                    let what = format!("{strategy:?}, {kind}, {place}");
                    assert!(b.send(Act::nothing()).await.is_ok_and(|n| n >= 2), "{what}");
                    for sibling in ["a", "c"] {
                        let sibling = player(&group, sibling).send(Act::nothing()).await;
                        assert!(sibling.is_ok(), "{what}");
                    }
                    assert_eq!(stage.alive(), 3, "{what}");
                    assert_eq!(group.shutdown().await.reason, EndReason::Shutdown, "{what}");
                    assert_eq!(stage.alive(), 0, "{what}");
                });
            }
        }
    }
}

#[test]
fn what_fails_while_its_failure_is_decided_is_recorded_and_not_charged() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, restart(1, 0))
            .child(stage.child("a"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        a.do_send(Act::new(|_, ctx| {
            for _ in 0..3 {
                ctx.fail(crate::probe::Meant);
            }
            panic!("{MEANT}");
        }));
        pass(secs(1)).await;
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
        let records = crate::group_stage::records(&group, "a").await;
        let outcomes: Vec<_> = records.iter().map(|record| record.outcome).collect();
        assert_eq!(outcomes.len(), 4);
        assert_eq!(outcomes[0], Outcome::Restarted);
        assert!(
            outcomes[1..]
                .iter()
                .all(|outcome| *outcome == Outcome::Superseded)
        );
    });
}

#[test]
fn several_failures_are_each_decided_while_the_child_is_resumed() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, SupervisionStrategy::Resume)
            .child(stage.child("a"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        a.do_send(Act::new(|_, ctx| {
            for _ in 0..3 {
                ctx.fail(crate::probe::Meant);
            }
        }));
        assert_eq!(a.send(Act::nothing()).await, Ok(1));
        let records = crate::group_stage::records(&group, "a").await;
        assert_eq!(records.len(), 3);
        assert!(
            records
                .iter()
                .all(|record| record.outcome == Outcome::Resumed)
        );
    });
}

#[test]
fn a_child_stopped_through_its_supervisor_has_ended_by_itself() {
    on_virtual_time(async {
        for (restart_type, up) in [
            (RestartType::Permanent, true),
            (RestartType::Transient, false),
        ] {
            let stage = Stage::new();
            let group = GroupProps::new("/g", GroupStrategy::OneForOne, restart(9, 0))
                .child(stage.child("a").with_restart_type(restart_type))
                .start();
            assert_eq!(group.started().await, Ok(()));
            let supervisor = group.supervisor::<crate::group_stage::Player>("a").unwrap();
            assert_eq!(supervisor.send(crate::group_stage::End).await, Ok(()));
            pass(secs(1)).await;
            assert_eq!(stage.alive(), usize::from(up));
            assert!(group.shutdown().await.reason.is_normal());
        }
    });
}

#[test]
fn everything_is_freed_when_a_group_has_ended() {
    on_virtual_time(async {
        let stage = Stage::new();
        for _ in 0..3 {
            let inner = stage.trio(GroupStrategy::OneForAll);
            let root = GroupProps::new("/top", GroupStrategy::OneForOne, restart(9, 0))
                .group(inner)
                .child(stage.child("d"))
                .start();
            assert_eq!(root.started().await, Ok(()));
            player(&root, "d").do_send(Act::panic());
            let inner = root.group("/trio").unwrap();
            player(&inner, "a").do_send(Act::die());
            pass(secs(1)).await;
            assert!(root.shutdown().await.reason.is_normal());
        }
        // The factories hold the stage too, and are in the tasks.
        assert!(eventually(|| Arc::strong_count(&stage) == 1).await);
    });
}

#[test]
fn a_child_that_fails_for_ever_does_not_keep_the_thread() {
    alone(
        "group_harm::a_child_that_fails_for_ever_does_not_keep_the_thread",
        secs(30),
        || {
            crate::quiet::on_system(async {
                let stage = Stage::new();
                let group = stage.trio(GroupStrategy::OneForAll).start();
                assert_eq!(group.started().await, Ok(()));
                stage.on("b", "started", |_, ctx| ctx.fail(crate::probe::Meant));
                player(&group, "b").do_send(Act::panic());
                for _ in 0..100 {
                    pass(Duration::from_millis(1)).await;
                }
                assert!(group.shutdown().await.reason.is_normal());
                assert_eq!(stage.alive(), 0);
            });
        },
    );
}

#[test]
fn the_strategy_of_a_child_is_its_groups_and_cannot_be_changed_through_its_supervisor() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        let supervisor = group.supervisor::<crate::group_stage::Player>("a").unwrap();
        let change = ChangeStrategy::to(SupervisionStrategy::Stop);
        let refused = Ok(Err(ChangeStrategyError::Managed));
        assert_eq!(supervisor.send(change).await, refused);
        let a = player(&group, "a");
        assert!(a.send(Act::panic()).await.is_err());
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
    });
}
