//! Which placements make sense: the limits, and the error that names the field and the rule.

use std::fmt;

use super::{label::is_label_key, strategy::PlacementStrategy};

/// Most nodes that one actor can have, the owner included.
pub const MAX_REPLICAS: usize = 64;
/// Most label rules in one `Labels`.
pub const MAX_LABELS: usize = 64;
/// Deepest accepted nesting of placements in placements.
pub const MAX_PLACEMENT_DEPTH: usize = 8;
/// Longest accepted name of a group, in bytes.
const MAX_GROUP: usize = 255;

/// A placement was refused; nothing was started or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid placement: {field} {rule}")]
#[non_exhaustive]
pub struct InvalidPlacement {
    /// Path of the field, for example `among.replicas`.
    pub field: String,
    /// The rule it broke.
    pub rule: PlacementRule,
}

/// The rules a placement keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlacementRule {
    /// Replicas must be 1 to [`MAX_REPLICAS`].
    Replicas,
    /// There must be 1 to [`MAX_LABELS`] label rules.
    LabelCount,
    /// A label's name must keep the rules of [`LabelRule`](super::LabelRule)'s key.
    LabelName,
    /// A group's name must hold 1 to 255 bytes and no control characters.
    GroupName,
    /// A skew must be at least 1.
    Skew,
    /// Placements must not be nested deeper than [`MAX_PLACEMENT_DEPTH`].
    TooDeep,
}

impl fmt::Display for PlacementRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas => write!(f, "must be 1 to {MAX_REPLICAS}"),
            Self::LabelCount => write!(f, "must hold 1 to {MAX_LABELS} rules"),
            Self::LabelName => f.write_str(
                "must be a label's name of 1 to 255 bytes without blanks, `=` or control characters",
            ),
            Self::GroupName => {
                write!(f, "must hold 1 to {MAX_GROUP} bytes and no control characters")
            }
            Self::Skew => f.write_str("must be at least 1"),
            Self::TooDeep => {
                write!(f, "must not be nested deeper than {MAX_PLACEMENT_DEPTH} levels")
            }
        }
    }
}

impl PlacementStrategy {
    /// Checks the whole strategy.
    ///
    /// # Errors
    /// [`InvalidPlacement`] names the first field that breaks a rule.
    pub fn validate(&self) -> Result<(), InvalidPlacement> {
        let mut inside = Vec::new();
        let problem = check(self, &mut inside);
        problem.map_err(|(field, rule)| {
            if !field.is_empty() {
                inside.push(field);
            }
            let field = if inside.is_empty() {
                "placement".to_owned()
            } else {
                inside.join(".")
            };
            InvalidPlacement { field, rule }
        })
    }
}

type Broken = (&'static str, PlacementRule);

/// `inside` are the fields on the way to what is checked.
fn check(strategy: &PlacementStrategy, inside: &mut Vec<&'static str>) -> Result<(), Broken> {
    if inside.len() >= MAX_PLACEMENT_DEPTH {
        return Err(("", PlacementRule::TooDeep));
    }
    match strategy {
        PlacementStrategy::RoundRobin
        | PlacementStrategy::Random
        | PlacementStrategy::LeastLoaded
        | PlacementStrategy::Node(_)
        | PlacementStrategy::Rendezvous => Ok(()),
        PlacementStrategy::Redundant { replicas } => ensure(
            (1..=MAX_REPLICAS).contains(replicas),
            "replicas",
            PlacementRule::Replicas,
        ),
        PlacementStrategy::LocalAffinity { group, fallback } => {
            ensure(is_group(group), "group", PlacementRule::GroupName)?;
            inside.push("fallback");
            check(fallback, inside)
        }
        PlacementStrategy::Labels { require, among } => {
            let counted = (1..=MAX_LABELS).contains(&require.len());
            ensure(counted, "require", PlacementRule::LabelCount)?;
            inside.push("among");
            check(among, inside)
        }
        PlacementStrategy::Spread {
            label,
            group,
            max_skew,
            among,
        } => {
            ensure(is_label_key(label), "label", PlacementRule::LabelName)?;
            let named = group.as_deref().is_none_or(is_group);
            ensure(named, "group", PlacementRule::GroupName)?;
            ensure(*max_skew > 0, "max_skew", PlacementRule::Skew)?;
            inside.push("among");
            check(among, inside)
        }
    }
}

fn ensure(kept: bool, field: &'static str, rule: PlacementRule) -> Result<(), Broken> {
    if kept { Ok(()) } else { Err((field, rule)) }
}

fn is_group(name: &str) -> bool {
    (1..=MAX_GROUP).contains(&name.len()) && !name.contains(char::is_control)
}
