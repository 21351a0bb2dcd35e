//! The engine within one process.

mod clocks;
mod lifetimes;
mod messages;
mod outages;
mod partitions;
mod pauses;
mod replay;
mod stores;
mod threads;
mod watches;
mod writes;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use supervision_cluster::engine::{
    Engine, Key, Prefix, Subject,
    in_process::{Faults, InProcess, LinkFaults, Options, Span, StoreFaults, TraceEvent},
};

use crate::contract::engine_contract;

/// Runs something on one thread in virtual time.
pub(crate) fn virtually<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, run)
}

/// What happened, in order.
type Trace = Arc<Mutex<Vec<TraceEvent>>>;

/// Options that write down what happens.
fn traced(options: Options) -> (Options, Trace) {
    let trace = Trace::default();
    let sink = Arc::clone(&trace);
    let options = options.trace(move |event| sink.lock().unwrap().push(event.clone()));
    (options, trace)
}

fn key(name: &str) -> Key {
    Key::of(["t", name]).unwrap()
}

fn subject(name: &str) -> Subject {
    Subject::of([name]).unwrap()
}

fn everything() -> Prefix {
    Prefix::all()
}

async fn millis(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

fn connecting(engine: &InProcess) -> impl Fn(&str) -> Arc<dyn Engine> {
    |node| engine.connect(node)
}

#[test]
fn it_keeps_the_contract_in_virtual_time() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        engine_contract(connecting(&engine)).await;
        // Nothing went wrong, as nothing was to.
        let stats = engine.stats();
        assert_eq!(
            (stats.lost, stats.delayed, stats.unknown, stats.timeouts),
            (0, 0, 0, 0)
        );
        assert!(stats.committed > 2_500 && stats.expired >= 5 && stats.conflicts > 300);
    });
}

#[test]
fn it_keeps_the_contract_when_everything_takes_time() {
    for seed in 0..5 {
        let faults = delays(15);
        virtually(async {
            let engine = InProcess::new(Options::seeded(seed).faults(faults));
            engine_contract(connecting(&engine)).await;
            assert!(engine.stats().delayed > 5_000);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract_in_real_time() {
    let engine = InProcess::new(Options::new());
    let slow = InProcess::new(Options::new().faults(delays(2)));
    let both = (
        engine_contract(connecting(&engine)),
        engine_contract(connecting(&slow)),
    );
    futures_util::future::join(both.0, both.1).await;
    assert!(slow.stats().delayed > 5_000);
}

/// Everything takes up to so many milliseconds and nothing else goes wrong.
fn delays(most: u64) -> Faults {
    let link = LinkFaults {
        delay: Span::millis(0, most),
        ..LinkFaults::default()
    };
    let store = StoreFaults {
        link,
        watch_delay: Span::millis(0, most),
        ..StoreFaults::default()
    };
    Faults {
        store,
        every_link: link,
        ..Faults::default()
    }
}
