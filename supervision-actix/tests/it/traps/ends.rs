//! Why an actor ends, what is remembered, and what addresses are worth then.

use super::*;

// Ends.

fn ends(
    world: &Arc<World>,
    strategy: SupervisionStrategy,
    restart_type: RestartType,
    work: impl AsyncFnOnce(Addr<Probe>),
) -> (EndReason, Vec<String>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    on_virtual_time(async {
        let probe = typed_props(world)
            .with_supervision(strategy)
            .with_restart_type(restart_type)
            .with_observer(move |event| seen.lock().unwrap().push(event.clone()))
            .start_actor();
        work(probe).await;
        pass_a_second().await;
    });
    let events = std::mem::take(&mut *events.lock().unwrap());
    let names = events.iter().map(|event| match event {
        SupervisionEvent::Started { .. } => "started".to_owned(),
        SupervisionEvent::Failed { incarnation, .. } => format!("failed {incarnation}"),
        SupervisionEvent::Restarted { incarnation, .. } => format!("restarted {incarnation}"),
        SupervisionEvent::Ended { .. } => "ended".to_owned(),
        other => panic!("{other:?}"),
    });
    let names = names.collect();
    match events.into_iter().next_back() {
        Some(SupervisionEvent::Ended { reason, .. }) => (reason, names),
        other => panic!("not ended: {other:?}"),
    }
}

#[test]
fn the_end_says_why_and_the_observer_is_told_everything_in_order() {
    let world = World::new();
    let transient = RestartType::Transient;
    let (reason, seen) = ends(&world, restart(1, 5), transient, async |probe| drop(probe));
    assert_eq!(
        (reason, seen),
        (
            EndReason::Unreferenced,
            vec!["started".into(), "ended".into()]
        )
    );

    let (reason, _) = ends(&world, restart(1, 5), transient, async |probe| {
        assert!(probe.send(Do::stop()).await.is_ok());
    });
    assert_eq!(reason, EndReason::Finished);

    let (reason, seen) = ends(&world, restart(1, 5), transient, async |probe| {
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
    });
    assert!(matches!(reason, EndReason::Exhausted { failure } if failure.restart_count == 1));
    assert_eq!(
        seen,
        ["started", "failed 1", "restarted 2", "failed 2", "ended"]
    );

    let (reason, _) = ends(
        &world,
        restart(9, 5),
        RestartType::Temporary,
        async |probe| {
            assert_eq!(probe.send(Do::panic()).await, CLOSED);
        },
    );
    assert!(matches!(reason, EndReason::Temporary { failure } if failure.error_type == "panic"));

    let (reason, seen) = ends(
        &world,
        SupervisionStrategy::Escalate,
        transient,
        async |probe| {
            assert!(probe.send(Do::fail()).await.is_ok());
        },
    );
    assert!(
        matches!(reason, EndReason::Escalated { exhausted: false, failure } if failure.error == MEANT)
    );
    assert_eq!(seen, ["started", "failed 1", "ended"]);

    let (reason, _) = ends(
        &world,
        SupervisionStrategy::Stop,
        transient,
        async |probe| {
            assert_eq!(probe.send(Do::panic()).await, CLOSED);
        },
    );
    assert!(matches!(reason, EndReason::Stopped { .. }));
}

