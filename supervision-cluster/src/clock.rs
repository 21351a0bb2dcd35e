//! The time a node lives by: real, counting also while the machine sleeps, or simulated.

mod boot;
mod simulated;

use futures_util::future::BoxFuture;
use supervision_core::Timestamp;

pub use self::{
    boot::BootClock,
    simulated::{InvalidRate, VirtualClock},
};

/// A monotone time that goes on while the machine is suspended.
///
/// Leases are counted by it, so it must be the time that passes for everybody else: a clock that stops
/// during a suspend (`std::time::Instant` on Linux) would let a node that wakes up believe that its
/// lease still runs.
pub trait Clock: Send + Sync + 'static {
    /// Now, since a start that is the same for the clock's whole life. Never goes back.
    fn now(&self) -> Timestamp;

    /// Ends at `at` or later, never earlier by this clock; at once if that has passed.
    ///
    /// A timer alone is not enough for a deadline: whoever is bound by one also compares
    /// [`now`](Self::now) with it before each act.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}
