//! Groups in groups: escalation, and what a parent's decision means for those below.

use std::sync::{Arc, Mutex};

use supervision_actix::{
    Decision,
    group::{ChildProps, EndReason, GroupHandle, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    group_stage::{Act, Player, Stage, pass, player, records, secs},
    probe::restart,
    quiet::{MEANT, on_virtual_time},
};

type Events = Arc<Mutex<Vec<String>>>;

/// `/top` over `/top/mid` over `/top/mid/leaf` with `a` and `b`; `c` is beside `/top/mid`.
fn tree(
    stage: &Arc<Stage>,
    root: SupervisionStrategy,
    mid: SupervisionStrategy,
) -> (GroupProps, Events) {
    let events = Events::default();
    let seen = events.clone();
    let a = stage.props("a").with_observer(move |event| {
        if let SupervisionEvent::Escalated { by, .. } = event {
            seen.lock().unwrap().push(by.clone());
        }
    });
    let one = GroupStrategy::OneForOne;
    let leaf = GroupProps::new("/top/mid/leaf", one, SupervisionStrategy::Escalate)
        .child(ChildProps::actor("a", a))
        .child(stage.child("b"));
    let mid = GroupProps::new("/top/mid", one, mid).child(ChildProps::group("leaf", leaf));
    let root = GroupProps::new("/top", one, root)
        .child(ChildProps::group("mid", mid))
        .child(stage.child("c"));
    (root, events)
}

fn leaf_of(root: &GroupHandle) -> GroupHandle {
    root.group("mid").unwrap().group("leaf").unwrap()
}

#[test]
fn the_grandparent_can_resume_a_child_that_stays_suspended_until_then() {
    on_virtual_time(async {
        let stage = Stage::new();
        let resume = SupervisionStrategy::Resume;
        let (root, events) = tree(&stage, resume, SupervisionStrategy::Escalate);
        let root = root.start();
        assert_eq!(root.started().await, Ok(()));
        stage.take_log();
        let leaf = leaf_of(&root);
        let a = player(&leaf, "a");
        for act in [Act::fail, Act::panic] {
            a.do_send(act());
            assert_eq!(a.send(Act::nothing()).await, Ok(1), "the same value");
        }
        assert_eq!(stage.story(), "", "nothing was started or stopped");
        let records = records(&leaf, "a").await;
        assert_eq!(records.len(), 2);
        for record in records {
            assert!(matches!(record.decision, Some(Decision::Escalate { .. })));
            assert_eq!(record.outcome, Outcome::Resumed);
            assert_eq!(record.escalated_by, ["/top/mid/leaf", "/top/mid"]);
        }
        let told = ["/top/mid/leaf", "/top/mid", "/top/mid/leaf", "/top/mid"];
        assert_eq!(*events.lock().unwrap(), told);
        assert!(root.shutdown().await.reason.is_normal());
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn the_decision_of_a_parent_is_for_the_whole_subtree() {
    on_virtual_time(async {
        let told = [
            // The leaf is stopped by those above, to be started again.
            (
                Act::fail as fn() -> Act,
                "b1:before b1:stopped a1:before! a1:stopped ",
            ),
            // It ends by itself before anybody has decided.
            (Act::die, "b1:stopped "),
        ];
        for (act, stops) in told {
            let stage = Stage::new();
            let (root, _) = tree(&stage, restart(3, 0), SupervisionStrategy::Escalate);
            let root = root.start();
            assert_eq!(root.started().await, Ok(()));
            stage.take_log();
            let leaf = leaf_of(&root);
            let (a, b) = (player(&leaf, "a"), player(&leaf, "b"));
            a.do_send(act());
            pass(secs(1)).await;
            assert_eq!(a.send(Act::nothing()).await, Ok(2), "the same address");
            assert_eq!(b.send(Act::nothing()).await, Ok(2));
            assert_eq!(player(&root, "c").send(Act::nothing()).await, Ok(1));
            let story = stage.story();
            let starts = "a2:started a2:after! b2:started b2:after";
            assert_eq!(story, format!("{stops}{starts}"));
            let records = records(&leaf, "a").await;
            assert_eq!(records[0].outcome, Outcome::Restarted);
            assert_eq!(records[0].escalated_by, ["/top/mid/leaf", "/top/mid"]);
        }
    });
}

#[test]
fn a_group_whose_budget_is_used_up_asks_its_parent() {
    on_virtual_time(async {
        let stage = Stage::new();
        let one = GroupStrategy::OneForOne;
        let inner = GroupProps::new("/top/inner", one, restart(1, 0)).child(stage.child("a"));
        let root = GroupProps::new("/top", one, restart(1, 0))
            .group(inner)
            .start();
        assert_eq!(root.started().await, Ok(()));
        let inner = root.group("/top/inner").unwrap();
        let a = player(&inner, "a");
        // One by the inner group, one by the outer, which gives the inner one a new budget.
        for number in [2, 3, 4] {
            a.do_send(Act::panic());
            pass(secs(1)).await;
            assert_eq!(a.send(Act::nothing()).await, Ok(number));
        }
        a.do_send(Act::panic());
        let end = root.ended().await;
        let EndReason::Exhausted { child, cause } = &end.reason else {
            panic!("{end:?}");
        };
        assert_eq!(child.as_str(), "/top/inner");
        assert!(cause.message().contains(MEANT), "the original cause");
        assert_eq!(end.escalated_by, ["/top/inner"]);
        assert_eq!(stage.alive(), 0);
        assert!(a.send(Act::nothing()).await.is_err());
    });
}

#[test]
fn a_root_that_gives_up_stops_its_tree_in_order_and_says_so() {
    on_virtual_time(async {
        for act in [Act::fail, Act::die] {
            let stage = Stage::new();
            let escalate = SupervisionStrategy::Escalate;
            let (root, _) = tree(&stage, escalate.clone(), escalate);
            let root = root.start();
            assert_eq!(root.started().await, Ok(()));
            stage.take_log();
            let a = player(&leaf_of(&root), "a");
            a.do_send(act());
            let end = root.ended().await;
            assert!(matches!(end.reason, EndReason::Escalated { .. }), "{end:?}");
            assert_eq!(end.escalated_by, ["/top/mid/leaf", "/top/mid", "/top"]);
            let story = stage.story();
            let expected = ["c1:stopped b1:stopped a1:stopped", "b1:stopped c1:stopped"];
            assert!(expected.contains(&&*story), "{story}");
            assert_eq!(stage.alive(), 0);
        }
    });
}

#[test]
fn a_restarted_group_is_as_it_was_described() {
    on_virtual_time(async {
        let stage = Stage::new();
        let one = GroupStrategy::OneForOne;
        let inner = GroupProps::new("/top/inner", one, SupervisionStrategy::Escalate)
            .child(stage.child("a"))
            .child(stage.child("b").with_restart_type(RestartType::Temporary))
            .child(stage.child("d"));
        let root = GroupProps::new("/top", one, restart(3, 0))
            .group(inner)
            .start();
        assert_eq!(root.started().await, Ok(()));
        let inner = root.group("/top/inner").unwrap();
        let (a, b, d) = (
            player(&inner, "a"),
            player(&inner, "b"),
            player(&inner, "d"),
        );
        assert_eq!(inner.add(stage.child("e")).await, Ok(()));
        b.do_send(Act::stop());
        assert_eq!(inner.terminate("d").await, Ok(()));
        assert_eq!(inner.delete("d").await, Ok(()));
        assert_eq!(inner.count(), 2);
        a.do_send(Act::panic());
        pass(secs(1)).await;
        assert_eq!(inner.count(), 3);
        assert!(inner.actor::<Player>("e").is_none());
        for player in [a, b, d] {
            assert_eq!(player.send(Act::nothing()).await, Ok(2), "the same address");
        }
        assert!(root.shutdown().await.reason.is_normal());
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn a_group_on_another_arbiter_ends_with_its_tree() {
    crate::quiet::on_system(async {
        let (stage, arbiter) = (Stage::new(), actix::Arbiter::new());
        let one = GroupStrategy::OneForOne;
        let inner = GroupProps::new("/top/inner", one, SupervisionStrategy::Escalate)
            .child(stage.child("a"))
            .child(stage.child("b"));
        let root = GroupProps::new("/top", GroupStrategy::OneForAll, restart(3, 0))
            .child(stage.child("c"))
            .child(ChildProps::group("inner", inner).on_arbiter(arbiter.handle()))
            .start();
        assert_eq!(root.started().await, Ok(()));
        let a = player(&root.group("inner").unwrap(), "a");
        assert!(a.send(Act::panic()).await.is_err());
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
        assert_eq!(player(&root, "c").send(Act::nothing()).await, Ok(2));
        assert!(root.shutdown().await.reason.is_normal());
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn a_group_that_must_be_killed_kills_its_children() {
    on_virtual_time(async {
        let stage = Stage::new();
        for name in ["a", "b"] {
            stage.on(name, "stopping", |player, _| player.vetoes = true);
        }
        let one = GroupStrategy::OneForOne;
        let child = |name| {
            let child = stage.child(name);
            child.with_shutdown(supervision_actix::group::Shutdown::Infinity)
        };
        let inner = GroupProps::new("/top/inner", one, restart(3, 0))
            .child(child("a"))
            .child(child("b"));
        let inner = ChildProps::group("inner", inner).with_shutdown_timeout(secs(2));
        let root = GroupProps::new("/top", one, restart(3, 0))
            .child(inner)
            .start();
        assert_eq!(root.started().await, Ok(()));
        let before = tokio::time::Instant::now();
        assert!(root.shutdown().await.reason.is_normal());
        assert!(before.elapsed() >= secs(2) && before.elapsed() < secs(3));
        assert_eq!(stage.alive(), 0);
    });
}
