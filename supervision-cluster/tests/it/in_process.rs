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
    in_process::{InProcess, Options, TraceEvent},
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
    use supervision_cluster::engine::in_process::{Faults, LinkFaults, Span, StoreFaults};
    let link = LinkFaults {
        delay: Span::millis(0, 15),
        ..LinkFaults::default()
    };
    let store = StoreFaults {
        link,
        watch_delay: Span::millis(0, 15),
        ..StoreFaults::default()
    };
    let every_link = link;
    for seed in 0..5 {
        let faults = Faults {
            store: store.clone(),
            every_link,
            ..Faults::default()
        };
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
    engine_contract(connecting(&engine)).await;
}
