//! Replacing the strategy of a running actor, and returning to the one it was configured with.

use actix::{Actor, Context, Handler, Message};
use supervision_core::{InvalidStrategy, SupervisionStrategy, ValidStrategy};

use crate::{
    shared::Status,
    supervisor::{SupervisorActor, SupervisorContext},
};

/// Has a supervisor handle its actor's failures by another strategy from now on.
///
/// The new strategy goes before the one given to
/// [`with_supervision`](crate::ActorProps::with_supervision) and before the actor's own
/// `supervision_strategy()`, across restarts, until it is changed again or [`back`](Self::back) is
/// sent. Observers are told by [`SupervisionEvent::StrategyChanged`](crate::SupervisionEvent).
///
/// What a change means, by when it comes:
///
/// | when | what happens |
/// |---|---|
/// | the actor runs | its next failure is decided by the new strategy |
/// | a failure has entered and is not decided | it is decided by the new strategy |
/// | a restart waits for its delay | that restart is carried out as it was decided; the failure after it is decided by the new strategy |
/// | before the first start | as if the actor had been started with it |
/// | the actor has ended | refused with [`ChangeStrategyError::Ended`] |
/// | the actor is in a group | refused with [`ChangeStrategyError::Managed`]; see [`GroupHandle::change_child_strategy`](crate::group::GroupHandle::change_child_strategy) |
///
/// Budgets are kept: a strategy of the same [name](SupervisionStrategy::Named), or else a rule (known by
/// its error type) or a rung (known by its number) at the same place, that is of the same kind goes on with what it has used, with the new limits; the
/// others start afresh. What counts is the change from one decision to the next: a strategy that was
/// replaced and put back before anything failed has lost nothing.
///
/// ```
/// # use std::time::Duration;
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// # use supervision_actix::ChangeStrategy;
/// # struct Importer;
/// # impl Actor for Importer { type Context = Context<Self>; }
/// # System::new().block_on(async {
/// let supervisor = ActorProps::plain("/user/importer", || Importer).start();
/// // The database will be gone for an hour: try every minute.
/// let patient = SupervisionStrategy::Restart {
///     max_restarts: usize::MAX,
///     window: Duration::from_secs(60),
///     delay: Duration::from_secs(60),
/// };
/// assert_eq!(supervisor.send(ChangeStrategy::to(patient)).await, Ok(Ok(())));
/// // It is back.
/// assert_eq!(supervisor.send(ChangeStrategy::back()).await, Ok(Ok(())));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeStrategy(Option<SupervisionStrategy>);

impl ChangeStrategy {
    /// Changes to `strategy`.
    pub fn to(strategy: SupervisionStrategy) -> Self {
        Self(Some(strategy))
    }

    /// Returns to the configured strategy: the one given to `with_supervision`, else what the
    /// running incarnation's `supervision_strategy()` said at its start, else the default. Where
    /// nothing was changed, nothing happens and nobody is told.
    pub fn back() -> Self {
        Self(None)
    }
}

/// A strategy was not changed; the one before goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeStrategyError {
    /// The new strategy is invalid. For [`ChangeStrategy::back`]: the strategy to return to is what
    /// the actor said at its last start, and invalid, which went unnoticed while another one was in
    /// force.
    #[error(transparent)]
    Invalid(#[from] InvalidStrategy),
    /// The actor has ended: nothing is supervised any more.
    #[error("the actor has ended")]
    Ended,
    /// The actor is the child of a group, which decides about it.
    #[error("the actor's group decides about it")]
    Managed,
}

impl Message for ChangeStrategy {
    type Result = Result<(), ChangeStrategyError>;
}

impl<A: Actor<Context = Context<A>>> Handler<ChangeStrategy> for SupervisorActor<A> {
    type Result = Result<(), ChangeStrategyError>;

    fn handle(&mut self, change: ChangeStrategy, _: &mut SupervisorContext<A>) -> Self::Result {
        let shared = self.shared();
        if shared.status() == Status::Ended {
            return Err(ChangeStrategyError::Ended);
        }
        if shared.is_managed() {
            return Err(ChangeStrategyError::Managed);
        }
        match change.0 {
            Some(strategy) => shared.change_strategy(ValidStrategy::new(strategy)?),
            None => shared.return_strategy()?,
        }
        Ok(())
    }
}
