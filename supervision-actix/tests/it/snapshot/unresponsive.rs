//! Nodes that do not answer hold up nobody.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use supervision_actix::{
    EndReason, NodeKind, NodeSnapshot, NodeState, SnapshotOptions, Termination,
    group::{ChildProps, GroupProps, GroupStrategy, Shutdown},
    prelude::*,
};

use super::{child, through_json};
use crate::{
    group_stage::{Act, Player, Stage, player},
    probe::restart,
    quiet::on_system,
};

const PATIENCE: Duration = Duration::from_secs(1);

fn options() -> SnapshotOptions {
    SnapshotOptions::new().with_deadline(PATIENCE)
}

/// Blocks the thread of a player until the sender is dropped.
async fn block(player: &Addr<Player>) -> mpsc::Sender<()> {
    let (go, wait) = mpsc::channel::<()>();
    let (tell, told) = tokio::sync::oneshot::channel();
    player.do_send(Act::new(move |_, _| {
        let _ = tell.send(());
        let _ = wait.recv();
    }));
    told.await.expect("it is blocked now");
    go
}

#[test]
fn blocked_children_are_told_of_as_their_group_knows_them() {
    on_system(async {
        let arbiters = (0..4).map(|_| Arbiter::new()).collect::<Vec<_>>();
        let stage = Stage::new();
        let inner = GroupProps::new("/app/inner", GroupStrategy::OneForOne, restart(3, 0))
            .child(stage.child("deep").on_arbiter(arbiters[2].handle()))
            .child(stage.child("fine"));
        let gone = GroupProps::new("/app/gone", GroupStrategy::OneForAll, restart(3, 0))
            .child(stage.child("below"));
        let app = GroupProps::new("/app", GroupStrategy::OneForOne, restart(3, 0))
            .child(
                stage
                    .child("a")
                    .on_arbiter(arbiters[0].handle())
                    .with_strategy(restart(4, 0)),
            )
            .child(stage.child("b").on_arbiter(arbiters[1].handle()))
            .child(ChildProps::group("inner", inner))
            .child(ChildProps::group("gone", gone).on_arbiter(arbiters[3].handle()))
            .start();
        assert_eq!(app.started().await, Ok(()));
        let (inner, gone) = (app.group("inner").unwrap(), app.group("gone").unwrap());
        let blocked = [
            block(&player(&app, "a")).await,
            block(&player(&inner, "deep")).await,
            block(&player(&gone, "below")).await,
        ];
        let begun = Instant::now();
        let told = through_json(app.snapshot_with(options()).await);
        let took = begun.elapsed();
        assert!(took >= PATIENCE && took < 20 * PATIENCE, "{took:?}");
        let running = || NodeState::Unresponsive {
            last_known: Box::new(NodeState::Running),
        };
        let a = child(&told.root, "a");
        assert_eq!(a.state, running());
        assert_eq!(
            a.path,
            std::any::type_name::<Player>(),
            "it has not said more to its group"
        );
        assert_eq!(
            a.actor_type.as_deref(),
            Some(std::any::type_name::<Player>())
        );
        assert_eq!(a.budgets[0].left, Some(4));
        assert_eq!(child(&told.root, "b").state, NodeState::Running);
        let told_inner = child(&told.root, "inner");
        assert_eq!(child(told_inner, "deep").state, running());
        assert_eq!(child(told_inner, "fine").state, NodeState::Running);
        let told_gone = child(&told.root, "gone");
        assert_eq!(
            (&told_gone.state, &*told_gone.path),
            (&running(), "/app/gone")
        );
        assert_eq!(told_gone.kind, NodeKind::Group(GroupStrategy::OneForAll));
        // A root that does not answer is no reason to wait either.
        let root = gone.snapshot_with(options()).await.root;
        assert!(
            matches!(root.state, NodeState::Unresponsive { .. }),
            "{root}"
        );
        drop(blocked);
        let told = app.snapshot().await;
        assert!(
            told.nodes().all(|node| node.state == NodeState::Running),
            "{told}"
        );
        app.shutdown().await;
        for arbiter in arbiters {
            arbiter.stop();
        }
    });
}

