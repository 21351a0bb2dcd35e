//! What may go wrong, how often and how badly. Everything defaults to never.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

/// How often something happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u32);

impl Chance {
    /// Not once.
    pub const NEVER: Self = Self(0);
    /// Each time.
    pub const ALWAYS: Self = Self(1_000_000);

    /// `times` out of a million, or always if that is more.
    pub const fn per_million(times: u32) -> Self {
        if times > Self::ALWAYS.0 {
            return Self::ALWAYS;
        }
        Self(times)
    }

    /// `times` out of a hundred, or always if that is more.
    pub const fn percent(times: u32) -> Self {
        Self::per_million(times.saturating_mul(10_000))
    }

    /// Whether it happens now. Draws nothing where there is no doubt, so that a fault that is switched
    /// off does not change what the others draw.
    pub(super) fn hits(self, rng: &mut Rng) -> bool {
        match self {
            Self::NEVER => false,
            Self::ALWAYS => true,
            Self(times) => rng.u32(0..Self::ALWAYS.0) < times,
        }
    }
}

/// How long something takes: between two durations, each as likely as the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    from: Duration,
    to: Duration,
}

impl Span {
    /// No time.
    pub const NONE: Self = Self {
        from: Duration::ZERO,
        to: Duration::ZERO,
    };

    /// From the shorter to the longer of the two, both included.
    pub fn between(one: Duration, other: Duration) -> Self {
        Self {
            from: one.min(other),
            to: one.max(other),
        }
    }

    /// [`between`](Self::between) in milliseconds.
    pub fn millis(one: u64, other: u64) -> Self {
        Self::between(Duration::from_millis(one), Duration::from_millis(other))
    }

    pub(super) fn draw(self, rng: &mut Rng) -> Duration {
        let range = self.to - self.from;
        if range.is_zero() {
            return self.from;
        }
        let range = u64::try_from(range.as_nanos()).unwrap_or(u64::MAX);
        self.from + Duration::from_nanos(rng.u64(0..=range))
    }
}

/// What happens on the way from one to another.
///
/// What is not lost arrives in the order it was sent, except for what is reordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFaults {
    /// How long the way takes.
    pub delay: Span,
    /// How often something does not arrive.
    pub loss: Chance,
    /// How often a message arrives twice; the second one on its own time. Replies and calls to the store
    /// do not.
    pub duplicate: Chance,
    /// How often something is held back by [`reorder_by`](Self::reorder_by) while others overtake it.
    pub reorder: Chance,
    /// See [`reorder`](Self::reorder).
    pub reorder_by: Span,
}

/// What happens to calls to the store, and to watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFaults {
    /// The way to the store and back, drawn once for each. A write whose answer is lost has happened.
    pub link: LinkFaults,
    /// How often the store says that it has no leader.
    pub unavailable: Chance,
    /// How often a write or deletion waits in the store for [`late_by`](Self::late_by) before it is
    /// decided, past the caller's timeout if that is shorter.
    pub late_commit: Chance,
    /// See [`late_commit`](Self::late_commit).
    pub late_by: Span,
    /// How often a `get` shows what was true up to [`stale_by`](Self::stale_by) ago.
    pub stale_get: Chance,
    /// See [`stale_get`](Self::stale_get).
    pub stale_by: Duration,
    /// How late a watch tells a change. The order stays.
    pub watch_delay: Span,
    /// How often a watch is interrupted instead of telling a change.
    pub interrupt_watch: Chance,
    /// How long a node takes to notice that a watch was interrupted.
    pub notice: Span,
    /// How much too early an entry may expire.
    pub early_expiry: Duration,
    /// How much too late an entry may expire.
    pub late_expiry: Duration,
}

/// All that may go wrong by chance. Partitions, pauses, crashes and outages are commanded, see
/// [`InProcess`](super::InProcess).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Between nodes and the store.
    pub store: StoreFaults,
    /// Between two nodes, where [`links`](Self::links) says nothing else. A node's messages to itself
    /// are subject to them too: they go through the server.
    pub every_link: LinkFaults,
    /// From one named node to another, in this direction.
    pub links: BTreeMap<(String, String), LinkFaults>,
    /// How often a request that a partition keeps from all who serve its subject comes back as
    /// `NoResponders` instead of timing out, and one sent in an outage as `Disconnected`.
    pub false_denial: Chance,
}

impl Faults {
    /// Some of everything: ways of 0 to 20 ms, one in a hundred lost, doubled or overtaken, and the
    /// store's own faults from time to time.
    pub fn rough() -> Self {
        let link = LinkFaults {
            delay: Span::millis(0, 20),
            loss: Chance::percent(1),
            duplicate: Chance::percent(1),
            reorder: Chance::percent(1),
            reorder_by: Span::millis(1, 200),
        };
        Self {
            store: StoreFaults {
                link,
                unavailable: Chance::percent(1),
                late_commit: Chance::percent(2),
                late_by: Span::millis(1, 5_000),
                stale_get: Chance::percent(10),
                stale_by: Duration::from_secs(2),
                watch_delay: Span::millis(0, 50),
                interrupt_watch: Chance::percent(1),
                notice: Span::millis(0, 1_000),
                early_expiry: Duration::from_millis(500),
                late_expiry: Duration::from_secs(2),
            },
            every_link: link,
            links: BTreeMap::new(),
            false_denial: Chance::percent(50),
        }
    }
}
