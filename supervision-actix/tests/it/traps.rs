//! The traps of the mechanism, one test each, in the order in which the design lists them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use actix::prelude::*;
use futures_util::future::join_all;
use supervision_actix::{Decision, RestartReason, StopReason, prelude::*};

use crate::{
    child::alone,
    probe::{
        Do, End, Meant, Probe, World, eventually, on, pass_a_second, props, restart, typed_props,
    },
    quiet::{MEANT, on_system, on_virtual_time},
};

const CLOSED: Result<u64, MailboxError> = Err(MailboxError::Closed);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn records(supervisor: &Addr<SupervisorActor<Probe>>) -> Vec<(Option<Decision>, Outcome)> {
    let records = supervisor.send(GetFailureRecords::new()).await;
    let records = records.expect("the supervisor answers");
    records
        .into_iter()
        .map(|r| (r.decision, r.outcome))
        .collect()
}

async fn address(supervisor: &Addr<SupervisorActor<Probe>>) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address
        .expect("the supervisor answers")
        .expect("the actor is up")
}

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
        let (_, outcomes): (Vec<_>, Vec<_>) = records(&supervisor).await.into_iter().unzip();
        assert_eq!(outcomes, [Outcome::Restarted, Outcome::Superseded]);
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
        let outcomes = records(&supervisor)
            .await
            .into_iter()
            .map(|(_, outcome)| outcome);
        let wanted = [
            Outcome::Restarted,
            Outcome::Superseded,
            Outcome::Superseded,
            Outcome::Superseded,
        ];
        assert_eq!(outcomes.collect::<Vec<_>>(), wanted);
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
        let outcomes = records(&supervisor)
            .await
            .into_iter()
            .map(|(_, outcome)| outcome);
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
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
        let props = ActorProps::try_plain("/user/unborn", || {
            Err::<Probe, _>(Box::new(Meant) as Box<dyn std::error::Error + Send>)
        });
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
                1 => Err(Box::new(Meant) as Box<dyn std::error::Error + Send>),
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
        let outcomes = records(&supervisor)
            .await
            .into_iter()
            .map(|(_, outcome)| outcome);
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
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
                1 => Err(Box::new(Meant) as Box<dyn std::error::Error + Send>),
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

// 4. The pump.

#[test]
fn a_handler_that_cancels_its_own_handle_does_not_stop_the_actor() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        for n in 0..3 {
            let cancel = Do::new(|_, ctx| {
                let own = ctx.handle();
                ctx.cancel_future(own);
            });
            assert_eq!(probe.send(cancel).await, Ok(1));
            assert_eq!(probe.send(Do::log(n)).await, Ok(1));
        }
        let both = Do::new(|_, ctx| {
            let own = ctx.handle();
            ctx.cancel_future(own);
            panic!("{MEANT}");
        });
        assert_eq!(probe.send(both).await, CLOSED);
        assert_eq!(probe.send(Do::log(3)).await, Ok(2));
        drop(probe);
        assert!(
            eventually(|| Arc::strong_count(&world) == 1).await,
            "it can still end"
        );
    });
}

#[test]
fn an_actor_that_refuses_to_end_is_reachable_again_by_a_weak_address() {
    on_virtual_time(async {
        let world = World::new();
        let refusals = AtomicUsize::new(0);
        on(&world.on_stopping, move |_, _| {
            match refusals.fetch_add(1, Ordering::SeqCst) {
                0 => Running::Continue,
                _ => Running::Stop,
            }
        });
        let probe = props(&world).start_actor();
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        let weak = probe.downgrade();
        drop(probe);
        let mut log = Vec::new();
        assert!(
            eventually(|| {
                log.extend(world.take_log());
                log.iter().any(|entry| entry == "1:stopping")
            })
            .await
        );
        let again = weak.upgrade();
        let again =
            again.unwrap_or_else(|| panic!("the actor has ended: {log:?} {:?}", world.take_log()));
        assert_eq!(again.send(Do::log("again")).await, Ok(1));
        assert_eq!(again.send(Do::panic()).await, CLOSED);
        assert_eq!(again.send(Do::nothing()).await, Ok(2));
        drop(again);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
    });
}

