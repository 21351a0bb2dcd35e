//! A failure's record tells where the panic happened, to the line, and never where another one did.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{panic_hook, prelude::*};
use tokio::task::LocalSet;

use crate::{
    child::alone,
    probe::{Do, Meant, Probe, World, on, props, restart, typed_props},
    quiet::{MEANT, on_system, on_virtual_time},
};

type Supervisor = Addr<SupervisorActor<Probe>>;

/// Panics where it is called.
#[track_caller]
fn boom() {
    panic!("{MEANT}: boom");
}

/// Without the column, which depends on how the line is laid out.
async fn places(supervisor: &Supervisor) -> Vec<Option<String>> {
    let records = supervisor.send(GetFailureRecords::new()).await;
    let records = records.expect("the supervisor answers").into_iter();
    let line = |place: String| place.rsplit_once(':').expect("a column").0.to_owned();
    records.map(|r| r.panic_location.map(line)).collect()
}

async fn probe_of(supervisor: &Supervisor) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address.expect("it answers").expect("the actor is up")
}

/// Where the failures that `work` leads to happened.
fn places_of(world: &Arc<World>, work: Do) -> Vec<Option<String>> {
    on_virtual_time(async {
        let supervisor = props(world).start();
        let probe = probe_of(&supervisor).await;
        let _ = probe.send(work).await;
        for _ in 0..4 {
            let _ = probe.send(Do::nothing()).await;
            tokio::task::yield_now().await;
        }
        places(&supervisor).await
    })
}

fn only(place: &str) -> Vec<Option<String>> {
    vec![Some(place.to_owned())]
}

#[test]
fn the_record_has_file_line_and_column() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        let _ = probe.send(Do::new(|_, _| boom())).await;
        let line = line!() - 1;
        let records = supervisor.send(GetFailureRecords::new()).await;
        let place = records.expect("it answers").remove(0).panic_location;
        let place = place.expect("a place");
        let (line_and_before, column) = place.rsplit_once(':').expect("a column");
        assert_eq!(line_and_before, format!("{}:{line}", file!()));
        assert!(column.parse::<u32>().is_ok(), "{place}");
    });
}

#[test]
fn a_panic_in_a_handler_or_a_future_is_found() {
    let work = Do::new(|_, _| boom());
    let at = format!("{}:{}", file!(), line!() - 1);
    assert_eq!(places_of(&World::new(), work), only(&at));

    let work = Do::new(|this, ctx| _ = ctx.spawn(async { boom() }.into_actor(this)));
    let at = format!("{}:{}", file!(), line!() - 1);
    assert_eq!(places_of(&World::new(), work), only(&at));
}

#[test]
fn a_panic_in_started_in_a_hook_in_a_destructor_or_in_stopped_is_found() {
    let line = |after: u32| Some(format!("{}:{after}", file!()));
    let fails = || Do::fail();

    let world = World::new();
    on(&world.on_started, |number, _| {
        (number == 2).then(|| boom());
    });
    assert_eq!(places_of(&world, fails()), [None, line(line!() - 2)]);

    let world = World::new();
    on(&world.on_after_restart, |number, _| {
        (number == 2).then(|| boom());
    });
    assert_eq!(places_of(&world, fails()), [None, line(line!() - 2)]);

    let world = World::new();
    on(&world.on_before_restart, |number, _| {
        (number == 1).then(|| boom());
    });
    assert_eq!(places_of(&world, fails()), [None, line(line!() - 2)]);

    let world = World::new();
    on(&world.on_stopped, |number, _| {
        (number == 1).then(|| boom());
    });
    assert_eq!(places_of(&world, fails()), [None, line(line!() - 2)]);

    let world = World::new();
    *world.on_drop.lock().unwrap() = Some(Box::new(|number| {
        (number == 1).then(|| boom());
    }));
    assert_eq!(places_of(&world, fails()), [None, line(line!() - 2)]);
}

#[test]
fn a_panic_in_the_factory_is_found() {
    on_virtual_time(async {
        let world = World::new();
        let mut starts = 0;
        let supervisor = ActorProps::from_factory(move || {
            starts += 1;
            (starts == 1).then(|| boom());
            Probe::make(&world)
        })
        .with_supervision(restart(9, 0))
        .start();
        let at = format!("{}:{}", file!(), line!() - 5);
        let probe = probe_of(&supervisor).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(places(&supervisor).await, only(&at));
    });
}

