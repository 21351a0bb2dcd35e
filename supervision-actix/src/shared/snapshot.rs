//! What an actor says of itself in a snapshot.

use std::any::type_name;

use actix::{Actor, Context};
use tokio::time::Instant;

use super::{Shared, Status};
use crate::{
    alerts::Alert,
    death_watch::Termination,
    ledger::Wait,
    snapshot::{NodeKind, NodeSnapshot, NodeState},
};

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// The actor as it is now.
    pub(crate) fn snapshot(&self) -> NodeSnapshot {
        let mut node = NodeSnapshot::new(self.path(), NodeKind::Actor, self.state());
        node.id = self.id_in_group();
        node.actor_type = Some(type_name::<A>().to_owned());
        node.incarnation = self.incarnation();
        node.watchers = self.watchers();
        if !self.is_managed() {
            node.budgets = self.with_strategy(|strategy| match self.known_ledger() {
                Some(ledger) => ledger.remaining(strategy),
                None => supervision_core::Budgets::default()
                    .remaining(&strategy.clone().into(), Default::default()),
            });
        }
        if let Some(ledger) = self.known_ledger() {
            node.restarts = ledger.restarts();
            node.relocations = ledger.relocations();
            node.last_failure = ledger.last_record();
        }
        node
    }

    fn state(&self) -> NodeState {
        if let Some(reason) = self.end_so_far() {
            let reason = Some(Termination::Actor(reason));
            return NodeState::Stopped { reason };
        }
        match self.status() {
            _ if self.waits_for_manager() => NodeState::Suspended,
            Status::Ended => NodeState::Stopped {
                reason: self.remembered_end(),
            },
            _ if self.alerts.is(Alert::EndRequested) => NodeState::Stopping,
            Status::Starting => NodeState::Starting,
            Status::Running => NodeState::Running,
            Status::Waiting => self.waiting(),
        }
    }

    fn waiting(&self) -> NodeState {
        let ledger = self.known_ledger();
        match ledger.as_ref().and_then(|ledger| ledger.wait.as_ref()) {
            Some(Wait { until, held_by }) => {
                let left = until.saturating_duration_since(Instant::now());
                match held_by {
                    Some(limiter) => NodeState::HeldBack {
                        limiter: limiter.name().to_owned(),
                        left,
                    },
                    None => NodeState::BackingOff { left },
                }
            }
            // It is due, or its group counts the time.
            None => NodeState::Awaiting,
        }
    }
}