// 5. The zombie.

#[test]
fn a_stopping_that_fails_and_goes_on_leaves_no_zombie() {
    on_virtual_time(async {
        let world = World::new();
        on(&world.on_stopping, |n, ctx| {
            if n == 1 {
                ctx.fail(Meant);
            }
            Running::Continue
        });
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::stop()).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        // The same where nobody is left: `stopping` is asked because the last address went.
        assert_eq!(records(&supervisor).await.len(), 1);
    });
}

#[test]
fn a_failure_in_stopping_after_the_last_address_went_is_decided() {
    on_virtual_time(async {
        let world = World::new();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        on(&world.on_stopping, |n, ctx| {
            if n == 1 {
                ctx.fail(Meant);
                return Running::Continue;
            }
            Running::Stop
        });
        let probe = props(&world)
            .with_observer(move |event| {
                if matches!(event, SupervisionEvent::Failed { .. }) {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
            .start_actor();
        drop(probe);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_failure_and_a_panic_in_one_handler_are_decided_once() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world).with_supervision(restart(1, 0)).start();
        let probe = address(&supervisor).await;
        let both = Do::new(|_, ctx| {
            ctx.fail(Meant);
            panic!("{MEANT}");
        });
        assert_eq!(probe.send(both).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let outcomes = records(&supervisor)
            .await
            .into_iter()
            .map(|(_, outcome)| outcome);
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
            [Outcome::Restarted, Outcome::Superseded]
        );
    });
}

#[test]
fn a_handler_that_fails_in_a_loop_is_bounded() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .with_history_capacity(100_000)
            .start();
        let probe = address(&supervisor).await;
        let often = Do::new(|_, ctx| (0..1_000).for_each(|_| ctx.fail(Meant)));
        assert_eq!(probe.send(often).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(records(&supervisor).await.len(), 64);
    });
}

// 6. The capacity.

/// How many messages fit before senders are refused.
fn room(probe: &Addr<Probe>) -> usize {
    let own = probe.clone();
    (0..1_000)
        .take_while(|_| own.try_send(Do::nothing()).is_ok())
        .count()
}

#[test]
fn a_capacity_that_an_incarnation_set_ends_with_it() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).with_mailbox_capacity(5).start_actor();
        assert_eq!(room(&probe), 5);
        assert_eq!(
            probe
                .send(Do::new(|_, ctx| ctx.set_mailbox_capacity(50)))
                .await,
            Ok(1)
        );
        assert_eq!(room(&probe), 50);
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(room(&probe), 5);
    });
}

#[test]
fn a_capacity_that_an_incarnation_set_does_not_outlive_it_while_backing_off() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world)
            .with_supervision(restart(1, 60_000))
            .start_actor();
        assert_eq!(
            probe
                .send(Do::new(|_, ctx| ctx.set_mailbox_capacity(1)))
                .await,
            Ok(1)
        );
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        // One message more than fit may wait beside the mailbox.
        assert!(room(&probe) >= 16);
    });
}

// 7. The thread is not blocked.

#[test]
fn an_actor_that_stops_in_started_does_not_block_the_thread() {
    alone(
        "traps::an_actor_that_stops_in_started_does_not_block_the_thread",
        Duration::from_secs(20),
        || {
            on_virtual_time(async {
                let world = World::new();
                on(&world.on_started, |_, ctx| ctx.stop());
                let _probe = props(&world)
                    .with_restart_type(RestartType::Permanent)
                    .start_actor();
                let sibling = ActorProps::plain("/user/sibling", {
                    let world = World::new();
                    move || Probe::make(&world)
                });
                let sibling = sibling.start_actor();
                for _ in 0..10 {
                    assert_eq!(sibling.send(Do::nothing()).await, Ok(1));
                }
                assert!(world.made() > 100, "it was started again and again");
            });
        },
    );
}

