//! What the store holds: entries, their revisions, and how long they last.

use std::{fmt, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::key::Key;

/// The number of a change to the store, counted over all its keys.
///
/// Each write, deletion and expiry takes one, higher than all before it and never used again, so that
/// it serves as a fencing token. It begins anew with another
/// [`StoreIncarnation`](super::StoreIncarnation). In JetStream it is the sequence of the stream.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// The revision with this number; the first change has 1.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Which store it is: one that was made anew has another, and its revisions begin again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreIncarnation(u128);

impl StoreIncarnation {
    /// The incarnation with this number. Whoever makes a store draws it at random.
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for StoreIncarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for StoreIncarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A live entry as somebody read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: Key,
    /// What was written.
    pub value: Bytes,
    /// The change that wrote it.
    pub revision: Revision,
}

/// What a write demands of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is no entry: never written, deleted or expired.
    Absent,
    /// The key's last change, its deletion or expiry included, is this one.
    Revision(Revision),
}

/// How long an entry lasts if nobody writes it again: whole seconds, at least one.
///
/// A write *replaces* the lifetime: one without a `Ttl` makes the entry last forever, so a renewal has
/// to name it each time. It is for cleaning up: engines may be late by seconds, and nobody's death
/// follows from an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(NonZeroU32);

impl Ttl {
    /// One second, the shortest.
    pub const SHORTEST: Self = Self(NonZeroU32::MIN);

    /// `seconds`; `None` of 0.
    pub const fn from_secs(seconds: u32) -> Option<Self> {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Some(Self(seconds)),
            None => None,
        }
    }

    /// The shortest that lasts for `duration`: rounded up to a second, at most some 136 years.
    pub fn at_least(duration: Duration) -> Self {
        let whole = duration.as_secs();
        let seconds = whole.saturating_add(u64::from(duration.subsec_nanos() > 0));
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self::from_secs(seconds).unwrap_or(Self::SHORTEST)
    }

    /// As a duration.
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.get() as u64)
    }
}
