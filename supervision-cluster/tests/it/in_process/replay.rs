//! The same seed gives the same run.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::StreamExt;
use supervision_cluster::{
    clock::Clock,
    engine::{
        Engine, Expected, Ttl, WriteError,
        in_process::{Faults, InProcess, Options, Place, Stats, Step},
    },
};

use super::{everything, key, millis, subject, traced, virtually};
use crate::contract::bytes;

/// A node that keeps a shared entry, asks the others, watches, and answers.
async fn live(engine: InProcess, id: u64) {
    let name = format!("n{id}");
    let (node, clock) = (engine.connect(&name), engine.clock(&name));
    tokio::spawn(answer(Arc::clone(&node), name));
    tokio::spawn(watch(Arc::clone(&node)));
    let mut rng = fastrand::Rng::with_seed(id);
    for n in 0.. {
        let key = key(&rng.u8(0..3).to_string());
        let expected = match node.get(&key).await {
            Ok(Some(entry)) => Expected::Revision(entry.revision),
            _ => Expected::Absent,
        };
        let value = bytes(&format!("{id} {n}"));
        let written = node
            .write(&key, value.clone(), expected, Some(Ttl::SHORTEST))
            .await;
        if let (Err(WriteError::Unknown), Expected::Revision(at)) = (written, expected) {
            // Either of the two may happen.
            let _ = node.delete(&key, at).await;
        }
        let to = subject(&format!("n{}", rng.u8(0..4)));
        let _ = node
            .request(&to, value.clone(), Duration::from_millis(500))
            .await;
        let _ = node.publish(&to, value).await;
        let wait = Duration::from_millis(rng.u64(1..100));
        clock.sleep_until(clock.now().saturating_add(wait)).await;
    }
}

async fn answer(node: Arc<dyn Engine>, name: String) {
    let mut served = node.serve(&subject(&name)).await.unwrap();
    while let Some(request) = served.next().await {
        if let Some(responder) = request.responder {
            let _ = responder.respond(request.payload).await;
        }
    }
}

async fn watch(node: Arc<dyn Engine>) {
    loop {
        if let Ok(watch) = node.watch(&everything(), None).await {
            watch.for_each(|_| async {}).await;
        }
    }
}

/// A minute of four nodes with everything that can go wrong.
fn run(seed: u64) -> (Vec<String>, BTreeSet<Step>, Stats) {
    let (options, trace) = traced(Options::seeded(seed).faults(Faults::rough()));
    let stats = virtually(async {
        let engine = InProcess::new(options);
        for id in 0..4 {
            tokio::spawn(live(engine.clone(), id));
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        for round in 0..12 {
            millis(rng.u64(2_000..4_000)).await;
            let (one, other) = (format!("n{}", rng.u8(0..4)), format!("n{}", rng.u8(0..4)));
            match round % 6 {
                0 => engine.cut(Place::Node(&one), Place::Store),
                1 => engine.cut_one_way(Place::Node(&one), Place::Node(&other)),
                2 => engine.pause(&one),
                3 => engine.begin_outage(),
                4 => engine.lose_leader(),
                _ => engine.clock(&one).set_rate(rng.i32(-1_000..1_000)).unwrap(),
            }
            millis(rng.u64(500..2_000)).await;
            engine.heal_all();
            engine.resume(&one);
            engine.end_outage();
            engine.find_leader();
        }
        engine.stats()
    });
    let trace = trace.lock().unwrap();
    let steps = trace.iter().map(|event| event.step).collect();
    (
        trace.iter().map(ToString::to_string).collect(),
        steps,
        stats,
    )
}

#[test]
fn the_same_seed_gives_the_identical_trace_and_another_one_another() {
    for seed in 0..3 {
        let (first, steps, stats) = run(seed);
        let (second, _, again) = run(seed);
        assert!(first.len() > 5_000, "{}", first.len());
        let differs = first
            .iter()
            .zip(&second)
            .position(|(one, other)| one != other);
        if let Some(at) = differs {
            panic!("line {at}: {} or {}", first[at], second[at]);
        }
        assert_eq!((first.len(), stats), (second.len(), again));
        assert_ne!(first, run(seed + 100).0);
        happened(&steps, &stats);
    }
}

/// Everything that could go wrong did.
fn happened(steps: &BTreeSet<Step>, stats: &Stats) {
    use Step::*;
    let all = [
        Get,
        Write,
        Delete,
        Watch,
        Request,
        Publish,
        Reply,
        Commit,
        Conflict,
        Expire,
        Deliver,
        Lose,
        Cut,
        Duplicate,
        Reorder,
        MeetOutage,
        MeetNoLeader,
        Refuse,
        CommitLate,
        ShowPast,
        TellChange,
        Interrupt,
        Pause,
        Resume,
    ];
    for step in all {
        assert!(steps.contains(&step), "no {step:?} in {steps:?}");
    }
    let Stats {
        committed_unheard,
        delayed_watch_events,
        early_expiries,
        late_expiries,
        ..
    } = *stats;
    let counts = [
        committed_unheard,
        delayed_watch_events,
        early_expiries,
        late_expiries,
    ];
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(stats.unknown > 0 && stats.unanswered > 0 && stats.held > 0);
}
