//! The pump, the zombie, the capacity, and whose turn it is on the thread.

use super::*;

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
fn an_actor_that_cancels_its_own_handle_is_not_asked_to_stop_and_stops_when_it_wants() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = props(&world).start();
        // Twice: what kept it the first time must not be missed the second time.
        for _ in 0..2 {
            let probe = address(&supervisor).await;
            let cancel = Do::new(|_, ctx| {
                let own = ctx.handle();
                ctx.cancel_future(own);
            });
            assert_eq!(probe.send(cancel).await, Ok(1));
            drop(probe);
            pass_a_second().await;
        }
        assert_eq!(world.take_log(), ["1:started"]);
        let probe = address(&supervisor).await;
        let last = Do::new(|_, ctx| {
            let own = ctx.handle();
            ctx.cancel_future(own);
            ctx.stop();
        });
        assert_eq!(probe.send(last).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        assert_eq!(world.take_log(), ["1:stopping", "1:stopped", "1:drop"]);
        drop((probe, supervisor));
        assert!(eventually(|| Arc::strong_count(&world) == 1).await);
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
        // Its pump has ended once and is back; should this one be cancelled, it still goes on.
        let cancel = Do::new(|_, ctx| {
            let own = ctx.handle();
            ctx.cancel_future(own);
        });
        assert_eq!(again.send(cancel).await, Ok(1));
        assert_eq!(again.send(Do::log("and again")).await, Ok(1));
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
        assert_eq!(
            outcomes(&supervisor).await,
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
        "traps::pump::an_actor_that_stops_in_started_does_not_block_the_thread",
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
        "traps::pump::an_actor_that_fails_at_every_start_ends_with_its_last_address",
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
        "traps::pump::a_future_cancelled_in_before_restart_does_not_block_the_thread",
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
        "traps::pump::a_waited_future_that_cancels_another_and_fails_does_not_block_the_thread",
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
