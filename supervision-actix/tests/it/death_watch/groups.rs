//! The ends of groups and of their children, one by one and together.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    EndReason, Termination,
    group::{
        ChildProps, DynamicProps, EndReason as GroupEndReason, GroupProps, GroupStrategy, Shutdown,
    },
    prelude::*,
};

use super::{Mourner, end, told, untold};
use crate::{
    group_stage::{Act, Player, Stage, pass, player, secs},
    probe::{eventually, restart},
    quiet::{MEANT, on_virtual_time},
};

#[test]
fn a_child_taken_out_by_request_has_ended_and_can_be_watched_again_when_it_is_back() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        let a = group.child("a");
        let watch = a.death_watch();
        group.terminate("a").await.expect("it runs");
        assert_eq!(end(watch).await, EndReason::Requested);
        let late = told(a.death_watch()).await;
        assert!(late.was_over);
        assert_eq!(late.reason, Termination::Actor(EndReason::Requested));
        group.restart("a").await.expect("it does not run");
        let watch = untold(a.death_watch()).await;
        let both = group
            .supervisor::<Player>("a")
            .expect("its supervisor")
            .death_watch();
        group.terminate("a").await.expect("it runs");
        group.delete("a").await.expect("it does not run");
        assert_eq!(end(watch).await, EndReason::Requested);
        assert_eq!(end(both).await, EndReason::Requested);
        let gone = told(a.death_watch()).await;
        assert_eq!((gone.reason, gone.was_over), (Termination::Gone, true));
        assert_eq!(gone.path, "/trio/a");
    });
}

#[test]
fn restarts_along_with_siblings_and_with_the_group_are_no_end() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = stage.trio(GroupStrategy::OneForAll);
        let inner = ChildProps::group("inner", inner.child(stage.child("d")));
        let outer = GroupProps::new("/outer", GroupStrategy::OneForAll, restart(9, 100))
            .child(inner)
            .child(stage.child("e"))
            .start();
        assert_eq!(outer.started().await, Ok(()));
        let inner = outer.group("inner").expect("a group");
        let mut watches = vec![inner.death_watch(), outer.child("inner").death_watch()];
        watches.extend(["a", "b", "c", "d"].map(|id| inner.child(id).death_watch()));
        for fails in [player(&inner, "b"), player(&outer, "e")] {
            fails.do_send(Act::panic());
            pass(secs(1)).await;
            let mut kept = Vec::new();
            for watch in watches {
                kept.push(untold(watch).await);
            }
            watches = kept;
        }
        outer.shutdown().await;
        let mut reasons = Vec::new();
        for watch in watches {
            reasons.push(told(watch).await.reason);
        }
        let (groups, actors) = reasons.split_at(2);
        let with_group = Termination::Actor(EndReason::WithGroup);
        assert!(
            actors.iter().all(|reason| *reason == with_group),
            "{actors:?}"
        );
        for group in groups {
            let Termination::Group(end) = group else {
                panic!("a group ended with {group:?}");
            };
            assert_eq!(end.reason, GroupEndReason::Shutdown);
        }
    });
}

#[test]
fn a_group_that_gives_up_tells_whose_failure_it_was() {
    on_virtual_time(async {
        let stage = Stage::new();
        let mourner = Mourner::default();
        let mourning = mourner.clone().start();
        let group = GroupProps::new("/g", GroupStrategy::OneForAll, restart(1, 0))
            .child(stage.child("a"))
            .child(stage.child("b"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let guard = group.death_watch_by(mourning.clone());
        let [a, b] = ["a", "b"].map(|id| group.child(id).death_watch());
        for _ in 0..2 {
            player(&group, "b").do_send(Act::panic());
            pass(secs(1)).await;
        }
        assert_eq!(end(a).await, EndReason::WithGroup);
        assert!(
            matches!(end(b).await, EndReason::Exhausted { failure } if failure.error.contains(MEANT))
        );
        assert!(eventually(|| mourner.notices() == 1).await);
        let notice = mourner.notices.lock().unwrap().pop().expect("one");
        assert_eq!((notice.watch, notice.path.as_str()), (guard.id(), "/g"));
        let Termination::Group(end) = notice.reason else {
            panic!("a group ended");
        };
        assert!(
            matches!(&end.reason, GroupEndReason::Exhausted { child, .. } if child.as_str() == "b")
        );
        let late = told(group.death_watch()).await;
        assert_eq!(
            (late.reason, late.was_over),
            (Termination::Group(end), true)
        );
        assert_eq!(
            told(group.child("a").death_watch()).await.reason,
            Termination::Gone
        );
    });
}

#[test]
fn a_child_that_does_not_stop_in_time_was_killed() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, restart(1, 0))
            .child(stage.child("slow").with_shutdown_timeout(secs(2)))
            .child(stage.child("hard").with_shutdown(Shutdown::Kill))
            .start();
        assert_eq!(group.started().await, Ok(()));
        stage.on("slow", "stopping", |player, _| player.vetoes = true);
        let [slow, hard] = ["slow", "hard"].map(|id| group.child(id).death_watch());
        group.terminate("slow").await.expect("it runs");
        assert_eq!(end(slow).await, EndReason::Killed);
        group.shutdown().await;
        assert_eq!(end(hard).await, EndReason::Killed);
    });
}