#[test]
fn an_actor_that_fails_at_every_start_ends_with_its_last_address() {
    alone(
        "traps::an_actor_that_fails_at_every_start_ends_with_its_last_address",
        Duration::from_secs(20),
        || {
            for permanent in [false, true] {
                on_virtual_time(async {
                    let world = World::new();
                    on(&world.on_started, move |_, ctx| match permanent {
                        true => ctx.stop(),
                        false => ctx.fail(Meant),
                    });
                    let restart_type = if permanent {
                        RestartType::Permanent
                    } else {
                        RestartType::Transient
                    };
                    let probe = props(&world).with_restart_type(restart_type).start_actor();
                    assert!(eventually(|| world.made() > 40).await);
                    drop(probe);
                    let gone = eventually(|| Arc::strong_count(&world) == 1).await;
                    assert!(gone, "still starting: {} values made", world.made());
                });
            }
        },
    );
}

#[test]
fn a_future_that_fails_at_every_poll_does_not_block_the_thread_under_resume() {
    on_virtual_time(async {
        let world = World::new();
        let others = Arc::new(AtomicUsize::new(0));
        let turns = others.clone();
        actix_rt::spawn(async move {
            loop {
                turns.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
        let probe = typed_props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .start_actor();
        let fails = Arc::new(AtomicUsize::new(0));
        let failed = fails.clone();
        probe.do_send(Do::new(move |_, ctx| {
            ctx.spawn(
                actix::fut::wrap_future::<_, Probe>(std::future::ready(()))
                    .then(move |(), _, _| FailsAtEveryPoll(failed)),
            );
        }));
        assert!(eventually(|| fails.load(Ordering::SeqCst) == FailsAtEveryPoll::TIMES).await);
        let turns = others.load(Ordering::SeqCst);
        assert!(
            turns > 10,
            "others had {turns} turns during {} failures",
            FailsAtEveryPoll::TIMES
        );
    });
}

/// Fails whenever it is polled, and stays pending; a limit keeps the test from hanging.
struct FailsAtEveryPoll(Arc<AtomicUsize>);

impl FailsAtEveryPoll {
    const TIMES: usize = 20_000;
}

impl ActorFuture<Probe> for FailsAtEveryPoll {
    type Output = ();

    fn poll(
        self: std::pin::Pin<&mut Self>,
        _: &mut Probe,
        ctx: &mut Context<Probe>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<()> {
        if self.0.load(Ordering::SeqCst) == Self::TIMES {
            return Poll::Ready(());
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        ctx.fail(Meant);
        Poll::Pending
    }
}

#[test]
fn a_future_cancelled_in_before_restart_does_not_block_the_thread() {
    alone(
        "traps::a_future_cancelled_in_before_restart_does_not_block_the_thread",
        Duration::from_secs(10),
        || {
            on_virtual_time(async {
                let world = World::new();
                let timer = Arc::new(Mutex::new(None));
                let (set, cancel) = (timer.clone(), timer);
                on(&world.on_started, move |_, ctx| {
                    *set.lock().unwrap() = Some(ctx.run_interval(ms(100), |_, _| {}));
                });
                on(&world.on_before_restart, move |_, ctx| {
                    let timer = cancel.lock().unwrap().take().expect("it was started");
                    ctx.cancel_future(timer);
                });
                let probe = props(&world).start_actor();
                assert_eq!(probe.send(Do::panic()).await, CLOSED);
                assert_eq!(probe.send(Do::nothing()).await, Ok(2));
            });
        },
    );
}

#[test]
fn a_waited_future_that_cancels_another_and_fails_does_not_block_the_thread() {
    alone(
        "traps::a_waited_future_that_cancels_another_and_fails_does_not_block_the_thread",
        Duration::from_secs(10),
        || {
            on_virtual_time(async {
                let world = World::new();
                let probe = props(&world).start_actor();
                probe.do_send(Do::new(|this, ctx| {
                    let timer = ctx.run_interval(ms(100), |_, _| {});
                    let work = actix_rt::time::sleep(ms(10)).into_actor(this);
                    ctx.wait(work.map(move |(), _, ctx: &mut Context<Probe>| {
                        ctx.cancel_future(timer);
                        ctx.fail(Meant);
                    }));
                }));
                assert_eq!(probe.send(Do::nothing()).await, Ok(2));
            });
        },
    );
}

#[test]
fn a_handler_that_cancels_a_future_and_fails_is_restarted() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        probe.do_send(Do::new(|_, ctx| {
            let timer = ctx.run_interval(ms(100), |_, _| {});
            ctx.cancel_future(timer);
            ctx.fail(Meant);
        }));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
    });
}

#[test]
fn asking_a_context_whose_actor_has_no_address_does_not_wake_it_for_ever() {
    on_virtual_time(async {
        let world = World::new();
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        on(&world.on_started, move |_, ctx| {
            ctx.spawn(Asks(counted.clone()));
        });
        let _supervisor = props(&world).start();
        let _ = eventually(|| false).await;
        let polls = polls.load(Ordering::SeqCst);
        assert!(polls < 100, "polled {polls} times while nothing happened");
    });
}

/// Asks its context for the incarnation whenever it is polled.
struct Asks(Arc<AtomicUsize>);

impl ActorFuture<Probe> for Asks {
    type Output = ();

    fn poll(
        self: std::pin::Pin<&mut Self>,
        _: &mut Probe,
        ctx: &mut Context<Probe>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<()> {
        assert_eq!(ctx.incarnation(), 1);
        self.0.fetch_add(1, Ordering::SeqCst);
        Poll::Pending
    }
}

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
        let outcomes = records(&supervisor)
            .await
            .into_iter()
            .map(|(_, outcome)| outcome);
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
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
        let outcomes = records(&supervisor)
            .await
            .into_iter()
            .map(|(_, outcome)| outcome);
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
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

// Contexts that are not this actor's.

#[test]
fn a_failure_in_an_actor_that_is_not_supervised_stops_it() {
    on_virtual_time(async {
        let world = World::new();
        let probe = Probe::make(&world).start();
        let look = Do::new(|this, ctx| {
            assert!(!ctx.is_supervised());
            assert_eq!(ctx.incarnation(), 0);
            assert!(ctx.supervisor().is_none());
            assert!(ctx.take_handed::<u8>().is_none());
            assert_eq!(ctx.hand_over(7_u8).expect_err("nobody takes it").0, 7);
            assert!(ctx.try_fail(Meant).is_err());
            this.world.log("looked");
        });
        assert_eq!(probe.send(look).await, Ok(1));
        assert_eq!(probe.send(Do::fail()).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        assert_eq!(
            world.take_log(),
            ["1:started", "looked", "1:stopping", "1:stopped", "1:drop"]
        );
    });
}

#[test]
fn failing_the_context_of_an_actor_being_created_does_not_fail_its_creator() {
    on_virtual_time(async {
        let (world, other) = (World::new(), World::new());
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let inner = other.clone();
        let create = Do::new(move |_, _| {
            let created = Probe::create(|ctx| {
                assert!(!ctx.is_supervised());
                ctx.fail(Meant);
                Probe::make(&inner)
            });
            drop(created);
        });
        assert_eq!(probe.send(create).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(records(&supervisor).await, []);
        assert!(eventually(|| other.take_log().contains(&"1:drop".to_owned())).await);
    });
}

#[test]
fn a_supervised_actor_can_start_supervised_actors_of_its_own_type() {
    on_virtual_time(async {
        let (world, inner) = (World::new(), World::new());
        let children = Arc::new(Mutex::new(Vec::new()));
        let (mine, theirs) = (children.clone(), inner.clone());
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let spawn = Do::new(move |_, ctx| {
            let before = ctx.incarnation();
            for _ in 0..3 {
                let child = props(&theirs).start_actor();
                child.do_send(Do::panic());
                mine.lock().unwrap().push(child);
            }
            assert_eq!(ctx.incarnation(), before);
            ctx.fail(Meant);
        });
        assert_eq!(probe.send(spawn).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let children = std::mem::take(&mut *children.lock().unwrap());
        for child in &children {
            assert!(child.send(Do::nothing()).await.is_ok());
        }
        assert_eq!(inner.made(), 6);
        assert_eq!(records(&supervisor).await.len(), 1);
    });
}

#[test]
fn a_supervised_actor_dropped_inside_the_handler_of_another_leaves_that_one_alone() {
    on_system(async {
        let (world, other) = (World::new(), World::new());
        on(&other.on_stopping, |_, _| Running::Continue);
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let theirs = other.clone();
        let (give, take) = std::sync::mpsc::channel();
        // A `LocalSet` is not `Send`, so the handler makes it, and another one drops it.
        thread_local! {
            static PARKED: std::cell::RefCell<Option<(tokio::task::LocalSet, Addr<Probe>)>> =
                const { std::cell::RefCell::new(None) };
        }
        let make = Do::new(move |_, _| {
            let set = tokio::task::LocalSet::new();
            let entered = set.enter();
            let child = props(&theirs).start_actor();
            drop(entered);
            PARKED.set(Some((set, child)));
        });
        assert_eq!(probe.send(make).await, Ok(1));
        let Some((set, child)) = PARKED.take() else {
            panic!("nothing was parked");
        };
        set.run_until(async { assert_eq!(child.send(Do::nothing()).await, Ok(1)) })
            .await;
        PARKED.set(Some((set, child)));
        let drop_it = Do::new(move |_, ctx| {
            let me = ctx.address();
            me.do_send(Do::log("mine"));
            drop(PARKED.take());
            give.send(()).expect("the test waits");
        });
        assert_eq!(probe.send(drop_it).await, Ok(1));
        take.recv().expect("it was dropped");
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert!(world.take_log().contains(&"1:mine".to_owned()));
        assert!(
            !other.take_log().contains(&"1:mine".to_owned()),
            "handled by the wrong actor"
        );
        assert_eq!(records(&supervisor).await, []);
    });
}

// The supervisor.

#[test]
fn the_supervisor_keeps_the_actor_and_answers_after_its_end() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = props(&world).start();
        pass_a_second().await;
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::log("kept")).await, Ok(1));
        drop(probe);
        pass_a_second().await;
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::stop()).await, Ok(2));
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        assert_eq!(Arc::strong_count(&world), 1, "value and factory are gone");
        for _ in 0..3 {
            assert_eq!(supervisor.send(GetActorAddr::new()).await, Ok(None));
            assert_eq!(supervisor.send(ReportFailure::of(Meant)).await, Ok(None));
            assert_eq!(records(&supervisor).await.len(), 1);
            assert_eq!(
                supervisor
                    .send(GetFailureHistory::new())
                    .await
                    .map(|h| h.len()),
                Ok(1)
            );
        }
        assert!(supervisor.connected());
    });
}

