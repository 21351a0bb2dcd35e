//! Failures on their way to a decision: described, queued, or found to come too late.

use std::{
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix::{Actor, Context};
use supervision_core::{Cause, FailureInfo};
use uuid::Uuid;

use super::{Shared, Status};
use crate::{
    alerts::Alert,
    event::EndReason,
    ledger::answer,
    record::{Kept, Place},
    settle::{Settled, Verdict},
    suspension::{Entered, MAX_ENTERED, Reporter},
};

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Describes a failure that happens now.
    pub(crate) fn describe(&self, cause: &Cause) -> FailureInfo {
        FailureInfo {
            actor_path: self.path(),
            node_id: self.spec.settings.node_id(),
            time: unix_millis(),
            error: cause.message().to_owned(),
            error_type: cause.error_type().to_owned(),
            restart_count: self.ledger().restarts(),
            failure_id: Uuid::new_v4(),
        }
    }

    /// Queues a failure of the incarnation; `false` if too many are waiting already.
    pub(crate) fn enter(&self, entered: Entered<A>) -> bool {
        let room = self.has_room();
        if room {
            self.ledger().entered.push_back(entered);
            self.alerts.raise(Alert::Entered);
        }
        room
    }

    fn has_room(&self) -> bool {
        self.known_ledger()
            .is_none_or(|ledger| ledger.entered.len() < MAX_ENTERED)
    }

    /// Records what entered and can no longer be decided on.
    pub(crate) fn supersede_entered(&self) {
        while let Some(entered) = self.next_entered() {
            self.supersede(&entered.cause, entered.reporter);
        }
    }

    /// Whether a failure waits for its decision.
    pub(crate) fn has_entered(&self) -> bool {
        if !self.alerts.is(Alert::Entered) {
            return false;
        }
        let waits = self
            .known_ledger()
            .is_some_and(|ledger| !ledger.entered.is_empty());
        if !waits {
            self.alerts.clear(Alert::Entered);
        }
        waits
    }

    /// Whether something waits for a decision on what becomes of the incarnation.
    pub(crate) fn is_undecided(&self) -> bool {
        if self.is_managed() {
            return self.has_work_for_suspension();
        }
        self.has_entered() || (self.alerts.is(Alert::EndRequested) && !self.has_verdict())
    }

    /// Decides on the request to end.
    pub(crate) fn settle_request(&self) -> Settled {
        self.ledger().verdict = Some(Verdict::End(EndReason::Requested));
        Settled::Ended
    }

    pub(crate) fn next_entered(&self) -> Option<Entered<A>> {
        self.known_ledger()?.entered.pop_front()
    }

    /// A failure reported from outside.
    pub(crate) fn report(&self, cause: Cause, reporter: Reporter<A>) {
        match self.status.get() {
            Status::Starting | Status::Running if self.has_room() => {
                self.enter(Entered {
                    cause,
                    resumable: true,
                    reporter,
                });
                self.alerts.raise(Alert::Reported);
            }
            // Those before it are enough to decide by, or the incarnation it is about has failed
            // already.
            Status::Starting | Status::Running | Status::Waiting => {
                self.supersede(&cause, reporter);
            }
            Status::Ended => answer(vec![reporter], || None),
        }
    }

    /// Records a failure of an incarnation whose end is decided; its reporter learns what becomes of
    /// the actor.
    pub(crate) fn supersede(&self, cause: &Cause, reporter: Reporter<A>) {
        self.record(Kept::superseded(
            Place::of(cause),
            Rc::new(self.describe(cause)),
        ));
        self.ledger().join(reporter);
    }

    /// Whether it is decided what comes after the incarnation.
    pub(crate) fn has_verdict(&self) -> bool {
        self.known_ledger()
            .is_some_and(|ledger| ledger.verdict.is_some())
    }

    pub(crate) fn take_verdict(&self) -> Option<Verdict> {
        self.known_ledger()?.verdict.take()
    }
}

/// The wall clock, for records only.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
