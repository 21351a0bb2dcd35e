//! Which strategies make sense: the limits, and the error that names the field and the rule.

use std::{fmt, time::Duration};

use crate::{
    matcher::SupervisionMatcher,
    placement::{PlacementRule, PlacementStrategy},
    strategy::SupervisionStrategy,
};

/// Longest accepted delay: 365 days.
pub const MAX_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Largest finite `max_restarts` and `max_relocations`. A window keeps one instant of 8 bytes per
/// counted failure, so this bounds its memory; `usize::MAX` (no limit) keeps none.
pub const MAX_COUNTED: usize = 1_000_000;
/// Deepest accepted nesting of strategies in strategies.
pub const MAX_DEPTH: usize = 16;
/// Most leaves (strategies that hold no other) in one strategy.
pub const MAX_LEAVES: usize = 4_096;
/// Longest accepted `error_type`, in bytes.
pub const MAX_ERROR_TYPE: usize = 1_024;

/// A strategy was refused; nothing was started or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid supervision strategy: {field} {rule}")]
#[non_exhaustive]
pub struct InvalidStrategy {
    /// Path of the field, for example `matchers[1].strategy.window`.
    pub field: String,
    /// The rule it broke.
    pub rule: Rule,
}

/// The rules a strategy keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A window must be longer than zero.
    NotZero,
    /// A delay must not be longer than [`MAX_DELAY`].
    DelayTooLong,
    /// A count must be at most [`MAX_COUNTED`], or `usize::MAX`.
    CountTooLarge,
    /// An error type must hold 1 to [`MAX_ERROR_TYPE`] bytes of a type path.
    ErrorType,
    /// Strategies must not be nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A strategy must not have more than [`MAX_LEAVES`] leaves.
    TooManyLeaves,
    /// A ladder must have a rung.
    NoRungs,
    /// A rung must not be a `Match` or a `Ladder`.
    NestedRung,
    /// A rung after one that always applies is never reached.
    UnreachableRung,
    /// The placement of a relocation breaks a rule of its own.
    Placement(PlacementRule),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotZero => f.write_str("must be longer than zero"),
            Self::DelayTooLong => f.write_str("must not be longer than 365 days"),
            Self::CountTooLarge => {
                write!(
                    f,
                    "must be at most {MAX_COUNTED}, or {} for no limit",
                    usize::MAX
                )
            }
            Self::ErrorType => write!(
                f,
                "must be a type name of 1 to {MAX_ERROR_TYPE} bytes, such as `std::io::Error`, without blanks around it or empty segments"
            ),
            Self::TooDeep => write!(f, "must not be nested deeper than {MAX_DEPTH} levels"),
            Self::TooManyLeaves => write!(f, "must not hold more than {MAX_LEAVES} strategies"),
            Self::NoRungs => f.write_str("must have at least one rung"),
            Self::NestedRung => f.write_str("must not be a Match or a Ladder"),
            Self::UnreachableRung => {
                f.write_str("is never reached: the rung before it always applies")
            }
            Self::Placement(rule) => rule.fmt(f),
        }
    }
}

impl SupervisionStrategy {
    /// Checks the whole strategy.
    ///
    /// # Errors
    /// [`InvalidStrategy`] names the first field that breaks a rule.
    pub fn validate(&self) -> Result<(), InvalidStrategy> {
        let mut leaves = 0;
        check(self, 1, &mut leaves).map_err(Problem::into_error)
    }
}

/// A broken rule and the path to it, collected from the inside out.
struct Problem {
    path: Vec<String>,
    rule: Rule,
}

impl Problem {
    fn inside(mut self, outer: impl Into<String>) -> Self {
        self.path.push(outer.into());
        self
    }

    fn into_error(self) -> InvalidStrategy {
        let mut path = self.path;
        path.reverse();
        let field = if path.is_empty() {
            "strategy".to_owned()
        } else {
            path.join(".")
        };
        InvalidStrategy {
            field,
            rule: self.rule,
        }
    }
}

fn broken(field: &str, rule: Rule) -> Result<(), Problem> {
    Err(Problem {
        path: vec![field.to_owned()],
        rule,
    })
}