#[test]
fn the_actor_ends_when_its_supervisor_is_dropped_and_nobody_holds_it() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        drop(supervisor);
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        drop(probe);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);

        let supervisor = props(&world).start();
        assert!(eventually(|| world.made() == 2).await);
        drop(supervisor);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
        assert_eq!(world.take_log().last().map(String::as_str), Some("2:drop"));
    });
}

#[test]
fn a_supervisor_found_from_inside_works_and_keeps_the_actor() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        let found = Arc::new(Mutex::new(None));
        let find = found.clone();
        let look = Do::new(move |_, ctx| *find.lock().unwrap() = ctx.supervisor());
        assert_eq!(probe.send(look).await, Ok(1));
        drop(probe);
        let supervisor = found.lock().unwrap().take().expect("it is supervised");
        pass_a_second().await;
        let again = address(&supervisor).await;
        assert!(
            supervisor
                .send(ReportFailure::of(Meant))
                .await
                .expect("answered")
                .is_some()
        );
        assert_eq!(again.send(Do::nothing()).await, Ok(2));
        drop((supervisor, again));
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
    });
}

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

// Arbiters and runtimes.

/// Runs a task on the arbiter and waits for it: all that was sent before has been taken in.
async fn settled(arbiter: &Arbiter) {
    let (tell, told) = tokio::sync::oneshot::channel();
    arbiter.spawn(async { tell.send(()).expect("somebody waits") });
    told.await.expect("the arbiter runs");
}

