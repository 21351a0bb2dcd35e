//! A random tree of two levels, what its actors do in each of their lives, and what happens to them:
//! all of it follows from a seed. Times are milliseconds, spread so wide that no two coincide.

use std::time::Duration;

use fastrand::Rng;
use supervision_actix::{
    group::{AutoShutdown, GroupStrategy, Shutdown},
    prelude::*,
};
use supervision_core::group::{ChildId, ChildSpec, GroupSpec, Request};

/// When the last thing happens on purpose.
const SPAN: u64 = 1_000_000_000;
/// When nothing has happened for long.
pub(crate) const REST: u64 = 3 * SPAN;

/// How a life begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    AtOnce,
    Slow(u64),
    /// The factory panics.
    NotMade,
    /// `started` panics.
    Panics,
    /// `started` reports a failure and leaves a sound value.
    Fails,
    /// What `started` waits for panics.
    SlowPanic(u64),
}

/// How a life ends when it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    AtOnce,
    Slow(u64),
    Never,
    /// At once, and `stopped` panics.
    Panics,
}

/// What an actor is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cue {
    Panic,
    Fail,
    /// Panic where no value survives.
    Die,
    Stop,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Cue(String, Cue),
    /// A request to the group at this index.
    Request(usize, Request),
}

#[derive(Clone, Debug)]
pub(crate) enum Member {
    Actor(String),
    /// The group at this index.
    Group(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct GroupPlan {
    pub(crate) path: String,
    pub(crate) spec: GroupSpec,
    /// In the order of the children in the spec.
    pub(crate) members: Vec<Member>,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// The first one is the root.
    pub(crate) groups: Vec<GroupPlan>,
    /// By time.
    pub(crate) events: Vec<(u64, Event)>,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut plan = Self {
            seed,
            groups: Vec::new(),
            events: Vec::new(),
        };
        plan.add_group(&mut rng, 0);
        let actors = plan.actors();
        let mut events: Vec<_> = (0..rng.usize(10..40))
            .map(|_| (rng.u64(SPAN / 10..SPAN), plan.any_event(&mut rng, &actors)))
            .collect();
        events.sort_by_key(|(at, _)| *at);
        plan.events = events;
        plan
    }

    fn add_group(&mut self, rng: &mut Rng, level: usize) -> usize {
        let index = self.groups.len();
        let auto_shutdown = match rng.u8(..6) {
            0 => AutoShutdown::AnySignificant,
            1 => AutoShutdown::AllSignificant,
            _ => AutoShutdown::Never,
        };
        let kind = [
            GroupStrategy::OneForOne,
            GroupStrategy::OneForAll,
            GroupStrategy::RestForOne,
        ][rng.usize(..3)];
        let spec = GroupSpec::new(kind, any_strategy(rng)).with_auto_shutdown(auto_shutdown);
        self.groups.push(GroupPlan {
            path: format!("/g{index}"),
            spec,
            members: Vec::new(),
        });
        for number in 0..rng.usize(1..5 - level) {
            let (id, member) = if level == 0 && rng.u8(..10) < 4 {
                let group = self.add_group(rng, 1);
                (format!("g{group}"), Member::Group(group))
            } else {
                let name = format!("a{index}{number}");
                (name.clone(), Member::Actor(name))
            };
            let child = any_child(rng, id, &member, auto_shutdown);
            let group = &mut self.groups[index];
            group.spec.children.push(child);
            group.members.push(member);
        }
        index
    }

    /// All actors, with the index of their group and their place in it, in the order in which they
    /// start.
    pub(crate) fn actors(&self) -> Vec<(String, usize, usize)> {
        let mut found = Vec::new();
        self.collect(0, &mut found);
        found
    }

    /// The index of the group that an actor is in.
    pub(crate) fn group_of(&self, name: &str) -> usize {
        let has = |group: &GroupPlan| group.spec.children.iter().any(|child| child.id == name);
        self.groups.iter().position(has).expect("it is in the tree")
    }

    fn collect(&self, group: usize, found: &mut Vec<(String, usize, usize)>) {
        for (place, member) in self.groups[group].members.iter().enumerate() {
            match member {
                Member::Actor(name) => found.push((name.clone(), group, place)),
                Member::Group(inner) => self.collect(*inner, found),
            }
        }
    }

    fn any_event(&self, rng: &mut Rng, actors: &[(String, usize, usize)]) -> Event {
        if !actors.is_empty() && rng.u8(..10) < 8 {
            let (name, ..) = &actors[rng.usize(..actors.len())];
            let cues = [Cue::Panic, Cue::Fail, Cue::Die, Cue::Die, Cue::Stop];
            return Event::Cue(name.clone(), cues[rng.usize(..cues.len())]);
        }
        let index = rng.usize(..self.groups.len());
        let children = &self.groups[index].spec.children;
        let id = ChildId::from(&*children[rng.usize(..children.len())].id);
        let request = match rng.u8(..5) {
            0 => Request::Terminate(id),
            1 => Request::Restart(id),
            2 => Request::ChangeStrategy(any_strategy(rng)),
            3 => Request::ChangeChildStrategy(id, None),
            _ => Request::ChangeChildStrategy(id, Some(any_strategy(rng))),
        };
        Event::Request(index, request)
    }

    /// How the life of this number of an actor begins.
    pub(crate) fn start_of(&self, name: &str, number: usize) -> Start {
        let mut rng = self.rng_of(name, number);
        let odds = if number == 1 { 40 } else { 8 };
        if rng.u8(..odds) > 0 {
            return match rng.u8(..3) {
                0 => Start::Slow(any_time(&mut rng, 30)),
                _ => Start::AtOnce,
            };
        }
        match rng.u8(..4) {
            0 => Start::NotMade,
            1 => Start::Panics,
            2 => Start::Fails,
            _ => Start::SlowPanic(any_time(&mut rng, 30)),
        }
    }

    /// How the life of this number of an actor ends when it is asked to.
    pub(crate) fn stop_of(&self, name: &str, number: usize) -> Stop {
        let mut rng = self.rng_of(name, number);
        let bounded = self.shutdown_of(name) != Shutdown::Infinity;
        match rng.u64(..) % 8 {
            0 | 1 => Stop::Slow(any_time(&mut rng, 30)),
            2 if bounded => Stop::Never,
            3 => Stop::Panics,
            _ => Stop::AtOnce,
        }
    }

    pub(crate) fn shutdown_of(&self, name: &str) -> Shutdown {
        let mut children = self.groups.iter().flat_map(|group| &group.spec.children);
        let child = children.find(|child| child.id == name);
        child.expect("it is in the tree").shutdown
    }

    fn rng_of(&self, name: &str, number: usize) -> Rng {
        let bytes = name.bytes().map(u64::from).chain([number as u64]);
        let mixed = bytes.fold(self.seed ^ 0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ byte).wrapping_mul(0x100_0000_01B3)
        });
        let mut rng = Rng::with_seed(mixed);
        // Seeds that are close must not give beginnings that are.
        rng.u64(..);
        rng
    }
}

