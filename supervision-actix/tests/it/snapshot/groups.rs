//! Trees: across arbiters, and in the middle of what groups do.

use actix::prelude::*;
use supervision_actix::{
    EndReason, NodeKind, NodeState, RestartRate, SharedLimiter, SnapshotOptions, Termination,
    group::{ChildProps, ChildStatus, EndReason as GroupEndReason, GroupProps, GroupStrategy},
    prelude::*,
};

use super::{child, tree};
use crate::{
    group_stage::{Act, Player, Stage, pass, player, secs},
    probe::restart,
    quiet::{on_system, on_virtual_time},
};

fn minute(times: usize, delay: u64) -> SupervisionStrategy {
    restart(times, delay)
}

#[test]
fn a_tree_across_arbiters_is_told_as_a_whole() {
    on_system(async {
        let arbiters = [Arbiter::new(), Arbiter::new()];
        let stage = Stage::new();
        let inner = GroupProps::new("/app/inner", GroupStrategy::RestForOne, minute(7, 0))
            .child(stage.child("c"))
            .child(stage.child("d").on_arbiter(arbiters[1].handle()));
        let app = GroupProps::new("/app", GroupStrategy::OneForOne, minute(3, 0))
            .child(stage.child("a").with_strategy(minute(9, 0)))
            .child(stage.child("b").on_arbiter(arbiters[0].handle()))
            .child(ChildProps::group("inner", inner).on_arbiter(arbiters[0].handle()))
            .start();
        assert_eq!(app.started().await, Ok(()));
        for name in ["a", "b"] {
            player(&app, name).do_send(Act::panic());
            assert_eq!(player(&app, name).send(Act::nothing()).await, Ok(2));
        }
        let told = tree(&app).await;
        let root = &told.root;
        assert_eq!(
            (&*root.path, root.kind),
            ("/app", NodeKind::Group(GroupStrategy::OneForOne))
        );
        assert_eq!((&root.state, root.incarnation), (&NodeState::Running, 1));
        assert_eq!(
            root.shared_budgets[0].left,
            Some(2),
            "b's failure is charged to the group"
        );
        assert_eq!(
            child(root, "a").budgets[0].left,
            Some(8),
            "a's is charged to a"
        );
        assert!(child(root, "b").budgets.is_empty());
        for name in ["a", "b"] {
            let node = child(root, name);
            assert_eq!(node.path, format!("/player/{name}"));
            assert_eq!(
                node.actor_type.as_deref(),
                Some(std::any::type_name::<Player>())
            );
            assert_eq!(
                (&node.state, node.incarnation, node.restarts),
                (&NodeState::Running, 2, 1)
            );
            let failure = node.last_failure.as_ref().expect("it failed");
            assert_eq!(failure.info.error_type, "panic");
        }
        let inner = child(root, "inner");
        assert_eq!(inner.kind, NodeKind::Group(GroupStrategy::RestForOne));
        assert_eq!(inner.shared_budgets[0].max, Some(7));
        let ids = told
            .nodes()
            .map(|node| node.id.as_ref().map_or("", |id| id.as_str()));
        assert_eq!(ids.collect::<Vec<_>>(), ["", "a", "b", "inner", "c", "d"]);
        assert_eq!(told.find("/player/d").expect("it is there").incarnation, 1);
        app.shutdown().await;
        let over = tree(&app).await.root;
        assert!(matches!(
            over.state,
            NodeState::Stopped { reason: Some(Termination::Group(end)) } if end.reason == GroupEndReason::Shutdown
        ));
        for arbiter in arbiters {
            arbiter.stop();
        }
    });
}

#[test]
fn a_tree_is_printed_with_a_line_for_each_node() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = GroupProps::new("/app/inner", GroupStrategy::RestForOne, minute(2, 0))
            .child(stage.child("b"))
            .child(stage.child("c"));
        let app = GroupProps::new("/app", GroupStrategy::OneForAll, minute(3, 0))
            .child(ChildProps::group("inner", inner))
            .child(stage.child("d"))
            .start();
        assert_eq!(app.started().await, Ok(()));
        let inner = app.group("inner").expect("a group");
        player(&inner, "c").do_send(Act::fail());
        pass(secs(1)).await;
        inner.terminate("b").await.expect("it runs");
        let shown = tree(&app).await.to_string();
        let expected = "\
/app  one for all, running, 3 of 3 restarts left in 1m
├─ inner  rest for one, running, 1 of 2 restarts left in 1m
│  ├─ b  PLAYER, stopped: by request
│  └─ c  PLAYER, running, 1 restart, last failure it::probe::Meant
└─ d  PLAYER, running";
        let expected = expected.replace("PLAYER", std::any::type_name::<Player>());
        assert_eq!(shown, expected);
        let options = SnapshotOptions::new().with_depth(1).with_page(1);
        let shown = app.snapshot_with(options).await.to_string();
        let expected = "\
/app  one for all, running, 3 of 3 restarts left in 1m, 2 children: 2 running
├─ inner  rest for one, running, 1 of 2 restarts left in 1m, 2 children: 1 down, 1 running
└─ and 1 more";
        assert_eq!(shown, expected);
    });
}

