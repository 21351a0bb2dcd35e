//! What is called on an incarnation, and what ends with it.

use super::*;

// 9. The value after a panic in a handler.

#[test]
fn the_hooks_are_called_in_the_documented_order() {
    let restart_order = ["before_restart", "stopped", "drop"];
    on_virtual_time(async {
        let world = World::new();
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        assert_eq!(world.take_log(), ["1:started"]);
        for (number, failure) in (1..).zip([Do::panic(), Do::fail()]) {
            let _ = probe.send(failure).await;
            assert_eq!(probe.send(Do::log("first message")).await, Ok(number + 1));
            let mut wanted = restart_order
                .map(|entry| format!("{number}:{entry}"))
                .to_vec();
            wanted.extend(
                ["started", "after_restart", "first message"]
                    .map(|entry| format!("{}:{entry}", number + 1)),
            );
            assert_eq!(world.take_log(), wanted);
        }
        // A report is a failure of the same sort.
        assert!(supervisor.send(ReportFailure::of(Meant)).await.is_ok());
        let wanted = [
            "3:before_restart",
            "3:stopped",
            "3:drop",
            "4:started",
            "4:after_restart",
        ];
        assert_eq!(world.take_log(), wanted);
    });
}

#[test]
fn a_permanent_actor_that_stops_is_asked_and_is_not_told_of_a_restart() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world)
            .with_restart_type(RestartType::Permanent)
            .start_actor();
        assert_eq!(probe.send(Do::stop()).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let log = [
            "1:started",
            "1:stopping",
            "1:stopped",
            "1:drop",
            "2:started",
            "2:after_restart",
        ];
        assert_eq!(world.take_log(), log);
    });
}

#[test]
fn an_actor_that_is_stopped_by_its_strategy_is_not_asked() {
    for strategy in [SupervisionStrategy::Stop, SupervisionStrategy::Escalate] {
        on_virtual_time(async {
            let world = World::new();
            let probe = typed_props(&world)
                .with_supervision(strategy.clone())
                .start_actor();
            assert_eq!(probe.send(Do::fail()).await, Ok(1));
            assert_eq!(probe.send(Do::nothing()).await, CLOSED);
            assert_eq!(world.take_log(), ["1:started", "1:stopped", "1:drop"]);
        });
    }
}

#[test]
fn an_actor_that_is_resumed_notices_nothing() {
    on_virtual_time(async {
        let world = World::new();
        let probe = typed_props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .start_actor();
        assert_eq!(probe.send(Do::fail()).await, Ok(1));
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(world.take_log(), ["1:started"]);
    });
}

#[test]
fn what_started_waits_for_comes_before_after_restart() {
    on_virtual_time(async {
        let world = World::new();
        on(&world.on_started, |n, ctx| {
            let work = actix::fut::wrap_future::<_, Probe>(actix_rt::time::sleep(ms(50)));
            ctx.wait(work.map(move |(), this, _| this.world.log(format_args!("{n}:waited"))));
        });
        let probe = props(&world).start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::log("message")).await, Ok(2));
        let log = ["2:started", "2:waited", "2:after_restart", "2:message"];
        assert_eq!(world.take_log()[5..], log);
    });
}

#[test]
fn nothing_more_is_called_on_a_value_whose_after_restart_panicked() {
    on_virtual_time(async {
        let world = World::new();
        on(&world.on_after_restart, |n, _| assert_ne!(n, 2, "{MEANT}"));
        let probe = props(&world).start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(3));
        // "Nothing is called on a value that a panic left half-changed outside a handler."
        let log = [
            "2:started",
            "2:after_restart",
            "2:drop",
            "3:started",
            "3:after_restart",
        ];
        assert_eq!(world.take_log()[4..], log);
    });
}

#[test]
fn started_is_called_once_on_a_value_that_fails_before_it_waits() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        probe.do_send(Do::new(|this, ctx| {
            ctx.fail(Meant);
            ctx.wait(actix_rt::time::sleep(Duration::from_secs(9)).into_actor(this));
        }));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let log = world.take_log();
        assert_eq!(
            log.iter().filter(|entry| *entry == "1:started").count(),
            1,
            "{log:?}"
        );
        assert_eq!(log.iter().filter(|entry| *entry == "1:drop").count(), 1);
    });
}

#[test]
fn started_is_called_once_on_a_value_that_is_ended_through_its_supervisor() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(supervisor.send(End).await, Ok(()));
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        let mut log = world.take_log();
        log.retain(|entry| entry != "1:stopping"); // asked or not is not promised
        assert_eq!(log, ["1:started", "1:stopped", "1:drop"]);
    });
}

#[test]
fn an_actor_that_vetoes_is_ended_through_its_supervisor_all_the_same() {
    on_virtual_time(async {
        let world = World::new();
        on(&world.on_stopping, |_, _| Running::Continue);
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(supervisor.send(End).await, Ok(()));
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        assert_eq!(world.made(), 1);
    });
}

#[test]
fn ending_through_the_supervisor_cuts_a_backoff_short() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world)
            .with_supervision(restart(3, 3_600_000))
            .start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        let queued = probe.send(Do::nothing());
        assert_eq!(supervisor.send(End).await, Ok(()));
        assert_eq!(queued.await, CLOSED);
        assert_eq!(records(&supervisor).await[0].1, Outcome::Stopped);
        assert_eq!(Arc::strong_count(&world), 1);
    });
}

// What belongs to an incarnation ends with it.

