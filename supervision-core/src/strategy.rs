//! The supervision strategies as values that can be written in code and in configuration files.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::{
    backoff::Backoff,
    duration_text,
    matcher::SupervisionMatcher,
    nesting::{Level, Nesting},
    placement::PlacementStrategy,
    validate::MAX_DEPTH,
};

/// What happens to an actor that failed.
///
/// The fields are public, so a literal can hold nonsense; [`Policy::new`](crate::Policy::new) and
/// deserialization refuse it. In text formats durations are written `"1m 30s"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub enum SupervisionStrategy {
    /// A new incarnation takes over the mailbox on the same node, `delay` after the failure.
    ///
    /// Allowed while at most `max_restarts` failures lie within the last `window`, the present one
    /// included (the sliding window of OTP's `supervisor`). `usize::MAX` means no limit, and then
    /// nothing is remembered; 0 means never. A failure counts when it happens: starts that take
    /// longer to fail than `window` / `max_restarts` never use the budget up.
    Restart {
        /// Failures within `window` that are answered by a restart: 0 to
        /// [`MAX_COUNTED`](crate::MAX_COUNTED), or `usize::MAX` for no limit.
        max_restarts: usize,
        /// Length of the sliding window; not zero.
        #[serde(with = "duration_text")]
        window: Duration,
        /// Time between the failure and the new incarnation; zero restarts at once.
        #[serde(with = "duration_text")]
        delay: Duration,
    },
    /// The actor ends; senders get `MailboxError::Closed`.
    Stop,
    /// The parent decides. Without a parent the actor ends and the failure is reported upward.
    Escalate,
    /// A new incarnation takes over on a different node, `delay` after the failure.
    ///
    /// `max_relocations` counts over the actor's whole life; it does not slide.
    Relocate {
        /// How the other node is chosen.
        placement: PlacementStrategy,
        /// Relocations allowed in all: 0 to [`MAX_COUNTED`](crate::MAX_COUNTED), or `usize::MAX`
        /// for no limit.
        max_relocations: usize,
        /// Time between the failure and the move; zero moves at once.
        #[serde(with = "duration_text")]
        delay: Duration,
    },
    /// The failure is recorded and the actor goes on with its state.
    ///
    /// Possible only where the value is sound: after a reported failure or a panic in a message
    /// handler. After any other panic the actor is restarted instead, at most 3 times in 60 s,
    /// and the decision says so ([`RestartReason::NotResumable`](crate::RestartReason)).
    Resume,
    /// The strategy depends on the type of the error.
    ///
    /// The error and its `source()` chain are walked outermost first, and for each of them the
    /// rules in order; the first hit wins. Each rule has a budget of its own.
    Match {
        /// For failures that no rule matches.
        default: Box<SupervisionStrategy>,
        /// The rules, tried in order.
        matchers: Vec<SupervisionMatcher>,
    },
    /// Like `Restart`, with delays that grow while failures follow one another.
    RestartWithBackoff {
        /// As in `Restart`.
        max_restarts: usize,
        /// As in `Restart`.
        #[serde(with = "duration_text")]
        window: Duration,
        /// The delays.
        backoff: Backoff,
    },
    /// Rungs tried from the first: a failure is handled by the first rung whose budget allows it.
    ///
    /// "Restart 3 times in 30 s, then relocate twice, then escalate" is a ladder of three rungs.
    /// Every failure starts at the first rung and is counted by each rung it reaches. A rung that
    /// always applies (`Stop`, `Escalate`, `Resume`) can only be the last one; when the last rung
    /// is exhausted too, the failure escalates where there is a parent and stops the actor where
    /// there is none.
    Ladder {
        /// The rungs; at least one, none of them a `Match` or a `Ladder`.
        rungs: Vec<SupervisionStrategy>,
    },
}

/// Restarts at most 3 times in 60 s, 100 ms after each failure.
impl Default for SupervisionStrategy {
    fn default() -> Self {
        Self::Restart {
            max_restarts: 3,
            window: Duration::from_secs(60),
            delay: Duration::from_millis(100),
        }
    }
}

impl Serialize for SupervisionStrategy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for SupervisionStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(level) = Level::enter(Nesting::Strategies, MAX_DEPTH) else {
            let problem = format_args!("strategies are nested deeper than {MAX_DEPTH} levels");
            return Err(D::Error::custom(problem));
        };
        let strategy = Self::deserialize(deserializer)?;
        // Only the whole can be counted, and only seen from there has a field its full path.
        if level.is_outermost() {
            strategy.validate().map_err(D::Error::custom)?;
        }
        Ok(strategy)
    }
}
