//! Placement and relocation of supervised actors across nodes.
//!
//! This crate holds no code yet. Until it does, [`Relocate`] restarts an actor in place: the
//! restart is counted against `max_relocations` and recorded as
//! `Outcome::RestartedInPlace`.
//!
//! [`Relocate`]: supervision_core::SupervisionStrategy::Relocate
