//! What is left of budgets, for those who ask. Nothing is charged and nothing is decided here.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    budget::{Budgets, Timestamp},
    decide::{RESUME_MAX, RESUME_WINDOW},
    duration_text,
    policy::{Action, Leaf, Policy},
};

/// What is left of one budget: of a strategy, of one rule of a `Match` or of one rung of a `Ladder`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemainingBudget {
    /// Whose it is: rules by their error type, or `default`, rungs as `rung 1`, `rung 2`, from the
    /// outside in and parted by ` / `. Empty for a strategy that has only one budget.
    #[serde(default)]
    pub rule: String,
    /// What it allows.
    pub kind: BudgetKind,
    /// How many it allows in all; `None` for no limit.
    pub max: Option<usize>,
    /// How many of them are left at the time of the question; `None` for no limit.
    pub left: Option<usize>,
    /// The time within which `max` is meant; `None` where it is for a whole life.
    #[serde(default, with = "optional_duration")]
    pub window: Option<Duration>,
}

/// What a budget allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BudgetKind {
    /// Restarts.
    Restarts,
    /// Relocations.
    Relocations,
    /// The restarts that `Resume` falls back to where there is no value to go on with.
    RestartsInsteadOfResuming,
}

impl Budgets {
    /// How many failures at `now` each budget of `policy` could still answer.
    ///
    /// One entry for each leaf of the policy that has a budget, in the order in which they stand in
    /// the strategy; `Stop` and `Escalate` have none. `policy` is the one the budgets were charged
    /// under, `now` a time of the same clock; as in [`decide`](crate::decide), a time before the last
    /// failure counts as that failure's. Costs as much as the failures that the windows hold.
    pub fn remaining(&self, policy: &Policy, now: Timestamp) -> Vec<RemainingBudget> {
        let leaves = policy.all_leaves().into_iter();
        leaves.filter_map(|leaf| self.left_of(leaf, now)).collect()
    }

    fn left_of(&self, leaf: &Leaf, now: Timestamp) -> Option<RemainingBudget> {
        let (kind, max, window) = match &leaf.action {
            Action::Restart { max, window, .. } => (BudgetKind::Restarts, *max, Some(*window)),
            Action::Relocate { max, .. } => (BudgetKind::Relocations, *max, None),
            Action::Resume => (
                BudgetKind::RestartsInsteadOfResuming,
                RESUME_MAX,
                Some(RESUME_WINDOW),
            ),
            Action::Stop | Action::Escalate => return None,
        };
        let max = (max != usize::MAX).then_some(max);
        let used = self.known_leaf(leaf.slot).map(|budget| match window {
            Some(window) => budget.charged_since(now, window),
            None => budget.relocations(),
        });
        Some(RemainingBudget {
            rule: rule_of(&leaf.place),
            kind,
            max,
            left: max.map(|max| max.saturating_sub(used.unwrap_or(0))),
            window,
        })
    }
}

/// A leaf's place as people read it.
fn rule_of(place: &str) -> String {
    let levels = place.lines().filter(|level| !level.is_empty());
    let levels = levels.map(|level| match level.split_once(' ') {
        Some(("rung", at)) => match at.parse::<usize>() {
            Ok(at) => format!("rung {}", at + 1),
            Err(_) => level.to_owned(),
        },
        Some(("0", error_type)) => error_type.to_owned(),
        // A rule that repeats the error type of one before it.
        Some((earlier, error_type)) => match earlier.parse::<usize>() {
            Ok(earlier) => format!("{error_type} #{}", earlier + 1),
            Err(_) => level.to_owned(),
        },
        None => level.to_owned(),
    });
    levels.collect::<Vec<_>>().join(" / ")
}

/// For example `Restarts of std::io::Error: 2 of 3 left in 1m`.
impl fmt::Display for RemainingBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rule.is_empty() {
            write!(f, "{}: ", self.rule)?;
        }
        let what = match self.kind {
            BudgetKind::Restarts => "restarts",
            BudgetKind::Relocations => "relocations",
            BudgetKind::RestartsInsteadOfResuming => "restarts instead of resuming",
        };
        match (self.left, self.max) {
            (Some(left), Some(max)) => write!(f, "{left} of {max} {what} left")?,
            _ => write!(f, "{what} without limit")?,
        }
        match (self.window, self.max) {
            (Some(window), Some(_)) => write!(f, " in {}", humantime::format_duration(window)),
            _ => Ok(()),
        }
    }
}

/// `duration_text` for a duration that may not be there.
mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "super::duration_text")] Duration);

    pub(super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(Text).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<Text>::deserialize(deserializer)?;
        Ok(text.map(|Text(duration)| duration))
    }
}
