//! Integration tests of the actix adapter, one module per promise.

mod arbiter_stop;
mod change_strategy;
mod child;
mod death_watch;
#[cfg(feature = "macros")]
mod derive;
mod group_change;
mod group_dynamic;
mod group_ends;
mod group_harm;
mod group_hooks;
mod group_limiter;
mod group_order;
mod group_requests;
mod group_schedules;
mod group_stage;
mod group_stall;
mod group_tree;
mod memory;
mod message_type;
mod ordering;
mod panic_location;
mod probe;
mod quiet;
mod relocation;
#[rustfmt::skip] // printed code, kept as printed
mod seed;
mod snapshot;
mod stall;
mod storm;
mod survival;
mod table;
mod tracked;
mod traps;
