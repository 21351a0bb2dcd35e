//! Figures for the notes; run with `--release -- --ignored --nocapture figures`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use supervision_actix::prelude::*;
use supervision_cluster::{
    Cluster, ClusterConfig,
    clock::BootClock,
    engine::in_process::{InProcess, Options},
};
use tokio::task::LocalSet;

use super::{Add, Counter, Stage, counters, losing::lose, node, on, path, pause, run, seconds};

fn number(name: &str, otherwise: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
#[ignore = "takes a while"]
fn the_cost_of_a_loss_grows_with_the_number_of_actors_and_no_faster() {
    let actors = number("SUPERVISION_ACTORS", 10_000);
    for actors in [actors / 10, actors] {
        let start = Instant::now();
        let (calls, took) = run(lose(actors));
        let real = start.elapsed();
        println!("{actors} actors lost: {calls:.3} calls each, {took:?} virtual, {real:?} real");
        assert!((3.0..3.1).contains(&calls), "{calls} calls");
    }
}

#[test]
#[ignore = "takes a while"]
fn ten_thousand_actors_leave_a_node_that_drains() {
    let actors = number("SUPERVISION_ACTORS", 10_000);
    run(async {
        let stage = Stage::new(3, |kind| kind.durable()).await;
        let names: Vec<_> = (0..actors).map(|n| path(&format!("/user/{n}"))).collect();
        for some in names.chunks(256) {
            let some = some.iter();
            let started = some.map(|name| stage.a().start_at::<Counter>(name, on("a")));
            assert!(join_all(started).await.iter().all(Result::is_ok));
        }
        let (real, start) = (Instant::now(), tokio::time::Instant::now());
        let before = stage.engine.stats();
        let report = stage.a().drain(seconds(600)).await;
        let after = stage.engine.stats();
        let calls = after.gets + after.writes - before.gets - before.writes;
        let calls = calls as f64 / actors as f64;
        let (took, real) = (start.elapsed(), real.elapsed());
        println!("{actors} actors drained: {calls:.3} calls each, {took:?} virtual, {real:?} real");
        assert_eq!((report.moved, report.left.len()), (actors, 0));
        for some in names.chunks(1_000) {
            let asked = some.iter().map(|name| async {
                let counter = stage.b().actor_ref::<Counter>(name);
                counter.send(Add(1)).await
            });
            assert!(join_all(asked).await.iter().all(|answer| *answer == Ok(1)));
        }
    });
}

/// Nodes in real time.
async fn real(names: &[&str]) -> Vec<Cluster> {
    let engine = InProcess::new(Options::new());
    let mut nodes = Vec::new();
    for name in names {
        let kind = counters(&Default::default()).snapshot();
        let config = ClusterConfig::new(node(name)).with_kind(kind);
        let clock = Arc::new(BootClock::new());
        let joined = Cluster::join(engine.connect(name), clock, config).await;
        nodes.push(joined.unwrap());
    }
    while nodes.iter().any(|node| node.members().len() < names.len()) {
        pause(Duration::from_millis(1)).await;
    }
    nodes
}

fn in_real_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

#[test]
#[ignore = "measures"]
fn a_local_ask_costs_at_most_a_third_more_than_one_by_address() {
    in_real_time(async {
        let nodes = real(&["a"]).await;
        let by_path = nodes[0].start::<Bare>(&path("/user/bare")).await;
        assert!(by_path.is_err(), "it is no kind here");
        let by_path = nodes[0]
            .start::<Counter>(&path("/user/counter"))
            .await
            .unwrap();
        let counter = Counter::new(&path("/user/other"), &Default::default());
        let by_address = ActorProps::plain("/user/other", move || counter.again()).start_actor();
        let asks = number("SUPERVISION_ASKS", 100_000);
        let (mut paths, mut addresses) = (Vec::new(), Vec::new());
        for _ in 0..11 {
            let start = Instant::now();
            for _ in 0..asks / 10 {
                by_address.send(Add(0)).await.unwrap();
            }
            addresses.push(start.elapsed());
            let start = Instant::now();
            for _ in 0..asks / 10 {
                by_path.send(Add(0)).await.unwrap();
            }
            paths.push(start.elapsed());
        }
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2].as_nanos() as f64 / (asks / 10) as f64
        };
        let (path, address) = (median(&mut paths), median(&mut addresses));
        let ratio = path / address;
        println!("ask by path {path:.0} ns, by address {address:.0} ns: {ratio:.2}");
        let short = nodes[0].message_counts().short_way;
        assert!(short >= (asks as u64), "only {short} took the short way");
        assert!(ratio <= 1.3, "{ratio}");
    });
}

/// An actor of no kind.
struct Bare;

impl actix::Actor for Bare {
    type Context = actix::Context<Self>;
}

#[test]
#[ignore = "measures"]
fn the_pause_that_a_caller_sees_when_an_actor_with_a_thousand_messages_moves() {
    in_real_time(async {
        let nodes = real(&["a", "b", "c"]).await;
        let name = path("/user/counter");
        nodes[1].start_at::<Counter>(&name, on("b")).await.unwrap();
        let counter = nodes[0].actor_ref::<Counter>(&name);
        counter.send(Add(0)).await.unwrap();
        let mut pauses = Vec::new();
        for turn in 0..200 {
            let (from, to) = if turn % 2 == 0 { (1, "c") } else { (2, "b") };
            for _ in 0..1_000 {
                counter.do_send(Add(0)).unwrap();
            }
            let start = Instant::now();
            let to = node(to);
            let (moved, answer) =
                tokio::join!(nodes[from].relocate(&name, &to), counter.send(Add(0)));
            assert!(moved.is_ok() && answer.is_ok(), "{moved:?} {answer:?}");
            pauses.push(start.elapsed());
        }
        pauses.sort();
        let (median, p99) = (pauses[100], pauses[197]);
        println!("a caller behind 1,000 messages waits {median:?}, p99 {p99:?}, through a move");
    });
}
