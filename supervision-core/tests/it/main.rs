//! Integration tests of the decision logic, one module per rule.

mod window;

mod decide;
mod model;
mod truth_table;

mod backoff;
mod cause;
mod matching;
mod policy_change;
mod restart_limiter;
mod variants;

mod group_endings;
mod group_property;
mod group_rules;
mod group_spec;

mod placement;
mod placement_order;
mod placement_property;
mod placement_text;
mod rebalance;
mod rebalance_property;

mod hostile;
mod serde;

mod allocation;
mod purity;

mod group_acts;
mod group_told;
mod group_world;
mod placement_world;
mod property;
mod rng;
mod strategies;