#[test]
fn an_actor_on_another_arbiter_is_supervised_there() {
    on_system(async {
        let (world, arbiter) = (World::new(), Arbiter::new());
        let supervisor = props(&world).start_in_arbiter(&arbiter.handle());
        let probe = address(&supervisor).await;
        let own = props(&world).start_actor_in_arbiter(&arbiter.handle());
        for actor in [&probe, &own] {
            let here = std::thread::current().id();
            let look = Do::new(move |_, _| assert_ne!(std::thread::current().id(), here));
            assert!(actor.send(look).await.is_ok());
            assert_eq!(actor.send(Do::panic()).await, CLOSED);
            assert!(actor.send(Do::nothing()).await.is_ok());
        }
        assert_eq!(world.made(), 4);
        assert!(
            supervisor
                .send(ReportFailure::of(Meant))
                .await
                .expect("answered")
                .is_some()
        );
        assert_eq!(world.made(), 5);
        settled(&arbiter).await;
        drop((probe, own, supervisor));
        arbiter.stop();
        arbiter.join().expect("no panic on the arbiter");
        assert_eq!(Arc::strong_count(&world), 1);
    });
}

#[test]
fn stopping_an_arbiter_stops_its_actors_in_order_even_if_they_panic() {
    on_system(async {
        let (world, arbiter) = (World::new(), Arbiter::new());
        on(&world.on_stopped, |n, _| {
            assert_ne!(n % 3, 0, "{MEANT}: stopped")
        });
        *world.on_drop.lock().unwrap() = Some(Box::new(|n| assert_ne!(n % 3, 1, "{MEANT}: drop")));
        let probes = (0..6).map(|_| props(&world).start_actor_in_arbiter(&arbiter.handle()));
        let probes = probes.collect::<Vec<_>>();
        for probe in &probes {
            assert!(probe.send(Do::nothing()).await.is_ok());
        }
        // One backs off, with a message queued.
        let waiting = typed_props(&world).with_supervision(restart(3, 3_600_000));
        let waiting = waiting.start_actor_in_arbiter(&arbiter.handle());
        assert_eq!(waiting.send(Do::panic()).await, CLOSED);
        let queued = waiting.send(Do::nothing());
        arbiter.stop();
        arbiter.join().expect("no panic on the arbiter");
        assert_eq!(queued.await, CLOSED);
        for probe in &probes {
            assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        }
        let log = world.take_log();
        let count = |name: &str| log.iter().filter(|entry| entry.ends_with(name)).count();
        assert_eq!(
            (count("started"), count(":stopped"), count("drop")),
            (7, 7, 7),
            "{log:?}"
        );
        assert_eq!(Arc::strong_count(&world), 1);
    });
}

