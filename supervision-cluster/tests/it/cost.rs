//! What calls cost without faults. Measures, so it is run by hand:
//! `cargo test --release -p supervision-cluster --test it cost -- --ignored --nocapture --test-threads 1`.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use supervision_cluster::{
    clock::{BootClock, Clock},
    engine::{
        Engine, Expected, Key, Prefix, Subject, Ttl,
        in_process::{InProcess, Options},
    },
};

use crate::contract::bytes;

const CALLS: u32 = 200_000;

fn real<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(run)
}

fn told(what: &str, calls: u32, begun: Instant) {
    let each = begun.elapsed().as_nanos() / u128::from(calls);
    println!("{what}: {each} ns");
}

fn key(n: u32) -> Key {
    Key::of(["owner", &format!("path {n}")]).unwrap()
}

/// Creates this many entries.
async fn fill(engine: &Arc<dyn Engine>, entries: u32) {
    for n in 0..entries {
        let created = engine.write(&key(n), bytes("0123456789"), Expected::Absent, None);
        created.await.unwrap();
    }
}

#[test]
#[ignore = "measures"]
fn cost_of_the_store() {
    real(async {
        for entries in [1_000, 1_000_000] {
            let engine = InProcess::new(Options::new());
            let a = engine.connect("a");
            let begun = Instant::now();
            fill(&a, entries).await;
            told(&format!("create, up to {entries} entries"), entries, begun);
            let keys: Vec<_> = (0..CALLS)
                .map(|n| key(n.wrapping_mul(7_919) % entries))
                .collect();
            let begun = Instant::now();
            for key in &keys {
                assert!(a.get(key).await.unwrap().is_some());
            }
            told(&format!("get of {entries}"), CALLS, begun);
            let mut revision = a.get(&key(0)).await.unwrap().unwrap().revision;
            for (what, ttl) in [("without", None), ("with", Ttl::from_secs(600))] {
                let begun = Instant::now();
                for _ in 0..CALLS {
                    let expected = Expected::Revision(revision);
                    revision = a.write(&key(0), bytes("x"), expected, ttl).await.unwrap();
                }
                told(
                    &format!("compare and swap of {entries} {what} a lifetime"),
                    CALLS,
                    begun,
                );
            }
            let begun = Instant::now();
            let scan = a.scan(&Prefix::all()).await.unwrap();
            let found = scan.try_fold(0, async |sum, _| Ok(sum + 1)).await.unwrap();
            assert_eq!(found, entries);
            told(&format!("entry of a scan of {entries}"), entries, begun);
            let begun = Instant::now();
            let mut watch = a.watch(&Prefix::all(), None).await.unwrap();
            for _ in 0..=entries {
                watch.next().await.unwrap();
            }
            told(
                &format!("entry of a watch of {entries} that begins"),
                entries,
                begun,
            );
        }
    });
}

#[test]
#[ignore = "measures"]
fn cost_of_messages() {
    real(async {
        let engine = InProcess::new(Options::new());
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let subject = Subject::of(["s"]).unwrap();
        let mut served = b.serve(&subject).await.unwrap();
        let echo = tokio::spawn(async move {
            while let Some(request) = served.next().await {
                if let Some(responder) = request.responder {
                    responder.respond(request.payload).await.unwrap();
                }
            }
        });
        let begun = Instant::now();
        for _ in 0..CALLS {
            let asked = a.request(&subject, bytes("?"), Duration::from_secs(5));
            asked.await.unwrap();
        }
        told("request and reply on one thread", CALLS, begun);
        echo.abort();
        let begun = Instant::now();
        for _ in 0..CALLS {
            a.publish(&subject, bytes("?")).await.unwrap();
        }
        told("publish", CALLS, begun);
    });
}

#[test]
#[ignore = "measures"]
fn cost_of_the_store_on_two_threads() {
    let engine = InProcess::new(Options::new());
    let begun = Instant::now();
    thread::scope(|scope| {
        for n in 0..2 {
            let node = engine.connect(&format!("n{n}"));
            scope.spawn(move || {
                let created = node.write(&key(n), bytes("x"), Expected::Absent, None);
                let mut revision = created.now_or_never().unwrap().unwrap();
                for _ in 0..CALLS {
                    let expected = Expected::Revision(revision);
                    let written = node.write(&key(n), bytes("x"), expected, None);
                    revision = written.now_or_never().unwrap().unwrap();
                }
            });
        }
    });
    told("compare and swap, two threads at once", CALLS * 2, begun);
}

#[test]
#[ignore = "measures"]
fn cost_of_the_real_clock() {
    let clock = BootClock::new();
    let begun = Instant::now();
    let mut last = clock.now();
    for _ in 0..CALLS {
        last = last.max(clock.now());
    }
    told("reading the real clock", CALLS, begun);
    assert!(last <= clock.now());
}
