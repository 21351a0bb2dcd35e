//! What the expansions of the derives name, and nothing that people should: no part of the API.

pub use std::{
    boxed::Box, convert::From, default::Default, error::Error, fmt::Display, format,
    option::Option, string::String, time::Duration,
};

pub use actix::{Actor, Context};
use supervision_core::Backoff;
pub use supervision_core::{
    EXIT, FailureInfo, KnownErrors, NodeId, PANIC, PlacementStrategy, RestartType, STALL,
    SupervisionMatcher, SupervisionStrategy,
};

pub use crate::actor::{DistributedActor, SupervisedDistributedActor};

/// A node whose name the derive has checked.
pub fn node(name: &str) -> NodeId {
    NodeId::new(name).expect("the derive checks names of nodes")
}

/// A backoff whose values the derive has checked.
pub fn backoff(
    min: Duration,
    max: Duration,
    factor: Option<f64>,
    jitter: Option<f64>,
    reset_after: Option<Duration>,
) -> Backoff {
    let made = || {
        let mut backoff = Backoff::new(min, max)?;
        if let Some(factor) = factor {
            backoff = backoff.with_factor(factor)?;
        }
        if let Some(jitter) = jitter {
            backoff = backoff.with_jitter(jitter)?;
        }
        match reset_after {
            Some(reset_after) => backoff.with_reset_after(reset_after),
            None => Ok(backoff),
        }
    };
    made().expect("the derive checks the values of backoffs")
}