#[test]
fn a_group_in_the_middle_of_a_restart_says_who_waits_for_what() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForAll, minute(3, 10_000))
            .child(stage.child("a").with_shutdown_timeout(secs(5)))
            .child(stage.child("b"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        stage.on("a", "stopping", |player, _| player.vetoes = true);
        player(&group, "b").do_send(Act::panic());
        pass(secs(1)).await;
        let told = tree(&group).await.root;
        assert_eq!(told.state, NodeState::Restarting);
        assert_eq!(child(&told, "a").state, NodeState::Stopping);
        assert_eq!(child(&told, "b").state, NodeState::Awaiting);
        pass(secs(6)).await;
        let told = tree(&group).await.root;
        let state = &child(&told, "b").state;
        assert!(
            matches!(state, NodeState::BackingOff { left } if *left <= secs(4)),
            "{state}"
        );
        assert_eq!(child(&told, "a").state, NodeState::Awaiting);
        assert_eq!(told.counts.get(&ChildStatus::Restarting), Some(&1));
        pass(secs(10)).await;
        let told = tree(&group).await.root;
        assert!(
            told.children
                .iter()
                .all(|child| child.state == NodeState::Running && child.incarnation == 2)
        );
        assert_eq!(told.incarnation, 1, "the group itself was not restarted");
    });
}

#[test]
fn a_group_that_asks_its_parent_shows_whom_it_is_about() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = GroupProps::new(
            "/inner",
            GroupStrategy::OneForOne,
            SupervisionStrategy::Escalate,
        )
        .child(stage.child("a"));
        let outer = GroupProps::new("/outer", GroupStrategy::OneForAll, minute(3, 0))
            .child(ChildProps::group("inner", inner))
            .child(stage.child("slow").with_shutdown_timeout(secs(5)))
            .child(stage.child("fails"))
            .start();
        assert_eq!(outer.started().await, Ok(()));
        let inner = outer.group("inner").expect("a group");
        stage.on("slow", "stopping", |player, _| player.vetoes = true);
        // While the group above waits for the slow one it answers no other question.
        player(&outer, "fails").do_send(Act::panic());
        pass(secs(1)).await;
        player(&inner, "a").do_send(Act::fail());
        pass(secs(1)).await;
        let told = tree(&outer).await;
        assert_eq!(told.root.state, NodeState::Restarting);
        assert_eq!(child(&told.root, "slow").state, NodeState::Stopping);
        let inner = child(&told.root, "inner");
        assert!(
            matches!(inner.state, NodeState::Escalating | NodeState::Suspended),
            "{}",
            inner.state
        );
        assert_eq!(child(inner, "a").state, NodeState::Suspended);
        pass(secs(10)).await;
        let told = tree(&outer).await;
        assert!(
            told.nodes().all(|node| node.state == NodeState::Running),
            "{told}"
        );
        assert_eq!(
            told.find("/inner")
                .map(|inner| (inner.incarnation, inner.restarts)),
            Some((2, 1))
        );
    });
}

#[test]
fn a_child_held_back_by_a_limiter_says_so_in_its_group() {
    on_virtual_time(async {
        let stage = Stage::new();
        let rate = RestartRate::new(1, secs(60)).expect("a sensible rate");
        let limiter = SharedLimiter::new("disk", rate);
        let props = |name| {
            ChildProps::actor(
                name,
                stage.props(name).with_restart_limiter(limiter.clone()),
            )
        };
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, minute(9, 0))
            .child(props("a"))
            .child(props("b"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        for name in ["a", "b"] {
            player(&group, name).do_send(Act::panic());
        }
        pass(secs(1)).await;
        let told = tree(&group).await.root;
        assert_eq!(child(&told, "a").state, NodeState::Running);
        let state = &child(&told, "b").state;
        assert!(
            matches!(state, NodeState::HeldBack { limiter, .. } if limiter == "disk"),
            "{state}"
        );
    });
}

#[test]
fn children_that_ended_say_why_as_long_as_they_are_in_the_group() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, SupervisionStrategy::Stop)
            .child(stage.child("fails"))
            .child(stage.child("stops"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        player(&group, "fails").do_send(Act::fail());
        player(&group, "stops").do_send(Act::stop());
        pass(secs(1)).await;
        let told = tree(&group).await.root;
        let reason = |id| match &child(&told, id).state {
            NodeState::Stopped {
                reason: Some(Termination::Actor(reason)),
            } => reason.clone(),
            other => panic!("{id}: {other}"),
        };
        assert!(matches!(reason("fails"), EndReason::Stopped { .. }));
        assert_eq!(reason("stops"), EndReason::Finished);
        assert_eq!(told.counts.get(&ChildStatus::Down), Some(&2));
    });
}
