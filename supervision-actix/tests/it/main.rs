//! Integration tests of the actix adapter, one module per promise.

mod arbiter_stop;
mod child;
#[cfg(feature = "macros")]
mod derive;
mod memory;
mod ordering;
mod probe;
mod quiet;
#[rustfmt::skip] // printed code, kept as printed
mod seed;
mod stall;
mod survival;
mod table;
mod traps;
