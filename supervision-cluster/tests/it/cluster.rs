//! Whole nodes over the in-process engine, on virtual time: what their users are promised.

mod durable;
mod figures;
mod losing;
mod moving;
mod snapshots;
mod starting;

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use supervision_actix::{FailureInfo, prelude::*};
use supervision_cluster::{
    Cluster, ClusterConfig, Kind, RemoteMessage, Snapshot,
    engine::in_process::{InProcess, Options},
    protocol::ActorPath,
};
use supervision_core::{NodeId, PlacementStrategy};
use tokio::task::LocalSet;

/// What the actors note, in order.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// Runs a test on virtual time.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test)
}

pub(crate) fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

pub(crate) fn path(name: &str) -> ActorPath {
    ActorPath::new(name).unwrap()
}

pub(crate) fn on(name: &str) -> PlacementStrategy {
    PlacementStrategy::Node(node(name))
}

pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Waits until something is so; fails if it is not in a virtual minute.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so().await {
            return;
        }
        pause(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Adds up, and notes what happens to it.
pub(crate) struct Counter {
    path: ActorPath,
    sum: u64,
    log: Log,
}

impl Actor for Counter {
    type Context = Context<Self>;
}

impl DistributedActor for Counter {
    fn actor_path(&self) -> String {
        self.path.to_string()
    }
}

impl SupervisedDistributedActor for Counter {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        let restart = SupervisionStrategy::Restart {
            max_restarts: 1_000,
            window: seconds(60),
            delay: Duration::ZERO,
        };
        SupervisionStrategy::Match {
            default: Box::new(restart),
            matchers: vec![SupervisionMatcher {
                error_type: "std::io::Error".into(),
                strategy: Box::new(SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 2,
                    delay: Duration::from_millis(50),
                }),
            }],
        }
    }
    fn before_relocate(&mut self, _: &mut Context<Self>, to: NodeId, why: Option<FailureInfo>) {
        self.note(format!("before {to} {:?}", why.map(|f| f.error)));
    }
    fn after_relocate(&mut self, _: &mut Context<Self>, from: NodeId, why: Option<FailureInfo>) {
        self.note(format!("after {from} {:?}", why.map(|f| f.error)));
    }
}

impl Counter {
    pub(crate) fn new(path: &ActorPath, log: &Log) -> Self {
        Self {
            path: path.clone(),
            sum: 0,
            log: Arc::clone(log),
        }
    }

    pub(crate) fn again(&self) -> Self {
        Self::new(&self.path, &self.log)
    }

    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }
}

impl Snapshot for Counter {
    type State = u64;
    fn snapshot(&self) -> u64 {
        self.sum
    }
    fn restore(&mut self, sum: u64) {
        self.sum = sum;
    }
}

/// Adds, and gives the sum.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "u64")]
pub(crate) struct Add(pub(crate) u64);

impl RemoteMessage for Add {
    const NAME: &'static str = "add";
}

impl Handler<Add> for Counter {
    type Result = u64;
    fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u64 {
        self.sum += n;
        if n > 0 {
            self.note(format!("+{n}"));
        }
        self.sum
    }
}

/// Fails in one of three ways, after it has changed the sum.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "()")]
pub(crate) enum Break {
    Panic,
    Disk,
}

impl RemoteMessage for Break {
    const NAME: &'static str = "break";
}

impl Handler<Break> for Counter {
    type Result = ();
    fn handle(&mut self, how: Break, ctx: &mut Context<Self>) {
        match how {
            Break::Panic => {
                self.sum += 1_000_000;
                panic!("as ordered");
            }
            Break::Disk => ctx.fail(std::io::Error::other("broken disk")),
        }
    }
}

/// Takes a while, on the actor's own future.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "u64")]
pub(crate) struct AddLate(pub(crate) u64);

impl RemoteMessage for AddLate {
    const NAME: &'static str = "add-late";
}

impl Handler<AddLate> for Counter {
    type Result = ResponseActFuture<Self, u64>;
    fn handle(&mut self, AddLate(n): AddLate, _: &mut Context<Self>) -> Self::Result {
        let wait = pause(Duration::from_millis(100)).into_actor(self);
        Box::pin(wait.map(move |(), actor, _| {
            actor.sum += n;
            actor.sum
        }))
    }
}

/// Keeps the actor from everything else for a while.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "()")]
pub(crate) struct Nap;

impl RemoteMessage for Nap {
    const NAME: &'static str = "nap";
}

impl Handler<Nap> for Counter {
    type Result = ();
    fn handle(&mut self, _: Nap, ctx: &mut Context<Self>) {
        ctx.wait(pause(Duration::from_millis(100)).into_actor(self));
    }
}

pub(crate) fn counters(log: &Log) -> Kind<Counter> {
    let log = Arc::clone(log);
    let make = move |path: &ActorPath| Counter::new(path, &log);
    Kind::new("counter", make)
        .handles::<Add>()
        .handles::<AddLate>()
        .handles::<Break>()
        .handles::<Nap>()
}

/// Some nodes in one process.
pub(crate) struct Stage {
    pub(crate) engine: InProcess,
    pub(crate) log: Log,
    pub(crate) nodes: Vec<Cluster>,
}

impl Stage {
    /// Nodes `a`, `b`, ... that run counters.
    pub(crate) async fn new(nodes: u8, kind: impl Fn(Kind<Counter>) -> Kind<Counter>) -> Self {
        let log = Log::default();
        let engine = InProcess::new(Options::seeded(1));
        let mut stage = Self {
            engine,
            log,
            nodes: Vec::new(),
        };
        for index in 0..nodes {
            let name = char::from(b'a' + index).to_string();
            let kind = kind(counters(&stage.log));
            stage.join(&name, kind).await;
        }
        stage.see_each_other().await;
        stage
    }

    pub(crate) async fn join(&mut self, name: &str, kind: Kind<Counter>) {
        let config = ClusterConfig::new(node(name)).with_kind(kind);
        let engine = self.engine.connect(name);
        let clock = Arc::new(self.engine.clock(name));
        let joined = Cluster::join(engine, clock, config).await.unwrap();
        self.nodes.push(joined);
    }

    pub(crate) async fn see_each_other(&self) {
        let all = self.nodes.len();
        until("all nodes see each other", async || {
            self.nodes.iter().all(|node| node.members().len() == all)
        })
        .await;
    }

    pub(crate) fn a(&self) -> &Cluster {
        &self.nodes[0]
    }

    pub(crate) fn b(&self) -> &Cluster {
        &self.nodes[1]
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The node that runs an actor, by the nodes' own word.
    pub(crate) async fn owner(&self, path: &ActorPath) -> Vec<NodeId> {
        let mut owners = Vec::new();
        for node in &self.nodes {
            if !node.has_ended() && node.owned().await.iter().any(|(owned, _)| owned == path) {
                owners.push(node.node().clone());
            }
        }
        owners
    }

    pub(crate) async fn boots(&self) -> Vec<Option<supervision_cluster::protocol::Member>> {
        join_all(self.nodes.iter().map(Cluster::me)).await
    }
}