#[test]
fn a_child_whose_arbiter_has_stopped_is_told_of_without_delay() {
    on_system(async {
        let arbiter = Arbiter::new();
        let stage = Stage::new();
        // Nothing is decided for a long time, and the child is not there.
        let app = GroupProps::new("/app", GroupStrategy::OneForOne, restart(9, 60_000))
            .child(stage.child("a").on_arbiter(arbiter.handle()))
            .start();
        assert_eq!(app.started().await, Ok(()));
        let watch = app.child("a").death_watch();
        app.children().await;
        arbiter.stop();
        watch.await;
        let begun = Instant::now();
        let told = loop {
            let told = app
                .snapshot_with(SnapshotOptions::new().with_deadline(Duration::from_secs(30)))
                .await;
            let NodeState::Unresponsive { last_known } = &child(&told.root, "a").state else {
                panic!("it is not there: {told}");
            };
            if let NodeState::BackingOff { .. } = **last_known {
                break told;
            }
        };
        assert!(begun.elapsed() < Duration::from_secs(20), "{told}");
        app.shutdown().await;
    });
}

#[test]
fn a_group_whose_arbiter_has_stopped_is_told_to_have_stopped() {
    let (give, take) = mpsc::channel();
    std::thread::spawn(move || {
        System::new().block_on(async {
            let group = Stage::new().trio(GroupStrategy::OneForOne).start();
            group.started().await.expect("it starts");
            give.send(group).expect("somebody waits");
        });
    })
    .join()
    .expect("no panic");
    let group = take.recv().expect("a handle");
    on_system(async {
        let root = group.snapshot().await.root;
        assert!(matches!(root.state, NodeState::Stopped { .. }), "{root}");
        assert_eq!(root.path, "/trio");
    });
}

#[test]
fn who_asks_a_blocked_tree_again_and_again_leaves_few_questions_behind() {
    on_system(async {
        let arbiters = [Arbiter::new(), Arbiter::new()];
        let stage = Stage::new();
        let inner = GroupProps::new("/app/inner", GroupStrategy::OneForOne, restart(3, 0))
            .child(stage.child("below"));
        let app = GroupProps::new("/app", GroupStrategy::OneForOne, restart(3, 0))
            .child(stage.child("a").on_arbiter(arbiters[0].handle()))
            .child(ChildProps::group("inner", inner).on_arbiter(arbiters[1].handle()))
            .start();
        assert_eq!(app.started().await, Ok(()));
        let inner = app.group("inner").expect("a group");
        let blocked = [
            block(&player(&app, "a")).await,
            block(&player(&inner, "below")).await,
        ];
        let hasty = SnapshotOptions::new().with_deadline(Duration::from_millis(1));
        for _ in 0..100 {
            for group in [&app, &inner] {
                let told = group.snapshot_with(hasty.clone()).await;
                assert!(told.to_string().contains("UNRESPONSIVE"), "{told}");
            }
        }
        let begun = Instant::now();
        let long = SnapshotOptions::new().with_deadline(Duration::from_secs(50));
        let root = inner.snapshot_with(long).await.root;
        assert!(
            matches!(root.state, NodeState::Unresponsive { .. }),
            "{root}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(40),
            "it was not even asked"
        );
        drop(blocked);
        while app.snapshot().await.to_string().contains("UNRESPONSIVE") {}
        app.shutdown().await;
        for arbiter in arbiters {
            arbiter.stop();
        }
    });
}

#[test]
fn a_child_that_was_left_behind_has_not_ended_before_its_thread_comes_back() {
    on_system(async {
        let arbiter = Arbiter::new();
        let stage = Stage::new();
        let child = stage.child("a").on_arbiter(arbiter.handle());
        let app = GroupProps::new("/app", GroupStrategy::OneForOne, restart(3, 0))
            .child(child.with_shutdown(Shutdown::Kill))
            .start();
        assert_eq!(app.started().await, Ok(()));
        let watch = app.child("a").death_watch();
        assert!(player(&app, "a").send(Act::nothing()).await.is_ok());
        let blocked = block(&player(&app, "a")).await;
        app.terminate("a")
            .await
            .expect("its group goes on without it");
        let told = app.snapshot_with(options()).await.root;
        let last_known = Box::new(NodeState::Stopped { reason: None });
        let state = NodeState::Unresponsive { last_known };
        assert_eq!(child_of(&told).state, state);
        drop(blocked);
        let reason = Termination::Actor(EndReason::Killed);
        let notice = watch.await;
        assert_eq!((&notice.reason, notice.was_over), (&reason, false));
        let told = app.snapshot().await.root;
        let reason = Some(reason);
        assert_eq!(child_of(&told).state, NodeState::Stopped { reason });
        app.shutdown().await;
        arbiter.stop();
    });
}

fn child_of(root: &NodeSnapshot) -> &NodeSnapshot {
    child(root, "a")
}