#[test]
fn an_observer_that_panics_changes_nothing() {
    on_virtual_time(async {
        let world = World::new();
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        let probe = props(&world)
            .with_observer(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                panic!("{MEANT}: observer");
            })
            .start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        drop(probe);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
        assert_eq!(told.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn an_invalid_strategy_of_the_actor_itself_ends_it_and_says_so() {
    let invalid = SupervisionStrategy::Ladder { rungs: vec![] };
    on_virtual_time(async {
        let world = World::new();
        *world.strategy.lock().unwrap() = Some(invalid.clone());
        let reason = Arc::new(Mutex::new(None));
        let seen = reason.clone();
        let supervisor = typed_props(&world)
            .with_observer(move |event| {
                if let SupervisionEvent::Ended { reason, .. } = event {
                    *seen.lock().unwrap() = Some(reason.clone());
                }
            })
            .start();
        let report = supervisor.send(ReportFailure::of(Meant));
        let answer = actix_rt::time::timeout(Duration::from_secs(60), report).await;
        assert_eq!(answer.expect("the report is answered"), Ok(None));
        let reason = reason.lock().unwrap().take().expect("it ended");
        assert!(
            matches!(reason, EndReason::InvalidStrategy { problem } if problem.contains("rungs"))
        );
        assert_eq!(world.take_log(), ["1:drop"], "the value was never started");

        // A strategy given at the start goes before it.
        let probe = props(&world).start_actor();
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
    });
}

#[test]
fn the_strategy_of_the_actor_is_read_at_each_start() {
    on_virtual_time(async {
        let world = World::new();
        *world.strategy.lock().unwrap() = Some(restart(9, 0));
        let supervisor = typed_props(&world).start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        *world.strategy.lock().unwrap() = Some(SupervisionStrategy::Stop);
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        let stop = Decision::Stop {
            reason: StopReason::Policy,
        };
        assert_eq!(
            records(&supervisor).await.last(),
            Some(&(Some(stop), Outcome::Stopped))
        );
    });
}

#[test]
fn zero_restarts_means_never_and_the_largest_number_means_always() {
    on_virtual_time(async {
        let world = World::new();
        let never = typed_props(&world)
            .with_supervision(restart(0, 0))
            .start_actor();
        assert_eq!(never.send(Do::panic()).await, CLOSED);
        assert_eq!(never.send(Do::nothing()).await, CLOSED);
        let always = props(&world).start_actor();
        for _ in 0..2_000 {
            assert_eq!(always.send(Do::panic()).await, CLOSED);
        }
        assert_eq!(always.send(Do::nothing()).await, Ok(2_002));
    });
}

#[test]
fn resume_without_a_sound_value_restarts_three_times_and_then_stops() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .start();
        let probe = address(&supervisor).await;
        for _ in 0..4 {
            probe.do_send(Do::new(|this, ctx| {
                ctx.spawn(async { panic!("{MEANT}") }.into_actor(this));
            }));
            pass_a_second().await;
        }
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        let again = Decision::Restart {
            after: Duration::ZERO,
            reason: RestartReason::NotResumable,
        };
        let stop = Decision::Stop {
            reason: StopReason::Exhausted,
        };
        let mut wanted = vec![(Some(again), Outcome::Restarted); 3];
        wanted.push((Some(stop), Outcome::Stopped));
        assert_eq!(records(&supervisor).await, wanted);
    });
}

#[test]
fn the_history_is_bounded_and_keeps_the_latest() {
    for capacity in [0_usize, 1, 7] {
        on_virtual_time(async {
            let world = World::new();
            let supervisor = props(&world).with_history_capacity(capacity).start();
            let probe = address(&supervisor).await;
            for _ in 0..20 {
                assert_eq!(probe.send(Do::panic()).await, CLOSED);
            }
            let history = supervisor
                .send(GetFailureHistory::new())
                .await
                .expect("answered");
            let counts = history.iter().map(|f| f.restart_count).collect::<Vec<_>>();
            assert_eq!(counts, (20 - capacity..20).collect::<Vec<_>>());
        });
    }
}

// Addresses.

#[test]
fn a_weak_address_does_not_keep_the_actor_and_is_dead_after_its_end() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        let weak = probe.downgrade();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        let upgraded = weak.upgrade().expect("the address outlives incarnations");
        assert_eq!(upgraded, probe);
        assert_eq!(upgraded.send(Do::nothing()).await, Ok(2));
        drop((probe, upgraded));
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
        assert!(weak.upgrade().is_none_or(|dead| !dead.connected()));
    });
}

#[test]
fn a_recipient_outlives_incarnations() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        let (recipient, weak) = (
            probe.clone().recipient::<Do>(),
            probe.downgrade().recipient::<Do>(),
        );
        drop(probe);
        assert_eq!(recipient.send(Do::panic()).await, CLOSED);
        assert_eq!(recipient.send(Do::nothing()).await, Ok(2));
        let upgraded = weak.upgrade().expect("it is up");
        assert_eq!(upgraded.send(Do::nothing()).await, Ok(2));
        drop((recipient, upgraded));
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
    });
}

#[test]
fn the_address_an_actor_sees_inside_is_the_one_everybody_holds() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        let outside = probe.clone();
        let look = Do::new(move |_, ctx| assert_eq!(ctx.address(), outside));
        assert_eq!(probe.send(look).await, Ok(1));
        let to_itself = Do::new(|_, ctx| {
            ctx.address().do_send(Do::log("to itself"));
            panic!("{MEANT}");
        });
        assert_eq!(probe.send(to_itself).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert!(world.take_log().contains(&"2:to itself".to_owned()));
    });
}

#[test]
fn a_message_whose_destructor_panics_does_not_keep_those_behind_it_waiting() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("{MEANT}: message dropped");
        }
    }
    on_virtual_time(async {
        let world = World::new();
        let probe = typed_props(&world)
            .with_supervision(SupervisionStrategy::Stop)
            .start_actor();
        let stop = probe.send(Do::fail());
        let bomb = Bomb;
        let queued = probe.send(Do::new(move |_, _| drop(bomb)));
        let behind = probe.send(Do::nothing());
        assert_eq!(stop.await, Ok(1));
        let limit = Duration::from_secs(60);
        let queued = actix_rt::time::timeout(limit, queued).await;
        assert_eq!(queued.expect("the asker is told"), CLOSED);
        let behind = actix_rt::time::timeout(limit, behind).await;
        assert_eq!(behind.expect("the asker behind is told"), CLOSED);
    });
}
