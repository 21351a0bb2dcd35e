//! Long random schedules with every fault, each from its own seed.

use supervision_cluster::protocol::{Bug, Durability, Repeat};

use crate::world::{Budget, Happening, How, STEP, Setup, World, node_id, path_name};

/// What walks have done, so that a suite that does nothing fails.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) walks: u64,
    pub(crate) steps: u64,
    pub(crate) faults: u64,
    pub(crate) calls: u64,
    pub(crate) done: u64,
    pub(crate) epochs: u64,
}

/// One walk. `Err` says what went wrong, and after which steps.
pub(crate) fn walk(seed: u64, bug: Option<Bug>, sums: &mut Sums) -> Result<World, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let durable = random.u8(..4) != 0;
    let setup = Setup {
        nodes: random.u8(2..=3),
        paths: random.u8(1..=2),
        durability: match (durable, random.bool()) {
            (true, _) => Durability::Durable,
            (false, true) => Durability::Snapshot,
            (false, false) => Durability::Volatile,
        },
        repeat: if durable {
            Repeat::AcrossEpochs
        } else {
            Repeat::Never
        },
        bug,
    };
    let mut world = World::new(setup, Budget::default());
    let steps = random.usize(50..400);
    world.traced = std::env::var_os("SUPERVISION_TRACE").is_some();
    // Some walks are calm, some are wild; the deepest faults need long quiet stretches between.
    let wild = random.u8(1..=12);
    for step in 0..steps {
        let what = choose(&world, &mut random, wild, sums);
        world.happen(what);
        sums.steps += 1;
        if let Some(wrong) = world.wrong() {
            return Err(format!(
                "{wrong}\n{} (seed {seed}, step {step})",
                world.show()
            ));
        }
    }
    sums.walks += 1;
    sums.epochs += world.told.started.len() as u64;
    world
        .finish()
        .map_err(|wrong| format!("{wrong} (seed {seed}, at the end)"))?;
    sums.calls += u64::from(world.told.asked);
    let done = |o: &&supervision_cluster::protocol::CallOutcome| {
        matches!(o, supervision_cluster::protocol::CallOutcome::Done(_))
    };
    sums.done += world.told.outcomes.values().filter(done).count() as u64;
    Ok(world)
}

fn choose(world: &World, random: &mut fastrand::Rng, wild: u8, sums: &mut Sums) -> Happening {
    loop {
        let roll = random.u8(..100);
        if roll < wild {
            if let Some(fault) = fault(world, random) {
                sums.faults += 1;
                return fault;
            }
            continue;
        }
        let work = world.work();
        let at = random.usize(..world.nodes.len());
        match roll {
            0..55 if !work.is_empty() => return work[random.usize(..work.len())].clone(),
            55..70 => {
                let due = world.nodes[at].is_due();
                if due {
                    return Happening::Wake(at);
                }
            }
            70..80 => return Happening::Time(drift(world, random)),
            80..88 => {
                let of = random.u8(..world.setup.nodes);
                return Happening::See(at, node_id(of));
            }
            88..91 if world.nodes[at].machine.is_some() => return Happening::Sweep(at),
            91..97 if world.nodes[at].machine.is_some() && world.told.asked < 200 => {
                return Happening::Call(at, path_name(random.u8(..world.setup.paths)));
            }
            97.. => {
                let to = random.usize(..world.nodes.len());
                let path = path_name(random.u8(..world.setup.paths));
                if to != at && world.nodes[to].machine.is_some() {
                    return Happening::Move(at, path, to);
                }
            }
            _ => {}
        }
    }
}

/// Each clock counts what it likes, within a tenth.
fn drift(world: &World, random: &mut fastrand::Rng) -> Vec<u8> {
    let step = u8::try_from(STEP).unwrap();
    world
        .nodes
        .iter()
        .map(|_| random.u8(step - 1..=step + 1))
        .collect()
}

fn fault(world: &World, random: &mut fastrand::Rng) -> Option<Happening> {
    let at = random.usize(..world.nodes.len());
    let node = &world.nodes[at];
    match random.u8(..10) {
        0..3 if !node.asked.is_empty() => {
            let how = [How::Lost, How::Silent, How::Late][random.usize(..3)];
            Some(Happening::Store(at, random.usize(..node.asked.len()), how))
        }
        3 if !world.late.is_empty() => Some(Happening::Late(random.usize(..world.late.len()))),
        4..7 if !world.wire.is_empty() => {
            let ((to, message), _) = world.wire.iter().nth(random.usize(..world.wire.len()))?;
            Some(if random.bool() {
                Happening::Deliver(to.clone(), message.clone(), true)
            } else {
                Happening::Drop(to.clone(), message.clone())
            })
        }
        7 => {
            let busy = node
                .actors
                .iter()
                .find(|(_, actor)| !actor.to_do.is_empty())?;
            Some(Happening::Act(at, busy.0.clone(), true))
        }
        8 if node.machine.is_none() => Some(Happening::Boot(at)),
        9 if node.machine.is_some() && random.u8(..4) == 0 => Some(Happening::Crash(at)),
        _ => None,
    }
}

/// How many walks, with this many by default.
pub(crate) fn walks(default: u64) -> u64 {
    std::env::var("SUPERVISION_WALKS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

#[test]
fn no_schedule_breaks_a_promise() {
    let first: u64 = std::env::var("SUPERVISION_SEED")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let count = walks(if cfg!(debug_assertions) { 500 } else { 20_000 });
    let mut sums = Sums::default();
    for seed in first..first + count {
        if let Err(wrong) = walk(seed, None, &mut sums) {
            panic!("{wrong}");
        }
    }
    assert!(
        sums.epochs > 2 * count && sums.done > count && sums.faults > count,
        "{sums:?}"
    );
}
