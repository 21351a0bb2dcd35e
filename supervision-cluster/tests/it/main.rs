//! The tests of the cluster, in one binary.

mod clock;
mod cluster;
mod codec;
mod contract;
mod cost;
mod in_process;
mod names;
mod simulation;
