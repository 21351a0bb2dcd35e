//! From a failure that entered to what the driver does next: decide, record, call the hook.

use std::{rc::Rc, time::Duration};

use actix::{Actor, Context};
use supervision_core::{
    Cause, CauseKind, Decision, EscalationReason, Failure, FailureInfo, StopReason,
};

use crate::{
    event::{EndReason, SupervisionEvent},
    panics::caught,
    record::{Kept, Outcome, Place},
    shared::Shared,
    suspension::Entered,
};

/// What a decision means for the incarnation that failed.
#[must_use]
pub(crate) enum Settled {
    /// It goes on.
    Resumed,
    /// It ends; the verdict says what comes after it.
    Ended,
}

/// What comes after an incarnation.
pub(crate) enum Verdict {
    /// Another one, after a time.
    Restart {
        after: Duration,
        failure: Rc<FailureInfo>,
    },
    /// Nothing.
    End(EndReason),
}

/// Decides on one failure and carries out what concerns the failing incarnation.
///
/// `value` is the failing incarnation where it is sound and can be reached.
pub(crate) fn settle<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    value: Option<(&mut A, &mut Context<A>)>,
    entered: Entered<A>,
) -> Settled {
    let Entered {
        cause,
        resumable,
        reporter,
    } = entered;
    let (info, decision) = shared.decide(&cause, resumable);
    shared.ledger().join(reporter);
    let target = shared.choose_target(&decision, &info);
    shared.record_decision(&cause, &info, &decision, target.is_none());
    let verdict = match decision {
        Decision::Resume => {
            shared.close_record(Outcome::Resumed);
            shared.answer_reporters();
            return Settled::Resumed;
        }
        Decision::Restart { after, .. } | Decision::Relocate { after, .. } => match target {
            Some(to) => {
                let sound = cause.kind() != CauseKind::Panic;
                let verdict = shared.give_up(value, sound, to, Some(info), after);
                shared.ledger().verdict = Some(verdict);
                return Settled::Ended;
            }
            None => Verdict::Restart {
                after,
                failure: info,
            },
        },
        Decision::Stop { reason } => Verdict::End(end_of(reason, &info)),
        Decision::Escalate { reason } => Verdict::End(escalated(reason, &info)),
    };
    if let (Some((actor, ctx)), Verdict::Restart { failure, .. }) = (value, &verdict) {
        before_restart(shared, actor, ctx, Some(failure));
    }
    shared.ledger().verdict = Some(verdict);
    Settled::Ended
}

/// Calls the hook; without a failure where the value is restarted along with a sibling.
pub(crate) fn before_restart<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
    actor: &mut A,
    ctx: &mut Context<A>,
    failure: Option<&FailureInfo>,
) {
    let Some(hook) = shared.spec().hooks.before_restart else {
        return;
    };
    if let Err(panic) = caught(|| hook(actor, ctx, failure.cloned())) {
        shared.supersede(&panic, None);
    }
}

pub(crate) fn end_of(reason: StopReason, failure: &FailureInfo) -> EndReason {
    let failure = failure.clone();
    match reason {
        StopReason::Policy => EndReason::Stopped { failure },
        StopReason::Exhausted => EndReason::Exhausted { failure },
        StopReason::Temporary => EndReason::Temporary { failure },
        StopReason::Finished => EndReason::Finished,
    }
}

pub(crate) fn escalated(reason: EscalationReason, failure: &FailureInfo) -> EndReason {
    let exhausted = reason == EscalationReason::Exhausted;
    EndReason::Escalated {
        failure: failure.clone(),
        exhausted,
    }
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Describes a failure and has it decided.
    fn decide(&self, cause: &Cause, resumable: bool) -> (Rc<FailureInfo>, Decision) {
        let failure = Failure {
            cause,
            restart_type: self.spec().settings.restart_type,
            resumable: resumable && cause.kind() != CauseKind::Exit && self.may_resume(),
            has_parent: false,
        };
        let info = Rc::new(self.describe(cause));
        let decision = self.with_strategy(|strategy| {
            let mut ledger = self.ledger();
            ledger.close_failed_start();
            ledger.decide(strategy, &failure)
        });
        (info, decision)
    }

    /// Notes which limiter a restart after this failure goes through. It only adds to the delay that
    /// was decided, and only once that is over.
    pub(crate) fn choose_limiter(&self, cause: &Cause) {
        self.ledger().limiter = self.spec().settings.limiter_for(cause).cloned();
    }

    /// Keeps a decision, whoever took it, tells of it, and notes what a restart after it needs.
    pub(crate) fn record_decision(
        &self,
        cause: &Cause,
        info: &Rc<FailureInfo>,
        decision: &Decision,
        in_place: bool,
    ) {
        self.record(Kept::decided(
            Place::of(cause),
            info.clone(),
            decision.clone(),
        ));
        self.emit(|| SupervisionEvent::Failed {
            failure: (**info).clone(),
            incarnation: self.incarnation(),
            decision: decision.clone(),
        });
        if decision.delay().is_some() {
            self.choose_limiter(cause);
        }
        if let Decision::Relocate { .. } = decision
            && in_place
        {
            // There is no other node: the restart in place was charged to the relocations, and is
            // recorded as what it is.
            self.ledger().set_in_place();
        }
    }
}
