//! Memory is bounded and idle actors are idle. Each test has a process of its own: what others do
//! would show in the numbers.

use std::{env, fs, sync::mpsc, time::Duration};

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{child::alone, quiet::MEANT};

struct Victim;

impl Actor for Victim {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

impl Handler<Panic> for Victim {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        // Without the panic hook, which would format a message each time.
        std::panic::resume_unwind(Box::new(MEANT));
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Fail;

impl Handler<Fail> for Victim {
    type Result = ();

    fn handle(&mut self, _: Fail, ctx: &mut Context<Self>) {
        ctx.fail(crate::probe::Meant);
    }
}

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm
        .split(' ')
        .nth(1)
        .expect("the second field is resident pages");
    pages.parse::<usize>().expect("a number") * 4_096
}

fn unlimited() -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts: usize::MAX,
        window: Duration::from_secs(60),
        delay: Duration::ZERO,
    }
}

fn panics() -> usize {
    let asked = env::var("SUPERVISION_PANICS").ok();
    let default = if cfg!(debug_assertions) {
        100_000
    } else {
        1_000_000
    };
    asked.map_or(default, |n| {
        n.parse().expect("SUPERVISION_PANICS is a number")
    })
}

/// More than allocators and page granularity make of nothing.
const SLACK: usize = 512 * 1_024;

#[test]
fn a_million_panics_leave_no_more_than_the_history() {
    let run = || {
        System::new().block_on(async {
            let supervisor = ActorProps::plain("/user/victim", || Victim)
                .with_supervision(unlimited())
                .start();
            let addr = supervisor.send(GetActorAddr::new()).await;
            let addr = addr.expect("the supervisor answers").expect("it is up");
            let rounds = async |count: usize| {
                for n in 0..count / 10 {
                    for _ in 0..9 {
                        addr.do_send(Panic);
                    }
                    if n % 10 == 0 {
                        addr.do_send(Fail);
                    }
                    assert_eq!(addr.send(Panic).await, Err(MailboxError::Closed));
                }
            };
            rounds(5_000).await;
            let before = resident();
            let count = panics();
            rounds(count).await;
            let grown = resident().saturating_sub(before);
            let history = supervisor
                .send(GetFailureHistory::new())
                .await
                .expect("answers");
            println!(
                "{count} panics: {grown} bytes grown, {before} before; {} records",
                history.len()
            );
            assert_eq!(history.len(), 100);
            let last = history.last().expect("not empty").restart_count;
            assert!(last >= count + 5_000 - 1, "{last} restarts were counted");
            assert!(grown < SLACK, "grew by {grown} bytes over {count} panics");
        });
    };
    alone(
        "memory::a_million_panics_leave_no_more_than_the_history",
        Duration::from_secs(300),
        run,
    );
}

#[test]
fn starting_and_dropping_ten_thousand_actors_again_and_again_leaves_nothing() {
    let run = || {
        System::new().block_on(async {
            let rounds = if cfg!(debug_assertions) { 4 } else { 20 };
            let mut sizes = Vec::new();
            for round in 0..rounds {
                let make = |n: usize| {
                    ActorProps::plain(format!("/user/{n}"), || Victim)
                        .with_supervision(unlimited())
                        .start_actor()
                };
                let actors = (0..10_000).map(make).collect::<Vec<_>>();
                for actor in actors.iter().step_by(10) {
                    assert_eq!(actor.send(Panic).await, Err(MailboxError::Closed));
                }
                for actor in actors.iter().step_by(10) {
                    assert_eq!(actor.send(Fail).await, Ok(()));
                }
                let weak = actors.iter().map(Addr::downgrade).collect::<Vec<_>>();
                drop(actors);
                let gone =
                    crate::probe::eventually(|| weak.iter().all(|weak| weak.upgrade().is_none()));
                assert!(gone.await, "round {round}: an actor is left");
                drop(weak);
                sizes.push(resident());
            }
            println!("resident after each round of 10000 actors: {sizes:?}");
            let (first, last) = (sizes[1], sizes[rounds - 1]);
            assert!(last < first + 2 * SLACK, "grew: {sizes:?}");
        });
    };
    let name = "memory::starting_and_dropping_ten_thousand_actors_again_and_again_leaves_nothing";
    alone(name, Duration::from_secs(120), run);
}

/// Times this thread gave up the processor by itself: it had nothing to do, and was woken later.
fn wake_ups() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.expect("the field is there")
        .trim()
        .parse()
        .expect("a number")
}

/// Wake-ups in a second of a thread of its own on which `start` has started something.
fn wake_ups_of<T>(start: impl FnOnce() -> T + Send + 'static) -> u64 {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        System::new().block_on(async {
            let kept = start();
            // Starts are over when a second has passed.
            actix_rt::time::sleep(Duration::from_millis(300)).await;
            let before = wake_ups();
            actix_rt::time::sleep(Duration::from_secs(1)).await;
            tell.send(wake_ups() - before).expect("somebody waits");
            drop(kept);
        });
    });
    let count = told.recv().expect("a count");
    thread.join().expect("no panic");
    count
}

struct Ticker;

impl Actor for Ticker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(Duration::from_millis(10), |_, _| {});
    }
}

#[test]
fn idle_actors_cause_no_wake_ups() {
    let run = || {
        let idle = wake_ups_of(|| {
            let start = |n| {
                let props = ActorProps::plain(format!("/user/{n}"), || Victim);
                props.with_supervision(unlimited()).start()
            };
            (0..1_000).map(start).collect::<Vec<_>>()
        });
        let watched = wake_ups_of(|| {
            let start = |n| {
                let props = ActorProps::plain(format!("/user/{n}"), || Victim);
                let props = props.with_stall_deadline(Duration::from_millis(10));
                let actor = props.with_supervision(unlimited()).start_actor();
                actor.do_send(Fail);
                actor
            };
            (0..1_000).map(start).collect::<Vec<_>>()
        });
        let failed = wake_ups_of(|| {
            let start = |n| {
                let props = ActorProps::plain(format!("/user/{n}"), || Victim);
                let actor = props.with_supervision(unlimited()).start_actor();
                actor.do_send(Panic);
                actor.do_send(Fail);
                actor
            };
            (0..1_000).map(start).collect::<Vec<_>>()
        });
        let nothing = wake_ups_of(|| ());
        let ticking = wake_ups_of(|| ActorProps::plain("/user/ticker", || Ticker).start());
        println!(
            "wake-ups in a second: 1000 idle {idle}, 1000 idle after failures {failed}, \
             1000 idle with deadlines {watched}, no actor {nothing}, one with a timer of 10 ms {ticking}"
        );
        assert!(ticking > 50, "the measure does not work: {ticking}");
        assert!(idle <= nothing + 5, "{idle} against {nothing}");
        assert!(watched <= nothing + 5, "{watched} against {nothing}");
        assert!(failed <= nothing + 5, "{failed} against {nothing}");
    };
    alone(
        "memory::idle_actors_cause_no_wake_ups",
        Duration::from_secs(60),
        run,
    );
}
