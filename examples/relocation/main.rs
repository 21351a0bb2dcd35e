//! Three nodes in one process, and counters that move among them while they are counted with: by a
//! failure of a node's disk, by a drain, and by the death of a node. Prints who runs what, under which
//! epoch and with which sum, and asserts that nothing was lost or counted twice.

mod counter;

use std::{
    cell::{Cell, RefCell},
    error::Error,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use supervision_cluster::{
    Cluster, ClusterConfig, SendError,
    clock::BootClock,
    engine::in_process::{InProcess, Options},
    protocol::ActorPath,
};
use supervision_core::{NodeId, PlacementStrategy};

use crate::counter::{Add, Counter, Flush};

type Outcome<T> = Result<T, Box<dyn Error>>;

const NODES: [&str; 3] = ["north", "east", "south"];
const COUNTERS: usize = 6;
/// Short, as nothing is far away here; real engines need seconds.
const LEASE: Duration = Duration::from_secs(1);

/// What the load has seen.
#[derive(Default)]
struct Seen {
    acknowledged: RefCell<Vec<u64>>,
    is_over: Cell<bool>,
}

fn main() -> Outcome<()> {
    actix::System::new().block_on(play())
}

async fn play() -> Outcome<()> {
    let engine = InProcess::new(Options::new());
    let mut nodes = Vec::new();
    for name in NODES {
        nodes.push(join(&engine, name).await?);
    }
    wait_for_members(&nodes[0], NODES.len()).await;
    println!("{} nodes: {}", nodes.len(), NODES.join(", "));

    let paths = (1..=COUNTERS).map(|n| ActorPath::new(format!("/counter/{n}")));
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    for (index, path) in paths.iter().enumerate() {
        let on = PlacementStrategy::Node(NodeId::new(NODES[index % NODES.len()])?);
        nodes[0].start_at::<Counter>(path, on).await?;
    }
    let seen = Rc::new(Seen::default());
    *seen.acknowledged.borrow_mut() = vec![0; COUNTERS];
    let loads: Vec<_> = (0..COUNTERS)
        .map(|index| {
            actix::spawn(load(
                nodes[0].clone(),
                paths[index].clone(),
                index,
                seen.clone(),
            ))
        })
        .collect();
    pause(300).await;
    show("under load", &nodes[0], &paths).await?;

    println!("\nThe disk of east is full; counter 2 notices.");
    let flushed = nodes[0].actor_ref::<Counter>(&paths[1]).send(Flush).await;
    assert!(matches!(flushed, Err(SendError::Failed(_))), "{flushed:?}");
    pause(500).await;
    show("after the failure", &nodes[0], &paths).await?;

    println!("\nSouth is drained and leaves.");
    let report = nodes[2].leave(Duration::from_secs(10)).await;
    println!(
        "    it gave {} counters away, {} are left",
        report.moved,
        report.left.len()
    );
    assert!(report.left.is_empty());
    show("after the drain", &nodes[0], &paths).await?;

    println!("\nEast dies.");
    engine.crash("east");
    wait_for_members(&nodes[0], 1).await;
    pause(500).await;
    show("after the loss", &nodes[0], &paths).await?;

    seen.is_over.set(true);
    for load in loads {
        load.await?;
    }
    compare(&nodes[0], &paths, &seen).await
}

async fn join(engine: &InProcess, name: &str) -> Outcome<Cluster> {
    let config = ClusterConfig::new(NodeId::new(name)?)
        .with_kind(counter::kind())
        .with_lease(LEASE, LEASE / 10, LEASE / 5)?
        .with_timeout(Duration::from_secs(10));
    let clock = Arc::new(BootClock::new());
    Ok(Cluster::join(engine.connect(name), clock, config).await?)
}

/// Counts one after the other, and remembers what was acknowledged.
async fn load(node: Cluster, path: ActorPath, index: usize, seen: Rc<Seen>) {
    let counter = node.actor_ref::<Counter>(&path);
    while !seen.is_over.get() {
        if counter.send(Add(1)).await.is_ok() {
            seen.acknowledged.borrow_mut()[index] += 1;
        }
        pause(1).await;
    }
}

async fn wait_for_members(node: &Cluster, count: usize) {
    while node.members().len() != count {
        pause(10).await;
    }
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

async fn show(when: &str, node: &Cluster, paths: &[ActorPath]) -> Outcome<()> {
    println!("  {when}:");
    for path in paths {
        let sum = node.actor_ref::<Counter>(path).send(Add(0)).await?;
        let place = node.locate(path).await.ok_or("an actor without a place")?;
        let (owner, epoch) = (place.owner.node, place.epoch);
        println!("    {path} on {owner:<6} epoch {epoch:<6} sum {sum}");
    }
    Ok(())
}

async fn compare(node: &Cluster, paths: &[ActorPath], seen: &Seen) -> Outcome<()> {
    println!("\nThe sums:");
    let all = seen.acknowledged.take();
    for (path, acknowledged) in paths.iter().zip(&all) {
        let sum = node.actor_ref::<Counter>(path).send(Add(0)).await?;
        println!("    {path} has {sum}, acknowledged were {acknowledged}");
        assert_eq!(sum, *acknowledged);
    }
    let counts = node.message_counts();
    println!(
        "    {} messages: {} delivered, {} failed, {} refused, {} unknown",
        counts.sent, counts.delivered, counts.failed, counts.refused, counts.unknown
    );
    assert_eq!(
        counts.sent,
        counts.delivered + counts.failed + counts.refused + counts.unknown
    );
    println!("All sums are equal.");
    Ok(())
}
