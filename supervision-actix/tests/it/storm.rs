//! Actors that fail at once come back at the rate of the limiter they share, each of them and in
//! order; who shares none notices nothing.

use std::{
    cell::RefCell,
    error::Error,
    fmt,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    Decision, InvalidErrorPattern,
    group::{ChildProps, GroupHandle, GroupProps, GroupStrategy},
    prelude::*,
};
use tokio::time::Instant;

use crate::{
    probe::{Do, End, Meant, Probe, World, pass_a_second, props, restart},
    quiet::{MEANT, on_system, on_virtual_time},
};

const CLOSED: Result<u64, MailboxError> = Err(MailboxError::Closed);
const SECOND: Duration = Duration::from_secs(1);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn limiter(restarts: usize, burst: usize) -> SharedLimiter {
    let rate = RestartRate::new(restarts, SECOND).and_then(|rate| rate.with_burst(burst));
    SharedLimiter::new("postgres", rate.expect("a valid rate"))
}

#[derive(Debug)]
struct DatabaseError;

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MEANT)
    }
}

impl Error for DatabaseError {}

/// An error that another one caused.
#[derive(Debug)]
struct QueryError(DatabaseError);

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MEANT)
    }
}

impl Error for QueryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Who was started again, and when.
#[derive(Clone, Default)]
struct Journal(Rc<RefCell<Vec<(usize, Instant)>>>);

impl Journal {
    /// The restarts so far, as times after `begin`.
    fn after(&self, begin: Instant) -> Vec<(usize, Duration)> {
        let entries = self.0.borrow();
        let entry = |(number, at): &(usize, Instant)| (*number, *at - begin);
        entries.iter().map(entry).collect()
    }
}

/// One of many that use the database.
struct Session;

impl Actor for Session {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
enum Fail {
    Database,
    Query,
    Otherwise,
    Panic,
}

impl Handler<Fail> for Session {
    type Result = ();

