//! The table: every place a failure can enter, under every strategy.
//!
//! Each cell runs on a system of its own. What is expected is written down here by hand, place by
//! place and strategy by strategy, without a call to the code that decides.

mod expected;
mod places;
mod subject;

use std::{
    cell::{Cell, RefCell},
    error::Error,
    fmt,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::{fut, prelude::*};
use futures_util::{future::join_all, stream};
use supervision_actix::{
    Decision, EscalationReason, KnownErrors, RestartReason, StopReason, prelude::*,
};

use crate::quiet::{MEANT, on_virtual_time};

use expected::*;
use places::*;
use subject::*;

/// Asks with notes; the answers, in the order of the questions.
fn ask(
    addr: &Addr<Subject>,
    numbers: std::ops::Range<u32>,
    tally: &Arc<Tally>,
) -> impl Future<Output = Vec<Result<u32, MailboxError>>> + use<> {
    join_all(numbers.map(|n| addr.send(Note(n, Token::new(tally)))))
}

fn pull_the_trigger(
    place: Place,
    addr: &Addr<Subject>,
    supervisor: &Addr<SupervisorActor<Subject>>,
    tally: &Arc<Tally>,
) {
    let token = Token::new(tally);
    match place {
        Place::PanicInAtomicResponse | Place::FailBeforeAtomicResponse => {
            addr.do_send(Atomic(token));
        }
        Place::PanicInResponseActFuture => addr.do_send(Act(token)),
        Place::WatchedResponse => addr.do_send(Answer(token)),
        Place::FailOnErrHandler => addr.do_send(Fallible(token)),
        Place::FailOnErrFuture => addr.do_send(FallibleAct(token)),
        Place::FailOnErrAtomic => addr.do_send(FallibleAtomic(token)),
        Place::ReportNew => {
            let error = "x".parse::<u8>().expect_err("no number");
            supervisor.do_send(ReportFailure::new(Box::new(error)));
        }
        Place::ReportOf => supervisor.do_send(ReportFailure::of(TableError)),
        Place::ReportDisplayPanics => supervisor.do_send(ReportFailure::of(Unspeakable)),
        _ => addr.do_send(Trigger(Some(token))),
    }
}

/// A hang is a failed cell, not a hung run.
async fn limited<T>(what: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(100);
    actix_rt::time::timeout(limit, what)
        .await
        .expect("it hangs")
}

async fn run_cell(place: Place, strategy: Strategy) {
    let tally = Arc::<Tally>::default();
    let world = Rc::new(World {
        place,
        tally: tally.clone(),
        made: Cell::new(0),
        triggered: Cell::new(false),
        fired: Cell::new(false),
        handled: RefCell::default(),
        started_twice: Cell::new(false),
    });
    let sibling = ActorProps::plain("/user/sibling", || Sibling).start_actor();
    let bare = Sibling.start();
    let inner = world.clone();
    let restart_type = match place {
        Place::StopThoughPermanent => RestartType::Permanent,
        _ => RestartType::Transient,
    };
    let supervisor = ActorProps::from_try_factory(move || Subject::make(&inner))
        .with_supervision(strategy.value())
        .with_restart_type(restart_type)
        .with_error_type::<TableError>()
        .start();
    let addr = limited(supervisor.send(GetActorAddr::new())).await;
    let addr = addr
        .expect("the supervisor is there")
        .expect("so is the actor");

    // The trigger and what is queued behind it.
    pull_the_trigger(place, &addr, &supervisor, &tally);
    let first = limited(ask(&addr, 0..5, &tally)).await;
    actix_rt::time::sleep(Duration::from_secs(1)).await;
    // What comes when all is over.
    let second = limited(ask(&addr, 5..8, &tally)).await;

    let expected = expected(place, strategy);
    let records = limited(supervisor.send(GetFailureRecords::new())).await;
    let records = records.expect("the supervisor survives");
    let got = Expected {
        records: records
            .into_iter()
            .map(|record| {
                let FailureRecord {
                    info,
                    decision,
                    outcome,
                    panic_location,
                    ..
                } = record;
                let found = panic_location.is_some_and(|place| place.contains("/table/"));
                // Two are raised without the hook, which alone learns where a panic happens.
                let hooked = !matches!(place, Place::PayloadIsNotText | Place::PayloadPanicsOnDrop);
                assert_eq!(found, hooked && info.error_type == "panic", "{place:?}");
                let error_type = match &*info.error_type {
                    "panic" => "panic",
                    "exit" => "exit",
                    "std::num::ParseIntError" => "std::num::ParseIntError",
                    name if name.ends_with("::TableError") => "TableError",
                    other => panic!("unexpected error type {other}"),
                };
                (decision, outcome, error_type, info.restart_count)
            })
            .collect(),
        survivor: match second.iter().flatten().count() {
            0 => None,
            _ => world
                .handled
                .borrow()
                .last()
                .map(|(incarnation, _)| *incarnation),
        },
    };
    assert_eq!(got, expected);

    check_messages(place, &world, &expected, &first, &second);
    assert!(
        !world.started_twice.get(),
        "`started` ran twice on one value"
    );

    // Nobody else noticed.
    assert_eq!(limited(sibling.send(Ping(1))).await, Ok(2));
    assert_eq!(limited(bare.send(Ping(2))).await, Ok(3));
    assert_eq!(
        actix_rt::spawn(async { 7 })
            .await
            .expect("the arbiter survives"),
        7
    );
    assert!(System::is_registered());
    let there = limited(supervisor.send(GetActorAddr::new())).await;
    assert_eq!(
        there.expect("the supervisor survives").is_some(),
        expected.survivor.is_some()
    );

    // Everything goes.
    limited(supervisor.send(Quit))
        .await
        .expect("the supervisor survives");
    assert_eq!(
        limited(supervisor.send(GetActorAddr::new()))
            .await
            .map(|a| a.is_none()),
        Ok(true)
    );
    drop((addr, supervisor));
    actix_rt::time::sleep(Duration::from_secs(1)).await;
    let [made, dropped] = [&tally.made, &tally.dropped].map(|n| n.load(Ordering::SeqCst));
    assert!(made > 8);
    assert_eq!(made, dropped, "values made and dropped");
    assert_eq!(Rc::strong_count(&world), 1, "nobody holds the world");
    drop(world);
    assert_eq!(Arc::strong_count(&tally), 1, "nobody holds the tally");
}

fn check_messages(
    place: Place,
    world: &World,
    expected: &Expected,
    first: &[Result<u32, MailboxError>],
    second: &[Result<u32, MailboxError>],
) {
    let handled = world.handled.borrow();
    let by = |incarnation: Option<u64>, numbers: std::ops::Range<u32>| {
        incarnation
            .map(|i| numbers.map(move |n| (i, n)))
            .into_iter()
            .flatten()
    };
    // A failure at the very first start has been dealt with, or delays the first message.
    let behind = match precedes_messages(place) {
        true => expected.survivor,
        false => Some(1),
    };
    let wanted = by(behind, 0..5)
        .chain(by(expected.survivor, 5..8))
        .collect::<Vec<_>>();
    assert_eq!(*handled, wanted, "(incarnation, message) handled");
    for (n, answer) in first.iter().chain(second).enumerate() {
        let n = u32::try_from(n).expect("small");
        match handled.iter().any(|(_, handled)| *handled == n) {
            true => assert_eq!(*answer, Ok(n)),
            false => assert_eq!(*answer, Err(MailboxError::Closed)),
        }
    }
}

#[test]
fn every_place_of_failure_is_survived_under_every_strategy() {
    let mut failed = Vec::new();
    let mut cells = 0;
    for &place in PLACES {
        for &strategy in STRATEGIES {
            cells += 1;
            let cell = std::panic::AssertUnwindSafe(|| on_virtual_time(run_cell(place, strategy)));
            if std::panic::catch_unwind(cell).is_err() {
                failed.push((place, strategy));
            }
        }
    }
    println!(
        "{cells} cells: {} places x {} strategies",
        PLACES.len(),
        STRATEGIES.len()
    );
    assert!(cells >= 60 * 10);
    assert!(
        failed.is_empty(),
        "{} cells failed: {failed:#?}",
        failed.len()
    );
}
