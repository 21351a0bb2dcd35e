//! What becomes of a child that failed: asks `decide`, and sets going what it says.

use crate::{
    budget::Timestamp,
    cause::Cause,
    decide::{Decision, EscalationReason, Failure, StopReason},
    group::{
        Group,
        machine::{Moment, Phase},
        message::{ChildId, Command, EndReason, Incarnation},
        roster::{Key, State, Then},
        sequence::{AfterStop, Sequence},
        spec::{AutoShutdown, GroupStrategy},
    },
    placement::PlacementStrategy,
};

impl Group {
    /// Decides about a failure; `suspended` is the life that could go on.
    pub(super) fn fail(
        &mut self,
        key: Key,
        cause: Cause,
        suspended: Option<Incarnation>,
        at: &mut Moment,
    ) {
        let Some(child) = self.roster.get(key) else {
            return;
        };
        let id = child.id.clone();
        let failure = Failure::of(&cause)
            .with_restart_type(child.restart_type)
            .with_resumable(suspended.is_some())
            .with_parent(self.has_parent);
        let entropy = at.draw();
        let ruling = self.roster.own_mut(key).unwrap_or(&mut self.ruling);
        let decision = ruling.decide(&failure, at.now, entropy);
        self.commands.push_back(Command::Decided {
            child: id.clone(),
            cause: cause.clone(),
            decision: decision.clone(),
        });
        match decision {
            Decision::Resume => {
                if let Some(incarnation) = suspended {
                    self.resume(incarnation);
                }
            }
            Decision::Restart { after, reason: _ } => {
                let due = at.now.saturating_add(after);
                self.restart(key, due, None, suspended, at.now);
            }
            Decision::Relocate { placement, after } => {
                let due = at.now.saturating_add(after);
                self.restart(key, due, Some(Box::new(placement)), suspended, at.now);
            }
            Decision::Stop { reason } => match reason {
                StopReason::Exhausted => self.end(EndReason::Exhausted { child: id, cause }),
                StopReason::Policy | StopReason::Temporary | StopReason::Finished => {
                    match suspended {
                        Some(_) => self.stop(key, Then::Retire, false),
                        None => self.retire(key),
                    }
                }
            },
            Decision::Escalate { reason } => match suspended {
                Some(incarnation) => self.escalate(id, incarnation, cause, reason),
                None => self.escalated(key, cause, reason),
            },
        }
    }

    /// Asks the parent, and decides nothing until it has answered.
    fn escalate(
        &mut self,
        child: ChildId,
        incarnation: Incarnation,
        cause: Cause,
        reason: EscalationReason,
    ) {
        self.phase = Phase::Escalating {
            incarnation,
            cause: cause.clone(),
            reason,
        };
        self.commands.push_back(Command::Escalate {
            child,
            incarnation,
            cause,
            reason,
        });
    }

    pub(super) fn resume(&mut self, incarnation: Incarnation) {
        let Some(child) = self.roster.get(incarnation.key) else {
            return;
        };
        let child = child.id.clone();
        self.roster
            .set(incarnation.key, State::Running { incarnation });
        self.commands
            .push_back(Command::Resume { child, incarnation });
    }

    /// The failure is the parent's; the group ends.
    pub(super) fn escalated(&mut self, key: Key, cause: Cause, reason: EscalationReason) {
        let Some(child) = self.roster.get(key) else {
            return;
        };
        let child = child.id.clone();
        self.end(match reason {
            EscalationReason::Policy => EndReason::Escalated { child, cause },
            EscalationReason::Exhausted => EndReason::Exhausted { child, cause },
        });
    }

    /// Restarts a child, and with it those that the group's strategy names, not before `due`.
    pub(super) fn restart(
        &mut self,
        key: Key,
        due: Timestamp,
        placement: Option<Box<PlacementStrategy>>,
        suspended: Option<Incarnation>,
        now: Timestamp,
    ) {
        let Some(from) = self.first_restarted(key) else {
            return match suspended {
                Some(_) => self.stop(key, Then::Restart { due, placement }, true),
                None if due > now => self.delay(key, due, placement, now),
                None => self.launch(key, None, placement),
            };
        };
        // A restart that takes another one in comes no earlier than either of them.
        let pending = self.roster.since(from).filter(|(other, _)| *other != key);
        let pending = pending.filter_map(|(_, child)| match child.state() {
            State::Restarting { due, .. } => Some(*due),
            _ => None,
        });
        let due = pending.fold(due, Timestamp::max);
        match suspended {
            // It goes first: it is broken, and the others may still be working.
            Some(_) => self.stop(key, Then::Sequence, true),
            None => self.roster.set(key, State::Awaiting),
        }
        let then = AfterStop::Restart {
            failed: key,
            due,
            placement,
        };
        self.sequence = Some(Sequence::Stop {
            from,
            below: Key::MAX,
            then,
        });
    }

    /// The first child that is restarted along with this one; `None` where no other is.
    fn first_restarted(&self, key: Key) -> Option<Key> {
        match self.group {
            GroupStrategy::OneForOne => None,
            GroupStrategy::OneForAll => Some(0),
            GroupStrategy::RestForOne => Some(key),
        }
    }

    /// A child has ended for good, which may end the group.
    pub(super) fn retire(&mut self, key: Key) {
        let Some(child) = self.roster.get(key) else {
            return;
        };
        let (id, significant) = (child.id.clone(), child.is_significant());
        self.leave(key);
        let last = match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => self.roster.significant() == 0,
        };
        if significant && last {
            self.end(EndReason::AutoShutdown { child: id });
        }
    }

    /// A child does not run any more and is not restarted. If others were waiting for its restart,
    /// they wait for nothing now.
    pub(super) fn leave(&mut self, key: Key) {
        let was_awaited = matches!(self.roster.state(key), State::Restarting { .. });
        self.drop_or_keep(key);
        if let (true, Some(next)) = (was_awaited, self.first_restarted(key)) {
            self.sequence = Some(Sequence::Start {
                next,
                first: false,
                placed: None,
            });
        }
    }
}