#[test]
fn timers_streams_and_notifications_of_an_incarnation_end_with_it() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).with_supervision(restart(9, 50)).start_actor();
        probe.do_send(Do::new(|this, ctx| {
            ctx.run_interval(ms(10), |this, _| this.world.log("interval"));
            ctx.run_later(ms(40), |this, _| this.world.log("later"));
            ctx.notify_later(Do::log("notified later"), ms(40));
            ctx.notify(Do::log("notified"));
            let sleep = actix_rt::time::sleep(ms(40)).into_actor(this);
            ctx.spawn(sleep.map(|(), this, _| this.world.log("spawned")));
            panic!("{MEANT}");
        }));
        pass_a_second().await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let log = world.take_log();
        assert!(log.iter().all(|entry| entry.contains(':')), "{log:?}");
    });
}

#[test]
fn a_handle_cancelled_by_the_failing_incarnation_does_not_reach_the_next() {
    on_virtual_time(async {
        let world = World::new();
        let ticks = Arc::new(AtomicUsize::new(0));
        let handles = Arc::new(Mutex::new(None));
        let (ticked, set) = (ticks.clone(), handles.clone());
        on(&world.on_started, move |n, ctx| {
            let ticked = ticked.clone();
            let timer = ctx.run_interval(ms(100), move |_, _| {
                if n == 2 {
                    ticked.fetch_add(1, Ordering::SeqCst);
                }
            });
            set.lock().unwrap().get_or_insert(timer);
        });
        let probe = props(&world).start_actor();
        // The first incarnation's timer has the number that the second one's will have.
        let cancel = handles.clone();
        probe.do_send(Do::new(move |_, ctx| {
            let timer = cancel.lock().unwrap().expect("it was started");
            ctx.cancel_future(timer);
            panic!("{MEANT}");
        }));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        actix_rt::time::sleep(ms(1_050)).await;
        assert_eq!(ticks.load(Ordering::SeqCst), 10);
    });
}

#[test]
fn state_is_handed_over_once_and_to_the_next_incarnation_only() {
    on_virtual_time(async {
        let world = World::new();
        let (given, found) = (Arc::new(()), Arc::new(Mutex::new(Vec::new())));
        let (give, find) = (given.clone(), found.clone());
        on(&world.on_before_restart, move |n, ctx| {
            assert!(ctx.hand_over(n).is_ok());
            assert!(
                ctx.hand_over(n * 10).is_ok(),
                "the last one of a type is kept"
            );
            assert!(ctx.hand_over(give.clone()).is_ok());
        });
        on(&world.on_started, move |_, ctx| {
            let mut found = find.lock().unwrap();
            found.push(ctx.take_handed::<u64>());
            found.push(ctx.take_handed::<u64>());
        });
        let probe = props(&world).start_actor();
        for n in 1..3 {
            assert_eq!(probe.send(Do::panic()).await, CLOSED);
            assert_eq!(probe.send(Do::nothing()).await, Ok(n + 1));
            assert_eq!(
                Arc::strong_count(&given),
                2,
                "what is not fetched is dropped"
            );
        }
        assert_eq!(
            *found.lock().unwrap(),
            [None, None, Some(10), None, Some(20), None]
        );
    });
}

#[test]
fn a_failure_of_a_task_of_an_earlier_incarnation_is_recorded_and_not_charged() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world).with_supervision(restart(1, 0)).start();
        let probe = address(&supervisor).await;
        probe.do_send(Do::new(|_, ctx| {
            actix_rt::spawn(ctx.watch(async {
                actix_rt::time::sleep(ms(100)).await;
                panic!("{MEANT}");
            }));
        }));
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        pass_a_second().await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(
            outcomes(&supervisor).await,
            [Outcome::Restarted, Outcome::Superseded]
        );
    });
}

#[test]
fn a_watched_future_that_panics_inside_its_actor_is_charged_once() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world).with_supervision(restart(1, 0)).start();
        let probe = address(&supervisor).await;
        probe.do_send(Do::new(|this, ctx| {
            let watched = ctx.watch(async { panic!("{MEANT}") });
            ctx.spawn(watched.into_actor(this));
        }));
        pass_a_second().await;
        assert_eq!(
            probe.send(Do::nothing()).await,
            Ok(2),
            "one restart is allowed"
        );
        assert_eq!(
            outcomes(&supervisor).await,
            [Outcome::Restarted, Outcome::Superseded]
        );
    });
}

#[test]
fn a_watched_response_future_reports_and_its_asker_is_answered() {
    struct Answers;
    impl Actor for Answers {
        type Context = Context<Self>;
    }
    #[derive(Message)]
    #[rtype(result = "u64")]
    struct Ask(bool);
    impl Handler<Ask> for Answers {
        type Result = ResponseFuture<u64>;
        fn handle(&mut self, ask: Ask, ctx: &mut Context<Self>) -> Self::Result {
            let incarnation = ctx.incarnation();
            Box::pin(ctx.watch(async move {
                assert!(ask.0, "{MEANT}");
                incarnation
            }))
        }
    }
    on_virtual_time(async {
        let answers = ActorProps::plain("/user/answers", || Answers).start_actor();
        assert_eq!(answers.send(Ask(true)).await, Ok(1));
        assert_eq!(answers.send(Ask(false)).await, CLOSED);
        pass_a_second().await;
        assert_eq!(answers.send(Ask(true)).await, Ok(2));
    });
}
