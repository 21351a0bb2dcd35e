//! A validated strategy, laid out for deciding: rules in order, a numbered budget at every leaf.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use crate::{
    backoff::Backoff, cause::Cause, error_pattern::ErrorPattern, placement::PlacementStrategy,
    strategy::SupervisionStrategy, validate::InvalidStrategy,
};

/// A supervision strategy that is known to be valid: small, to keep where a [`Policy`] may never be
/// needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidStrategy(Kept);

/// A strategy as it is kept: the usual one in place, without the room that the widest one takes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// [`SupervisionStrategy::Restart`]; never one of the others.
    Restart {
        max_restarts: usize,
        window: Duration,
        delay: Duration,
    },
    Other(Box<SupervisionStrategy>),
}

impl From<SupervisionStrategy> for Kept {
    fn from(strategy: SupervisionStrategy) -> Self {
        match strategy {
            SupervisionStrategy::Restart {
                max_restarts,
                window,
                delay,
            } => Self::Restart {
                max_restarts,
                window,
                delay,
            },
            other => Self::Other(Box::new(other)),
        }
    }
}

impl ValidStrategy {
    /// Validates a strategy.
    ///
    /// # Errors
    /// [`InvalidStrategy`] names the first field that breaks a rule.
    pub fn new(strategy: SupervisionStrategy) -> Result<Self, InvalidStrategy> {
        strategy.validate()?;
        Ok(Self(strategy.into()))
    }

    /// The strategy.
    pub fn get(&self) -> Cow<'_, SupervisionStrategy> {
        match &self.0 {
            Kept::Other(strategy) => Cow::Borrowed(strategy),
            // Nothing in it is on the heap.
            restart @ Kept::Restart { .. } => Cow::Owned(restart.clone().into()),
        }
    }
}

impl From<Kept> for SupervisionStrategy {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Restart {
                max_restarts,
                window,
                delay,
            } => Self::Restart {
                max_restarts,
                window,
                delay,
            },
            Kept::Other(strategy) => *strategy,
        }
    }
}

impl Default for ValidStrategy {
    fn default() -> Self {
        // Known to be valid, by a test.
        Self(SupervisionStrategy::default().into())
    }
}

/// A supervision strategy that is known to be valid, ready for [`decide`](crate::decide).
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    source: SupervisionStrategy,
    root: Node,
    leaves: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Rungs(Vec<Leaf>),
    Match {
        rules: Vec<(ErrorPattern, Node)>,
        default: Box<Node>,
    },
}

/// A strategy that holds no other, and the number of its budget.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) slot: usize,
    /// Where the leaf stands in the strategy; the same place in a changed strategy keeps its budget.
    /// A line for each level: no error type holds a line break, so no two places read alike.
    pub(crate) place: String,
    /// By this its budget is kept wherever it stands.
    name: Option<Box<str>>,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Restart {
        max: usize,
        window: Duration,
        delay: Delay,
    },
    Relocate {
        placement: PlacementStrategy,
        max: usize,
        delay: Duration,
    },
    Resume,
    Stop,
    Escalate,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Delay {
    Fixed(Duration),
    Backoff(Backoff),
}

impl Policy {
    /// Validates a strategy.
    ///
    /// # Errors
    /// [`InvalidStrategy`] names the first field that breaks a rule.
    pub fn new(strategy: SupervisionStrategy) -> Result<Self, InvalidStrategy> {
        strategy.validate()?;
        let mut leaves = 0;
        let root = lay_out(&strategy, "", &mut leaves);
        Ok(Self {
            source: strategy,
            root,
            leaves,
        })
    }

    /// The strategy this policy was made from.
    pub fn strategy(&self) -> &SupervisionStrategy {
        &self.source
    }

    /// How many leaves there are; each has a budget of its own.
    pub(crate) fn leaves(&self) -> usize {
        self.leaves
    }

    /// The leaves to try for this cause, in order.
    ///
    /// A `Match` walks the chain outermost first and, for each error, its rules in order.
    pub(crate) fn select(&self, cause: &Cause) -> &[Leaf] {
        let mut node = &self.root;
        loop {
            match node {
                Node::Rungs(rungs) => return rungs,
                Node::Match { rules, default } => {
                    node = ErrorPattern::first_match(rules, cause).unwrap_or(default);
                }
            }
        }
    }

    /// All leaves, in the order in which they stand in the strategy.
    pub(crate) fn all_leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::with_capacity(self.leaves);
        collect_leaves(&self.root, &mut leaves);
        leaves
    }

    /// For each of this policy's budgets, the number of the budget in `old` that it goes on with: the
    /// one of the same name, else the one at the same place, if it is of the same kind. A name that was
    /// given or taken away at a place changes nothing there; another name is another leaf.
    pub(crate) fn kept_slots(&self, old: &Policy) -> Vec<Option<usize>> {
        let (old_leaves, new_leaves) = (old.all_leaves(), self.all_leaves());
        let names = |leaves: &[&Leaf]| -> BTreeMap<Box<str>, usize> {
            let named = leaves.iter().enumerate();
            let named = named.filter_map(|(at, leaf)| Some((leaf.name.clone()?, at)));
            named.collect()
        };
        let (old_names, new_names) = (names(&old_leaves), names(&new_leaves));
        let places = old_leaves.iter().map(|leaf| (leaf.place.as_str(), *leaf));
        let by_place: BTreeMap<_, _> = places.collect();
        let predecessor = |new: &Leaf| {
            let by_name = new.name.as_ref().and_then(|name| old_names.get(name));
            if let Some(at) = by_name {
                return Some(old_leaves[*at]);
            }
            let there = *by_place.get(new.place.as_str())?;
            let is_another = there
                .name
                .as_ref()
                .is_some_and(|name| new.name.is_some() || new_names.contains_key(name));
            (!is_another).then_some(there)
        };
        let same_kind = |old: &Leaf, new: &Leaf| {
            std::mem::discriminant(&old.action) == std::mem::discriminant(&new.action)
        };
        let kept = |new: &Leaf| {
            let old = predecessor(new)?;
            same_kind(old, new).then_some(old.slot)
        };
        new_leaves.into_iter().map(kept).collect()
    }
}

