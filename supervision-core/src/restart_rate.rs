//! How many restarts a second many actors may have together, as a value for configuration files.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    duration_text,
    validate::{MAX_COUNTED, MAX_DELAY},
};

/// A rate of restarts: `restarts` in `per`, of which `burst` may come at once.
///
/// A value of this type is valid: [`RestartRate::new`] and deserialization refuse anything else. In
/// text formats it reads `{ "restarts": 100, "per": "1s" }`; `burst` and `spread` may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RestartRate {
    restarts: usize,
    #[serde(serialize_with = "duration_text::serialize")]
    per: Duration,
    burst: usize,
    #[serde(serialize_with = "duration_text::serialize")]
    spread: Duration,
}

/// A rate was refused; nothing was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestartRateError {
    /// `restarts` is zero, so that nothing would ever restart, or larger than [`MAX_COUNTED`].
    #[error("restarts must be 1 to {MAX_COUNTED}")]
    Restarts,
    /// `per` is zero, or longer than [`MAX_DELAY`].
    #[error("per must be longer than zero and not longer than 365 days")]
    Per,
    /// `burst` is zero, so that not even one could come, or larger than [`MAX_COUNTED`].
    #[error("burst must be 1 to {MAX_COUNTED}")]
    Burst,
    /// `spread` is longer than [`MAX_DELAY`].
    #[error("spread must not be longer than 365 days")]
    Spread,
}

impl RestartRateError {
    /// The field that was refused.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Restarts => "restarts",
            Self::Per => "per",
            Self::Burst => "burst",
            Self::Spread => "spread",
        }
    }
}

impl RestartRate {
    /// `restarts` in any `per`, evenly spaced, with a burst of 1 and no spread.
    ///
    /// # Errors
    /// [`RestartRateError`] names the field and the rule.
    pub fn new(restarts: usize, per: Duration) -> Result<Self, RestartRateError> {
        Self {
            restarts,
            per,
            burst: 1,
            spread: Duration::ZERO,
        }
        .checked()
    }

    /// Sets how many restarts may come at once after a quiet time. With a burst of `b` no window of
    /// length `per` holds more than `restarts + b - 1` of them. Default: 1.
    ///
    /// # Errors
    /// [`RestartRateError::Burst`] unless it is 1 to [`MAX_COUNTED`].
    pub fn with_burst(self, burst: usize) -> Result<Self, RestartRateError> {
        Self { burst, ..self }.checked()
    }

    /// Sets how long the first restart after a quiet time waits at most: a random part of this, while
    /// those after it queue up behind it. So limiters in different processes, which saw the same
    /// dependency fail at the same instant, do not begin at the same instant too. Default: zero.
    ///
    /// # Errors
    /// [`RestartRateError::Spread`] if it is longer than [`MAX_DELAY`].
    pub fn with_spread(self, spread: Duration) -> Result<Self, RestartRateError> {
        Self { spread, ..self }.checked()
    }

    fn checked(self) -> Result<Self, RestartRateError> {
        let counted = 1..=MAX_COUNTED;
        if !counted.contains(&self.restarts) {
            Err(RestartRateError::Restarts)
        } else if self.per.is_zero() || self.per > MAX_DELAY {
            Err(RestartRateError::Per)
        } else if !counted.contains(&self.burst) {
            Err(RestartRateError::Burst)
        } else if self.spread > MAX_DELAY {
            Err(RestartRateError::Spread)
        } else {
            Ok(self)
        }
    }

    /// Restarts in `per`.
    pub fn restarts(&self) -> usize {
        self.restarts
    }

    /// The time in which that many restarts may come.
    pub fn per(&self) -> Duration {
        self.per
    }

    /// Restarts that may come at once after a quiet time.
    pub fn burst(&self) -> usize {
        self.burst
    }

    /// The longest wait of the first restart after a quiet time.
    pub fn spread(&self) -> Duration {
        self.spread
    }

    /// Time from one restart to the next in a long queue, in whole nanoseconds and rounded up, so
    /// that the rate is never exceeded.
    pub fn interval(&self) -> Duration {
        // At most 365 days, which are fewer nanoseconds than a u64 holds.
        let per = u64::try_from(self.per.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(per.div_ceil(self.restarts as u64))
    }
}

impl<'de> Deserialize<'de> for RestartRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "RestartRate", deny_unknown_fields)]
        struct Unchecked {
            restarts: usize,
            #[serde(deserialize_with = "duration_text::deserialize")]
            per: Duration,
            #[serde(default = "one")]
            burst: usize,
            #[serde(default, deserialize_with = "duration_text::deserialize")]
            spread: Duration,
        }
        fn one() -> usize {
            1
        }
        let Unchecked {
            restarts,
            per,
            burst,
            spread,
        } = Unchecked::deserialize(deserializer)?;
        Self {
            restarts,
            per,
            burst,
            spread,
        }
        .checked()
        .map_err(serde::de::Error::custom)
    }
}
