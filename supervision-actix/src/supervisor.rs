//! The supervisor as its users see it: an actor with an address that answers questions and takes
//! reports.

use std::{marker::PhantomData, rc::Rc};

use actix::{
    Actor, ActorContext, ActorState, Addr, Context, Handler, Message,
    dev::{Envelope, EnvelopeProxy, MessageResponse, OneshotSender, ToEnvelope},
};
use supervision_core::FailureInfo;

use crate::{
    alerts::Alert,
    record::FailureRecord,
    shared::{Shared, Status},
};

/// The supervisor of one actor `A`.
///
/// It has an address like any actor, but neither a task nor a mailbox task of its own: the
/// supervised actor's task answers for it, on the same arbiter. While a handler of the supervised
/// actor runs, the supervisor's messages wait.
///
/// It goes on answering after the actor has ended, for as long as its address is held. The actor
/// ends when neither an address of the actor nor one of its supervisor is left.
pub struct SupervisorActor<A: Actor<Context = Context<A>>> {
    shared: Rc<Shared<A>>,
}

impl<A: Actor<Context = Context<A>>> SupervisorActor<A> {
    pub(crate) fn new(shared: Rc<Shared<A>>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Rc<Shared<A>> {
        &self.shared
    }
}

impl<A: Actor<Context = Context<A>>> Actor for SupervisorActor<A> {
    type Context = SupervisorContext<A>;
}

/// The execution context of a [`SupervisorActor`].
///
/// To stop it is to stop the supervised actor: no further incarnation comes, and `stopped` runs.
pub struct SupervisorContext<A: Actor<Context = Context<A>>> {
    shared: Rc<Shared<A>>,
}

impl<A: Actor<Context = Context<A>>> SupervisorContext<A> {
    pub(crate) fn new(shared: Rc<Shared<A>>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Rc<Shared<A>> {
        &self.shared
    }
}

impl<A: Actor<Context = Context<A>>> ActorContext for SupervisorContext<A> {
    fn stop(&mut self) {
        self.shared.alerts.raise(Alert::EndRequested);
    }

    fn terminate(&mut self) {
        self.stop();
    }

    fn state(&self) -> ActorState {
        match self.shared.status() {
            Status::Ended => ActorState::Stopped,
            _ if self.shared.alerts.is(Alert::EndRequested) => ActorState::Stopping,
            Status::Starting => ActorState::Started,
            Status::Running | Status::Waiting => ActorState::Running,
        }
    }
}

impl<A, M> ToEnvelope<SupervisorActor<A>, M> for SupervisorContext<A>
where
    A: Actor<Context = Context<A>>,
    SupervisorActor<A>: Actor<Context = SupervisorContext<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn pack(message: M, reply: Option<OneshotSender<M::Result>>) -> Envelope<SupervisorActor<A>> {
        Envelope::with_proxy(Box::new(Packed(Some((message, reply)))))
    }
}

/// A message to the supervisor on its way.
struct Packed<M: Message>(Option<(M, Option<OneshotSender<M::Result>>)>);

impl<A, M> EnvelopeProxy<SupervisorActor<A>> for Packed<M>
where
    A: Actor<Context = Context<A>>,
    SupervisorActor<A>: Actor<Context = SupervisorContext<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn handle(&mut self, supervisor: &mut SupervisorActor<A>, ctx: &mut SupervisorContext<A>) {
        if let Some((message, reply)) = self.0.take() {
            let response = supervisor.handle(message, ctx);
            response.handle(ctx, reply);
        }
    }
}

/// Asks a supervisor for the address of its actor: `None` once the actor has ended.
///
/// The address is the same for all incarnations; while one is being replaced, messages to it wait.
pub struct GetActorAddr<A>(PhantomData<fn() -> A>);

impl<A> GetActorAddr<A> {
    /// The question.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Default for GetActorAddr<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor> Message for GetActorAddr<A> {
    type Result = Option<Addr<A>>;
}

impl<A: Actor<Context = Context<A>>> Handler<GetActorAddr<A>> for SupervisorActor<A> {
    type Result = Option<Addr<A>>;

    fn handle(&mut self, _: GetActorAddr<A>, _: &mut SupervisorContext<A>) -> Option<Addr<A>> {
        self.shared.address()
    }
}

/// Asks a supervisor for the failures it remembers, oldest first; at most its history capacity.
#[derive(Clone, Copy, Debug, Default)]
pub struct GetFailureHistory(());

impl GetFailureHistory {
    /// The question.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Message for GetFailureHistory {
    type Result = Vec<FailureInfo>;
}

impl<A: Actor<Context = Context<A>>> Handler<GetFailureHistory> for SupervisorActor<A> {
    type Result = Vec<FailureInfo>;

    fn handle(&mut self, _: GetFailureHistory, _: &mut SupervisorContext<A>) -> Vec<FailureInfo> {
        self.shared
            .known_ledger()
            .map(|ledger| ledger.failures())
            .unwrap_or_default()
    }
}

/// Asks a supervisor for the failures it remembers with decision and outcome, oldest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct GetFailureRecords(());

impl GetFailureRecords {
    /// The question.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Message for GetFailureRecords {
    type Result = Vec<FailureRecord>;
}

impl<A: Actor<Context = Context<A>>> Handler<GetFailureRecords> for SupervisorActor<A> {
    type Result = Vec<FailureRecord>;

    fn handle(&mut self, _: GetFailureRecords, _: &mut SupervisorContext<A>) -> Vec<FailureRecord> {
        self.shared
            .known_ledger()
            .map(|ledger| ledger.records())
            .unwrap_or_default()
    }
}
