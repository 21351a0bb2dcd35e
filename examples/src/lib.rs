//! The examples are the programs of this package; this library only has the README's code compiled
//! and run by `cargo test`.

#![doc = include_str!("../../README.md")]
