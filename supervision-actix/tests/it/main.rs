//! Integration tests of the actix adapter, one module per promise.

mod arbiter_stop;
mod change_strategy;
mod child;
#[cfg(feature = "macros")]
mod derive;
mod group_dynamic;
mod group_ends;
mod group_harm;
mod group_limiter;
mod group_order;
mod group_requests;
mod group_stage;
mod group_stall;
mod group_tree;
mod memory;
mod ordering;
mod panic_location;
mod probe;
mod quiet;
mod relocation;
#[rustfmt::skip] // printed code, kept as printed
mod seed;
mod stall;
mod storm;
mod survival;
mod table;
mod traps;
