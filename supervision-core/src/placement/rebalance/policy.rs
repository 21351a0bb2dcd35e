//! How much the rebalancer may do, as a value for configuration files.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    duration_text,
    validate::{MAX_COUNTED, MAX_DELAY},
};

/// Bounds for [`rebalance`](super::rebalance()). In text formats it reads
/// `{ "max_moves": 100, "tolerance_percent": 20, "cooldown": "1m" }`; each may be left out.
///
/// A value of this type is valid: setters and deserialization refuse anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RebalancePolicy {
    max_moves: usize,
    tolerance_percent: u16,
    #[serde(serialize_with = "duration_text::serialize")]
    cooldown: Duration,
}

/// A policy was refused; nothing was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RebalancePolicyError {
    /// `max_moves` is larger than [`MAX_COUNTED`].
    #[error("max_moves must be at most {MAX_COUNTED}")]
    MaxMoves,
    /// `tolerance_percent` is zero, so that any noise would move actors, or above 1000.
    #[error("tolerance_percent must be 1 to 1000")]
    Tolerance,
    /// `cooldown` is longer than [`MAX_DELAY`].
    #[error("cooldown must not be longer than 365 days")]
    Cooldown,
}

/// At most 100 moves, a tolerance of 20 %, a cooldown of one minute.
impl Default for RebalancePolicy {
    fn default() -> Self {
        Self {
            max_moves: 100,
            tolerance_percent: 20,
            cooldown: Duration::from_secs(60),
        }
    }
}

impl RebalancePolicy {
    /// Sets how many actors one call may move. 0 moves none. Default: 100.
    ///
    /// # Errors
    /// [`RebalancePolicyError::MaxMoves`] if it is larger than [`MAX_COUNTED`].
    pub fn with_max_moves(self, max_moves: usize) -> Result<Self, RebalancePolicyError> {
        Self { max_moves, ..self }.checked()
    }

    /// Sets how far the loads of two nodes, each for its weight, may be apart before actors move, in
    /// percent of the mean. Default: 20.
    ///
    /// # Errors
    /// [`RebalancePolicyError::Tolerance`] unless it is 1 to 1000.
    pub fn with_tolerance_percent(self, percent: u16) -> Result<Self, RebalancePolicyError> {
        Self {
            tolerance_percent: percent,
            ..self
        }
        .checked()
    }

    /// Sets how long an actor that has moved stays where it is. Default: one minute.
    ///
    /// # Errors
    /// [`RebalancePolicyError::Cooldown`] if it is longer than [`MAX_DELAY`].
    pub fn with_cooldown(self, cooldown: Duration) -> Result<Self, RebalancePolicyError> {
        Self { cooldown, ..self }.checked()
    }

    fn checked(self) -> Result<Self, RebalancePolicyError> {
        if self.max_moves > MAX_COUNTED {
            Err(RebalancePolicyError::MaxMoves)
        } else if !(1..=1_000).contains(&self.tolerance_percent) {
            Err(RebalancePolicyError::Tolerance)
        } else if self.cooldown > MAX_DELAY {
            Err(RebalancePolicyError::Cooldown)
        } else {
            Ok(self)
        }
    }

    /// How many actors one call may move.
    pub fn max_moves(&self) -> usize {
        self.max_moves
    }

    /// How far the loads of two nodes may be apart, in percent of the mean.
    pub fn tolerance_percent(&self) -> u16 {
        self.tolerance_percent
    }

    /// How long an actor that has moved stays where it is.
    pub fn cooldown(&self) -> Duration {
        self.cooldown
    }
}

impl<'de> Deserialize<'de> for RebalancePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "RebalancePolicy", deny_unknown_fields, default)]
        struct Unchecked {
            max_moves: usize,
            tolerance_percent: u16,
            #[serde(deserialize_with = "duration_text::deserialize")]
            cooldown: Duration,
        }
        impl Default for Unchecked {
            fn default() -> Self {
                let RebalancePolicy {
                    max_moves,
                    tolerance_percent,
                    cooldown,
                } = RebalancePolicy::default();
                Self {
                    max_moves,
                    tolerance_percent,
                    cooldown,
                }
            }
        }
        let Unchecked {
            max_moves,
            tolerance_percent,
            cooldown,
        } = Unchecked::deserialize(deserializer)?;
        RebalancePolicy {
            max_moves,
            tolerance_percent,
            cooldown,
        }
        .checked()
        .map_err(serde::de::Error::custom)
    }
}