impl From<ValidStrategy> for Policy {
    fn from(ValidStrategy(kept): ValidStrategy) -> Self {
        let source = SupervisionStrategy::from(kept);
        let mut leaves = 0;
        let root = lay_out(&source, "", &mut leaves);
        Self {
            source,
            root,
            leaves,
        }
    }
}

impl TryFrom<SupervisionStrategy> for Policy {
    type Error = InvalidStrategy;

    fn try_from(strategy: SupervisionStrategy) -> Result<Self, InvalidStrategy> {
        Self::new(strategy)
    }
}

fn lay_out(strategy: &SupervisionStrategy, place: &str, slots: &mut usize) -> Node {
    match strategy {
        SupervisionStrategy::Match { default, matchers } => {
            // A rule is known by its error type, so inserting another one before it changes
            // nothing; only of rules that repeat a type the position counts.
            let mut repeated = BTreeMap::<&str, usize>::new();
            let rules = matchers.iter().map(|matcher| {
                let earlier = repeated.entry(&matcher.error_type).or_default();
                let place = format!("{place}\n{earlier} {}", matcher.error_type);
                *earlier += 1;
                (
                    ErrorPattern::of_valid(&matcher.error_type),
                    lay_out(&matcher.strategy, &place, slots),
                )
            });
            let rules = rules.collect();
            let default = lay_out(default, &format!("{place}\ndefault"), slots);
            Node::Match {
                rules,
                default: Box::new(default),
            }
        }
        SupervisionStrategy::Ladder { rungs } => {
            let rung = |(at, rung): (usize, &SupervisionStrategy)| {
                leaf(rung, format!("{place}\nrung {at}"), slots)
            };
            Node::Rungs(rungs.iter().enumerate().map(rung).collect())
        }
        single => Node::Rungs(vec![leaf(single, place.to_owned(), slots)]),
    }
}

fn leaf(strategy: &SupervisionStrategy, place: String, slots: &mut usize) -> Leaf {
    let (name, strategy) = match strategy {
        SupervisionStrategy::Named { name, strategy } => (Some(name.as_str().into()), &**strategy),
        unnamed => (None, unnamed),
    };
    let action = match strategy {
        SupervisionStrategy::Restart {
            max_restarts,
            window,
            delay,
        } => Action::Restart {
            max: *max_restarts,
            window: *window,
            delay: Delay::Fixed(*delay),
        },
        SupervisionStrategy::RestartWithBackoff {
            max_restarts,
            window,
            backoff,
        } => Action::Restart {
            max: *max_restarts,
            window: *window,
            delay: Delay::Backoff(backoff.clone()),
        },
        SupervisionStrategy::Relocate {
            placement,
            max_relocations,
            delay,
        } => Action::Relocate {
            placement: placement.clone(),
            max: *max_relocations,
            delay: *delay,
        },
        SupervisionStrategy::Resume => Action::Resume,
        SupervisionStrategy::Stop => Action::Stop,
        SupervisionStrategy::Escalate => Action::Escalate,
        SupervisionStrategy::Match { .. }
        | SupervisionStrategy::Ladder { .. }
        | SupervisionStrategy::Named { .. } => {
            unreachable!("validation refuses nested rungs and names, and lay_out handles the rest")
        }
    };
    let slot = *slots;
    *slots += 1;
    Leaf {
        slot,
        place,
        name,
        action,
    }
}

fn collect_leaves<'a>(node: &'a Node, leaves: &mut Vec<&'a Leaf>) {
    match node {
        Node::Rungs(rungs) => leaves.extend(rungs),
        Node::Match { rules, default } => {
            rules
                .iter()
                .for_each(|(_, inner)| collect_leaves(inner, leaves));
            collect_leaves(default, leaves);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_strategy_gives_back_what_it_was_made_of() {
        let restart = SupervisionStrategy::Restart {
            max_restarts: 7,
            window: Duration::from_millis(11),
            delay: Duration::from_nanos(13),
        };
        let ladder = SupervisionStrategy::Ladder {
            rungs: vec![restart.clone(), SupervisionStrategy::Stop],
        };
        let named = restart.clone().named("seven");
        let strategies = [
            restart,
            ladder,
            named,
            SupervisionStrategy::Resume,
            SupervisionStrategy::Escalate,
        ];
        for strategy in strategies {
            let valid = ValidStrategy::new(strategy.clone()).expect("valid");
            assert_eq!(*valid.get(), strategy);
            assert_eq!(*Policy::from(valid).strategy(), strategy);
        }
    }

    #[test]
    fn the_default_strategy_is_valid_and_kept_as_the_default() {
        let default = ValidStrategy::new(SupervisionStrategy::default());
        assert_eq!(default, Ok(ValidStrategy::default()));
    }

    #[test]
    fn a_valid_strategy_takes_half_the_room_of_the_widest_one_at_most() {
        assert!(size_of::<ValidStrategy>() * 2 <= size_of::<SupervisionStrategy>());
        assert_eq!(
            size_of::<Option<ValidStrategy>>(),
            size_of::<ValidStrategy>()
        );
    }
}
