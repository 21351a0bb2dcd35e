//! Failures before, during and after a backoff.

use super::*;

// 1. A panicked value is not polled again by its destructor.

#[test]
fn nothing_is_called_on_a_value_that_panicked_outside_a_handler() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        probe.do_send(Do::new(|this, ctx| {
            ctx.spawn(async { panic!("{MEANT}") }.into_actor(this));
        }));
        pass_a_second().await;
        assert_eq!(probe.send(Do::log("message")).await, Ok(2));
        let log = [
            "1:started",
            "1:drop",
            "2:started",
            "2:after_restart",
            "2:message",
        ];
        assert_eq!(world.take_log(), log);
    });
}

#[test]
fn a_second_panic_while_the_first_is_handled_is_recorded_and_not_charged() {
    on_virtual_time(async {
        let world = World::new();
        *world.on_drop.lock().unwrap() = Some(Box::new(|_| panic!("{MEANT}: drop")));
        let supervisor = props(&world).with_supervision(restart(1, 0)).start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(
            outcomes(&supervisor).await,
            [Outcome::Restarted, Outcome::Superseded]
        );
    });
}

// 2., 3. and 8. Backing off.

#[test]
fn messages_queued_while_backing_off_are_handled_although_the_last_address_is_dropped() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world)
            .with_supervision(restart(3, 100))
            .start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        for n in 0..40 {
            probe.do_send(Do::log(n));
        }
        drop(probe);
        pass_a_second().await;
        let log = world.take_log();
        let handled = (0..40).map(|n| format!("2:{n}")).collect::<Vec<_>>();
        assert_eq!(log[log.len() - 43..log.len() - 3], handled);
        assert_eq!(log[log.len() - 2..], ["2:stopped", "2:drop"]);
    });
}

#[test]
fn the_last_address_dropped_while_backing_off_ends_the_actor_at_once() {
    on_virtual_time(async {
        let (world, ended) = (World::new(), Arc::new(Mutex::new(None)));
        let seen = ended.clone();
        let probe = props(&world)
            .with_supervision(restart(3, 3_600_000))
            .with_observer(move |event| {
                if let SupervisionEvent::Ended { reason, .. } = event {
                    *seen.lock().unwrap() = Some(reason.clone());
                }
            })
            .start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        let waiting = probe.clone();
        drop(probe);
        pass_a_second().await;
        assert_eq!(*ended.lock().unwrap(), None);
        drop(waiting);
        assert!(eventually(|| ended.lock().unwrap().is_some()).await);
        assert_eq!(*ended.lock().unwrap(), Some(EndReason::Unreferenced));
        assert_eq!(Arc::strong_count(&world), 1, "the factory is gone");
    });
}

#[test]
fn the_last_address_dropped_with_messages_queued_ends_the_actor_after_them() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        probe.do_send(Do::log(0));
        probe.do_send(Do::panic());
        probe.do_send(Do::log(1));
        drop(probe);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
        let log = world.take_log();
        assert_eq!(log.iter().filter(|entry| *entry == "1:0").count(), 1);
        assert_eq!(
            log[log.len() - 4..],
            ["2:1", "2:stopping", "2:stopped", "2:drop"]
        );
    });
}

#[test]
fn a_sender_blocked_on_a_full_mailbox_goes_on_across_a_restart() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world)
            .with_supervision(restart(9, 100))
            .with_mailbox_capacity(1)
            .start_actor();
        let asks = (0..20).map(|n| {
            let probe = probe.clone();
            async move {
                let mut handled_by = Vec::new();
                for m in 0..5 {
                    let panics = n == 3 && m % 2 == 0;
                    let message = if panics {
                        Do::panic()
                    } else {
                        Do::log(format_args!("{n}/{m}"))
                    };
                    let answer = probe.send(message).await;
                    assert_eq!(answer.is_err(), panics);
                    handled_by.extend(answer);
                }
                handled_by
            }
        });
        let all = actix_rt::time::timeout(Duration::from_secs(60), join_all(asks)).await;
        let all = all.expect("no sender is forgotten").concat();
        assert_eq!(all.len(), 97);
        assert!(all.iter().all(|by| (1..=4).contains(by)));
        let log = world.take_log();
        assert_eq!(log.iter().filter(|entry| entry.contains('/')).count(), 97);
    });
}

