//! Actors that cannot stay where they are.

use super::{MoveReason, plan::Plan};
use crate::placement::{
    eligible::Terms, hash::path_hash, ranking, spread::retain_open, strategy::PlacementStrategy,
    view::NodeState,
};

impl Plan<'_> {
    /// Moves every actor that must leave and has somewhere to go.
    pub(super) fn leave_where_it_must(&mut self) {
        for actor in 0..self.actors.len() {
            if self.steps_left() == 0 {
                return;
            }
            if let Some(reason) = self.must_leave(actor)
                && let Some(to) = self.refuge(actor)
            {
                self.step(actor, to, reason);
            }
        }
    }

    fn must_leave(&self, actor: usize) -> Option<MoveReason> {
        let actor = &self.actors[actor];
        let (class, here) = (&self.classes[actor.class], &self.seats[actor.at].of);
        if !self.is_movable(actor) {
            None
        } else if here.node.state == NodeState::Draining {
            Some(MoveReason::Evacuation)
        } else if !class.fits[actor.at] {
            Some(MoveReason::Constraint)
        } else {
            match class.terms.choice {
                PlacementStrategy::Node(id) if id != here.id => Some(MoveReason::Constraint),
                _ => None,
            }
        }
    }

    /// Where it would be placed now.
    fn refuge(&self, actor: usize) -> Option<usize> {
        let class = &self.classes[self.actors[actor].class];
        let mut terms = class.terms.clone();
        loop {
            let open = self.open(actor, &terms);
            let (group, fallback) = match terms.choice {
                PlacementStrategy::Node(id) => {
                    return open.into_iter().find(|seat| self.seats[*seat].of.id == id);
                }
                PlacementStrategy::LocalAffinity { group, fallback } => (group, fallback),
                choice => return self.best(actor, choice, open.into_iter()),
            };
            let (members, key) = (&self.members[group.as_str()], path_hash(group));
            let near = open.iter().copied().filter(|seat| members[*seat] > 0);
            let nearest = near.min_by(|a, b| {
                let order = ranking::order(key, &self.seats[*a].of, &self.seats[*b].of);
                members[*b].cmp(&members[*a]).then(order)
            });
            if nearest.is_some() {
                return nearest;
            }
            terms = terms.with(fallback);
        }
    }

    /// The other seats that fit the terms, in open values of what they spread over.
    fn open(&self, actor: usize, terms: &Terms<'_>) -> Vec<usize> {
        let (at, class) = (
            self.actors[actor].at,
            &self.classes[self.actors[actor].class],
        );
        let fits = |seat: &usize| terms.fit(self.seats[*seat].of.node, class.kind);
        let others = (0..self.seats.len()).filter(|seat| *seat != at);
        let mut open: Vec<_> = others.filter(fits).collect();
        for term in &terms.spreads {
            let Some(scale) = self.scale(term, class.kind) else {
                continue;
            };
            // It still counts where it is, if that node is alive and it counts at all.
            let counts_here =
                class.scales.contains(&scale) && self.seats[at].of.node.state == NodeState::Alive;
            let leaves = self.value(scale, at).filter(|_| counts_here);
            retain_open(&mut open, term.max_skew, |seat| {
                let value = self.value(scale, *seat);
                let height = self.height(scale, *seat).unwrap_or(0);
                height - u64::from(leaves.is_some() && leaves == value)
            });
        }
        open
    }
}
