//! Integration tests of the actix adapter, one module per promise.

mod arbiter_stop;
mod change_strategy;
mod child;
#[cfg(feature = "macros")]
mod derive;
mod memory;
mod ordering;
mod panic_location;
mod probe;
mod quiet;
#[rustfmt::skip] // printed code, kept as printed
mod seed;
mod storm;
mod survival;
mod table;
mod traps;
