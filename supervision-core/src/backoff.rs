//! Delays that grow from failure to failure.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{duration_text, validate::MAX_DELAY};

/// Exponential backoff: the n-th delay in a row is `min * factor^n`, spread by `jitter`, and at
/// most `max`.
///
/// Jitter is applied *before* the cap, so no delay ever exceeds `max`. (Capping first and adding
/// jitter after is the usual mistake.) The row ends, and the next delay is `min` again, when
/// nothing has failed for `reset_after` since the last restart was due.
///
/// A value of this type is valid: [`Backoff::new`] and deserialization refuse anything else.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
// Boxed: otherwise every strategy would be as large as one with a backoff.
pub struct Backoff(Box<Fields>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename = "Backoff")]
struct Fields {
    #[serde(serialize_with = "duration_text::serialize")]
    min: Duration,
    #[serde(serialize_with = "duration_text::serialize")]
    max: Duration,
    factor: f64,
    jitter: f64,
    #[serde(serialize_with = "duration_text::serialize")]
    reset_after: Duration,
}

/// A valid backoff holds no NaN, so each equals itself.
impl Eq for Backoff {}

/// A backoff was refused; nothing was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackoffError {
    /// `min` is zero, so that no factor could make it grow.
    #[error("min must be greater than zero")]
    ZeroMin,
    /// `max` is less than `min`.
    #[error("max must not be less than min")]
    MaxBelowMin,
    /// `max` is longer than [`MAX_DELAY`].
    #[error("max must not be longer than 365 days")]
    MaxTooLong,
    /// `factor` is not a number, infinite, or less than one.
    #[error("factor must be a finite number of at least 1")]
    Factor,
    /// `jitter` is not a number between 0 and 1.
    #[error("jitter must be between 0 and 1")]
    Jitter,
    /// `reset_after` is zero, so that every failure would start a new row.
    #[error("reset_after must be greater than zero")]
    ZeroReset,
}

impl BackoffError {
    /// The field that was refused.
    pub fn field(&self) -> &'static str {
        match self {
            Self::ZeroMin => "min",
            Self::MaxBelowMin | Self::MaxTooLong => "max",
            Self::Factor => "factor",
            Self::Jitter => "jitter",
            Self::ZeroReset => "reset_after",
        }
    }
}

impl Backoff {
    /// Delays from `min` to `max` that double, with a jitter of 0.2 (each delay is spread over
    /// ±20 %) and a reset after `max`, at least one second, without a failure.
    ///
    /// # Errors
    /// [`BackoffError`] names the field and the rule.
    pub fn new(min: Duration, max: Duration) -> Result<Self, BackoffError> {
        let reset_after = max.max(Duration::from_secs(1));
        Fields {
            min,
            max,
            factor: 2.0,
            jitter: 0.2,
            reset_after,
        }
        .checked()
    }

    /// Sets the growth from one delay to the next; 1 keeps the delay at `min`.
    ///
    /// # Errors
    /// [`BackoffError::Factor`] unless it is finite and at least 1.
    pub fn with_factor(self, factor: f64) -> Result<Self, BackoffError> {
        Fields { factor, ..*self.0 }.checked()
    }

    /// Sets the spread: a delay `d` becomes evenly distributed in `d * (1 - jitter)` to
    /// `d * (1 + jitter)`. 0 turns it off.
    ///
    /// # Errors
    /// [`BackoffError::Jitter`] unless it is between 0 and 1.
    pub fn with_jitter(self, jitter: f64) -> Result<Self, BackoffError> {
        Fields { jitter, ..*self.0 }.checked()
    }

    /// Sets how long nothing must have failed, counted from when the last restart was due, for the
    /// delays to start at `min` again.
    ///
    /// # Errors
    /// [`BackoffError::ZeroReset`] if it is zero.
    pub fn with_reset_after(self, reset_after: Duration) -> Result<Self, BackoffError> {
        Fields {
            reset_after,
            ..*self.0
        }
        .checked()
    }

    /// How long nothing must have failed for a new row to begin.
    pub fn reset_after(&self) -> Duration {
        self.0.reset_after
    }

    /// The longest delay.
    pub fn max(&self) -> Duration {
        self.0.max
    }

    /// The delay after `failures` failures in a row before this one (0 gives the first delay).
    /// `entropy` is any 64 random bits; equal bits give equal delays.
    pub fn delay(&self, failures: u32, entropy: u64) -> Duration {
        // 53 bits are what an f64 holds exactly: evenly spread in [0, 1).
        let unit = (entropy >> 11) as f64 / (1u64 << 53) as f64;
        let grown = self.0.min.as_secs_f64() * power(self.0.factor, failures);
        let spread = grown * (1.0 + self.0.jitter * (2.0 * unit - 1.0));
        // An overflow to infinity is capped like any other long delay.
        match Duration::try_from_secs_f64(spread) {
            Ok(delay) => delay.min(self.0.max),
            Err(_) => self.0.max,
        }
    }
}

impl Fields {
    fn checked(self) -> Result<Backoff, BackoffError> {
        if self.min.is_zero() {
            Err(BackoffError::ZeroMin)
        } else if self.max < self.min {
            Err(BackoffError::MaxBelowMin)
        } else if self.max > MAX_DELAY {
            Err(BackoffError::MaxTooLong)
        } else if !self.factor.is_finite() || self.factor < 1.0 {
            Err(BackoffError::Factor)
        } else if !(0.0..=1.0).contains(&self.jitter) {
            Err(BackoffError::Jitter)
        } else if self.reset_after.is_zero() {
            Err(BackoffError::ZeroReset)
        } else {
            Ok(Backoff(Box::new(self)))
        }
    }
}

/// `base` to the power of `exponent`, by squaring. The same bits on every machine, which
/// `f64::powi` does not promise.
fn power(mut base: f64, mut exponent: u32) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    product
}

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Backoff", deny_unknown_fields)]
        struct Unchecked {
            #[serde(deserialize_with = "duration_text::deserialize")]
            min: Duration,
            #[serde(deserialize_with = "duration_text::deserialize")]
            max: Duration,
            factor: f64,
            jitter: f64,
            #[serde(deserialize_with = "duration_text::deserialize")]
            reset_after: Duration,
        }
        let Unchecked {
            min,
            max,
            factor,
            jitter,
            reset_after,
        } = Unchecked::deserialize(deserializer)?;
        Fields {
            min,
            max,
            factor,
            jitter,
            reset_after,
        }
        .checked()
        .map_err(serde::de::Error::custom)
    }
}