fn any_time(rng: &mut Rng, part: u64) -> u64 {
    rng.u64(1..SPAN / part)
}

fn any_child(rng: &mut Rng, id: String, member: &Member, auto_shutdown: AutoShutdown) -> ChildSpec {
    let restart_type = match rng.u8(..6) {
        0 | 1 => RestartType::Transient,
        2 => RestartType::Temporary,
        _ => RestartType::Permanent,
    };
    let timeout = Shutdown::Timeout(Duration::from_millis(any_time(rng, 40)));
    let shutdown = match (member, rng.u8(..10)) {
        (_, 0) => Shutdown::Kill,
        (Member::Actor(_), 1) => Shutdown::Infinity,
        (Member::Actor(_), _) | (Member::Group(_), 1) => timeout,
        (Member::Group(_), _) => Shutdown::Infinity,
    };
    let may_be = auto_shutdown != AutoShutdown::Never && restart_type != RestartType::Permanent;
    let child = ChildSpec::new(id)
        .with_restart_type(restart_type)
        .with_shutdown(shutdown)
        .with_significant(may_be && rng.bool());
    match rng.u8(..5) {
        0 => child.with_strategy(any_strategy(rng)),
        _ => child,
    }
}

fn any_strategy(rng: &mut Rng) -> SupervisionStrategy {
    let restart = |max_restarts, delay| SupervisionStrategy::Restart {
        max_restarts,
        window: Duration::from_millis(SPAN / 3),
        delay: Duration::from_millis(delay),
    };
    let delay = any_time(rng, 50);
    match rng.u8(..10) {
        0 => restart(rng.usize(..4), 0),
        1..4 => restart(20, 0),
        4 | 5 => restart(20, delay),
        6 => SupervisionStrategy::Match {
            default: Box::new(restart(20, 0)),
            matchers: vec![SupervisionMatcher::new(
                "Meant",
                match rng.u8(..3) {
                    0 => SupervisionStrategy::Escalate,
                    1 => SupervisionStrategy::Stop,
                    _ => SupervisionStrategy::Resume,
                },
            )],
        },
        7 => SupervisionStrategy::Ladder {
            rungs: vec![
                restart(2, 0),
                SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 3,
                    delay: Duration::from_millis(delay),
                },
                SupervisionStrategy::Escalate,
            ],
        },
        8 => SupervisionStrategy::Resume,
        _ => SupervisionStrategy::Escalate,
    }
}