#[test]
fn a_child_that_could_not_be_started_says_so() {
    on_virtual_time(async {
        let stage = Stage::new();
        stage.on("b", "made", |_, _| panic!("{MEANT}: made"));
        let group = stage.trio(GroupStrategy::OneForOne).start();
        let watches = ["a", "b", "c"].map(|id| group.child(id).death_watch());
        let [a, b, c] = watches;
        assert_eq!(end(a).await, EndReason::WithGroup);
        assert!(
            matches!(end(b).await, EndReason::StartFailed { failure } if failure.error.contains("made"))
        );
        assert_eq!(end(c).await, EndReason::WithGroup, "its turn never came");
        assert!(matches!(
            group.ended().await.reason,
            GroupEndReason::StartFailed { .. }
        ));
    });
}

#[test]
fn ends_of_their_own_are_told_as_they_were_decided() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, SupervisionStrategy::Stop)
            .child(stage.child("fails"))
            .child(stage.child("stops"))
            .child(
                stage
                    .child("once")
                    .with_restart_type(RestartType::Temporary),
            )
            .start();
        assert_eq!(group.started().await, Ok(()));
        let watches = ["fails", "stops", "once"].map(|id| group.child(id).death_watch());
        player(&group, "fails").do_send(Act::fail());
        player(&group, "stops").do_send(Act::stop());
        player(&group, "once").do_send(Act::die());
        let [fails, stops, once] = watches;
        assert!(matches!(end(fails).await, EndReason::Stopped { .. }));
        assert_eq!(end(stops).await, EndReason::Finished);
        assert!(matches!(end(once).await, EndReason::Stopped { .. }));
        group.shutdown().await;
    });
}

#[test]
fn a_suspended_child_whose_failure_is_escalated_has_not_ended() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = GroupProps::new(
            "/inner",
            GroupStrategy::OneForOne,
            SupervisionStrategy::Escalate,
        )
        .child(stage.child("a"));
        let outer = GroupProps::new("/outer", GroupStrategy::OneForOne, restart(1, 60_000))
            .child(ChildProps::group("inner", inner))
            .start();
        assert_eq!(outer.started().await, Ok(()));
        let inner = outer.group("inner").expect("a group");
        let watch = inner.child("a").death_watch();
        player(&inner, "a").do_send(Act::fail());
        pass(secs(1)).await;
        let watch = untold(watch).await;
        let during_backoff = untold(inner.death_watch()).await;
        outer.shutdown().await;
        assert!(matches!(end(watch).await, EndReason::Escalated { .. }));
        assert!(matches!(
            told(during_backoff).await.reason,
            Termination::Group(_)
        ));
    });
}

/// A dynamic supervisor whose children do what their argument says, and the events it told of.
type Told = Arc<Mutex<Vec<SupervisionEvent>>>;

#[test]
fn dynamic_children_are_watched_by_id_and_named_by_their_own_paths() {
    on_virtual_time(async {
        let (stage, events) = (Stage::new(), Told::default());
        let (make, tell) = (stage.clone(), events.clone());
        let pool = DynamicProps::new("/pool", SupervisionStrategy::Stop, move |name: &String| {
            Player::new(&make, name, 1)
        })
        .with_observer(move |event| {
            if let SupervisionEvent::Ended { .. } = event {
                tell.lock().unwrap().push(event.clone());
            }
        })
        .start();
        for id in ["fails", "removed", "stays"] {
            pool.add(id, id.to_owned()).await.expect("it starts");
        }
        let child = |id: &str| pool.as_group().child(id);
        let watches = ["fails", "removed", "stays"].map(|id| child(id).death_watch());
        let [fails, removed, stays] = watches;
        pool.get("fails").expect("it is there").do_send(Act::fail());
        pool.remove("removed").await.expect("it runs");
        let of_fails = told(fails).await;
        assert_eq!(of_fails.path, "/pool/fails");
        assert!(matches!(
            of_fails.reason,
            Termination::Actor(EndReason::Stopped { .. })
        ));
        assert_eq!(end(removed).await, EndReason::Requested);
        assert_eq!(
            told(child("fails").death_watch()).await.reason,
            Termination::Gone
        );
        let of_pool = pool.death_watch();
        pool.shutdown().await;
        assert_eq!(end(stays).await, EndReason::WithGroup);
        assert!(matches!(told(of_pool).await.reason, Termination::Group(_)));
        pass(Duration::from_secs(1)).await;
        let events = std::mem::take(&mut *events.lock().unwrap());
        let ended = events.iter().map(|event| match event {
            SupervisionEvent::Ended { path, reason } => {
                let reason = format!("{reason:?}");
                let name = reason.split(' ').next().unwrap_or_default().to_owned();
                (path.clone(), name)
            }
            other => panic!("{other:?}"),
        });
        let ended = ended.collect::<Vec<_>>();
        let expected = [
            ("/pool/fails", "Stopped"),
            ("/pool/removed", "Requested"),
            ("/pool/stays", "WithGroup"),
        ];
        assert_eq!(
            ended,
            expected.map(|(path, name)| (path.to_owned(), name.to_owned()))
        );
    });
}
