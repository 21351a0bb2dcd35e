//! Small worlds, searched to the last state they can come to.
//!
//! What keeps them small: faults share one budget, so that all of so many of any kinds are tried
//! together; and time goes on while something is under way or due only at the cost of a budget of its
//! own (a pause, a slow network). Within these bounds nothing is left out.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use stateright::{Checker, Model, Property};
use supervision_cluster::protocol::{Durability, Repeat};

use crate::{
    actor::Manner,
    happening::{Happening, How},
    setup::{MOST, STEP, Setup, path_name},
    walk::number,
    world::World,
};

/// What may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Budget {
    /// Lengths of time.
    time: u8,
    /// Those in which clocks may disagree.
    drifts: u8,
    /// Those that may go by though something is under way or due.
    pauses: u8,
    faults: u8,
    calls: u8,
    /// Moves, ends, creations and leaves together.
    orders: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    world: World,
    left: Budget,
}

/// A small world to be searched, and what was met in it.
struct Search {
    setup: Setup,
    budget: Budget,
    seen: Seen,
}

struct Seen {
    kinds: [AtomicU64; Happening::KINDS.len()],
    steps: AtomicU64,
    finished: AtomicU64,
    phases: Mutex<BTreeSet<String>>,
    stuck: Mutex<Option<String>>,
}

impl Model for Search {
    type State = State;
    type Action = Happening;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            world: World::new(self.setup.clone()),
            left: self.budget,
        }]
    }

    fn actions(&self, state: &State, all: &mut Vec<Happening>) {
        if state.world.wrong().is_some() {
            return;
        }
        let work = state.world.work();
        all.extend((0..work).filter_map(|n| state.world.nth_work(n)));
        all.extend((0..state.world.late.len()).map(Happening::Late));
        for at in 0..state.world.nodes.len() {
            state.of_node(at, all);
        }
        if state.left.faults > 0 {
            state.faults(all);
        }
        state.times(work, all);
    }

    fn next_state(&self, before: &State, what: Happening) -> Option<State> {
        let mut state = before.clone();
        state.left.pay(&before.world, what);
        state.world.happen(what);
        self.seen.note(&state.world, what);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "no promise is broken",
            |_, state: &State| state.world.wrong().is_none(),
        )]
    }
}

impl State {
    fn of_node(&self, at: usize, all: &mut Vec<Happening>) {
        let node = &self.world.nodes[at];
        if !node.is_up() {
            return all.push(Happening::Boot(at));
        }
        if node.is_due() {
            all.push(Happening::Wake(at));
        }
        for of in 0..self.world.setup.nodes {
            if usize::from(of) != at {
                all.push(Happening::See(at, of, 0));
            }
        }
        all.push(Happening::Sweep(at, 0));
        for path in 0..self.world.setup.paths {
            self.of_path(at, path, all);
        }
        if self.left.orders > 0 {
            all.push(Happening::Leave(at));
        }
    }

    fn of_path(&self, at: usize, path: u8, all: &mut Vec<Happening>) {
        if self.left.calls > 0 {
            all.push(Happening::Call(at, path));
        }
        let machine = self.world.nodes[at].machine.as_ref();
        let serves = machine.is_some_and(|machine| machine.serving(&path_name(path)).is_some());
        if self.left.orders == 0 {
            return;
        }
        if !serves {
            return all.push(Happening::Create(at, path, at));
        }
        all.push(Happening::End(at, path));
        let others = (0..self.world.nodes.len()).filter(|to| *to != at);
        all.extend(others.map(|to| Happening::Move(at, path, to)));
    }

    fn faults(&self, all: &mut Vec<Happening>) {
        for (at, node) in self.world.nodes.iter().enumerate() {
            for i in 0..node.asked.len() {
                let hows = [
                    How::Slowly,
                    How::Stale(1),
                    How::Lost,
                    How::Silent,
                    How::Late,
                ];
                all.extend(hows.map(|how| Happening::Store(at, i, how)));
            }
            for path in node.busy(self.world.setup.paths) {
                let manners = [Manner::Failing, Manner::Ending];
                all.extend(manners.map(|how| Happening::Act(at, path, how)));
            }
            if node.machine.is_some() {
                all.push(Happening::Crash(at));
            }
        }
        for i in 0..self.world.wire.len() {
            all.extend([Happening::Drop(i), Happening::Deliver(i, true)]);
        }
    }

