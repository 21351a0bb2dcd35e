//! Placement and relocation of supervised actors across nodes.
//!
//! [`engine`] is what the cluster stands on: a store that compares and swaps, and messages between
//! nodes. [`clock`] is the time its nodes live by. What stands on them is being built; until it does,
//! [`Relocate`] restarts an actor in place: the restart is counted against `max_relocations` and
//! recorded as `Outcome::RestartedInPlace`.
//!
//! [`Relocate`]: supervision_core::SupervisionStrategy::Relocate

pub mod clock;
pub mod engine;
pub mod protocol;
