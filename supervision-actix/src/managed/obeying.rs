//! What a child does about what its group says: notes, answers and records; the driver does the rest.

use std::{rc::Rc, sync::Arc};

use actix::{Actor, Context};
use supervision_core::{Cause, Decision, FailureInfo, StopReason};

use super::Answer;
use crate::{
    event::{EndReason, SupervisionEvent},
    ledger::answer,
    order::{Life, Order},
    record::Outcome,
    settle::{end_of, escalated},
    shared::Shared,
};

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Keeps an order until the driver obeys it.
    pub(crate) fn take_order(&self, order: Order) {
        self.managed(|m| m.orders.push_back(order));
    }

    pub(crate) fn next_order(&self) -> Option<Order> {
        self.managed(|m| m.orders.pop_front())?
    }

    /// A life begins.
    pub(crate) fn begin_life(&self, life: Life) {
        self.supersede_undecided();
        let recovering = self.managed(|m| {
            m.life = Some(life);
            (m.is_started, m.is_stopping, m.is_refusing) = (false, false, false);
            (m.failure, m.answer, m.end) = (None, None, None);
            m.recovering.take()
        });
        if let Some(failure) = recovering.flatten() {
            self.ledger().recovering = Some(failure);
        } else if let Some(mut ledger) = self.known_ledger() {
            ledger.recovering = None;
        }
    }

    /// Notes that it is to stop; tells whether it is suspended, and then does so when it is next
    /// consulted.
    pub(crate) fn begin_stopping(&self) -> bool {
        let suspended = self.managed(|m| {
            m.is_stopping = true;
            let suspended = m.is_suspended();
            m.answer = suspended.then_some(Answer::End);
            suspended
        });
        suspended == Some(true)
    }

    /// The group lets it go on.
    pub(crate) fn resume(&self, life: Life) {
        self.managed(|m| {
            if m.life == Some(life) && m.is_suspended() && m.answer.is_none() {
                m.answer = Some(Answer::Resume);
            }
        });
    }

    /// Records what was decided about the last failure.
    pub(crate) fn note_decision(&self, cause: &Cause, decision: &Decision, by: Arc<str>) {
        if matches!(
            decision,
            Decision::Stop {
                reason: StopReason::Finished
            }
        ) {
            self.managed(|m| m.end = Some(Box::new(EndReason::Finished)));
            return;
        }
        let told = self.managed(|m| {
            let undecided = m.failure.as_mut().filter(|told| told.decision.is_none());
            undecided.map(|told| {
                told.decision = Some(decision.clone());
                told.info.clone()
            })
        });
        let info = told
            .flatten()
            .unwrap_or_else(|| Rc::new(self.describe(cause)));
        self.ledger().close_failed_start();
        self.record_decision(cause, &info, decision, true);
        match decision {
            Decision::Resume => {}
            Decision::Restart { .. } | Decision::Relocate { .. } => self.recover_from(info),
            Decision::Stop { reason } => {
                let end = end_of(*reason, &info);
                self.managed(|m| m.end = Some(Box::new(end)));
            }
            Decision::Escalate { reason } => {
                let end = escalated(*reason, &info);
                self.managed(|m| m.end = Some(Box::new(end)));
                self.recover_from(info);
                self.note_escalation(by);
            }
        }
    }

    /// Records that a group has left the last failure to its parent.
    pub(crate) fn note_escalation(&self, by: Arc<str>) {
        let Some(failure) = self.managed(|m| m.recovering.clone()).flatten() else {
            return;
        };
        self.ledger().note_escalation(by.clone());
        self.emit(|| SupervisionEvent::Escalated {
            failure: (*failure).clone(),
            by: by.to_string(),
        });
    }

    fn recover_from(&self, failure: Rc<FailureInfo>) {
        self.managed(|m| m.recovering = Some(failure));
    }

    /// No start is due: whoever waits for what a failure leads to is told.
    pub(crate) fn begin_refusing(&self) {
        self.managed(|m| m.is_refusing = true);
        if self.managed(|m| m.end.take()).flatten().is_some() {
            self.close_record(Outcome::Stopped);
        }
        let reporters = self
            .known_ledger()
            .map(|mut ledger| ledger.take_reporters());
        answer(reporters.unwrap_or_default(), || None);
    }

    /// The group is done with it; gives the reason why it ends.
    pub(crate) fn part(&self) -> EndReason {
        let end = self.managed(|m| {
            m.life = None;
            m.end.take()
        });
        if let Some(port) = self.port_mut().as_mut() {
            port.managed = None;
        }
        end.flatten().map_or(EndReason::Requested, |end| *end)
    }
}