    fn times(&self, work: usize, all: &mut Vec<Happening>) {
        if self.left.time == 0 || (self.world.is_hurried(work) && self.left.pauses == 0) {
            return;
        }
        all.push(Happening::Time([STEP; MOST]));
        if self.left.drifts > 0 {
            for slow in 0..2 {
                let mut by = [STEP + 1; MOST];
                by[slow] = STEP - 1;
                all.push(Happening::Time(by));
            }
        }
    }
}

impl World {
    /// Whether something is under way or due that takes no time of itself.
    fn is_hurried(&self, work: usize) -> bool {
        work > 0 || self.nodes.iter().any(|node| node.is_due())
    }
}

impl Budget {
    fn pay(&mut self, world: &World, what: Happening) {
        match what {
            Happening::Time(by) => {
                self.time -= 1;
                self.drifts -= u8::from(by[0] != by[1]);
                self.pauses -= u8::from(world.is_hurried(world.work()));
            }
            Happening::Store(_, _, how) if how != How::Well => self.faults -= 1,
            Happening::Deliver(_, true) | Happening::Drop(_) | Happening::Crash(_) => {
                self.faults -= 1;
            }
            Happening::Act(_, _, how) if how != Manner::Well => self.faults -= 1,
            Happening::Call(..) => self.calls -= 1,
            Happening::Create(..)
            | Happening::Move(..)
            | Happening::End(..)
            | Happening::Leave(_) => self.orders -= 1,
            _ => {}
        }
    }
}

impl Seen {
    fn new() -> Self {
        Self {
            kinds: std::array::from_fn(|_| AtomicU64::new(0)),
            steps: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            phases: Mutex::new(BTreeSet::new()),
            stuck: Mutex::new(None),
        }
    }

    /// Counts what happened; looks closer at some of the worlds, and lets some come to their end.
    fn note(&self, world: &World, what: Happening) {
        self.kinds[what.kind()].fetch_add(1, Ordering::Relaxed);
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        if step.is_multiple_of(64) {
            let mut phases = self.phases.lock().unwrap();
            let machines = world.nodes.iter().filter_map(|node| node.machine.as_ref());
            for machine in machines {
                let all = format!("{machine:?}");
                let names = all.split("phase: ").skip(1);
                let name = |part: &str| {
                    let end = part.find(|c: char| !c.is_alphanumeric());
                    part[..end.unwrap_or(part.len())].to_owned()
                };
                phases.extend(names.map(name));
            }
        }
        if step.is_multiple_of(1009) && world.wrong().is_none() {
            self.finished.fetch_add(1, Ordering::Relaxed);
            if let Err(stuck) = world.clone().finish() {
                self.stuck.lock().unwrap().get_or_insert(stuck);
            }
        }
    }
}

