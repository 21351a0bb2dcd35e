//! Derives for supervised actors.
//!
//! This crate holds no macro yet.
