//! Supervision policy without a runtime: what failed, what the strategy says, what is to be done.
//!
//! This crate decides and does nothing else. It reads no clock, draws no random number, starts no
//! task and writes no log: time, randomness and identity are arguments, so the same inputs always
//! give the same decision. `supervision-actix` executes the decisions for actix actors; anything
//! else that fails (tokio tasks, threads, child processes) can be supervised by calling
//! [`decide`] the same way.
//!
//! A failure flows through the modules in this order:
//!
//! 1. it is described as a [`Cause`]: an error with its `source()` chain, a panic, a stall, an exit;
//! 2. the chain's type names are matched against a validated [`Policy`];
//! 3. [`decide`] charges the budget of the rule that matched and returns a [`Decision`];
//! 4. the caller carries it out, where many fail at once through a [`RestartLimiter`] they share, and
//!    keeps a [`FailureInfo`].
//!
//! ```
//! use std::time::Duration;
//! use supervision_core::{
//!     decide, Budgets, Cause, Decision, Failure, Policy, SupervisionStrategy, Timestamp,
//! };
//!
//! let policy = Policy::new(SupervisionStrategy::Restart {
//!     max_restarts: 1,
//!     window: Duration::from_secs(60),
//!     delay: Duration::from_millis(100),
//! })?;
//! let mut budgets = Budgets::default();
//! let cause = Cause::panic("index out of bounds");
//!
//! // The first failure is within the budget, the second one, a second later, is not.
//! let first = decide(&mut budgets, &policy, &Failure::of(&cause), Timestamp::from_secs(10), 0);
//! assert_eq!(first.delay(), Some(Duration::from_millis(100)));
//! let second = decide(&mut budgets, &policy, &Failure::of(&cause), Timestamp::from_secs(11), 0);
//! assert!(matches!(second, Decision::Stop { .. }));
//! # Ok::<(), supervision_core::InvalidStrategy>(())
//! ```

mod cause;
mod error_link;
mod error_pattern;
mod error_type;
mod known_errors;

mod backoff;
mod duration_text;
mod matcher;
mod nesting;
mod strategy;
mod validate;

mod budget;
mod decide;
mod policy;
mod remaining;

mod restart_limiter;
mod restart_rate;

mod failure;

pub mod group;

pub mod placement;

pub use crate::{
    backoff::{Backoff, BackoffError},
    budget::{Budgets, FailureToken, PackedBudgets, RestartWindow, Timestamp},
    cause::{Cause, CauseKind, MAX_CHAIN, MAX_MESSAGE},
    decide::{Decision, EscalationReason, Failure, RestartReason, RestartType, StopReason, decide},
    error_link::{ErrorLink, ErrorVariants},
    error_pattern::{ErrorPattern, InvalidErrorPattern},
    error_type::{EXIT, PANIC, STALL, canonical, matches},
    failure::{FailureInfo, InvalidNodeId, NodeId},
    known_errors::KnownErrors,
    matcher::SupervisionMatcher,
    placement::{InvalidPlacement, LabelRule, PlacementRule, PlacementStrategy},
    policy::{Policy, ValidStrategy},
    remaining::{BudgetKind, RemainingBudget},
    restart_limiter::RestartLimiter,
    restart_rate::{RestartRate, RestartRateError},
    strategy::SupervisionStrategy,
    validate::{
        InvalidStrategy, MAX_COUNTED, MAX_DELAY, MAX_DEPTH, MAX_ERROR_TYPE, MAX_LEAVES, MAX_NAME,
        Rule,
    },
};
