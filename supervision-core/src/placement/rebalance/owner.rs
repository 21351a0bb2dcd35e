//! Actors whose owner by rendezvous order has changed.

use std::collections::BTreeMap;

use super::{MoveReason, plan::Plan};
use crate::placement::{rendezvous::RendezvousIndex, strategy::PlacementStrategy};

impl Plan<'_> {
    /// Moves actors to their owners among the nodes on which they count the same.
    pub(super) fn go_to_owners(&mut self) {
        let orders: Vec<_> = (0..self.classes.len()).map(|at| self.orders(at)).collect();
        for actor in 0..self.actors.len() {
            if self.steps_left() == 0 {
                return;
            }
            let of = &self.actors[actor];
            let (class, here) = (&self.classes[of.class], &self.seats[of.at].of);
            if !class.fits[of.at] || !self.is_free(of) {
                continue;
            }
            let order = orders[of.class].get(&class.domains[of.at]);
            let Some(owner) = order.and_then(|order| order.owner(of.path)) else {
                continue;
            };
            if owner != here.id
                && let Ok(to) = self.seats.binary_search_by(|seat| seat.of.id.cmp(owner))
            {
                self.step(actor, to, MoveReason::Owner);
            }
        }
    }

    /// The order in each domain, for a class that goes by it.
    fn orders(&self, class: usize) -> BTreeMap<usize, RendezvousIndex> {
        let class = &self.classes[class];
        let (PlacementStrategy::Rendezvous | PlacementStrategy::Redundant { .. }) =
            class.terms.choice
        else {
            return BTreeMap::new();
        };
        let mut domains: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (at, seat) in self.seats.iter().enumerate() {
            if class.fits[at] {
                domains.entry(class.domains[at]).or_default().push(seat.of);
            }
        }
        let order = |(domain, nodes)| (domain, RendezvousIndex::of(nodes));
        domains.into_iter().map(order).collect()
    }
}