fn check(strategy: &SupervisionStrategy, depth: usize, leaves: &mut usize) -> Result<(), Problem> {
    if depth > MAX_DEPTH {
        return Err(Problem {
            path: Vec::new(),
            rule: Rule::TooDeep,
        });
    }
    check_level(strategy)?;
    match strategy {
        SupervisionStrategy::Match { default, matchers } => {
            for (at, matcher) in matchers.iter().enumerate() {
                check(&matcher.strategy, depth + 1, leaves)
                    .map_err(|p| p.inside("strategy").inside(format!("matchers[{at}]")))?;
            }
            check(default, depth + 1, leaves).map_err(|p| p.inside("default"))
        }
        SupervisionStrategy::Ladder { rungs } => {
            for (at, rung) in rungs.iter().enumerate() {
                check(rung, depth + 1, leaves).map_err(|p| p.inside(format!("rungs[{at}]")))?;
            }
            Ok(())
        }
        _ => {
            *leaves += 1;
            if *leaves > MAX_LEAVES {
                return Err(Problem {
                    path: Vec::new(),
                    rule: Rule::TooManyLeaves,
                });
            }
            Ok(())
        }
    }
}

/// Checks what does not depend on the strategies inside.
fn check_level(strategy: &SupervisionStrategy) -> Result<(), Problem> {
    match strategy {
        SupervisionStrategy::Restart {
            max_restarts,
            window,
            delay,
        } => {
            check_count("max_restarts", *max_restarts)?;
            check_window(*window)?;
            check_delay(*delay)
        }
        SupervisionStrategy::RestartWithBackoff {
            max_restarts,
            window,
            backoff: _,
        } => {
            check_count("max_restarts", *max_restarts)?;
            check_window(*window)
        }
        SupervisionStrategy::Relocate {
            placement,
            max_relocations,
            delay,
        } => {
            check_placement(placement)?;
            check_count("max_relocations", *max_relocations)?;
            check_delay(*delay)
        }
        SupervisionStrategy::Match {
            default: _,
            matchers,
        } => check_matchers(matchers),
        SupervisionStrategy::Ladder { rungs } => check_rungs(rungs),
        SupervisionStrategy::Stop | SupervisionStrategy::Escalate | SupervisionStrategy::Resume => {
            Ok(())
        }
    }
}

fn check_placement(placement: &PlacementStrategy) -> Result<(), Problem> {
    placement.validate().map_err(|problem| {
        // A placement calls itself `placement` where the problem is in none of its fields.
        let field = match problem.field.as_str() {
            "placement" => "placement".to_owned(),
            inner => format!("placement.{inner}"),
        };
        Problem {
            path: vec![field],
            rule: Rule::Placement(problem.rule),
        }
    })
}

fn check_count(field: &str, count: usize) -> Result<(), Problem> {
    if count > MAX_COUNTED && count != usize::MAX {
        return broken(field, Rule::CountTooLarge);
    }
    Ok(())
}

fn check_window(window: Duration) -> Result<(), Problem> {
    if window.is_zero() {
        broken("window", Rule::NotZero)
    } else {
        Ok(())
    }
}

fn check_delay(delay: Duration) -> Result<(), Problem> {
    if delay > MAX_DELAY {
        broken("delay", Rule::DelayTooLong)
    } else {
        Ok(())
    }
}

fn check_matchers(matchers: &[SupervisionMatcher]) -> Result<(), Problem> {
    for (at, matcher) in matchers.iter().enumerate() {
        if !is_type_name(&matcher.error_type) {
            return broken(&format!("matchers[{at}].error_type"), Rule::ErrorType);
        }
    }
    Ok(())
}

pub(crate) fn is_type_name(name: &str) -> bool {
    // Generic arguments may hold anything a type can; only the path before them is checked.
    let path = name.split('<').next().unwrap_or_default();
    name.len() <= MAX_ERROR_TYPE
        && name.trim() == name
        && !name.contains(char::is_control)
        && !path.is_empty()
        && path.split("::").all(|segment| !segment.trim().is_empty())
}

fn check_rungs(rungs: &[SupervisionStrategy]) -> Result<(), Problem> {
    if rungs.is_empty() {
        return broken("rungs", Rule::NoRungs);
    }
    for (at, rung) in rungs.iter().enumerate() {
        let field = format!("rungs[{at}]");
        if rung.holds_strategies() {
            return broken(&field, Rule::NestedRung);
        }
        if at > 0 && rungs[at - 1].always_applies() {
            return broken(&field, Rule::UnreachableRung);
        }
    }
    Ok(())
}

impl SupervisionStrategy {
    fn holds_strategies(&self) -> bool {
        matches!(self, Self::Match { .. } | Self::Ladder { .. })
    }

    fn always_applies(&self) -> bool {
        match self {
            Self::Stop | Self::Escalate | Self::Resume => true,
            Self::Restart {
                max_restarts: count,
                ..
            }
            | Self::RestartWithBackoff {
                max_restarts: count,
                ..
            }
            | Self::Relocate {
                max_relocations: count,
                ..
            } => *count == usize::MAX,
            Self::Match { .. } | Self::Ladder { .. } => false,
        }
    }
}
