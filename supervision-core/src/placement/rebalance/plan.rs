//! Who is where while moves are thought through, and what that adds up to.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{Move, MoveReason, OwnedActor, RebalancePolicy};
use crate::{
    budget::Timestamp,
    failure::NodeId,
    placement::{
        eligible::{Candidate, SpreadTerm, Terms},
        hash::path_hash,
        ranking,
        strategy::PlacementStrategy,
        view::{ClusterView, NodeState},
    },
};

/// Everything, as it would be after the steps so far.
pub(super) struct Plan<'a> {
    /// The nodes, by name.
    pub(super) seats: Vec<Seat<'a>>,
    /// The actors, by path.
    pub(super) actors: Vec<Actor<'a>>,
    pub(super) classes: Vec<Class<'a>>,
    pub(super) scales: Vec<Scale<'a>>,
    /// Of each group that somebody wants to be near: its members on each seat.
    pub(super) members: BTreeMap<&'a str, Vec<u64>>,
    pub(super) policy: RebalancePolicy,
    now: Timestamp,
    steps_left: usize,
}

/// A node.
pub(super) struct Seat<'a> {
    pub(super) of: Candidate<'a>,
    pub(super) load: u64,
    pub(super) actors: BTreeSet<usize>,
}

pub(super) struct Actor<'a> {
    pub(super) path: &'a str,
    pub(super) owned: OwnedActor<'a>,
    pub(super) class: usize,
    from: usize,
    pub(super) at: usize,
    reason: Option<MoveReason>,
}

/// Actors that are alike in all that rules look at.
pub(super) struct Class<'a> {
    pub(super) kind: &'a str,
    /// Whether its placement is valid; else its actors stay.
    pub(super) is_sound: bool,
    pub(super) terms: Terms<'a>,
    /// The groups its actors count in.
    groups: BTreeSet<&'a str>,
    /// The scales its actors count on.
    pub(super) scales: Vec<usize>,
    /// Which seats fit.
    pub(super) fits: Vec<bool>,
    /// For each seat a number that it shares with those on which an actor of this class counts the
    /// same on every scale.
    pub(super) domains: Vec<usize>,
}

/// The counts that some spread looks at.
pub(super) struct Scale<'a> {
    label: &'a str,
    counted: Counted<'a>,
    /// Actors by the value of the label, on live nodes.
    counts: BTreeMap<&'a str, u64>,
}

