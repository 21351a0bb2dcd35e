//! The ends of actors that are in no group.

use std::sync::{Arc, Mutex};

use actix::prelude::*;
use supervision_actix::{EndReason, Termination, prelude::*};

use super::{Mourner, address, end, stop, told, untold};
use crate::{
    probe::{Do, End, World, eventually, on, pass_a_second, props, restart, typed_props},
    quiet::{MEANT, on_virtual_time},
};

#[test]
fn a_normal_stop_is_told_to_a_future_and_to_an_actor() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let mourner = Mourner::default();
        let mourning = mourner.clone().start();
        let guard = supervisor.death_watch_by(mourning.recipient());
        let watch = supervisor.death_watch();
        address(&supervisor).await.do_send(stop());
        assert_eq!(end(watch).await, EndReason::Finished);
        assert!(
            eventually(|| mourner.notices() == 0).await,
            "its address is gone"
        );
        drop(guard);
    });
}

#[test]
fn two_watches_by_one_watcher_are_two_notices() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let mourner = Mourner::default();
        let mourning = mourner.clone().start();
        let first = supervisor.death_watch_by(mourning.clone());
        let second = supervisor.death_watch_by(mourning.clone());
        address(&supervisor).await.do_send(stop());
        assert!(eventually(|| mourner.notices() == 2).await);
        pass_a_second().await;
        let mut ids = mourner
            .notices
            .lock()
            .unwrap()
            .iter()
            .map(|told| told.watch)
            .collect::<Vec<_>>();
        ids.sort();
        assert_eq!(ids, [first.id(), second.id()]);
        assert!(!first.unwatch(), "the notice was sent");
        assert_eq!(mourner.notices(), 2);
    });
}

#[test]
fn restarts_are_no_end_and_the_last_failure_is_told_with_it() {
    on_virtual_time(async {
        let supervisor = props(&World::new())
            .with_supervision(restart(2, 100))
            .start();
        let mut watch = supervisor.death_watch();
        let probe = address(&supervisor).await;
        for _ in 0..2 {
            probe.do_send(Do::panic());
            pass_a_second().await;
            watch = untold(watch).await;
        }
        probe.do_send(Do::panic());
        let EndReason::Exhausted { failure } = end(watch).await else {
            panic!("the budget is used up");
        };
        assert_eq!(failure.restart_count, 2);
        assert!(
            probe.send(Do::nothing()).await.is_err(),
            "the end comes before the notice"
        );
    });
}

#[test]
fn each_reason_is_told_as_it_is() {
    let reason = |strategy: SupervisionStrategy, restart_type, work: fn() -> Do| {
        on_virtual_time(async move {
            let props = props(&World::new())
                .with_supervision(strategy)
                .with_restart_type(restart_type);
            let supervisor = props.start();
            let watch = supervisor.death_watch();
            address(&supervisor).await.do_send(work());
            end(watch).await
        })
    };
    let transient = RestartType::Transient;
    assert!(
        matches!(reason(SupervisionStrategy::Stop, transient, Do::fail), EndReason::Stopped { failure } if failure.error == MEANT)
    );
    assert!(matches!(
        reason(SupervisionStrategy::Escalate, transient, Do::panic),
        EndReason::Escalated {
            exhausted: false,
            ..
        }
    ));
    assert!(matches!(
        reason(restart(1, 0), RestartType::Temporary, Do::panic),
        EndReason::Temporary { .. }
    ));
    assert!(matches!(
        reason(restart(0, 0), transient, Do::panic),
        EndReason::Exhausted { .. }
    ));
}

#[test]
fn an_end_by_request_and_one_for_want_of_addresses_are_told_apart() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let watch = supervisor.death_watch();
        supervisor.do_send(End);
        assert_eq!(end(watch).await, EndReason::Requested);

        let supervisor = props(&World::new()).start();
        let watch = supervisor.death_watch();
        drop(supervisor);
        assert_eq!(
            end(watch).await,
            EndReason::Unreferenced,
            "a watch keeps nobody alive"
        );
    });
}

#[test]
fn a_watch_that_comes_during_a_backoff_sees_the_end() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = props(&world).with_supervision(restart(5, 60_000)).start();
        address(&supervisor).await.do_send(Do::panic());
        pass_a_second().await;
        assert_eq!(world.made(), 1, "it backs off");
        let watch = untold(supervisor.death_watch()).await;
        supervisor.do_send(End);
        assert_eq!(end(watch).await, EndReason::Requested);
        assert_eq!(world.made(), 1);
    });
}

#[test]
fn who_asks_after_the_end_is_told_at_once_and_why() {
    on_virtual_time(async {
        let supervisor = props(&World::new())
            .with_supervision(SupervisionStrategy::Stop)
            .start();
        let watch = supervisor.death_watch();
        address(&supervisor).await.do_send(Do::panic());
        let first = told(watch).await;
        pass_a_second().await;
        for _ in 0..2 {
            let late = told(supervisor.death_watch()).await;
            assert!(late.was_over);
            assert_eq!((&late.path, &late.reason), (&first.path, &first.reason));
        }
    });
}

#[test]
fn a_factory_that_panics_for_ever_ends_its_actor_for_those_who_watch() {
    on_virtual_time(async {
        let props = ActorProps::plain("/user/stillborn", || -> Mourner {
            panic!("{MEANT}: factory")
        });
        let supervisor = props.with_supervision(restart(2, 100)).start();
        let told = told(supervisor.death_watch()).await;
        assert_eq!(told.path, "/user/stillborn");
        assert!(
            matches!(told.reason, Termination::Actor(EndReason::Exhausted { failure }) if failure.restart_count == 0)
        );
    });
}

#[test]
fn an_actor_may_watch_itself_from_its_start_and_from_its_death() {
    on_virtual_time(async {
        let world = World::new();
        let watches = Arc::new(Mutex::new(Vec::new()));
        for hook in [&world.on_started, &world.on_stopped] {
            let watches = watches.clone();
            on(hook, move |_, ctx: &mut Context<_>| {
                let own = ctx.supervisor().expect("it is supervised");
                watches.lock().unwrap().push(own.death_watch());
            });
        }
        let probe = typed_props(&world).start_actor();
        probe.do_send(stop());
        assert!(eventually(|| watches.lock().unwrap().len() == 2).await);
        let taken = std::mem::take(&mut *watches.lock().unwrap());
        for watch in taken {
            let told = told(watch).await;
            assert_eq!(told.reason, Termination::Actor(EndReason::Finished));
            assert_eq!(told.path, "/user/probe");
        }
    });
}

#[test]
fn an_actor_that_is_its_own_watcher_ends_all_the_same() {
    on_virtual_time(async {
        let mourner = Mourner::default();
        let make = mourner.clone();
        let supervisor = ActorProps::plain("/user/narcissus", move || make.clone()).start();
        let own = supervisor.send(GetActorAddr::new()).await.unwrap().unwrap();
        let _guard = supervisor.death_watch_by(own.downgrade());
        let watch = supervisor.death_watch();
        drop((own, supervisor));
        assert_eq!(end(watch).await, EndReason::Unreferenced);
        assert_eq!(mourner.notices(), 0, "the dead read no notices");
    });
}