/// Searches a world to its end. Returns how many states it can come to.
#[allow(clippy::print_stdout, reason = "the figures are the point of it")]
fn exhaust(name: &str, setup: Setup, budget: Budget, seen: &mut Vec<Seen>) -> u64 {
    let began = Instant::now();
    let search = Search {
        setup,
        budget,
        seen: Seen::new(),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // There is no limit on time, depth or number, so "done" is: nothing is left to be tried.
    let checker = search.checker().threads(threads).spawn_dfs().join();
    assert!(checker.is_done());
    if let Some(path) = checker.discovery("no promise is broken") {
        let last = path.last_state().world.wrong();
        panic!("{name}: {last:?} after {:?}", path.into_actions());
    }
    let states = checker.unique_state_count() as u64;
    let model = checker.model();
    let finished = model.seen.finished.load(Ordering::Relaxed);
    println!(
        "check {name}, states: {states} steps {} depth {} finished {finished} seconds {:.0}",
        model.seen.steps.load(Ordering::Relaxed),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    if let Some(stuck) = &*model.seen.stuck.lock().unwrap() {
        panic!("{name}: does not recover: {stuck}");
    }
    assert!(
        finished * 2_000 > states / 2,
        "too few were let come to their end"
    );
    let copy = Seen::new();
    copy.add(&model.seen);
    seen.push(copy);
    states
}

impl Seen {
    fn add(&self, other: &Self) {
        for (ours, theirs) in self.kinds.iter().zip(&other.kinds) {
            ours.fetch_add(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let theirs = other.phases.lock().unwrap().clone();
        self.phases.lock().unwrap().extend(theirs);
    }
}

fn small(durability: Durability) -> Setup {
    let durable = durability == Durability::Durable;
    Setup {
        durability,
        repeat: match durable {
            true => Repeat::AcrossEpochs,
            false => Repeat::Never,
        },
        stale: 1,
        patience: 4,
        ..Setup::small(None)
    }
}

const fn budget(numbers: [u64; 6]) -> Budget {
    Budget {
        time: numbers[0] as u8,
        drifts: numbers[1] as u8,
        pauses: numbers[2] as u8,
        faults: numbers[3] as u8,
        calls: numbers[4] as u8,
        orders: numbers[5] as u8,
    }
}

#[test]
fn a_small_world_can_come_to_no_state_that_breaks_a_promise() {
    let mut seen = Vec::new();
    let one = |name: &str, durability, numbers, seen: &mut Vec<Seen>| {
        exhaust(name, small(durability), budget(numbers), seen)
    };
    let spec = std::env::var("SUPERVISION_CHECK").unwrap_or_default();
    let set: Vec<u64> = spec.split(',').filter_map(|n| n.parse().ok()).collect();
    if let Ok(numbers) = set.try_into() {
        one("durable", Durability::Durable, numbers, &mut seen);
        return;
    }
    let scale = number("SUPERVISION_SCALE", 0);
    let mut states = 0;
    for (name, durability, numbers) in worlds(scale) {
        states += one(name, durability, numbers, &mut seen);
    }
    let all = Seen::new();
    seen.iter().for_each(|one| all.add(one));
    if scale != 1 {
        return;
    }
    assert!(states >= 1_000_000, "only {states} states");
    for (name, times) in Happening::KINDS.iter().zip(&all.kinds) {
        let times = times.load(Ordering::Relaxed);
        // A handler that begins with one message only needs two to be under way.
        assert!(times > 0, "nothing of this kind has happened: {name}");
    }
    let phases = all.phases.lock().unwrap();
    for phase in PHASES {
        assert!(
            phases.contains(phase),
            "no path was ever {phase}: {phases:?}"
        );
    }
}

/// The phases of a path that a search must come through.
const PHASES: [&str; 16] = [
    "Looking",
    "Expecting",
    "Claiming",
    "Reading",
    "Pausing",
    "Sealing",
    "Confirming",
    "Starting",
    "Serving",
    "Saving",
    "Packing",
    "Storing",
    "Handing",
    "Away",
    "Emptying",
    "Ending",
];

/// The worlds, by how much time there is for them.
fn worlds(scale: u64) -> Vec<(&'static str, Durability, [u64; 6])> {
    use Durability::{Durable, Snapshot, Volatile};
    match scale {
        0 => vec![("durable, called", Durable, [1, 0, 0, 1, 1, 0])],
        1 => vec![
            ("durable, called", Durable, [2, 0, 0, 1, 1, 0]),
            ("durable, ordered", Durable, [1, 0, 0, 1, 0, 1]),
            ("durable, called and ordered", Durable, [1, 0, 0, 0, 1, 1]),
            ("durable, ended and made again", Durable, [0, 0, 0, 1, 0, 2]),
            ("snapshot, ordered", Snapshot, [1, 0, 0, 1, 0, 1]),
            ("volatile, ordered", Volatile, [1, 0, 0, 1, 0, 1]),
            ("clocks and pauses", Durable, [3, 1, 1, 1, 0, 0]),
            ("unseen renewals", Durable, [7, 0, 0, 0, 0, 0]),
        ],
        _ => vec![
            ("durable, called and ordered", Durable, [1, 0, 0, 1, 1, 1]),
            ("a lease lost", Durable, [7, 0, 0, 1, 0, 0]),
            ("clocks and pauses", Durable, [4, 2, 1, 1, 0, 0]),
        ],
    }
}
