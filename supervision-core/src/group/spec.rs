//! What a group is made of, as values that can be written in code and in configuration files.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::{decide::RestartType, duration_text, strategy::SupervisionStrategy};

/// Which siblings are restarted along with a child that is restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupStrategy {
    /// None. The default.
    #[default]
    OneForOne,
    /// All of them.
    OneForAll,
    /// Those that start after it.
    RestForOne,
}

/// When a group ends because its significant children have ended by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AutoShutdown {
    /// Never. The default.
    #[default]
    Never,
    /// As soon as one of them has.
    AnySignificant,
    /// Once all of them have.
    AllSignificant,
}

/// How a child is stopped. The core counts no time: whoever carries out
/// [`Command::Stop`](crate::group::Command::Stop) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shutdown {
    /// It is asked to stop, and killed when it has not stopped after this time.
    Timeout(#[serde(with = "duration_text")] Duration),
    /// It is asked to stop and takes the time it needs: for children that are groups themselves.
    Infinity,
    /// It is killed at once.
    Kill,
}

/// Asked to stop, and killed after 5 s, as OTP does with workers.
impl Default for Shutdown {
    fn default() -> Self {
        Self::Timeout(Duration::from_secs(5))
    }
}

/// One child of a group.
///
/// The fields are public, so a literal can hold nonsense; [`Group::new`](crate::group::Group::new),
/// [`Request::Add`](crate::group::Request::Add) and the deserialization of a [`GroupSpec`] refuse
/// it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildSpec {
    /// Its name, unique in the group: 1 to [`MAX_CHILD_ID`](crate::group::MAX_CHILD_ID) bytes.
    pub id: String,
    /// Whether its end is answered at all. Default: transient.
    #[serde(default)]
    pub restart_type: RestartType,
    /// How it is stopped. Default: asked, and killed after 5 s.
    #[serde(default)]
    pub shutdown: Shutdown,
    /// Whether the group's [`AutoShutdown`] looks at it; only for what is not permanent, in a group
    /// that has one. Default: no.
    #[serde(default)]
    pub significant: bool,
    /// Decides its failures instead of the group's strategy, with budgets of its own, which end
    /// with the child. Default: the group's decides.
    #[serde(default)]
    pub strategy: Option<SupervisionStrategy>,
}

impl ChildSpec {
    /// A transient child that the group's strategy decides about.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            restart_type: RestartType::default(),
            shutdown: Shutdown::default(),
            significant: false,
            strategy: None,
        }
    }

    /// Sets the restart type.
    #[must_use]
    pub fn with_restart_type(self, restart_type: RestartType) -> Self {
        Self {
            restart_type,
            ..self
        }
    }

    /// Sets how it is stopped.
    #[must_use]
    pub fn with_shutdown(self, shutdown: Shutdown) -> Self {
        Self { shutdown, ..self }
    }

    /// Sets whether the group may end with it.
    #[must_use]
    pub fn with_significant(self, significant: bool) -> Self {
        Self {
            significant,
            ..self
        }
    }

    /// Gives it a strategy and budgets of its own.
    #[must_use]
    pub fn with_strategy(self, strategy: SupervisionStrategy) -> Self {
        Self {
            strategy: Some(strategy),
            ..self
        }
    }
}

/// A group: its children in the order in which they start, and what is done when one fails.
///
/// The fields are public, so a literal can hold nonsense; [`Group::new`](crate::group::Group::new)
/// and deserialization refuse it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct GroupSpec {
    /// Who is restarted along. Default: nobody.
    #[serde(default)]
    pub group: GroupStrategy,
    /// Decides about a failed child. Its budgets are the group's: OTP's intensity and period.
    #[serde(default)]
    pub strategy: SupervisionStrategy,
    /// When the group ends with its significant children. Default: never.
    #[serde(default)]
    pub auto_shutdown: AutoShutdown,
    /// The children, in start order. Default: none.
    #[serde(default)]
    pub children: Vec<ChildSpec>,
}

impl GroupSpec {
    /// An empty group with this strategy for failed children.
    pub fn new(group: GroupStrategy, strategy: SupervisionStrategy) -> Self {
        Self {
            group,
            strategy,
            auto_shutdown: AutoShutdown::default(),
            children: Vec::new(),
        }
    }

    /// Sets when the group ends with its significant children.
    #[must_use]
    pub fn with_auto_shutdown(self, auto_shutdown: AutoShutdown) -> Self {
        Self {
            auto_shutdown,
            ..self
        }
    }

    /// Adds a child that starts after those added before.
    #[must_use]
    pub fn with_child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }
}

impl Serialize for GroupSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for GroupSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Self::deserialize(deserializer)?;
        spec.validate().map_err(D::Error::custom)?;
        Ok(spec)
    }
}
