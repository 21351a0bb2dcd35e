//! Which groups make sense: the rules, and the error that names the field and the rule.

use std::{collections::BTreeSet, fmt};

use crate::{
    decide::RestartType,
    group::spec::{AutoShutdown, ChildSpec, GroupSpec, Shutdown},
    strategy::SupervisionStrategy,
    validate::{InvalidStrategy, MAX_DELAY, Rule},
};

/// Longest accepted id of a child, in bytes.
pub const MAX_CHILD_ID: usize = 255;

/// A group or a child was refused; nothing was started or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid group: {field} {rule}")]
#[non_exhaustive]
pub struct InvalidGroup {
    /// Path of the field, for example `children[1].strategy.window`.
    pub field: String,
    /// The rule it broke.
    pub rule: GroupRule,
}

/// The rules a group keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupRule {
    /// An id must hold 1 to [`MAX_CHILD_ID`] bytes and no control characters.
    Id,
    /// An id must be the only one of its kind in the group.
    DuplicateId,
    /// A timeout must be longer than zero; `Kill` waits for nothing.
    ZeroTimeout,
    /// A timeout must not be longer than [`MAX_DELAY`].
    TimeoutTooLong,
    /// What is significant must not be permanent: it would never end by itself (OTP's rule).
    SignificantPermanent,
    /// What is significant needs a group with an auto-shutdown (OTP's rule).
    SignificantWithoutShutdown,
    /// The strategy breaks a rule of its own.
    Strategy(Rule),
}

impl fmt::Display for GroupRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => write!(
                f,
                "must hold 1 to {MAX_CHILD_ID} bytes and no control characters"
            ),
            Self::DuplicateId => f.write_str("is the id of another child too"),
            Self::ZeroTimeout => f.write_str("must be longer than zero; to wait for nothing, kill"),
            Self::TimeoutTooLong => f.write_str("must not be longer than 365 days"),
            Self::SignificantPermanent => {
                f.write_str("must not be set for a permanent child, which never ends by itself")
            }
            Self::SignificantWithoutShutdown => {
                f.write_str("must not be set in a group whose auto_shutdown is Never")
            }
            Self::Strategy(rule) => rule.fmt(f),
        }
    }
}

impl GroupSpec {
    /// Checks the whole group.
    ///
    /// # Errors
    /// [`InvalidGroup`] names the first field that breaks a rule.
    pub fn validate(&self) -> Result<(), InvalidGroup> {
        check_strategy(&self.strategy, "strategy")?;
        let mut ids = BTreeSet::new();
        for (at, child) in self.children.iter().enumerate() {
            let path = format!("children[{at}]");
            child.validate(self.auto_shutdown, &path)?;
            if !ids.insert(child.id.as_str()) {
                return broken(&path, "id", GroupRule::DuplicateId);
            }
        }
        Ok(())
    }
}

impl ChildSpec {
    /// Checks one child of a group with this auto-shutdown; `path` is where it stands.
    pub(super) fn validate(
        &self,
        auto_shutdown: AutoShutdown,
        path: &str,
    ) -> Result<(), InvalidGroup> {
        if self.id.is_empty() || self.id.len() > MAX_CHILD_ID || self.id.contains(char::is_control)
        {
            return broken(path, "id", GroupRule::Id);
        }
        if let Shutdown::Timeout(timeout) = self.shutdown {
            if timeout.is_zero() {
                return broken(path, "shutdown", GroupRule::ZeroTimeout);
            }
            if timeout > MAX_DELAY {
                return broken(path, "shutdown", GroupRule::TimeoutTooLong);
            }
        }
        if self.significant && auto_shutdown == AutoShutdown::Never {
            return broken(path, "significant", GroupRule::SignificantWithoutShutdown);
        }
        if self.significant && self.restart_type == RestartType::Permanent {
            return broken(path, "significant", GroupRule::SignificantPermanent);
        }
        match &self.strategy {
            Some(strategy) => check_strategy(strategy, &format!("{path}.strategy")),
            None => Ok(()),
        }
    }
}

fn broken(path: &str, field: &str, rule: GroupRule) -> Result<(), InvalidGroup> {
    Err(InvalidGroup {
        field: format!("{path}.{field}"),
        rule,
    })
}

fn check_strategy(strategy: &SupervisionStrategy, path: &str) -> Result<(), InvalidGroup> {
    let invalid = |error| InvalidGroup::of_strategy(error, path);
    strategy.validate().map_err(invalid)
}

impl InvalidGroup {
    /// A problem inside the strategy at `path`.
    pub(super) fn of_strategy(
        InvalidStrategy { field, rule }: InvalidStrategy,
        path: &str,
    ) -> Self {
        // A strategy calls itself `strategy` where the problem is in none of its fields.
        let field = match field.as_str() {
            "strategy" => path.to_owned(),
            inner => format!("{path}.{inner}"),
        };
        Self {
            field,
            rule: GroupRule::Strategy(rule),
        }
    }
}
