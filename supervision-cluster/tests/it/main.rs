//! The tests of the cluster, in one binary.

mod clock;
mod names;