/// Who counts on a scale.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted<'a> {
    Kind(&'a str),
    Group(&'a str),
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        view: &'a ClusterView,
        owned: &BTreeMap<&'a str, OwnedActor<'a>>,
        policy: &RebalancePolicy,
        now: Timestamp,
    ) -> Self {
        let seat = |(id, node)| Seat {
            of: Candidate { id, node },
            load: 0,
            actors: BTreeSet::new(),
        };
        let mut plan = Self {
            seats: view.nodes.iter().map(seat).collect(),
            actors: Vec::with_capacity(owned.len()),
            classes: Vec::new(),
            scales: Vec::new(),
            members: BTreeMap::new(),
            policy: *policy,
            now,
            steps_left: policy.max_moves(),
        };
        plan.describe(owned);
        plan.seat(owned);
        plan
    }

    /// Makes the classes, and what they need to be counted.
    fn describe(&mut self, owned: &BTreeMap<&'a str, OwnedActor<'a>>) {
        let alike: BTreeSet<_> = owned.values().map(likeness).collect();
        for (kind, group, placement) in alike {
            // What makes no sense is not looked into: it only counts.
            let is_sound = placement.validate().is_ok();
            let terms = Terms::of(if is_sound { placement } else { &UNSOUND });
            let groups = group.into_iter().chain(terms.group()).collect();
            self.register(kind, &terms);
            self.classes.push(Class {
                kind,
                is_sound,
                terms,
                groups,
                scales: Vec::new(),
                fits: Vec::new(),
                domains: Vec::new(),
            });
        }
        for class in &mut self.classes {
            let scales = self.scales.iter().enumerate();
            class.scales = scales
                .filter(|(_, scale)| match scale.counted {
                    Counted::Kind(kind) => kind == class.kind,
                    Counted::Group(group) => class.groups.contains(group),
                })
                .map(|(at, _)| at)
                .collect();
            let fits = |seat: &Seat<'_>| class.terms.fit(seat.of.node, class.kind);
            class.fits = self.seats.iter().map(fits).collect();
            let mut numbers = BTreeMap::new();
            for seat in &self.seats {
                let value = |at: &usize| seat.of.label(self.scales[*at].label);
                let values: Vec<_> = class.scales.iter().map(value).collect();
                let next = numbers.len();
                class.domains.push(*numbers.entry(values).or_insert(next));
            }
        }
    }

    /// Prepares to count what these terms look at, and those of the fallbacks in them.
    fn register(&mut self, kind: &'a str, terms: &Terms<'a>) {
        for term in &terms.spreads {
            let (label, counted) = (term.label, Counted::of(term, kind));
            if self.scale(term, kind).is_none() {
                self.scales.push(Scale {
                    label,
                    counted,
                    counts: BTreeMap::new(),
                });
            }
        }
        if let PlacementStrategy::LocalAffinity { group, fallback } = terms.choice {
            let none = || vec![0; self.seats.len()];
            self.members.entry(group).or_insert_with(none);
            self.register(kind, &terms.clone().with(fallback));
        }
    }

    fn seat(&mut self, owned: &BTreeMap<&'a str, OwnedActor<'a>>) {
        let alike: BTreeSet<_> = owned.values().map(likeness).collect();
        let alike: BTreeMap<_, usize> = alike.into_iter().zip(0..).collect();
        for (path, owned) in owned {
            let at = self
                .seats
                .binary_search_by(|seat| seat.of.id.cmp(owned.node));
            let Ok(at) = at else { continue };
            if matches!(
                self.seats[at].of.node.state,
                NodeState::Dead | NodeState::Joining
            ) {
                continue;
            }
            let actor = self.actors.len();
            self.actors.push(Actor {
                path,
                owned: *owned,
                class: alike[&likeness(owned)],
                from: at,
                at,
                reason: None,
            });
            self.count(actor, at, true);
        }
    }

    /// Counts an actor in or out on a seat.
    fn count(&mut self, actor: usize, at: usize, comes: bool) {
        let change = |count: &mut u64, by: u64| {
            *count = if comes { *count + by } else { *count - by };
        };
        let Actor { class, owned, .. } = &self.actors[actor];
        let class = &self.classes[*class];
        let seat = &mut self.seats[at];
        change(&mut seat.load, u64::from(owned.cost));
        if comes {
            seat.actors.insert(actor);
        } else {
            seat.actors.remove(&actor);
        }
        for group in &class.groups {
            if let Some(members) = self.members.get_mut(group) {
                change(&mut members[at], 1);
            }
        }
        if seat.of.node.state == NodeState::Alive {
            for scale in &class.scales {
                let scale = &mut self.scales[*scale];
                if let Some(value) = seat.of.node.labels.get(scale.label) {
                    change(scale.counts.entry(value).or_default(), 1);
                }
            }
        }
    }

    pub(super) fn steps_left(&self) -> usize {
        self.steps_left
    }

    /// Moves an actor. There must be a step left.
    pub(super) fn step(&mut self, actor: usize, to: usize, reason: MoveReason) {
        self.steps_left -= 1;
        self.count(actor, self.actors[actor].at, false);
        self.count(actor, to, true);
        let actor = &mut self.actors[actor];
        actor.at = to;
        actor.reason.get_or_insert(reason);
    }

    /// Whether it may move without having to.
    pub(super) fn is_free(&self, actor: &Actor<'_>) -> bool {
        let rests = |moved: Timestamp| moved.saturating_add(self.policy.cooldown()) > self.now;
        self.is_movable(actor) && !actor.owned.last_move.is_some_and(rests)
    }

    /// Whether it may move at all.
    pub(super) fn is_movable(&self, actor: &Actor<'_>) -> bool {
        !actor.owned.pinned && self.classes[actor.class].is_sound
    }

    pub(super) fn scale(&self, term: &SpreadTerm<'_>, kind: &str) -> Option<usize> {
        let same = |scale: &Scale<'_>| {
            scale.label == term.label && scale.counted == Counted::of(term, kind)
        };
        self.scales.iter().position(same)
    }

    /// Actors in the value of the scale's label that the seat has; `None` if it has none.
    pub(super) fn height(&self, scale: usize, seat: usize) -> Option<u64> {
        let scale = &self.scales[scale];
        let value = self.seats[seat].of.label(scale.label)?;
        Some(scale.counts.get(value).copied().unwrap_or(0))
    }

    pub(super) fn value(&self, scale: usize, seat: usize) -> Option<&'a str> {
        let node = self.seats[seat].of.node;
        node.labels
            .get(self.scales[scale].label)
            .map(String::as_str)
    }

    /// Compares loads for weights, with so much more on either.
    pub(super) fn heavier(&self, (a, more_a): (usize, u32), (b, more_b): (usize, u32)) -> Ordering {
        let weigh = |this: &Seat<'_>, more: u32, other: &Seat<'_>| {
            u128::from(this.load + u64::from(more)) * u128::from(other.of.node.weight.get())
        };
        let (a, b) = (&self.seats[a], &self.seats[b]);
        weigh(a, more_a, b).cmp(&weigh(b, more_b, a))
    }

    /// Which of the seats suits the actor best by what chooses.
    pub(super) fn best(
        &self,
        actor: usize,
        choice: &PlacementStrategy,
        seats: impl Iterator<Item = usize>,
    ) -> Option<usize> {
        let Actor { path, owned, .. } = &self.actors[actor];
        let path = path_hash(path);
        let by_order =
            |a: &usize, b: &usize| ranking::order(path, &self.seats[*a].of, &self.seats[*b].of);
        match choice {
            PlacementStrategy::Rendezvous | PlacementStrategy::Redundant { .. } => {
                seats.min_by(by_order)
            }
            _ => seats.min_by(|a, b| {
                let heavier = self.heavier((*a, owned.cost), (*b, owned.cost));
                heavier.then_with(|| by_order(a, b))
            }),
        }
    }

    pub(super) fn into_moves(self) -> Vec<Move> {
        let name = |seat: usize| -> NodeId { self.seats[seat].of.id.clone() };
        let moved = self.actors.iter().filter(|actor| actor.at != actor.from);
        let to_move = |actor: &Actor<'_>| {
            Some(Move {
                path: actor.path.to_owned(),
                from: name(actor.from),
                to: name(actor.at),
                reason: actor.reason?,
            })
        };
        moved.filter_map(to_move).collect()
    }
}

impl<'a> Counted<'a> {
    fn of(term: &SpreadTerm<'a>, kind: &'a str) -> Self {
        term.group.map_or(Self::Kind(kind), Self::Group)
    }
}

/// Stands for a placement that is not valid.
static UNSOUND: PlacementStrategy = PlacementStrategy::RoundRobin;

type Likeness<'a> = (&'a str, Option<&'a str>, &'a PlacementStrategy);

fn likeness<'a>(owned: &OwnedActor<'a>) -> Likeness<'a> {
    (owned.kind, owned.group, owned.placement)
}
