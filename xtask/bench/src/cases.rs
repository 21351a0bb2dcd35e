//! The cases.

use std::time::{Duration, Instant};

use actix::prelude::*;
use supervision_core::{Budgets, Cause, Failure, Policy, SupervisionStrategy, Timestamp, decide};

use crate::{
    actors::{Ask, BareRecovery, Fail, Panic, Probe, Started, Tell, Variant, start},
    memory::resident,
    per_op,
};

/// One thing that is measured.
pub struct Case {
    pub name: &'static str,
    pub unit: &'static str,
    /// `None` where the variant cannot do it.
    pub run: fn(Variant) -> Option<f64>,
}

/// All cases.
pub const CASES: &[Case] = &[
    Case { name: "tell", unit: "ns", run: tell },
    Case { name: "tell-one-per-wakeup", unit: "ns", run: tell_one_per_wakeup },
    Case { name: "ask", unit: "ns", run: ask },
    Case { name: "spawn-and-first-answer", unit: "ns", run: spawn_and_first_answer },
    Case { name: "bytes-per-idle-actor", unit: "B", run: bytes_per_idle_actor },
    Case { name: "restart-after-panic", unit: "ns", run: restart_after_panic },
    Case { name: "restart-after-failure", unit: "ns", run: restart_after_failure },
    Case { name: "decide", unit: "ns", run: decide_cost },
];

fn on_system<T>(work: impl Future<Output = T>) -> T {
    System::new().block_on(work)
}

/// 1,000,000 messages, at most 1,000 of them in flight.
fn tell(variant: Variant) -> Option<f64> {
    const BURSTS: u64 = 1_000;
    const BURST: u64 = 1_000;
    on_system(async {
        let started = start(variant).await;
        let begin = Instant::now();
        for _ in 0..BURSTS {
            for _ in 0..BURST {
                started.addr.do_send(Tell);
            }
            started.addr.send(Ask).await.expect("an answer");
        }
        let elapsed = begin.elapsed();
        assert_eq!(started.addr.send(Ask).await, Ok(BURSTS * BURST));
        Some(per_op(elapsed, BURSTS * BURST))
    })
}

/// The sender yields after each message, so each one wakes the actor.
fn tell_one_per_wakeup(variant: Variant) -> Option<f64> {
    const MESSAGES: u64 = 500_000;
    on_system(async {
        let started = start(variant).await;
        started.addr.send(Ask).await.expect("an answer");
        let begin = Instant::now();
        for _ in 0..MESSAGES {
            started.addr.do_send(Tell);
            tokio::task::yield_now().await;
        }
        let elapsed = begin.elapsed();
        assert_eq!(started.addr.send(Ask).await, Ok(MESSAGES));
        Some(per_op(elapsed, MESSAGES))
    })
}

/// One question after the other.
fn ask(variant: Variant) -> Option<f64> {
    const QUESTIONS: u64 = 300_000;
    on_system(async {
        let started = start(variant).await;
        started.addr.do_send(Tell);
        let begin = Instant::now();
        for _ in 0..QUESTIONS {
            assert_eq!(started.addr.send(Ask).await, Ok(1));
        }
        Some(per_op(begin.elapsed(), QUESTIONS))
    })
}

/// 100,000 actors, each started and asked once; all stay alive.
fn spawn_and_first_answer(variant: Variant) -> Option<f64> {
    const ACTORS: u64 = 100_000;
    on_system(async {
        let mut alive = Vec::with_capacity(ACTORS as usize);
        let begin = Instant::now();
        for _ in 0..ACTORS {
            let started = start(variant).await;
            assert_eq!(started.addr.send(Ask).await, Ok(0));
            alive.push(started);
        }
        Some(per_op(begin.elapsed(), ACTORS))
    })
}

