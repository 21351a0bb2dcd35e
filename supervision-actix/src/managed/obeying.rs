//! What a child does about what its group says: notes, answers and records; the driver does the rest.

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use actix::{Actor, Context};
use supervision_core::{Decision, FailureInfo, StopReason};

use super::Answer;
use crate::{
    event::{EndReason, SupervisionEvent},
    ledger::answer,
    order::{Decided, Life, Order},
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
        self.managed(|m| {
            let next = m.orders.pop_front();
            if m.orders.is_empty() {
                // Orders are seldom; an empty queue keeps no memory.
                m.orders = VecDeque::new();
            }
            next
        })?
    }

    /// A life begins.
    pub(crate) fn begin_life(&self, life: Life) {
        self.supersede_undecided();
        let recovering = self.managed(|m| {
            m.life = Some(life);
            (m.is_started, m.is_stopping, m.is_refusing) = (false, false, false);
            (m.restarts, m.farewell) = (false, false);
            (m.failure, m.answer, m.end) = (None, None, None);
            m.recovering.take()
        });
        if let Some(failure) = recovering.flatten() {
            self.ledger().recovering = Some(failure);
        } else if let Some(mut ledger) = self.known_ledger() {
            ledger.recovering = None;
        }
    }

    /// Notes that it is to stop, and whether it is to be started again; tells whether it is suspended,
    /// and then it stops when it is next consulted.
    pub(crate) fn begin_stopping(&self, restarts: bool) -> bool {
        // It was told to go on first, and may not have been polled since.
        if self.managed(|m| matches!(m.answer, Some(Answer::Resume))) == Some(true) {
            self.forget_failure();
        }
        let is_greeted = self.spec().hooks.before_restart.is_some() && !self.is_starting();
        let suspended = self.managed(|m| {
            (m.is_stopping, m.restarts) = (true, restarts);
            let suspended = m.is_suspended();
            m.answer = suspended.then_some(Answer::End);
            m.farewell = restarts && is_greeted && !suspended;
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
    pub(crate) fn note_decision(&self, decided: Decided) {
        let Decided {
            cause,
            decision,
            by,
        } = decided;
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
            .unwrap_or_else(|| Rc::new(self.describe(&cause)));
        self.ledger().close_failed_start();
        self.record_decision(&cause, &info, &decision, true);
        match decision {
            Decision::Resume => {}
            Decision::Restart { .. } | Decision::Relocate { .. } => self.recover_from(info),
            Decision::Stop { reason } => {
                let end = end_of(reason, &info);
                self.managed(|m| m.end = Some(Box::new(end)));
            }
            Decision::Escalate { reason } => {
                let end = escalated(reason, &info);
                self.managed(|m| m.end = Some(Box::new(end)));
                self.recover_from(info);
                self.choose_limiter(&cause);
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

    /// It is killed; that is why it ends, should it end now.
    pub(crate) fn note_killed(&self) {
        self.managed(|m| {
            m.end.get_or_insert_with(|| Box::new(EndReason::Killed));
        });
    }

    /// No start is due: whoever waits for what a failure leads to is told.
    pub(crate) fn begin_refusing(&self) {
        if !self.is_refusing() {
            if self.managed(|m| m.end.is_some()) == Some(true) {
                self.close_record(Outcome::Stopped);
            }
            let end = self.end_of_life(EndReason::Requested);
            self.managed(|m| {
                m.is_refusing = true;
                m.end = Some(Box::new(end.clone()));
            });
            self.tell_watchers(&end);
        }
        let reporters = self
            .known_ledger()
            .map(|mut ledger| ledger.take_reporters());
        answer(reporters.unwrap_or_default(), || None);
    }

    /// Why no start is due, if none is.
    pub(crate) fn end_so_far(&self) -> Option<EndReason> {
        self.managed(|m| m.is_refusing.then(|| m.end.as_deref().cloned()))?
            .flatten()
    }

    /// Why its life is the last one; `otherwise`, if nothing but its group knows.
    fn end_of_life(&self, otherwise: EndReason) -> EndReason {
        let known = self.managed(|m| match (&m.end, &m.failure) {
            (Some(end), _) => Some((**end).clone()),
            (None, Some(told)) if !m.is_started && told.decision.is_none() => {
                Some(EndReason::StartFailed {
                    failure: (*told.info).clone(),
                })
            }
            (None, _) => None,
        });
        known.flatten().unwrap_or(otherwise)
    }

    /// Why it ends now that the group is done with it.
    pub(crate) fn last_end(&self) -> EndReason {
        self.managed(|m| m.life = None);
        self.end_of_life(EndReason::WithGroup)
    }

    /// The group has nothing to do with it any more.
    pub(crate) fn part(&self) {
        let managed = self
            .port_mut()
            .as_mut()
            .and_then(|port| port.managed.take());
        // Whoever was to be told by it is, outside the borrow.
        drop(managed);
    }
}
