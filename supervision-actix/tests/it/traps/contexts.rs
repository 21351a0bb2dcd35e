//! Contexts that are not the actor's own, and the supervisor's address.

use super::*;

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