#[test]
fn a_panic_in_a_watched_task_is_found_outside_its_actor_and_inside() {
    let work = Do::new(|_, ctx| drop(actix::spawn(ctx.watch(async { boom() }))));
    let at = format!("{}:{}", file!(), line!() - 1);
    assert_eq!(places_of(&World::new(), work), only(&at), "a task");

    let work = Do::new(|this, ctx| {
        let watched = ctx.watch(async { boom() });
        ctx.spawn(watched.into_actor(this));
    });
    let at = format!("{}:{}", file!(), line!() - 3);
    let inside = places_of(&World::new(), work);
    assert!(!inside.is_empty());
    assert!(
        inside.iter().all(|place| place.as_ref() == Some(&at)),
        "{inside:?}"
    );
}

#[test]
fn a_failure_that_is_no_panic_has_no_place_whatever_panicked_before() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        let _ = probe.send(Do::panic()).await;
        let _ = probe.send(Do::fail()).await;
        let _ = supervisor.send(ReportFailure::of(Meant)).await;
        let _ = probe.send(Do::panic()).await;
        let places = places(&supervisor).await;
        let known: Vec<_> = places.iter().map(Option::is_some).collect();
        assert_eq!(known, [true, false, false, true]);
    });
}

#[test]
fn a_panic_that_the_actor_caught_itself_is_not_taken_for_a_later_one() {
    // Raised without a hook, so that only a stale note could give it a place.
    let raise = || resume_unwind(Box::new(format!("{MEANT}: unseen")));
    let caught = || drop(catch_unwind(|| boom()));
    let same_poll = Do::new(move |_, _| {
        caught();
        raise();
    });
    assert_eq!(places_of(&World::new(), same_poll), [None]);

    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        // Even one that looks the same.
        assert_eq!(probe.send(Do::new(move |_, _| caught())).await, Ok(1));
        let alike = || resume_unwind(Box::new(format!("{MEANT}: boom")));
        let _ = probe.send(Do::new(move |_, _| alike())).await;
        assert_eq!(places(&supervisor).await, [None]);
    });
}

#[test]
fn a_panic_that_the_actor_caught_and_raised_again_keeps_its_place() {
    let work = Do::new(|_, _| {
        let payload = catch_unwind(|| boom()).expect_err("it panics");
        drop(catch_unwind(|| panic!("{MEANT}: another")));
        resume_unwind(payload);
    });
    let at = format!("{}:{}", file!(), line!() - 4);
    assert_eq!(places_of(&World::new(), work), only(&at));
}

/// Panics and catches that in its destructor.
struct Troubled;

impl Drop for Troubled {
    fn drop(&mut self) {
        drop(catch_unwind(|| panic!("{MEANT}: troubled")));
    }
}

#[test]
fn a_panic_caught_by_a_destructor_while_another_unwinds_does_not_hide_it() {
    let work = Do::new(|_, _| {
        let _troubled = Troubled;
        boom();
    });
    let at = format!("{}:{}", file!(), line!() - 2);
    assert_eq!(places_of(&World::new(), work), only(&at));
}

#[test]
fn a_payload_that_is_no_text_has_its_place_too() {
    let work = Do::new(|_, _| {
        drop(catch_unwind(|| panic_any(Meant)));
        panic_any(MEANT.len());
    });
    let at = format!("{}:{}", file!(), line!() - 2);
    crate::quiet::silence();
    assert_eq!(places_of(&World::new(), work), only(&at));
}

#[test]
fn of_two_panics_in_one_incarnation_the_first_is_its_failure() {
    let world = World::new();
    on(&world.on_stopped, |number, _| {
        (number == 1).then(|| boom());
    });
    let second = Some(format!("{}:{}", file!(), line!() - 2));
    let work = Do::new(|_, _| boom());
    let first = Some(format!("{}:{}", file!(), line!() - 1));
    on_virtual_time(async {
        let supervisor = props(&world).start();
        let probe = probe_of(&supervisor).await;
        let _ = probe.send(work).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let records = supervisor.send(GetFailureRecords::new()).await.unwrap();
        let outcomes: Vec<_> = records.iter().map(|r| r.outcome).collect();
        assert_eq!(outcomes, [Outcome::Restarted, Outcome::Superseded]);
        assert_eq!(places(&supervisor).await, [first, second]);
    });
}

#[test]
fn a_panic_of_an_actor_that_is_polled_inside_the_handler_of_another_is_its_own() {
    on_system(async {
        thread_local! {
            static INNER: std::cell::RefCell<Option<(LocalSet, Supervisor)>> =
                const { std::cell::RefCell::new(None) };
        }
        let supervisor = props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        let nested = Do::new(|_, _| {
            let set = LocalSet::new();
            let entered = set.enter();
            let inner = props(&World::new()).start();
            let child = props(&World::new()).start_actor();
            drop(entered);
            child.do_send(Do::panic());
            let mut set = set;
            let mut task = std::task::Context::from_waker(std::task::Waker::noop());
            for _ in 0..10 {
                let _ = std::pin::Pin::new(&mut set).poll(&mut task);
            }
            INNER.set(Some((set, inner)));
            boom();
        });
        let at = format!("{}:{}", file!(), line!() - 2);
        let _ = probe.send(nested).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(places(&supervisor).await, only(&at));
        let (set, inner) = INNER.take().expect("parked");
        set.run_until(async { assert_eq!(places(&inner).await, []) })
            .await;
    });
}

