//! Loads that differ by more than the tolerance.

use std::collections::{BTreeMap, BTreeSet};

use super::{MoveReason, plan::Plan};
use crate::placement::{strategy::PlacementStrategy, view::NodeState};

/// Of each node, by class: the actors that may move, by cost.
type Stock = Vec<BTreeMap<usize, BTreeSet<(u32, usize)>>>;

/// What each unit of weight would carry if all carried the same: a fraction.
#[derive(Clone, Copy)]
struct Mean {
    load: u128,
    weight: u128,
}

impl Plan<'_> {
    /// Moves actors from heavy nodes to light ones. It begins where two nodes are apart by more than
    /// the tolerance, and these go on until they are within half of it.
    pub(super) fn even_loads(&mut self) {
        let mean = self.mean();
        let (begin, end) = (
            u128::from(self.policy.tolerance_percent()) * 2,
            u128::from(self.policy.tolerance_percent()),
        );
        let mut stock = self.stock();
        let mut begun = BTreeSet::new();
        while self.steps_left() > 0 {
            let next = self.uneven(&stock, mean, begin, |_, _| true).or_else(|| {
                let has_begun = |a, b| begun.contains(&a) || begun.contains(&b);
                self.uneven(&stock, mean, end, has_begun)
            });
            let Some((actor, to)) = next else {
                return;
            };
            let (from, class) = (self.actors[actor].at, self.actors[actor].class);
            let lot = (self.actors[actor].owned.cost, actor);
            if let Some(actors) = stock[from].get_mut(&class) {
                actors.remove(&lot);
            }
            stock[to].entry(class).or_default().insert(lot);
            begun.extend([from, to]);
            self.step(actor, to, MoveReason::Load);
        }
    }

    fn mean(&self) -> Mean {
        let alive = self.seats.iter().map(|seat| (seat, seat.of.node));
        let alive = alive.filter(|(_, node)| node.state == NodeState::Alive);
        let none = Mean { load: 0, weight: 0 };
        alive.fold(none, |mean, (seat, node)| Mean {
            load: mean.load + u128::from(seat.load),
            weight: mean.weight + u128::from(node.weight.get()),
        })
    }

    fn stock(&self) -> Stock {
        let mut stock = vec![BTreeMap::new(); self.seats.len()];
        for (at, actor) in self.actors.iter().enumerate() {
            let class = &self.classes[actor.class];
            let by_load = matches!(
                class.terms.choice,
                PlacementStrategy::RoundRobin
                    | PlacementStrategy::Random
                    | PlacementStrategy::LeastLoaded
            );
            if by_load && class.fits[actor.at] && actor.owned.cost > 0 && self.is_free(actor) {
                let actors: &mut BTreeSet<_> = stock[actor.at].entry(actor.class).or_default();
                actors.insert((actor.owned.cost, at));
            }
        }
        stock
    }

    /// The next step between nodes that are apart by more than `half_percents` / 200 of the mean:
    /// from the heaviest that can give to the lightest that can take.
    fn uneven(
        &self,
        stock: &Stock,
        mean: Mean,
        half_percents: u128,
        wanted: impl Fn(usize, usize) -> bool,
    ) -> Option<(usize, usize)> {
        let alive = |seat: &usize| self.seats[*seat].of.node.state == NodeState::Alive;
        let mut takers: Vec<_> = (0..self.seats.len()).filter(alive).collect();
        takers.sort_by(|a, b| self.heavier((*a, 0), (*b, 0)));
        let givers = takers.iter().rev().copied();
        for giver in givers.filter(|giver| !stock[*giver].is_empty()) {
            for taker in &takers {
                let apart = self.apart(giver, *taker);
                // gap / (weights) > half_percents / 200 * load / weight, without dividing.
                let weights = self.weight(giver) * self.weight(*taker);
                if apart * mean.weight * 200 <= half_percents * mean.load * weights {
                    break;
                }
                if !wanted(giver, *taker) {
                    continue;
                }
                if let Some(actor) = self.fitting(&stock[giver], mean, giver, *taker) {
                    return Some((actor, *taker));
                }
            }
        }
        None
    }

    fn weight(&self, seat: usize) -> u128 {
        u128::from(self.seats[seat].of.node.weight.get())
    }

    /// How much heavier one is for its weight than the other, times both weights; 0 if it is not.
    fn apart(&self, heavy: usize, light: usize) -> u128 {
        let carried = |seat: usize, other| u128::from(self.seats[seat].load) * self.weight(other);
        carried(heavy, light).saturating_sub(carried(light, heavy))
    }

    /// The actor that mends most without overshooting: the costliest that brings neither node past
    /// the mean, or, where there is none, the cheapest that still leaves both better off.
    fn fitting(
        &self,
        stock: &BTreeMap<usize, BTreeSet<(u32, usize)>>,
        mean: Mean,
        giver: usize,
        taker: usize,
    ) -> Option<usize> {
        let limit = self.limit(mean, giver, taker);
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let can_go = |class: &usize| {
            let class = &self.classes[*class];
            class.fits[taker] && class.domains[taker] == class.domains[giver]
        };
        let stocks = || {
            stock
                .iter()
                .filter(|(class, _)| can_go(class))
                .map(|(_, actors)| actors)
        };
        let costliest = stocks()
            .filter_map(|actors| actors.range(..=(limit, usize::MAX)).next_back())
            .max();
        let cheapest = || {
            let cheapest = stocks().filter_map(BTreeSet::first).min()?;
            self.betters(cheapest.0, giver, taker).then_some(cheapest)
        };
        costliest.or_else(cheapest).map(|(_, actor)| *actor)
    }

    /// How much may move so that neither node passes the mean; where both are on the same side of it,
    /// so that they become equal.
    fn limit(&self, mean: Mean, giver: usize, taker: usize) -> u128 {
        let share = |seat| mean.load * self.weight(seat) / mean.weight.max(1);
        let load = |seat: usize| u128::from(self.seats[seat].load);
        let equal = self.apart(giver, taker) / (self.weight(giver) + self.weight(taker));
        let excess = load(giver).saturating_sub(share(giver));
        let room = share(taker).saturating_sub(load(taker));
        if excess > 0 && room > 0 {
            equal.min(excess).min(room)
        } else {
            equal
        }
    }

    /// Whether the taker ends up lighter than the giver was, and, should it be the heavier one then,
    /// by no more than half of what they were apart. The first ends the moving; the second keeps the
    /// same actor from being sent back for a little noise.
    fn betters(&self, cost: u32, giver: usize, taker: usize) -> bool {
        let apart = self.apart(giver, taker);
        let moved = u128::from(cost) * (self.weight(giver) + self.weight(taker));
        self.heavier((taker, cost), (giver, 0)).is_lt() && moved * 2 <= apart * 3
    }
}
