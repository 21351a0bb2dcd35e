//! Counts what the supervisors report, from all threads.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use supervision_actix::{EndReason, FailureInfo, prelude::*};

/// Shared by the observers of all actors.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

/// What was counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) failures: BTreeMap<Kind, u64>,
    pub(crate) restarts: u64,
    /// The actors that gave up, with the reason.
    pub(crate) given_up: Vec<String>,
}

/// Failures that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Kind {
    pub(crate) actor: String,
    pub(crate) cause: String,
    pub(crate) decision: String,
}

impl Tally {
    /// An observer that counts here.
    pub(crate) fn observer(&self) -> impl Fn(&SupervisionEvent) + Send + 'static {
        let counts = self.0.clone();
        move |event| {
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.note(event);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Counts {
    fn note(&mut self, event: &SupervisionEvent) {
        match event {
            SupervisionEvent::Failed {
                failure, decision, ..
            } => {
                let kind = Kind::of(failure, decision);
                *self.failures.entry(kind).or_default() += 1;
            }
            SupervisionEvent::Restarted { .. } => self.restarts += 1,
            SupervisionEvent::Ended { path, reason } => match reason {
                EndReason::Finished | EndReason::Unreferenced | EndReason::Requested => {}
                reason => self
                    .given_up
                    .push(format!("{path} gave up: {}", why(reason))),
            },
            _ => {}
        }
    }
}

impl Kind {
    fn of(failure: &FailureInfo, decision: &Decision) -> Self {
        Self {
            actor: failure.actor_path.clone(),
            cause: failure.error_type.clone(),
            decision: name_of(decision).to_owned(),
        }
    }
}

/// A decision in one word.
pub(crate) fn name_of(decision: &Decision) -> &'static str {
    match decision {
        Decision::Resume => "resume",
        Decision::Restart { .. } => "restart",
        Decision::Relocate { .. } => "relocate",
        Decision::Stop { .. } => "stop",
        Decision::Escalate { .. } => "escalate",
    }
}

fn why(reason: &EndReason) -> String {
    match reason {
        EndReason::Escalated { failure, .. } => format!("escalated ({})", failure.error),
        EndReason::Exhausted { failure } => format!("no restarts left ({})", failure.error),
        EndReason::Stopped { failure } => format!("stopped ({})", failure.error),
        reason => format!("{reason:?}"),
    }
}