#[test]
fn a_record_written_before_places_were_known_can_be_read() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        let _ = probe.send(Do::new(|_, _| boom())).await;
        let records = supervisor.send(GetFailureRecords::new()).await;
        let mut record = records.expect("it answers").remove(0);
        let mut written = serde_json::to_value(&record).expect("writes");
        let read: FailureRecord = serde_json::from_value(written.clone()).expect("reads");
        assert_eq!(read, record);
        written
            .as_object_mut()
            .expect("a map")
            .remove("panic_location");
        record.panic_location = None;
        let read: FailureRecord = serde_json::from_value(written).expect("reads");
        assert_eq!(read, record);
    });
}

/// Where a panic of an actor started now is said to have happened.
fn place_now() -> Option<String> {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        let _ = probe.send(Do::new(|_, _| boom())).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let mut places = places(&supervisor).await;
        assert_eq!(places.len(), 1);
        places.remove(0)
    })
}

/// Counts the panics that the hook set now is told of.
fn counting_hook() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    std::panic::set_hook(Box::new(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
    }));
    count
}

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_hook_set_before_is_called_and_one_set_later_replaces_ours() {
    let name = "panic_location::a_hook_set_before_is_called_and_one_set_later_replaces_ours";
    alone(name, LIMIT, || {
        crate::quiet::silence();
        let before = counting_hook();
        assert!(place_now().is_some());
        assert!(place_now().is_some());
        assert_eq!(before.load(Ordering::SeqCst), 2);
        let later = counting_hook();
        assert_eq!(place_now(), None);
        assert_eq!(later.load(Ordering::SeqCst), 1);
        assert_eq!(before.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_hook_set_later_that_calls_ours_works_beside_it() {
    let name = "panic_location::a_hook_set_later_that_calls_ours_works_beside_it";
    alone(name, LIMIT, || {
        assert!(place_now().is_some());
        let ours = std::panic::take_hook();
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        std::panic::set_hook(Box::new(move |info| {
            seen.fetch_add(1, Ordering::SeqCst);
            ours(info);
        }));
        assert!(place_now().is_some());
        assert_eq!(count.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn disabled_before_the_first_start_no_hook_is_installed() {
    let name = "panic_location::disabled_before_the_first_start_no_hook_is_installed";
    alone(name, LIMIT, || {
        crate::quiet::silence();
        let hook = counting_hook();
        panic_hook::disable();
        panic_hook::silence_supervised();
        assert_eq!(place_now(), None);
        assert_eq!(hook.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn disabled_later_the_hook_only_calls_the_one_before() {
    let name = "panic_location::disabled_later_the_hook_only_calls_the_one_before";
    alone(name, LIMIT, || {
        crate::quiet::silence();
        let hook = counting_hook();
        assert!(place_now().is_some());
        panic_hook::disable();
        assert_eq!(place_now(), None);
        assert_eq!(hook.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn silenced_panics_of_supervised_actors_reach_no_hook_and_all_others_do() {
    let name =
        "panic_location::silenced_panics_of_supervised_actors_reach_no_hook_and_all_others_do";
    alone(name, LIMIT, || {
        crate::quiet::silence();
        let hook = counting_hook();
        panic_hook::silence_supervised();
        assert!(place_now().is_some());
        assert_eq!(hook.load(Ordering::SeqCst), 0);
        assert!(catch_unwind(|| boom()).is_err());
        assert_eq!(hook.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn an_actor_started_by_a_destructor_during_a_panic_does_not_abort_the_process() {
    struct Starts(Arc<Mutex<Option<Addr<Probe>>>>);
    impl Drop for Starts {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = Some(typed_props(&World::new()).start_actor());
        }
    }
    let name = "panic_location::an_actor_started_by_a_destructor_during_a_panic_does_not_abort_the_process";
    alone(name, LIMIT, || {
        on_virtual_time(async {
            let started = Arc::default();
            let starts = Starts(Arc::clone(&started));
            let panicked: Result<(), Box<dyn Any + Send>> =
                catch_unwind(AssertUnwindSafe(move || {
                    let _starts = starts;
                    boom();
                }));
            assert!(panicked.is_err());
            let probe = started.lock().unwrap().take().expect("it was started");
            assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        });
        assert!(place_now().is_some(), "the next start installs the hook");
    });
}
