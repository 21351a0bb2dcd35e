//! The turns in one supervised actor's life: an incarnation begins, is up, is over; the end.

use std::{any::Any, time::Duration};

use actix::{Actor, Context};
use tokio::time::Instant;

use crate::{
    event::{EndReason, SupervisionEvent},
    ledger::{Wait, answer},
    panics::{caught, drop_guarded},
    record::{Kept, Outcome},
};

use super::{Shared, Status};

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// A new incarnation begins.
    pub(crate) fn begin_incarnation(&self) {
        self.incarnation.set(self.incarnation.get() + 1);
        self.status.set(Status::Starting);
        self.pump_finished.set(false);
    }

    /// Has a restart that is due queue up at its limiter; tells how long it is held back.
    pub(crate) fn queue_up(&self) -> Option<Duration> {
        let limiter = self.known_ledger()?.limiter.take()?;
        let by = limiter.admit();
        if by.is_zero() {
            return None;
        }
        let mut ledger = self.ledger();
        ledger.set_delayed(by);
        ledger.wait = Some(Wait {
            until: Instant::now() + by,
            held_by: Some(limiter.clone()),
        });
        drop(ledger);
        let limiter = limiter.name();
        tracing::debug!(path = self.path(), limiter, ?by, "restart held back");
        let recovering = self.ledger().recovering.clone();
        if let Some(failure) = recovering {
            self.emit(|| SupervisionEvent::Delayed {
                path: self.path(),
                failure: (*failure).clone(),
                limiter: limiter.to_owned(),
                by,
            });
        }
        Some(by)
    }

    /// What is left to do once `started`, and what it waited for, have run.
    pub(crate) fn finish_start(&self, actor: &mut A, ctx: &mut Context<A>) {
        let recovering = self
            .known_ledger()
            .and_then(|mut ledger| ledger.recovering.take());
        self.arrive(actor, ctx);
        if let Some(failure) = recovering {
            // Not caught here: a panic in it leaves no value to go on with.
            if let Some(hook) = self.spec.hooks.after_restart {
                hook(actor, ctx, Some((*failure).clone()));
            }
            self.ledger().count_restart();
            let outcome = self.close_record(Outcome::Restarted);
            let incarnation = self.incarnation();
            tracing::info!(path = failure.actor_path, incarnation, "actor restarted");
            self.emit(|| SupervisionEvent::Restarted {
                path: self.path(),
                incarnation,
                failure: (*failure).clone(),
                outcome,
            });
            self.drop_unclaimed();
        } else {
            self.begin_again(actor, ctx);
            self.emit(|| SupervisionEvent::Started { path: self.path() });
        }
        self.status.set(Status::Running);
        self.answer_reporters();
        self.tell_started();
        self.tell_host_started(ctx);
    }

    /// What the incarnation before left of this type.
    pub(crate) fn take_handed<T: Any>(&self) -> Option<T> {
        self.known_ledger()?.take_handed()
    }

    /// What was handed over and not fetched; its destructors are the user's.
    fn drop_unclaimed(&self) {
        let unclaimed = self.ledger().take_all_handed();
        drop_guarded(unclaimed);
    }

    /// The delay before the next incarnation runs.
    pub(crate) fn begin_waiting(&self) {
        self.status.set(Status::Waiting);
        if let Some(mut ledger) = self.known_ledger() {
            ledger.wait = None;
        }
    }

    /// The same, for a delay of this length.
    pub(crate) fn begin_delay(&self, delay: Duration) {
        self.status.set(Status::Waiting);
        self.ledger().wait = (!delay.is_zero()).then(|| Wait {
            until: Instant::now() + delay,
            held_by: None,
        });
    }

    /// Nothing comes any more: the mailbox closes, and everybody who waits is told.
    pub(crate) fn end(&self, reason: EndReason) {
        self.status.set(Status::Ended);
        self.close_mailbox();
        self.supersede_entered();
        if self.rare.get().is_some() {
            self.close_record(reason.outcome());
            self.drop_unclaimed();
            self.answer_reporters();
        }
        match &reason {
            EndReason::Finished
            | EndReason::Unreferenced
            | EndReason::Requested
            | EndReason::WithGroup
            | EndReason::Relocated { .. } => {
                tracing::debug!(path = self.path(), ?reason, "actor ended");
            }
            _ => tracing::error!(path = self.path(), ?reason, "actor ended"),
        }
        self.remember_end(&reason);
        self.tell_watchers(&reason);
        self.tell_host_ended(&reason);
        self.emit(|| SupervisionEvent::Ended {
            path: self.path(),
            reason,
        });
    }

    pub(crate) fn answer_reporters(&self) {
        let Some(mut ledger) = self.known_ledger() else {
            return;
        };
        let reporters = ledger.take_reporters();
        drop(ledger);
        answer(reporters, || self.address());
    }

    pub(crate) fn record(&self, kept: Kept) {
        tracing::warn!(
            path = kept.info.actor_path,
            error_type = kept.info.error_type,
            error = kept.info.error,
            panic_location = kept.panic_location.as_deref(),
            message_type = kept.message_type.as_deref(),
            decision = ?kept.decision,
            "actor failed"
        );
        self.ledger().record(kept);
    }

    pub(crate) fn close_record(&self, outcome: Outcome) -> Outcome {
        self.ledger().close_record(outcome)
    }

    /// Tells the observer, if there is one; the event is made only then.
    pub(crate) fn emit(&self, event: impl FnOnce() -> SupervisionEvent) {
        if let Some(observer) = self.spec.settings.observer()
            && let Err(panic) = caught(|| observer(&event()))
        {
            tracing::error!(
                error = panic.message(),
                "an observer of supervision events panicked"
            );
        }
    }
}