/// Growth of the resident memory by 100,000 actors that have answered once and are idle, with one
/// address each held.
fn bytes_per_idle_actor(variant: Variant) -> Option<f64> {
    const ACTORS: u64 = 100_000;
    on_system(async {
        let mut alive: Vec<Started> = Vec::with_capacity(ACTORS as usize);
        // Pages of the vector itself are not the actors'.
        for _ in 0..1_000 {
            alive.push(start(variant).await);
        }
        alive.clear();
        tokio::task::yield_now().await;
        let before = resident();
        for _ in 0..ACTORS {
            let mut started = start(variant).await;
            assert_eq!(started.addr.send(Ask).await, Ok(0));
            if let Some(supervisor) = started.supervisor.take() {
                // One address: the supervisor's.
                std::mem::forget(supervisor);
            }
            alive.push(started);
        }
        let grown = resident().saturating_sub(before);
        let vector = (size_of::<Started>() as u64) * ACTORS;
        Some(grown.saturating_sub(vector) as f64 / ACTORS as f64)
    })
}

/// From the message that panics to the answered ping, through the same address.
fn restart_after_panic(variant: Variant) -> Option<f64> {
    const PANICS: u64 = 100_000;
    on_system(async {
        if variant == Variant::Bare {
            let (mut addr, mut recovery) = BareRecovery::new();
            let begin = Instant::now();
            for _ in 0..PANICS {
                addr = recovery.panic_and_ping(addr).await;
            }
            let elapsed = begin.elapsed();
            assert_eq!(recovery.restarts(), PANICS);
            return Some(per_op(elapsed, PANICS));
        }
        let started = start(variant).await;
        let begin = Instant::now();
        for _ in 0..PANICS {
            let failed = started.addr.send(Panic);
            assert_eq!(started.addr.send(Ask).await, Ok(0));
            drop(failed);
        }
        let elapsed = begin.elapsed();
        assert_restarts(&started, PANICS).await;
        Some(per_op(elapsed, PANICS))
    })
}

/// From the message whose handler reports a failure to the answered ping.
fn restart_after_failure(variant: Variant) -> Option<f64> {
    const FAILURES: u64 = 200_000;
    if variant == Variant::Bare {
        return None;
    }
    on_system(async {
        let started = start(variant).await;
        let begin = Instant::now();
        for _ in 0..FAILURES {
            started.addr.do_send(Fail);
            assert_eq!(started.addr.send(Ask).await, Ok(0));
        }
        let elapsed = begin.elapsed();
        assert_restarts(&started, FAILURES).await;
        Some(per_op(elapsed, FAILURES))
    })
}

/// One restart for each failure, no more and no less.
async fn assert_restarts(started: &Started, failures: u64) {
    use supervision_actix::prelude::*;

    if let Some(supervisor) = &started.supervisor {
        let history = supervisor.send(GetFailureHistory::new()).await.expect("a history");
        let last = history.last().expect("a failure");
        assert_eq!(last.restart_count as u64 + 1, failures);
    }
}

/// One decision of a `Restart` whose window is full, so that every call counts and forgets.
fn decide_cost(variant: Variant) -> Option<f64> {
    const DECISIONS: u64 = 2_000_000;
    if variant != Variant::Lean {
        return None;
    }
    let strategy = SupervisionStrategy::Restart {
        max_restarts: 5,
        window: Duration::from_secs(60),
        delay: Duration::from_millis(100),
    };
    let policy = Policy::new(strategy).expect("a valid strategy");
    let (mut budgets, cause) = (Budgets::default(), Cause::panic("measured"));
    let failure = Failure::of(&cause);
    let begin = Instant::now();
    let mut restarts = 0;
    for second in 0..DECISIONS {
        let now = Timestamp::from_secs(second * 13);
        let decision = decide(&mut budgets, &policy, std::hint::black_box(&failure), now, second);
        restarts += u64::from(decision.delay().is_some());
    }
    let elapsed = begin.elapsed();
    assert_eq!(restarts, DECISIONS);
    let _: Option<Probe> = None;
    Some(per_op(elapsed, DECISIONS))
}