#[test]
fn reports_while_backing_off_are_superseded_and_answered_by_the_restart() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world)
            .with_supervision(restart(1, 500))
            .start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        let reports = join_all((0..3).map(|_| supervisor.send(ReportFailure::of(Meant))));
        let before = actix_rt::time::Instant::now();
        for answer in reports.await {
            assert_eq!(answer, Ok(Some(probe.clone())));
        }
        assert_eq!(before.elapsed().as_millis() / 10, 50);
        let wanted = [
            Outcome::Restarted,
            Outcome::Superseded,
            Outcome::Superseded,
            Outcome::Superseded,
        ];
        assert_eq!(outcomes(&supervisor).await, wanted);
    });
}

#[test]
fn of_two_reports_at_once_one_is_charged() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world).with_supervision(restart(1, 0)).start();
        let probe = address(&supervisor).await;
        let reports = join_all((0..2).map(|_| supervisor.send(ReportFailure::of(Meant))));
        assert_eq!(
            reports.await,
            [Ok(Some(probe.clone())), Ok(Some(probe.clone()))]
        );
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(
            outcomes(&supervisor).await,
            [Outcome::Restarted, Outcome::Superseded]
        );
    });
}

#[test]
fn two_reports_under_resume_are_both_decided() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .start();
        let probe = address(&supervisor).await;
        let reports = join_all((0..2).map(|_| supervisor.send(ReportFailure::of(Meant))));
        assert_eq!(
            reports.await,
            [Ok(Some(probe.clone())), Ok(Some(probe.clone()))]
        );
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        let resumed = (Some(Decision::Resume), Outcome::Resumed);
        assert_eq!(records(&supervisor).await, [resumed.clone(), resumed]);
    });
}

#[test]
fn every_one_of_many_reports_at_once_is_answered() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world)
            .with_supervision(restart(1, 100))
            .start();
        let probe = address(&supervisor).await;
        // Each clone of an address has a guaranteed place in the mailbox.
        let reporters = vec![(); 200].into_iter().map(|()| supervisor.clone());
        let reports = reporters.map(|own| async move { own.send(ReportFailure::of(Meant)).await });
        for (n, answer) in join_all(reports).await.into_iter().enumerate() {
            assert_eq!(answer, Ok(Some(probe.clone())), "report {n}");
        }
    });
}

#[test]
fn a_report_before_a_start_that_fails_is_answered() {
    on_virtual_time(async {
        let props = ActorProps::try_plain("/user/unborn", || Err::<Probe, _>(Meant));
        let supervisor = props.with_supervision(SupervisionStrategy::Stop).start();
        let report = supervisor.send(ReportFailure::of(Meant));
        let answer = actix_rt::time::timeout(Duration::from_secs(60), report).await;
        assert_eq!(answer.expect("the report is answered"), Ok(None));
    });
}

#[test]
fn a_report_before_a_start_that_fails_is_not_charged_to_the_next_incarnation() {
    on_virtual_time(async {
        let world = World::new();
        let (inner, mut tries) = (world.clone(), 0);
        let supervisor = ActorProps::try_plain("/user/late", move || {
            tries += 1;
            match tries {
                1 => Err(Meant),
                _ => Ok(Probe::make(&inner)),
            }
        })
        .with_supervision(restart(1, 0))
        .start();
        let answer = supervisor.send(ReportFailure::of(Meant)).await;
        assert!(
            answer.expect("the supervisor is there").is_some(),
            "one restart is allowed"
        );
        assert_eq!(
            outcomes(&supervisor).await,
            [Outcome::Restarted, Outcome::Superseded]
        );
    });
}

#[test]
fn messages_queued_before_a_first_start_that_fails_are_handled_once_it_succeeds() {
    on_virtual_time(async {
        let world = World::new();
        let (inner, mut tries) = (world.clone(), 0);
        let probe = ActorProps::try_plain("/user/late", move || {
            tries += 1;
            match tries {
                1 => Err(Meant),
                2 => panic!("{MEANT}"),
                _ => Ok(Probe::make(&inner)),
            }
        })
        .with_supervision(restart(2, 50))
        .start_actor();
        let asks = (0..20).map(|n| probe.send(Do::log(n)));
        let answers = join_all(asks.collect::<Vec<_>>()).await;
        assert!(answers.iter().all(|answer| *answer == Ok(1)));
        let handled = (0..20).map(|n| format!("1:{n}")).collect::<Vec<_>>();
        assert_eq!(world.take_log()[1..], handled);
    });
}
