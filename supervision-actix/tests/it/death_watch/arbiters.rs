//! Watches across threads, and arbiters that stop.

use std::{sync::mpsc, thread, time::Duration};

use actix::prelude::*;
use supervision_actix::{
    Termination,
    group::{ChildProps, EndReason, GroupProps, GroupStrategy},
    prelude::*,
};

use super::{Mourner, end, stop, told};
use crate::{
    group_stage::Stage,
    probe::{Do, World, props, restart},
    quiet::on_system,
};

#[test]
fn the_end_of_an_actor_on_another_arbiter_is_told_here() {
    on_system(async {
        let arbiter = Arbiter::new();
        let supervisor = props(&World::new()).start_in_arbiter(&arbiter.handle());
        let mourner = Mourner::default();
        let mourning = mourner.clone().start();
        let guard = supervisor.death_watch_by(mourning.clone());
        let watch = supervisor.death_watch();
        let probe = supervisor.send(GetActorAddr::new()).await.unwrap().unwrap();
        probe.do_send(stop());
        end(watch).await;
        while mourner.notices() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!guard.unwatch());
        arbiter.stop();
    });
}

#[test]
fn the_end_of_an_arbiter_is_told_to_those_who_watch_its_actors() {
    on_system(async {
        let arbiter = Arbiter::new();
        let supervisor = props(&World::new()).start_in_arbiter(&arbiter.handle());
        let probe = supervisor.send(GetActorAddr::new()).await.unwrap().unwrap();
        probe.send(Do::nothing()).await.expect("it runs");
        let watch = supervisor.death_watch();
        // The watch has arrived when this has been answered.
        assert!(supervisor.send(GetFailureHistory::new()).await.is_ok());
        arbiter.stop();
        let notice = told(watch).await;
        assert_eq!(notice.reason, Termination::ArbiterStopped);
        assert_eq!(notice.path, "/user/probe");
        let late = told(supervisor.death_watch()).await;
        assert_eq!((late.reason, late.was_over), (Termination::Gone, true));
    });
}

#[test]
fn a_watch_on_its_way_to_an_arbiter_that_stops_is_told() {
    on_system(async {
        let arbiter = Arbiter::new();
        let supervisor = props(&World::new()).start_in_arbiter(&arbiter.handle());
        let probe = supervisor.send(GetActorAddr::new()).await.unwrap().unwrap();
        let (go, wait) = mpsc::channel::<()>();
        probe.do_send(Do::new(move |_, _| {
            let _ = wait.recv();
        }));
        let watch = supervisor.death_watch();
        arbiter.stop();
        drop(go);
        assert!(matches!(
            told(watch).await.reason,
            Termination::Gone | Termination::ArbiterStopped
        ));
    });
}

#[test]
fn the_end_of_a_system_is_told_to_another_thread() {
    let (give, take) = mpsc::channel();
    let system = thread::spawn(move || {
        System::new().block_on(async {
            let supervisor = props(&World::new()).start();
            let group = Stage::new().trio(GroupStrategy::OneForAll).start();
            group.started().await.expect("it starts");
            let watches = [
                supervisor.death_watch(),
                group.death_watch(),
                group.child("b").death_watch(),
            ];
            tokio::task::yield_now().await;
            assert!(supervisor.send(GetFailureHistory::new()).await.is_ok());
            group.children().await;
            give.send(watches).expect("somebody waits");
            std::mem::forget(supervisor);
        });
    });
    let watches = take.recv_timeout(Duration::from_secs(30)).expect("watches");
    system.join().expect("no panic");
    on_system(async {
        for watch in watches {
            let notice = told(watch).await;
            let expected = matches!(
                notice.reason,
                Termination::ArbiterStopped
                    | Termination::Actor(supervision_actix::EndReason::WithGroup)
            );
            assert!(expected, "{notice:?}");
        }
    });
}

#[test]
fn a_group_does_not_wait_for_a_child_whose_arbiter_stopped_before_the_child_was_there() {
    let stage = Stage::new();
    let group = || ChildProps::group("child", stage.trio(GroupStrategy::OneForOne));
    for child in [stage.child("child"), group()] {
        on_system(async {
            let arbiter = Arbiter::new();
            let (go, wait) = mpsc::channel::<()>();
            let (is_blocked, until_blocked) = mpsc::channel();
            arbiter.spawn_fn(move || {
                is_blocked.send(()).expect("the test waits for it");
                let _ = wait.recv();
            });
            until_blocked.recv().expect("it gets there");
            arbiter.stop();
            let group = GroupProps::new("/group", GroupStrategy::OneForOne, restart(3, 0))
                .child(child.on_arbiter(arbiter.handle()))
                .start();
            let (watch, child) = (group.death_watch(), group.child("child").death_watch());
            assert_eq!(group.children().await.len(), 1, "it is ordered to start");
            drop(go);
            let Termination::Group(end) = told(watch).await.reason else {
                panic!("the group has ended in its way");
            };
            assert!(
                matches!(end.reason, EndReason::StartFailed { .. }),
                "{end:?}"
            );
            assert_eq!(told(child).await.reason, Termination::ArbiterStopped);
        });
    }
}
