//! A guard against hostile nesting while a strategy is read.
//!
//! `Match` holds strategies, so reading one recurses. Text formats limit that themselves, compact
//! binary ones do not: a few kilobytes could overflow the stack before validation sees a value.
//! The depth is counted while reading and refused at the limit.

use std::cell::Cell;

thread_local! {
    static STRATEGIES: Cell<usize> = const { Cell::new(0) };
    static PLACEMENTS: Cell<usize> = const { Cell::new(0) };
}

/// What is nested in its own kind; each is counted by itself.
#[derive(Clone, Copy)]
pub(crate) enum Nesting {
    /// Supervision strategies.
    Strategies,
    /// Placement strategies.
    Placements,
}

impl Nesting {
    fn change(self, change: impl FnOnce(&Cell<usize>)) {
        match self {
            Self::Strategies => STRATEGIES.with(change),
            Self::Placements => PLACEMENTS.with(change),
        }
    }

    fn depth(self) -> usize {
        match self {
            Self::Strategies => STRATEGIES.get(),
            Self::Placements => PLACEMENTS.get(),
        }
    }
}

/// One level of reading; leaving it is its drop, also when reading failed or unwound.
pub(crate) struct Level(Nesting);

impl Level {
    /// Enters one level more, or refuses when `max` levels are open already.
    pub(crate) fn enter(of: Nesting, max: usize) -> Option<Self> {
        if of.depth() >= max {
            return None;
        }
        of.change(|depth| depth.set(depth.get() + 1));
        Some(Self(of))
    }

    /// Whether no other level is open.
    pub(crate) fn is_outermost(&self) -> bool {
        self.0.depth() == 1
    }

    /// Whether one of these is being read.
    pub(crate) fn is_open(of: Nesting) -> bool {
        of.depth() > 0
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.change(|depth| depth.set(depth.get() - 1));
    }
}