    fn handle(&mut self, how: Fail, ctx: &mut Context<Self>) {
        match how {
            Fail::Database => ctx.fail(DatabaseError),
            Fail::Query => ctx.fail(QueryError(DatabaseError)),
            Fail::Otherwise => ctx.fail(Meant),
            Fail::Panic => panic!("{MEANT}"),
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Ping;

impl Handler<Ping> for Session {
    type Result = ();
    fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
}

type SessionProps = ActorProps<Session, supervision_actix::FromFn<Box<dyn FnMut() -> Session>>>;

/// Session number `number`, which writes its restarts down.
fn session(number: usize, journal: &Journal, delay: Duration) -> SessionProps {
    let journal = journal.clone();
    let mut made = 0;
    let make: Box<dyn FnMut() -> Session> = Box::new(move || {
        made += 1;
        if made > 1 {
            journal.0.borrow_mut().push((number, Instant::now()));
        }
        Session
    });
    ActorProps::plain("/user/session", make).with_supervision(SupervisionStrategy::Restart {
        max_restarts: 3,
        window: SECOND,
        delay,
    })
}

async fn all_up(sessions: &[Addr<Session>]) {
    for session in sessions {
        session.send(Ping).await.expect("it is up");
    }
}

/// The most restarts in any window of this length, its end left out.
fn fullest(times: &[Duration], length: Duration) -> usize {
    let mut from = 0;
    let counts = times.iter().enumerate().map(|(to, at)| {
        while *at - times[from] >= length {
            from += 1;
        }
        to + 1 - from
    });
    counts.max().unwrap_or(0)
}

/// Ten thousand sessions lose their database; when and in which order they are back.
fn storm(delay: Duration) {
    const SESSIONS: usize = 10_000;
    const RATE: usize = 100;
    const BURST: usize = 10;
    on_virtual_time(async {
        let (journal, postgres) = (Journal::default(), limiter(RATE, BURST));
        let start = |number| {
            session(number, &journal, delay)
                .with_restart_limiter_for("DatabaseError", postgres.clone())
                .start_actor()
        };
        let sessions: Vec<_> = (0..SESSIONS).map(start).collect();
        all_up(&sessions).await;
        let begin = Instant::now();
        for session in &sessions {
            session.do_send(Fail::Database);
        }
        all_up(&sessions).await;
        let back = journal.after(begin);

        let order: Vec<_> = back.iter().map(|(number, _)| *number).collect();
        assert!(order.into_iter().eq(0..SESSIONS), "each once, and in order");
        let times: Vec<_> = back.iter().map(|(_, at)| *at).collect();
        assert_eq!(fullest(&times, SECOND), RATE + BURST - 1);
        assert_eq!(fullest(&times[BURST..], SECOND), RATE);
        for (place, at) in times.iter().enumerate() {
            let queued = (place + 1).saturating_sub(BURST) as u32;
            let due = delay + SECOND * queued / RATE as u32;
            // Timers fire at whole milliseconds.
            assert!(
                (due..=due + ms(1)).contains(at),
                "{place}: {at:?} for {due:?}"
            );
        }
        let took = times[SESSIONS - 1].as_millis();
        let computed = (delay + SECOND * (SESSIONS - BURST) as u32 / RATE as u32).as_millis();
        println!("{SESSIONS} sessions back after {took} ms, computed {computed} ms");
    });
}

#[test]
fn ten_thousand_actors_that_fail_at_once_come_back_at_the_configured_rate() {
    storm(Duration::ZERO);
}

#[test]
fn a_decided_delay_comes_before_the_queue() {
    storm(ms(250));
}

#[test]
fn delays_of_different_lengths_never_break_the_rate() {
    const SESSIONS: usize = 500;
    on_virtual_time(async {
        let (journal, postgres) = (Journal::default(), limiter(100, 1));
        // Every delay from none to five seconds: those that fail first are not due first.
        let delay = |number: usize| ms((number * 7_919 % 5_000) as u64);
        let start = |number| {
            session(number, &journal, delay(number))
                .with_restart_limiter(postgres.clone())
                .start_actor()
        };
        let sessions: Vec<_> = (0..SESSIONS).map(start).collect();
        all_up(&sessions).await;
        let begin = Instant::now();
        for session in &sessions {
            session.do_send(Fail::Panic);
        }
        all_up(&sessions).await;
        let back = journal.after(begin);
        assert_eq!(back.len(), SESSIONS);
        let times: Vec<_> = back.iter().map(|(_, at)| *at).collect();
        assert!(fullest(&times, SECOND + ms(1)) <= 101);
        for (number, at) in back {
            assert!(at >= delay(number), "{number} came before its own delay");
        }
        // The limiter allows as many as these delays ask for, so nobody waits long for a place.
        assert!(times[SESSIONS - 1] < SECOND * 6);
    });
}

#[test]
fn actors_without_a_limiter_and_failures_of_another_cause_are_not_held_back() {
    on_virtual_time(async {
        let (journal, postgres) = (Journal::default(), limiter(1, 1));
        let limited = |number| {
            session(number, &journal, Duration::ZERO)
                .with_restart_limiter_for("storm::DatabaseError", postgres.clone())
                .with_error_type::<DatabaseError>()
                .start_actor()
        };
        let sessions = [
            limited(0),
            limited(1),
            limited(2),
            limited(3),
            limited(4),
            session(5, &journal, ms(20)).start_actor(),
        ];
        all_up(&sessions).await;
        let begin = Instant::now();
        let [first, second, other, panics, query, free] = &sessions;
        first.do_send(Fail::Database);
        second.do_send(Fail::Database);
        other.do_send(Fail::Otherwise);
        panics.do_send(Fail::Panic);
        query.do_send(Fail::Query);
        free.do_send(Fail::Database);
        all_up(&sessions).await;
        let mut back = journal.after(begin);
        back.sort();
        let seconds = |(number, at): (usize, Duration)| (number, at.as_millis() / 10);
        let back: Vec<_> = back.into_iter().map(seconds).collect();
        // The error behind the query error counts too.
        assert_eq!(back, [(0, 0), (1, 100), (2, 0), (3, 0), (4, 200), (5, 2)]);
    });
}

#[test]
fn the_limiter_for_a_cause_goes_before_the_one_for_all_others() {
    on_virtual_time(async {
        let journal = Journal::default();
        let (postgres, others) = (limiter(1, 1), limiter(2, 1));
        let start = |number| {
            session(number, &journal, Duration::ZERO)
                .with_restart_limiter(others.clone())
                .with_restart_limiter_for("QueryError", postgres.clone())
                .with_restart_limiter_for("panic", postgres.clone())
                .start_actor()
        };
        let sessions: Vec<_> = (0..4).map(start).collect();
        all_up(&sessions).await;
        let begin = Instant::now();
        sessions[0].do_send(Fail::Query);
        sessions[1].do_send(Fail::Otherwise);
        sessions[2].do_send(Fail::Panic);
        sessions[3].do_send(Fail::Database);
        tokio::task::yield_now().await;
        assert_eq!(postgres.backlog(), SECOND * 2);
        assert_eq!(others.backlog(), SECOND);
        all_up(&sessions).await;
        let mut back = journal.after(begin);
        back.sort();
        let back: Vec<_> = back.iter().map(|(_, at)| at.as_millis() / 100).collect();
        assert_eq!(back, [0, 0, 10, 5]);
    });
}

#[test]
fn a_restart_that_is_held_back_is_recorded_and_told() {
    on_virtual_time(async {
        let postgres = limiter(2, 1);
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let start = || props(&World::new()).with_restart_limiter(postgres.clone());
        let ahead = start().start_actor();
        let supervisor = start()
            .with_supervision(restart(9, 100))
            .with_observer(move |event| seen.lock().unwrap().push(event.clone()))
            .start();
        let probe = supervisor.send(GetActorAddr::new()).await.unwrap().unwrap();
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert_eq!(ahead.send(Do::panic()).await, CLOSED);
        assert_eq!(ahead.send(Do::nothing()).await, Ok(2));
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        let record = async || {
            let records = supervisor.send(GetFailureRecords::new()).await;
            records.expect("it answers").pop().expect("one failure")
        };
        let decided = record().await;
        assert_eq!(decided.delayed_by, None, "its own delay runs");
        actix_rt::time::sleep(ms(200)).await;
        let held_back = record().await;
        assert_eq!(held_back.outcome, Outcome::Pending);
        let by = held_back.delayed_by.expect("the limiter holds it back");
        assert!((ms(398)..=ms(400)).contains(&by), "{by:?}");
        let decision = held_back.decision.expect("it was decided");
        assert!(matches!(decision, Decision::Restart { after, .. } if after == ms(100)));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let done = record().await;
        assert_eq!(
            (done.outcome, done.delayed_by),
            (Outcome::Restarted, Some(by))
        );

        let events = std::mem::take(&mut *events.lock().unwrap());
        let names = events.iter().map(|event| match event {
            SupervisionEvent::Started { .. } => "started",
            SupervisionEvent::Failed { .. } => "failed",
            SupervisionEvent::Delayed { .. } => "delayed",
            SupervisionEvent::Restarted { .. } => "restarted",
            other => panic!("{other:?}"),
        });
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["started", "failed", "delayed", "restarted"]
        );
        let told = SupervisionEvent::Delayed {
            path: "/user/probe".to_owned(),
            failure: done.info,
            limiter: "postgres".to_owned(),
            by,
        };
        assert_eq!(events[2], told);
    });
}

#[test]
fn a_restart_that_fails_again_goes_to_the_end_of_the_queue() {
    on_virtual_time(async {
        let postgres = limiter(1, 1);
        let world = World::new();
        let worlds = [World::new(), World::new()];
        let start = |world| {
            props(world)
                .with_restart_limiter(postgres.clone())
                .start_actor()
        };
        let stubborn = start(&world);
        let others = [start(&worlds[0]), start(&worlds[1])];
        crate::probe::on(&world.on_started, |number, _| {
            assert_ne!(number, 2, "{MEANT}");
        });
        assert_eq!(stubborn.send(Do::nothing()).await, Ok(1));
        let begin = Instant::now();
        assert_eq!(stubborn.send(Do::panic()).await, CLOSED);
        for other in &others {
            assert_eq!(other.send(Do::panic()).await, CLOSED);
        }
        assert_eq!(others[1].send(Do::nothing()).await, Ok(2));
        let second = begin.elapsed().as_millis();
        assert_eq!(stubborn.send(Do::nothing()).await, Ok(3));
        let third = begin.elapsed().as_millis();
        // It failed again at once, so it has taken two places before the others asked.
        assert!((3_000..=3_003).contains(&second), "{second}");
        assert!((1_000..=3_003).contains(&third), "{third}");
    });
}

#[test]
fn an_actor_that_is_held_back_can_end() {
    on_virtual_time(async {
        let postgres = limiter(1, 1);
        let start = |world: &Arc<World>| props(world).with_restart_limiter(postgres.clone());
        let ahead = start(&World::new()).start_actor();
        assert_eq!(ahead.send(Do::panic()).await, CLOSED);

        let deserted = World::new();
        let probe = start(&deserted).start_actor();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        drop(probe);
        assert!(crate::probe::eventually(|| Arc::strong_count(&deserted) == 1).await);
        assert_eq!(deserted.made(), 1);

        let ended = World::new();
        let supervisor: Addr<SupervisorActor<Probe>> = start(&ended).start();
        let probe = supervisor.send(GetActorAddr::new()).await.unwrap().unwrap();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        supervisor.send(End).await.expect("the supervisor answers");
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        pass_a_second().await;
        assert_eq!(ended.made(), 1);
    });
}

#[test]
fn messages_to_an_actor_that_is_held_back_wait_for_it() {
    on_virtual_time(async {
        let postgres = limiter(1, 1);
        let start = || props(&World::new()).with_restart_limiter(postgres.clone());
        let probes = [start().start_actor(), start().start_actor()];
        for probe in &probes {
            assert_eq!(probe.send(Do::panic()).await, CLOSED);
        }
        let begin = Instant::now();
        assert_eq!(probes[1].send(Do::nothing()).await, Ok(2));
        let waited = begin.elapsed().as_millis();
        assert!((998..=1_002).contains(&waited), "{waited}");
    });
}

/// A group of three of which each child goes through the limiter after a panic.
fn group_of_three(
    strategy: GroupStrategy,
    postgres: &SharedLimiter,
) -> (GroupHandle, Vec<Addr<Probe>>) {
    let child = |id: &str| {
        let limited = props(&World::new()).with_restart_limiter_for("panic", postgres.clone());
        ChildProps::actor(id, limited)
    };
    let group = GroupProps::new("/group", strategy, restart(9, 100))
        .child(child("0"))
        .child(child("1"))
        .child(child("2"))
        .start();
    let probes = ["0", "1", "2"].map(|id| group.actor::<Probe>(id).expect("it is there"));
    (group, probes.to_vec())
}

#[test]
fn children_of_a_group_go_through_their_limiters_when_the_group_starts_them_again() {
    on_virtual_time(async {
        let postgres = limiter(1, 1);
        let (group, probes) = group_of_three(GroupStrategy::OneForOne, &postgres);
        assert_eq!(group.started().await, Ok(()));
        let begin = Instant::now();
        for probe in &probes {
            assert_eq!(probe.send(Do::panic()).await, CLOSED);
        }
        for (place, probe) in probes.iter().enumerate() {
            assert_eq!(probe.send(Do::nothing()).await, Ok(2));
            let back = begin.elapsed().as_millis() as usize;
            assert!(
                (place * 1_000 + 98..=place * 1_000 + 104).contains(&back),
                "{back}"
            );
        }
        assert!(group.shutdown().await.reason.is_normal());
    });
}

#[test]
fn siblings_that_restart_along_take_no_place_and_wait_for_who_has_one() {
    on_virtual_time(async {
        let postgres = limiter(1, 1);
        let ahead = props(&World::new())
            .with_restart_limiter(postgres.clone())
            .start_actor();
        let (group, probes) = group_of_three(GroupStrategy::OneForAll, &postgres);
        assert_eq!(group.started().await, Ok(()));
        assert_eq!(ahead.send(Do::panic()).await, CLOSED);
        let begin = Instant::now();
        assert_eq!(probes[1].send(Do::panic()).await, CLOSED);
        assert_eq!(probes[2].send(Do::nothing()).await, Ok(2));
        let back = begin.elapsed().as_millis();
        assert!((995..=1_005).contains(&back), "{back}");
        let backlog = postgres.backlog().as_millis();
        assert!((990..=1_000).contains(&backlog), "one place was taken");
        assert!(group.shutdown().await.reason.is_normal());
    });
}

#[test]
fn a_group_whose_child_is_held_back_shuts_down_at_once() {
    on_virtual_time(async {
        let postgres = limiter(1, 1);
        let (group, probes) = group_of_three(GroupStrategy::RestForOne, &postgres);
        assert_eq!(group.started().await, Ok(()));
        for _ in 0..3 {
            assert_eq!(probes[0].send(Do::panic()).await, CLOSED);
        }
        actix_rt::time::sleep(ms(500)).await;
        let begin = Instant::now();
        assert!(group.shutdown().await.reason.is_normal());
        assert!(begin.elapsed() < ms(5), "{:?}", begin.elapsed());
    });
}

#[test]
fn a_limiter_is_shared_by_actors_on_different_arbiters() {
    on_system(async {
        const EACH: usize = 5;
        let rate = RestartRate::new(100, SECOND).expect("valid");
        let postgres = SharedLimiter::new("postgres", rate);
        let arbiters = [Arbiter::new(), Arbiter::new()];
        let start = |arbiter: &Arbiter| {
            let props = props(&World::new()).with_restart_limiter(postgres.clone());
            props.start_actor_in_arbiter(&arbiter.handle())
        };
        let probes: Vec<_> = arbiters
            .iter()
            .flat_map(|arbiter| (0..EACH).map(|_| start(arbiter)).collect::<Vec<_>>())
            .collect();
        for probe in &probes {
            assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        }
        let begin = Instant::now();
        for probe in &probes {
            probe.do_send(Do::panic());
        }
        for probe in &probes {
            let _ = probe.send(Do::nothing()).await;
            assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        }
        assert!(begin.elapsed() >= ms(10) * (2 * EACH - 1) as u32);
        for arbiter in arbiters {
            arbiter.stop();
            arbiter.join().expect("no panic");
        }
    });
}

#[test]
fn a_limiter_for_something_that_is_no_type_is_refused_by_the_start() {
    on_system(async {
        let world = World::new();
        for nonsense in ["", " Error", "a::::b", &"x".repeat(2_000)] {
            let start = props(&world)
                .with_restart_limiter_for("panic", limiter(1, 1))
                .with_restart_limiter_for(nonsense, limiter(1, 1))
                .try_start();
            let start_of_it = nonsense.chars().take(64).collect();
            let refused = StartError::LimiterFor(InvalidErrorPattern(start_of_it));
            assert_eq!(start.map(drop), Err(refused));
        }
        assert_eq!(world.made(), 0);
    });
}
