//! How children and groups end: restart types, auto-shutdown, giving up, and how long a stop takes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    Decision, EscalationReason, StopReason,
    group::{
        AutoShutdown, ChildProps, ChildStatus, EndReason, GroupProps, GroupStrategy, Shutdown,
    },
    prelude::*,
};
use tokio::time::Instant;

use crate::{
    group_stage::{Act, Player, Stage, pass, player, records, secs},
    probe::restart,
    quiet::{MEANT, on_system, on_virtual_time},
};

fn unlimited(strategy: GroupStrategy) -> GroupProps {
    GroupProps::new("/group", strategy, restart(usize::MAX, 0))
}

#[test]
fn restart_types_say_which_ends_are_answered() {
    // By act: whether it is up again, whether it is in the group.
    let expected = [
        (RestartType::Permanent, (true, true), (true, true)),
        (RestartType::Transient, (false, true), (true, true)),
        (RestartType::Temporary, (false, false), (false, false)),
    ];
    for (restart_type, stopped, failed) in expected {
        for (act, (up, present)) in [(Act::stop as fn() -> Act, stopped), (Act::panic, failed)] {
            on_virtual_time(async {
                let stage = Stage::new();
                let child = stage.child("a").with_restart_type(restart_type);
                let group = unlimited(GroupStrategy::OneForOne).child(child).start();
                assert_eq!(group.started().await, Ok(()));
                let a = player(&group, "a");
                a.do_send(act());
                pass(secs(1)).await;
                assert_eq!(stage.alive(), usize::from(up), "{restart_type:?}");
                assert_eq!(group.count(), usize::from(present), "{restart_type:?}");
                let asked = a.send(Act::nothing()).await;
                assert_eq!(asked.is_ok(), up, "who is down refuses messages");
                assert!(group.shutdown().await.reason.is_normal());
            });
        }
    }
}

#[test]
fn a_child_that_has_ended_is_started_again_along_with_a_sibling() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForAll).start();
        assert_eq!(group.started().await, Ok(()));
        let (a, b) = (player(&group, "a"), player(&group, "b"));
        a.do_send(Act::stop());
        pass(secs(1)).await;
        assert!(a.send(Act::nothing()).await.is_err());
        b.do_send(Act::panic());
        pass(secs(1)).await;
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
    });
}

#[test]
fn the_end_of_significant_children_ends_the_group() {
    for (auto_shutdown, ends_with_first) in [
        (AutoShutdown::AnySignificant, true),
        (AutoShutdown::AllSignificant, false),
    ] {
        on_virtual_time(async {
            let stage = Stage::new();
            let group = unlimited(GroupStrategy::OneForOne)
                .auto_shutdown(auto_shutdown)
                .child(stage.child("a").significant())
                .child(stage.child("b").significant())
                .child(stage.child("c"))
                .start();
            assert_eq!(group.started().await, Ok(()));
            let (a, b) = (player(&group, "a"), player(&group, "b"));
            player(&group, "c").do_send(Act::stop());
            a.do_send(Act::stop());
            pass(secs(1)).await;
            assert_eq!(stage.alive() == 0, ends_with_first);
            b.do_send(Act::stop());
            let end = group.ended().await;
            assert!(end.reason.is_normal());
            assert!(matches!(end.reason, EndReason::AutoShutdown { .. }));
            assert_eq!(stage.alive(), 0);
        });
    }
}

#[test]
fn a_shutdown_takes_no_longer_than_the_sum_of_the_timeouts() {
    on_virtual_time(async {
        let stage = Stage::new();
        for name in ["a", "b", "c"] {
            stage.on(name, "stopping", |player, _| player.vetoes = true);
        }
        let group = unlimited(GroupStrategy::OneForOne)
            .child(stage.child("a").with_shutdown_timeout(secs(1)))
            .child(stage.child("b").with_shutdown_timeout(secs(2)))
            .child(stage.child("c").with_shutdown(Shutdown::Kill))
            .start();
        assert_eq!(group.started().await, Ok(()));
        stage.take_log();
        let before = Instant::now();
        assert!(group.shutdown().await.reason.is_normal());
        let took = before.elapsed();
        assert!(
            took >= secs(3) && took < secs(3) + Duration::from_millis(10),
            "{took:?}"
        );
        // Killed: the value is dropped, and nothing is called on it.
        assert_eq!(stage.take_log(), ["c1:drop", "b1:drop", "a1:drop"]);
    });
}