#[test]
fn an_actor_that_vetoes_its_end_does_not_keep_its_arbiter() {
    on_system(async {
        let (world, arbiter) = (World::new(), Arbiter::new());
        on(&world.on_stopping, |_, ctx| {
            ctx.fail(Meant);
            Running::Continue
        });
        let probe = props(&world).start_actor_in_arbiter(&arbiter.handle());
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        probe.do_send(Do::nothing());
        arbiter.stop();
        arbiter.join().expect("no panic on the arbiter");
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        assert_eq!(Arc::strong_count(&world), 1);
    });
}

#[test]
fn a_start_on_a_stopped_arbiter_is_refused() {
    on_system(async {
        let (world, arbiter) = (World::new(), Arbiter::new());
        let handle = arbiter.handle();
        arbiter.stop();
        arbiter.join().expect("no panic on the arbiter");
        let refused = props(&world).try_start_in_arbiter(&handle);
        assert_eq!(refused.err(), Some(StartError::ArbiterStopped));
        let refused = props(&world).try_start_actor_in_arbiter(&handle);
        assert_eq!(refused.err(), Some(StartError::ArbiterStopped));
        assert_eq!(world.made(), 0);
        assert_eq!(Arc::strong_count(&world), 1);
    });
}

#[test]
fn what_cannot_be_started_is_refused_with_the_reason() {
    let world = World::new();
    assert_eq!(props(&world).try_start().err(), Some(StartError::NoRuntime));
    assert_eq!(
        props(&world).try_start_actor().err(),
        Some(StartError::NoRuntime)
    );
    on_virtual_time(async {
        let make = |path: String| {
            let world = World::new();
            ActorProps::plain(path, move || Probe::make(&world))
        };
        for path in [String::new(), "a\nb".into(), "x".repeat(1_025)] {
            assert!(matches!(
                make(path).try_start_actor(),
                Err(StartError::Path(_))
            ));
        }
        assert!(make("x".repeat(1_024)).try_start_actor().is_ok());
        for capacity in [usize::MAX, usize::MAX >> 1, usize::MAX >> 2] {
            let refused = make("/a".into())
                .with_mailbox_capacity(capacity)
                .try_start()
                .err();
            assert_eq!(refused, Some(StartError::MailboxCapacity(capacity)));
        }
        let largest = make("/a".into())
            .with_mailbox_capacity(usize::MAX >> 3)
            .try_start_actor();
        assert_eq!(largest.expect("valid").send(Do::nothing()).await, Ok(1));
        let unlimited = make("/a".into()).with_mailbox_capacity(0).try_start_actor();
        assert_eq!(unlimited.expect("valid").send(Do::nothing()).await, Ok(1));
        let zero = SupervisionStrategy::Restart {
            max_restarts: 1,
            window: Duration::ZERO,
            delay: Duration::ZERO,
        };
        let refused = make("/a".into()).with_supervision(zero.clone()).try_start();
        assert!(matches!(refused, Err(StartError::Strategy(problem)) if problem.field == "window"));
        let panics =
            std::panic::AssertUnwindSafe(|| make("/a".into()).with_supervision(zero).start());
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let refused = std::panic::catch_unwind(panics);
        std::panic::set_hook(hook);
        assert!(refused.is_err());
    });
    assert_eq!(world.made(), 0);
}

