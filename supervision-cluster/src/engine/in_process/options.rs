//! How an in-process engine is set up.

use std::{fmt, time::Duration};

use super::{Faults, TraceEvent};
use crate::engine::StoreIncarnation;

/// Takes what happens.
pub(super) type Tracer = Box<dyn FnMut(&TraceEvent) + Send>;

/// Settings of an [`InProcess`](super::InProcess) engine.
pub struct Options {
    pub(super) seed: u64,
    pub(super) incarnation: StoreIncarnation,
    pub(super) faults: Faults,
    pub(super) request_timeout: Duration,
    pub(super) max_payload: usize,
    pub(super) marker_lifetime: Duration,
    pub(super) capacity: usize,
    pub(super) tracer: Option<Tracer>,
}

impl Options {
    /// No faults and a store of its own, unlike any other.
    pub fn new() -> Self {
        let mut options = Self::seeded(fastrand::u64(..));
        options.incarnation = StoreIncarnation::new(fastrand::u128(..));
        options
    }

    /// No faults; whatever is left to chance follows from `seed`, the store's incarnation included.
    ///
    /// On one current-thread runtime with paused time the same seed, faults and calls give the same
    /// trace.
    pub fn seeded(seed: u64) -> Self {
        let incarnation = fastrand::Rng::with_seed(seed ^ 0x1ca5_a710).u128(..);
        Self {
            seed,
            incarnation: StoreIncarnation::new(incarnation),
            faults: Faults::default(),
            request_timeout: Duration::from_secs(2),
            max_payload: 1_048_576 - 1_024,
            marker_lifetime: Duration::from_secs(600),
            capacity: 65_536,
            tracer: None,
        }
    }

    /// What goes wrong by chance. Default: nothing.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// How long a call to the store waits for its answer. Default: 2 s.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// The longest value or payload in bytes. Default: 1 MiB less 1 KiB, what is left by a NATS server
    /// and the headers of its client.
    #[must_use]
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// How long deletions and expiries are told to watches that begin later. Default: 10 min.
    #[must_use]
    pub fn marker_lifetime(mut self, lifetime: Duration) -> Self {
        self.marker_lifetime = lifetime;
        self
    }

    /// How many messages wait for one who serves before further ones are dropped, and how many events
    /// wait for one who watches before the watch is interrupted. Default: 65,536.
    #[must_use]
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items;
        self
    }

    /// Calls `tracer` with everything that happens, in order. It must not call the engine: it runs
    /// inside of its lock.
    #[must_use]
    pub fn trace(mut self, tracer: impl FnMut(&TraceEvent) + Send + 'static) -> Self {
        self.tracer = Some(Box::new(tracer));
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("seed", &self.seed)
            .field("incarnation", &self.incarnation)
            .field("faults", &self.faults)
            .field("request_timeout", &self.request_timeout)
            .field("max_payload", &self.max_payload)
            .field("marker_lifetime", &self.marker_lifetime)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