#[test]
fn a_veto_buys_the_time_to_finish() {
    on_virtual_time(async {
        let stage = Stage::new();
        stage.on("a", "stopping", |player, ctx| {
            if !std::mem::replace(&mut player.vetoes, true) {
                ctx.run_later(secs(3), |player, ctx| {
                    player.stage.log("finished");
                    let stage = player.stage.clone();
                    stage.on("a", "stopping", |player, _| player.vetoes = false);
                    ctx.stop();
                });
            }
        });
        let group = unlimited(GroupStrategy::OneForOne)
            .child(stage.child("a"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let before = Instant::now();
        // The hook that runs is put back only where no other was set meanwhile.
        assert!(group.shutdown().await.reason.is_normal());
        assert!(before.elapsed() < secs(4), "{:?}", before.elapsed());
        assert!(stage.story().contains("finished"));
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn a_child_that_fails_while_it_is_being_stopped_has_stopped() {
    on_virtual_time(async {
        for place in ["stopping", "stopped", "drop"] {
            let stage = Stage::new();
            stage.on("b", place, move |_, _| panic!("{MEANT}: {place}"));
            let group = stage.trio(GroupStrategy::OneForOne).start();
            assert_eq!(group.started().await, Ok(()));
            let end = group.shutdown().await;
            assert_eq!(end.reason, EndReason::Shutdown, "{place}");
            assert_eq!(stage.alive(), 0);
        }
    });
}

#[test]
fn a_shutdown_during_a_backoff_waits_for_nothing() {
    for strategy in [
        GroupStrategy::OneForOne,
        GroupStrategy::OneForAll,
        GroupStrategy::RestForOne,
    ] {
        on_virtual_time(async {
            let stage = Stage::new();
            let group = GroupProps::new("/group", strategy, restart(9, 3_600_000))
                .child(stage.child("a"))
                .child(stage.child("b"))
                .start();
            assert_eq!(group.started().await, Ok(()));
            let a = player(&group, "a");
            a.do_send(Act::panic());
            pass(secs(1)).await;
            let waiting = a.send(Act::nothing());
            let before = Instant::now();
            let (end, answer) = futures_util::future::join(group.shutdown(), waiting).await;
            assert_eq!(end.reason, EndReason::Shutdown);
            assert!(before.elapsed() < secs(1));
            assert_eq!(answer, Err(MailboxError::Closed));
            assert_eq!(stage.alive(), 0);
        });
    }
}

#[test]
fn a_failure_is_recorded_with_what_the_group_decided() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/group", GroupStrategy::OneForOne, restart(1, 0))
            .child(stage.child("a"))
            .child(stage.child("b").with_strategy(SupervisionStrategy::Stop))
            .start();
        assert_eq!(group.started().await, Ok(()));
        player(&group, "a").do_send(Act::fail());
        player(&group, "b").do_send(Act::die());
        pass(secs(1)).await;
        let a = records(&group, "a").await;
        assert_eq!(a.len(), 1);
        assert!(matches!(a[0].decision, Some(Decision::Restart { .. })));
        assert_eq!(a[0].outcome, Outcome::Restarted);
        assert_eq!(a[0].info.actor_path, "/player/a");
        let b = records(&group, "b").await;
        assert!(matches!(b[0].decision, Some(Decision::Stop { .. })));
        assert_eq!(b[0].outcome, Outcome::Stopped);
        let status = group.children().await.into_iter().map(|child| child.status);
        assert!(status.eq([ChildStatus::Running, ChildStatus::Down]));
    });
}

#[test]
fn a_report_from_outside_is_answered_when_the_group_has_restarted_the_child() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/group", GroupStrategy::OneForOne, restart(1, 500))
            .child(stage.child("a"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        let supervisor = group.supervisor::<crate::group_stage::Player>("a").unwrap();
        let before = Instant::now();
        let answer = supervisor
            .send(ReportFailure::of(crate::probe::Meant))
            .await;
        assert_eq!(answer, Ok(Some(a.clone())));
        assert!(before.elapsed() >= Duration::from_millis(500));
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
        // A failure of an actor that waits for a future of its own is decided too.
        a.do_send(Act::new(|player, ctx| {
            ctx.wait(pass(secs(3_600)).into_actor(player));
        }));
        pass(secs(1)).await;
        let answer = supervisor
            .send(ReportFailure::of(crate::probe::Meant))
            .await;
        assert_eq!(answer, Ok(None), "the budget is used up");
        assert!(!group.ended().await.reason.is_normal());
    });
}

#[test]
fn a_child_runs_on_another_arbiter_and_restarts_there() {
    on_system(async {
        let (stage, arbiter) = (Stage::new(), Arbiter::new());
        let group = unlimited(GroupStrategy::OneForAll)
            .child(stage.child("a"))
            .child(stage.child("b").on_arbiter(arbiter.handle()))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let (a, b) = (player(&group, "a"), player(&group, "b"));
        let thread = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        for number in 1..=3 {
            let thread = thread.clone();
            let seen = b.send(Act::new(move |_, _| {
                thread.lock().unwrap().push(std::thread::current().id());
            }));
            assert_eq!(seen.await, Ok(number));
            assert_eq!(a.send(Act::nothing()).await, Ok(number));
            assert!(b.send(Act::panic()).await.is_err());
        }
        let thread = thread.lock().unwrap().clone();
        assert!(thread.iter().all(|id| *id == thread[0]));
        assert_ne!(thread[0], std::thread::current().id());
        assert!(group.shutdown().await.reason.is_normal());
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn a_child_whose_arbiter_stops_has_failed() {
    on_system(async {
        let (stage, arbiter) = (Stage::new(), Arbiter::new());
        let group = GroupProps::new("/group", GroupStrategy::OneForAll, restart(3, 0))
            .child(stage.child("a"))
            .child(stage.child("b").on_arbiter(arbiter.handle()))
            .start();
        assert_eq!(group.started().await, Ok(()));
        arbiter.stop();
        let end = group.ended().await;
        let EndReason::Exhausted { child, cause } = end.reason else {
            panic!("{end:?}");
        };
        assert_eq!(child.as_str(), "b");
        assert_eq!(cause.error_type(), "supervision_actix::ArbiterStopped");
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn a_child_that_blocks_another_thread_is_left_behind() {
    on_system(async {
        let (stage, arbiter) = (Stage::new(), Arbiter::new());
        let b = stage.child("b").on_arbiter(arbiter.handle());
        let group = unlimited(GroupStrategy::OneForOne)
            .child(stage.child("a"))
            .child(b.with_shutdown(Shutdown::Kill))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let (unblock, blocked) = std::sync::mpsc::channel::<()>();
        let (enter, entered) = tokio::sync::oneshot::channel();
        player(&group, "b").do_send(Act::new(move |_, _| {
            assert_eq!(enter.send(()), Ok(()));
            // Ends when the other half is dropped.
            let _ = blocked.recv();
        }));
        assert_eq!(entered.await, Ok(()));
        let before = std::time::Instant::now();
        assert!(group.shutdown().await.reason.is_normal());
        assert!(before.elapsed() < secs(10));
        assert_eq!(stage.alive(), 1, "it is still blocked");
        drop(unblock);
        while stage.alive() > 0 {
            actix_rt::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn a_child_whose_arbiter_has_stopped_does_not_keep_the_thread_although_it_is_restarted_for_ever() {
    on_system(async {
        for strategy in [GroupStrategy::OneForOne, GroupStrategy::OneForAll] {
            let (stage, arbiter) = (Stage::new(), Arbiter::new());
            let group = unlimited(strategy)
                .child(stage.child("a"))
                .child(stage.child("b").on_arbiter(arbiter.handle()))
                .start();
            assert_eq!(group.started().await, Ok(()));
            arbiter.stop();
            arbiter.join().unwrap();
            for _ in 0..20 {
                pass(Duration::from_millis(1)).await;
            }
            assert!(group.shutdown().await.reason.is_normal());
            assert_eq!(stage.alive(), 0);
        }
    });
}

#[test]
fn a_child_ends_when_the_arbiter_of_its_group_stops() {
    on_system(async {
        let (stage, upper, lower) = (Stage::new(), Arbiter::new(), Arbiter::new());
        let inner = GroupProps::new("/g/inner", GroupStrategy::OneForOne, restart(9, 0))
            .child(stage.child("a"))
            .child(stage.child("b").on_arbiter(lower.handle()));
        let inner = ChildProps::group("inner", inner).on_arbiter(upper.handle());
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, restart(0, 0))
            .child(inner)
            .start();
        assert_eq!(group.started().await, Ok(()));
        let b = player(&group.group("inner").unwrap(), "b");
        assert_eq!(b.send(Act::nothing()).await, Ok(1));
        stage.take_log();
        upper.stop();
        assert!(!group.ended().await.reason.is_normal());
        while stage.alive() > 0 {
            pass(Duration::from_millis(1)).await;
        }
        assert!(stage.story().contains("b1:stopped"));
        assert!(b.send(Act::nothing()).await.is_err());
    });
}

#[test]
fn a_temporary_child_that_fails_while_its_group_is_busy_is_told_what_was_decided() {
    for strategy in [restart(9, 0), SupervisionStrategy::Escalate] {
        on_virtual_time(async {
            let stage = Stage::new();
            let decisions = Arc::new(Mutex::new(Vec::new()));
            let seen = decisions.clone();
            let temporary = stage.props("t").with_observer(move |event| {
                if let SupervisionEvent::Failed { decision, .. } = event {
                    seen.lock().unwrap().push(decision.clone());
                }
            });
            let temporary = ChildProps::actor("t", temporary)
                .with_restart_type(RestartType::Temporary)
                .with_strategy(strategy.clone());
            let group = GroupProps::new("/g", GroupStrategy::RestForOne, restart(9, 0))
                .child(temporary)
                .child(stage.child("a"))
                .start();
            assert_eq!(group.started().await, Ok(()));
            stage.on("a", "started", |player, ctx| {
                ctx.wait(pass(secs(3)).into_actor(player));
            });
            player(&group, "a").do_send(Act::die());
            pass(secs(1)).await;
            // The group waits for the start of `a`.
            player(&group, "t").do_send(Act::die());
            pass(secs(1)).await;
            assert_eq!(*decisions.lock().unwrap(), []);
            pass(secs(5)).await;
            let reason = StopReason::Temporary;
            let expected = match strategy {
                SupervisionStrategy::Escalate => Decision::Escalate {
                    reason: EscalationReason::Policy,
                },
                _ => Decision::Stop { reason },
            };
            assert_eq!(*decisions.lock().unwrap(), [expected]);
            assert!(group.actor::<Player>("t").is_none(), "it has left");
        });
    }
}
