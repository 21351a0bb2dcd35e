//! Holding back restarts that many actors have at once.
//!
//! When a database goes down, everything that uses it fails in the same instant, and without a
//! limit restarts in the same instant too: the load that keeps it down. Those actors have budgets
//! and delays of their own, which know nothing of one another; a limiter is what they share.
//!
//! It decides nothing. [`decide`](crate::decide) says whether an actor restarts and after which delay;
//! the limiter is asked when that delay is over and can only add to it.
//!
//! It is the generic cell rate algorithm: a bucket of `burst` tokens that fills at the configured
//! rate, kept as the one instant at which it will be full. What comes when it is empty is given the
//! instant at which its token will be there; so the queue is a number, not a list.

use std::time::Duration;

use crate::{budget::Timestamp, restart_rate::RestartRate};

/// The queue of those who want to restart, at one [`RestartRate`].
///
/// Invariants, for restarts that come when they were told to:
///
/// - no window of length `w` holds more than `burst + w / interval` of them, and no half-open window
///   of length `per` more than `restarts + burst - 1`;
/// - they come in the order in which they asked: none waits for one that asked later, so the wait is at
///   most one `interval` for each that is ahead, and `spread`;
/// - a `now` that runs backwards breaks neither;
/// - it takes up the same few bytes however many ask.
///
/// A place in the queue cannot be given back: who asks and then does not come leaves a gap.
///
/// ```
/// use std::time::Duration;
/// use supervision_core::{RestartLimiter, RestartRate, Timestamp};
///
/// let rate = RestartRate::new(100, Duration::from_secs(1))?.with_burst(2)?;
/// let mut limiter = RestartLimiter::new(rate);
/// let now = Timestamp::from_secs(60);
/// let waits: Vec<_> = (0..5).map(|_| limiter.admit(now, 0).as_millis()).collect();
/// assert_eq!(waits, [0, 0, 10, 20, 30]);
/// # Ok::<(), supervision_core::RestartRateError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RestartLimiter {
    rate: RestartRate,
    /// When all tokens will be there, if nobody asks any more.
    full_at: Timestamp,
    /// The instant that was given last.
    last: Timestamp,
}

impl RestartLimiter {
    /// A limiter with nobody in its queue.
    pub fn new(rate: RestartRate) -> Self {
        Self {
            rate,
            full_at: Timestamp::default(),
            last: Timestamp::default(),
        }
    }

    /// The rate.
    pub fn rate(&self) -> RestartRate {
        self.rate
    }

    /// Takes a place in the queue; the restart is to come after the time returned.
    ///
    /// `now` is a monotonic time; `entropy` is any 64 random bits and is used for the spread only.
    /// The same arguments give the same answer.
    #[must_use = "who does not wait is not limited"]
    pub fn admit(&mut self, now: Timestamp, entropy: u64) -> Duration {
        let quiet = self.full_at <= now;
        let asked = if quiet {
            now.saturating_add(part_of(self.rate.spread(), entropy))
        } else {
            now
        };
        let at = asked.max(self.next());
        self.full_at = self.full_at.max(at).saturating_add(self.rate.interval());
        self.last = at;
        between(now, at)
    }

    /// How long somebody who asked now would wait at least: the length of the queue as a time.
    pub fn backlog(&self, now: Timestamp) -> Duration {
        between(now, self.next())
    }

    /// The first instant at which there is a token for who comes next, and nobody is overtaken.
    fn next(&self) -> Timestamp {
        let others = (self.rate.burst() - 1) as u128;
        let fill = others * self.rate.interval().as_nanos();
        let fill = Timestamp::from_nanos(u64::try_from(fill).unwrap_or(u64::MAX));
        let token_at = self.full_at.as_nanos().saturating_sub(fill.as_nanos());
        self.last.max(Timestamp::from_nanos(token_at))
    }
}

/// An evenly distributed part of `whole`, less than it.
fn part_of(whole: Duration, entropy: u64) -> Duration {
    // At most 365 days, which are fewer nanoseconds than a u64 holds.
    let nanos = (whole.as_nanos() * u128::from(entropy)) >> u64::BITS;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn between(now: Timestamp, at: Timestamp) -> Duration {
    Duration::from_nanos(at.as_nanos().saturating_sub(now.as_nanos()))
}
