//! A guard against hostile nesting while a strategy is read.
//!
//! `Match` holds strategies, so reading one recurses. Text formats limit that themselves, compact
//! binary ones do not: a few kilobytes could overflow the stack before validation sees a value.
//! The depth is counted while reading and refused at the limit.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One level of reading; leaving it is its drop, also when reading failed or unwound.
pub(crate) struct Level(());

impl Level {
    /// Enters one level more, or refuses when `max` levels are open already.
    pub(crate) fn enter(max: usize) -> Option<Self> {
        DEPTH.with(|depth| {
            (depth.get() < max).then(|| {
                depth.set(depth.get() + 1);
                Self(())
            })
        })
    }

    /// Whether no other level is open.
    pub(crate) fn is_outermost(&self) -> bool {
        DEPTH.get() == 1
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}
