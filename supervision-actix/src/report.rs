//! Failures reported from outside the actor.

use std::{error::Error, marker::PhantomData};

use actix::{
    Actor, Addr, Context, Handler, Message,
    dev::{MessageResponse, OneshotSender},
};
use supervision_core::{Cause, KnownErrors};

use crate::{
    panics::caught,
    supervisor::{SupervisorActor, SupervisorContext},
};

type BoxedError = Box<dyn Error + Send>;
type Describe = fn(&(dyn Error + 'static), &KnownErrors) -> Cause;

/// Tells a supervisor that its actor has failed.
///
/// The answer comes once the decision has been *carried out*, so after the delay of a restart:
/// `Some` with the actor's address if it goes on or has been restarted, `None` if it was stopped or
/// the failure was escalated.
///
/// Reports that arrive while an earlier failure of the same incarnation is being handled are
/// recorded, not charged, and answered together with it.
pub struct ReportFailure<A> {
    error: BoxedError,
    describe: Describe,
    actor: PhantomData<fn() -> A>,
}

impl<A> ReportFailure<A> {
    /// Reports a boxed error. The box has lost its type's name, which is recovered by downcast
    /// against the standard library's errors, those of actix, tokio, serde_json and uuid, and the
    /// actor's own, see [`ActorProps::with_error_type`](crate::ActorProps::with_error_type); where
    /// none fits the type is `dyn Error`.
    pub fn new(error: BoxedError) -> Self {
        Self {
            error,
            describe: Cause::erased,
            actor: PhantomData,
        }
    }

    /// Reports an error and keeps its type.
    pub fn of<E: Error + Send + 'static>(error: E) -> Self {
        let describe: Describe = |error, known| match error.downcast_ref::<E>() {
            Some(typed) => Cause::of(typed, known),
            None => Cause::erased(error, known),
        };
        Self {
            error: Box::new(error),
            describe,
            actor: PhantomData,
        }
    }
}

impl<A: Actor> Message for ReportFailure<A> {
    type Result = Option<Addr<A>>;
}

/// The answer, which is given when the decision has been carried out.
pub struct Reported(Cause);

impl<A: Actor<Context = Context<A>>> Handler<ReportFailure<A>> for SupervisorActor<A> {
    type Result = Reported;

    fn handle(&mut self, report: ReportFailure<A>, _: &mut SupervisorContext<A>) -> Reported {
        let ReportFailure {
            error,
            describe,
            actor: _,
        } = report;
        let cause = self.shared().with_known_errors(|known| {
            // An error's own `Display` or `source` may panic.
            caught(|| describe(&*error, known)).unwrap_or_else(|panic| panic)
        });
        crate::panics::drop_guarded(error);
        Reported(cause)
    }
}

impl<A: Actor<Context = Context<A>>> MessageResponse<SupervisorActor<A>, ReportFailure<A>>
    for Reported
{
    fn handle(
        self,
        ctx: &mut SupervisorContext<A>,
        reporter: Option<OneshotSender<Option<Addr<A>>>>,
    ) {
        ctx.shared().report(self.0, reporter);
    }
}
