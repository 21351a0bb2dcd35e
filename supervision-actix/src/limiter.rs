//! Limiters of restarts that many actors share, and which of them a failure goes through.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use supervision_core::{
    Cause, ErrorPattern, InvalidErrorPattern, RestartLimiter, RestartRate, Timestamp,
};
use tokio::time::Instant;

/// A limit on how often the actors that share it restart, named after what it protects.
///
/// A clone is the same limiter: hand clones to the props of all actors that depend on the same thing,
/// on any arbiter. When that thing goes down and they all fail at once, they come back one after the
/// other at the configured [`RestartRate`], in the order in which their restarts were due.
///
/// ```
/// # use std::time::Duration;
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// use supervision_actix::{RestartRate, SharedLimiter};
///
/// # struct Session;
/// # impl Actor for Session { type Context = Context<Self>; }
/// # System::new().block_on(async {
/// let rate = RestartRate::new(100, Duration::from_secs(1)).expect("a sensible rate");
/// let postgres = SharedLimiter::new("postgres", rate);
/// for n in 0..3 {
///     ActorProps::plain(format!("/user/session/{n}"), || Session)
///         .with_restart_limiter_for("DatabaseError", postgres.clone())
///         .start_actor();
/// }
/// # });
/// ```
///
/// # What it does and what it does not
///
/// The strategy alone decides whether an actor restarts and after which delay, as ever, and its
/// budgets are charged as ever. The limiter only adds to the delay: when the decided delay is over the
/// restart takes the next place in the queue, and waits until that is due. To ask only then keeps
/// the promise whatever the delays are: places that were given away at the failure would let an actor
/// with a long delay come among those that were placed after it. A first start takes no place.
///
/// While an actor waits, its mailbox takes messages, and its end can be asked for, as while any delay
/// runs. A place cannot be given back: an actor that ends while it waits leaves a gap. An actor that
/// fails again goes to the end of the queue.
///
/// In a group the restart of the child that failed takes a place when it is ordered, by its own group or
/// by one above that the failure was escalated to; not those of siblings that restart along with it. An ordered group starts nothing else until that child is up.
///
/// Times are those of tokio's timers, so restarts come up to a millisecond late, those of one
/// millisecond together, and later on a busy thread; the limiter keeps the rate of the times at which
/// they are *due*.
#[derive(Clone)]
pub struct SharedLimiter(Arc<Inner>);

struct Inner {
    name: String,
    /// The limiter counts from here; tokio's clock, so that paused time is honoured.
    epoch: Instant,
    limiter: Mutex<RestartLimiter>,
}

impl SharedLimiter {
    /// A limiter with nobody in its queue. The name is for people: it stands in events.
    pub fn new(name: impl Into<String>, rate: RestartRate) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            epoch: Instant::now(),
            limiter: Mutex::new(RestartLimiter::new(rate)),
        }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its rate.
    pub fn rate(&self) -> RestartRate {
        self.with(|limiter, _| limiter.rate())
    }

    /// How long a restart that is due now would wait at least: the length of the queue as a time.
    pub fn backlog(&self) -> Duration {
        self.with(|limiter, now| limiter.backlog(now))
    }

    /// Takes a place in the queue; tells how long until it is due.
    pub(crate) fn admit(&self) -> Duration {
        self.with(|limiter, now| limiter.admit(now, fastrand::u64(..)))
    }

    fn with<R>(&self, work: impl FnOnce(&mut RestartLimiter, Timestamp) -> R) -> R {
        let limiter = self.0.limiter.lock();
        let mut limiter = limiter.unwrap_or_else(PoisonError::into_inner);
        // Read while the lock is held, so that times come in the order of the queue.
        let now = Timestamp::after_start(self.0.epoch.elapsed());
        work(&mut limiter, now)
    }
}

impl fmt::Debug for SharedLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimiter")
            .field("name", &self.name())
            .field("rate", &self.rate())
            .finish_non_exhaustive()
    }
}

/// The limiters of one actor.
#[derive(Default)]
pub(crate) struct Limiters {
    by_cause: Vec<(ErrorPattern, SharedLimiter)>,
    others: Option<SharedLimiter>,
    /// The first pattern that was refused; the start will say so.
    refused: Option<InvalidErrorPattern>,
}

impl Limiters {
    pub(crate) fn add_for(&mut self, error_type: &str, limiter: SharedLimiter) {
        match ErrorPattern::new(error_type) {
            Ok(pattern) => self.by_cause.push((pattern, limiter)),
            Err(refused) => {
                self.refused.get_or_insert(refused);
            }
        }
    }

    pub(crate) fn set_for_others(&mut self, limiter: SharedLimiter) {
        self.others = Some(limiter);
    }

    pub(crate) fn check(&self) -> Result<(), InvalidErrorPattern> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    /// The one that a restart after this failure goes through.
    pub(crate) fn choose(&self, cause: &Cause) -> Option<&SharedLimiter> {
        ErrorPattern::first_match(&self.by_cause, cause).or(self.others.as_ref())
    }
}
