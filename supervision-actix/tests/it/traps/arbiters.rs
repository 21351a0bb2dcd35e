//! Arbiters, runtimes and threads.

use super::*;

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