#[test]
fn a_bare_local_set_is_enough() {
    crate::quiet::silence();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new();
        let probe = typed_props(&world)
            .with_supervision(restart(3, 1))
            .start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        drop(probe);
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
    });
}

#[test]
fn messages_from_many_threads_survive_restarts_without_a_lost_wake_up() {
    on_system(async {
        const THREADS: usize = 4;
        const EACH: usize = 2_000;
        let (world, arbiter) = (World::new(), Arbiter::new());
        let probe = typed_props(&world)
            .with_supervision(restart(usize::MAX, 1))
            .start_actor_in_arbiter(&arbiter.handle());
        let (handled, done) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let threads = (0..THREADS).map(|thread| {
            let (probe, handled) = (probe.clone(), handled.clone());
            std::thread::spawn(move || {
                for n in 0..EACH {
                    let handled = handled.clone();
                    probe.do_send(Do::new(move |_, _| {
                        handled.fetch_add(1, Ordering::SeqCst);
                        assert_ne!(n % 100, thread, "{MEANT}");
                    }));
                }
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().expect("no panic");
        }
        let over = done.clone();
        let last = Do::new(move |_, _| over.store(true, Ordering::SeqCst));
        assert!(probe.send(last).await.is_ok());
        assert!(done.load(Ordering::SeqCst));
        assert_eq!(handled.load(Ordering::SeqCst), THREADS * EACH);
        assert_eq!(world.made(), 1 + (THREADS * EACH / 100) as u64);
        drop(probe);
        arbiter.stop();
        arbiter.join().expect("no panic on the arbiter");
    });
}
