//! What an actor's supervision takes along when the actor moves: its budgets and its history.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use supervision_core::{FailureInfo, NodeId, PackedBudgets, SupervisionStrategy};

use crate::record::FailureRecord;

/// Budgets, history and the failure that is the reason of the move. No instant is in it: budgets
/// travel as ages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Luggage {
    /// The strategy that the budgets belong to; `None` where nothing was ever charged.
    pub(crate) strategy: Option<SupervisionStrategy>,
    pub(crate) budgets: PackedBudgets,
    pub(crate) history: Vec<FailureRecord>,
    pub(crate) restarts: usize,
    pub(crate) failure: Option<FailureInfo>,
    pub(crate) delay: Duration,
}

impl Luggage {
    /// How long the strategy wants the next incarnation to wait; counted from the failure.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// The failure that is the reason of the move; `None` of a move that somebody ordered.
    pub fn failure(&self) -> Option<&FailureInfo> {
        self.failure.as_ref()
    }

    /// Failures that were remembered, oldest first.
    pub fn history(&self) -> &[FailureRecord] {
        &self.history
    }
}

/// How an actor came to this node.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Where it was before; `None` if that is not known, as after the loss of that node. Then it is
    /// started like one that never ran, with its budgets and history.
    pub source: Option<NodeId>,
    /// What it brought along.
    pub luggage: Luggage,
}
