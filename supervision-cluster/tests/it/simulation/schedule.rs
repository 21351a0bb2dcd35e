//! What happens to a simulated cluster, drawn from its seed.

use std::{rc::Rc, time::Duration};

use supervision_cluster::engine::in_process::{Faults, Place};

use super::{Sim, name};
use crate::cluster::{Break, Counter, node, pause, seconds};

/// How many things happen.
const HAPPENINGS: usize = 14;

/// Lets things happen, one after the other, with some time between them.
pub(super) async fn go_through(sim: &Rc<Sim>) {
    for _ in 0..HAPPENINGS {
        let time = sim.random(|rng| rng.u64(100..4_000));
        pause(Duration::from_millis(time)).await;
        match sim.random(|rng| rng.u8(0..8)) {
            0 => crash(sim).await,
            1 => stop_for_a_while(sim).await,
            2 => cut_for_a_while(sim).await,
            3 => outage(sim).await,
            4 => leave(sim).await,
            5 => break_one(sim),
            _ => relocate(sim).await,
        }
    }
}

/// Ends all that goes wrong, and starts what is down.
pub(super) async fn heal(sim: &Rc<Sim>) {
    sim.engine.set_faults(Faults::default());
    sim.engine.heal_all();
    for index in 0..sim.nodes.borrow().len() {
        sim.engine.resume(&name(index));
    }
    // What stumbled over the last fault finds its feet again.
    pause(seconds(30)).await;
    for _ in 0..60 {
        if sim.booting.get() == 0 {
            break;
        }
        pause(seconds(1)).await;
    }
    assert_eq!(
        sim.booting.get(),
        0,
        "seed {}: a node does not join",
        sim.seed
    );
    let nodes = sim.nodes.borrow().len();
    for index in 0..nodes {
        if sim.up(index).is_none_or(|node| node.has_ended()) {
            sim.boot(index).await;
        }
    }
    pause(seconds(15)).await;
}

fn pick(sim: &Sim) -> usize {
    let nodes = sim.nodes.borrow().len();
    sim.random(|rng| rng.usize(0..nodes))
}

/// A node dies, and is started again.
async fn crash(sim: &Rc<Sim>) {
    let index = pick(sim);
    if sim.up(index).is_none() {
        return;
    }
    sim.fault();
    sim.nodes.borrow_mut()[index] = None;
    sim.engine.crash(&name(index));
    let time = sim.random(|rng| rng.u64(10..10_000));
    let sim = Rc::clone(sim);
    actix::spawn(async move {
        pause(Duration::from_millis(time)).await;
        if !sim.is_over.get() {
            sim.boot(index).await;
        }
    });
}

async fn stop_for_a_while(sim: &Rc<Sim>) {
    sim.fault();
    let name = name(pick(sim));
    sim.engine.pause(&name);
    let time = sim.random(|rng| rng.u64(100..9_000));
    pause(Duration::from_millis(time)).await;
    sim.engine.resume(&name);
}

async fn cut_for_a_while(sim: &Rc<Sim>) {
    sim.fault();
    let (one, other) = (name(pick(sim)), name(pick(sim)));
    let other = if one == other || sim.random(|rng| rng.bool()) {
        Place::Store
    } else {
        Place::Node(&other)
    };
    sim.engine.cut(Place::Node(&one), other);
    let time = sim.random(|rng| rng.u64(100..9_000));
    pause(Duration::from_millis(time)).await;
    sim.engine.heal(Place::Node(&one), other);
}

async fn outage(sim: &Rc<Sim>) {
    sim.fault();
    sim.engine.begin_outage();
    let time = sim.random(|rng| rng.u64(100..7_000));
    pause(Duration::from_millis(time)).await;
    sim.engine.end_outage();
}

/// A node drains, leaves, and comes back.
async fn leave(sim: &Rc<Sim>) {
    let index = pick(sim);
    let Some(leaving) = sim.up(index) else {
        return;
    };
    sim.nodes.borrow_mut()[index] = None;
    let report = leaving.leave(seconds(5)).await;
    sim.moves.set(sim.moves.get() + report.moved as u64);
    sim.boot(index).await;
}

/// An actor's handler panics.
fn break_one(sim: &Rc<Sim>) {
    let Some(from) = sim.any_up() else {
        return;
    };
    sim.fault();
    let path = sim.random(|rng| rng.choice(&sim.paths).cloned().unwrap());
    let counter = from.actor_ref::<Counter>(&path);
    let _ = counter.do_send(Break::Panic);
}

async fn relocate(sim: &Rc<Sim>) {
    let path = sim.random(|rng| rng.choice(&sim.paths).cloned().unwrap());
    let to = node(&name(pick(sim)));
    let nodes: Vec<_> = sim.nodes.borrow().iter().flatten().cloned().collect();
    for from in nodes {
        let owns = from.owned().await.iter().any(|(owned, _)| *owned == path);
        if owns && *from.node() != to {
            let moved = tokio::time::timeout(seconds(20), from.relocate(&path, &to)).await;
            sim.moves
                .set(sim.moves.get() + u64::from(matches!(moved, Ok(Ok(_)))));
            return;
        }
    }
}
