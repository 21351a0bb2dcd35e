//! Nodes on many threads, in real time.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::join};
use supervision_cluster::engine::{
    Engine, Expected, Revision, Ttl, WatchEvent, WriteError,
    in_process::{InProcess, Options},
};

use super::{everything, key, subject};
use crate::contract::{bytes, create, next_change};

const THREADS: usize = 4;
const ATTEMPTS: usize = 5_000;

/// Increments a sum as often as it can in so many attempts; returns the revisions of those that
/// succeeded.
fn increment(engine: &Arc<dyn Engine>, name: &str, done: &AtomicU64) -> Vec<Revision> {
    let mut won = Vec::new();
    for _ in 0..ATTEMPTS {
        let entry = engine
            .get(&key(name))
            .now_or_never()
            .unwrap()
            .unwrap()
            .unwrap();
        let sum = u64::from_le_bytes(entry.value[..].try_into().unwrap());
        let value = (sum + 1).to_le_bytes().to_vec().into();
        let expected = Expected::Revision(entry.revision);
        let written = engine.write(&key(name), value, expected, None);
        match written.now_or_never().unwrap() {
            Ok(revision) => {
                assert!(revision > entry.revision);
                won.push(revision);
                done.fetch_add(1, Ordering::Relaxed);
            }
            Err(WriteError::Conflict { actual }) => assert!(actual > Some(entry.revision)),
            Err(other) => panic!("{other}"),
        }
    }
    won
}

#[test]
fn increments_from_many_threads_are_each_counted_once() {
    let engine = InProcess::new(Options::new());
    let first = engine.connect("first");
    let zero = || 0_u64.to_le_bytes().to_vec().into();
    for name in ["even", "odd"] {
        let created = first.write(&key(name), zero(), Expected::Absent, None);
        created.now_or_never().unwrap().unwrap();
    }
    let done = [AtomicU64::new(0), AtomicU64::new(0)];
    let won: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS * 2)
            .map(|index| {
                let node = engine.connect(&format!("n{index}"));
                let done = &done;
                scope.spawn(move || {
                    let name = ["even", "odd"][index % 2];
                    increment(&node, name, &done[index % 2])
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for (name, done) in ["even", "odd"].into_iter().zip(done) {
        let entry = first
            .get(&key(name))
            .now_or_never()
            .unwrap()
            .unwrap()
            .unwrap();
        let sum = u64::from_le_bytes(entry.value[..].try_into().unwrap());
        assert_eq!(sum, done.into_inner());
        assert!(sum >= ATTEMPTS as u64, "each round has a winner: {sum}");
    }
    assert!(won.iter().all(|of_one| of_one.is_sorted_by(|a, b| a < b)));
    let all: BTreeSet<_> = won.iter().flatten().collect();
    assert_eq!(all.len(), won.iter().map(Vec::len).sum::<usize>());
    let stats = engine.stats();
    assert_eq!(stats.committed, all.len() as u64 + 2);
    assert_eq!(stats.writes, (2 * THREADS * ATTEMPTS) as u64 + 2);
}

#[test]
fn watches_and_messages_cross_threads() {
    let engine = InProcess::new(Options::new());
    let run = |run: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(run);
    };
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (a, b) = (engine.connect("a"), engine.connect("b"));
    thread::scope(|scope| {
        scope.spawn(move || {
            run(Box::pin(async move {
                let mut watch = b.watch(&everything(), None).await.unwrap();
                let mut served = b.serve(&subject("s")).await.unwrap();
                ready.send(()).unwrap();
                for _ in 0..1_000 {
                    let (request, event) = join(served.next(), watch.next()).await;
                    let request = request.unwrap();
                    // The first event is that there is nothing yet.
                    assert!(event.is_some());
                    request
                        .responder
                        .unwrap()
                        .respond(request.payload)
                        .await
                        .unwrap();
                }
            }));
        });
        scope.spawn(move || {
            run(Box::pin(async move {
                is_ready.recv().unwrap();
                for n in 0..1_000 {
                    create(&a, &key(&n.to_string()), "x").await;
                    let wait = Duration::from_secs(20);
                    let asked = a.request(&subject("s"), bytes(&n.to_string()), wait);
                    assert_eq!(asked.await, Ok(bytes(&n.to_string())));
                }
            }));
        });
    });
    assert_eq!(engine.stats().replies, 1_000);
}

#[test]
fn an_expiry_is_told_though_the_runtime_that_waited_for_it_has_ended() {
    let engine = InProcess::new(Options::new());
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let first = runtime();
    let (a, b) = (engine.connect("a"), engine.connect("b"));
    first.block_on(async {
        // Makes the first runtime wait for the expiry.
        let written = a.write(&key("k"), bytes("1"), Expected::Absent, Some(Ttl::SHORTEST));
        written.await.unwrap();
    });
    let (ready, is_ready) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            runtime().block_on(async {
                let mut watch = b.watch(&everything(), None).await.unwrap();
                assert_eq!(next_change(&mut watch).await, "k=1");
                assert_eq!(next_change(&mut watch).await, "caught up");
                ready.send(()).unwrap();
                crate::contract::next(&mut watch).await
            })
        });
        is_ready.recv().unwrap();
        drop(first);
        let told = watching.join().unwrap();
        assert!(matches!(told, WatchEvent::Expired { .. }), "{told:?}");
    });
}
