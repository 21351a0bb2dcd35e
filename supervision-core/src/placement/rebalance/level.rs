//! Spreads that have become too uneven.

use std::collections::BTreeMap;

use super::{MoveReason, plan::Plan};
use crate::placement::strategy::PlacementStrategy;

impl Plan<'_> {
    /// Moves actors from full values of labels to empty ones until every skew is kept that can be.
    pub(super) fn level_spreads(&mut self) {
        for class in 0..self.classes.len() {
            let terms = &self.classes[class].terms;
            // What has one place only, or goes by its group, stays where that is.
            if let PlacementStrategy::Node(_) | PlacementStrategy::LocalAffinity { .. } =
                terms.choice
            {
                continue;
            }
            for term in 0..terms.spreads.len() {
                while self.steps_left() > 0
                    && let Some((actor, to)) = self.levelling(class, term)
                {
                    self.step(actor, to, MoveReason::Spread);
                }
            }
        }
    }

    /// The next actor that should change the value, from the fullest to the emptiest that it can.
    fn levelling(&self, class: usize, term: usize) -> Option<(usize, usize)> {
        let of = &self.classes[class];
        let spread = &of.terms.spreads[term];
        let scale = self.scale(spread, of.kind)?;
        let mut heights = BTreeMap::new();
        for seat in (0..self.seats.len()).filter(|seat| of.fits[*seat]) {
            heights.insert(self.value(scale, seat)?, self.height(scale, seat)?);
        }
        let mut heights: Vec<_> = heights.into_iter().collect();
        heights.sort_by_key(|(_, height)| *height);
        for (from, high) in heights.iter().rev() {
            for (to, low) in &heights {
                if high - low <= spread.max_skew {
                    break;
                }
                let found = self.changing((class, term, scale), from, to);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// An actor of the class that can go from one value to the other, the heaviest nodes first.
    fn changing(
        &self,
        (class, term, scale): (usize, usize, usize),
        from: &str,
        to: &str,
    ) -> Option<(usize, usize)> {
        let of = &self.classes[class];
        let in_value = |seat: &usize, value| of.fits[*seat] && self.value(scale, *seat) == value;
        let seats = || 0..self.seats.len();
        let mut givers: Vec<_> = seats().filter(|seat| in_value(seat, Some(from))).collect();
        givers.sort_by(|a, b| self.heavier((*b, 0), (*a, 0)));
        for giver in givers {
            // What an outer spread looks at stays as it is.
            let outer = &of.terms.spreads[..term];
            let label = |seat: usize, label| self.seats[seat].of.label(label);
            let same = |seat: &usize| {
                outer
                    .iter()
                    .all(|outer| label(*seat, outer.label) == label(giver, outer.label))
            };
            let suits = |seat: &usize| same(seat) && self.evens(class, giver, *seat);
            let takers = seats().filter(|seat| in_value(seat, Some(to)));
            let takers: Vec<_> = takers.filter(suits).collect();
            let mut actors = self.seats[giver].actors.iter().copied();
            let first = actors.find(|actor| {
                let actor = &self.actors[*actor];
                actor.class == class && self.is_free(actor)
            });
            let found = first.and_then(|actor| {
                let taker = self.best(actor, of.terms.choice, takers.into_iter())?;
                Some((actor, taker))
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether the step brings the sum of the squares of all counts down, those that the spreads of
    /// others look at too. That is what ends the levelling where spreads want different things.
    fn evens(&self, class: usize, from: usize, to: usize) -> bool {
        let change = |scale: &usize| {
            if self.value(*scale, from) == self.value(*scale, to) {
                return 0;
            }
            let less = self
                .height(*scale, from)
                .map_or(0, |n| 1 - 2 * i128::from(n));
            let more = self.height(*scale, to).map_or(0, |n| 1 + 2 * i128::from(n));
            less + more
        };
        self.classes[class].scales.iter().map(change).sum::<i128>() < 0
    }
}
