//! Integration tests of the decision logic, one module per rule.

mod window;

mod decide;
mod model;
mod truth_table;

mod backoff;
mod cause;
mod matching;
mod policy_change;
mod variants;

mod hostile;
mod serde;

mod allocation;
mod purity;

mod property;
mod rng;
mod strategies;
