//! The traits of an actor that has a path, and of one that takes part in its supervision.

use std::time::Duration;

use actix::{Actor, Context};
use supervision_core::{FailureInfo, KnownErrors, NodeId, RestartType, SupervisionStrategy};

use crate::settings::DEFAULT_HISTORY_CAPACITY;

/// An actor with a path, by which it is known in records and, in a cluster, everywhere.
pub trait DistributedActor: Actor<Context = Context<Self>> {
    /// The actor's path, for example `/user/my-actor`: 1 to 1,024 bytes without control
    /// characters.
    fn actor_path(&self) -> String;
}

/// An actor that says how it is to be supervised, and is told when it happens.
///
/// # Order of calls
///
/// | event | on the failing incarnation | on the new one |
/// |---|---|---|
/// | restart after a reported failure or a panic in a handler | `before_restart`, `stopped`, drop | `started`, `after_restart` |
/// | the same, while a `ctx.wait` future is pending | `stopping` (its veto is ignored), `stopped`, drop | `started`, `after_restart` |
/// | restart after any other panic | drop | `started`, `after_restart` |
/// | restart after it stopped by itself (permanent) | `stopping`, `stopped`, drop | `started`, `after_restart` |
/// | restart along with a sibling of its [group](crate::group) | `before_restart` without a failure, `stopping`, `stopped`, drop | `started`, `after_restart` without a failure |
/// | the same, while a `ctx.wait` future is pending or before the start is finished | `stopping`, `stopped`, drop | the same |
/// | stop, escalation | `stopped`, drop | |
/// | resume | | |
///
/// `stopping` is not asked when an incarnation is ended because it failed: it could veto. The new
/// incarnation handles no message before `after_restart` has returned; a future that `started`
/// gave to `ctx.wait` is awaited before `after_restart` is called. Nothing is called on a value
/// that a panic left half-changed outside a handler. A handler's panic may leave a value
/// half-changed too; `before_restart` sees it as it is.
///
/// To hand state to the next incarnation, give it to
/// [`hand_over`](crate::SupervisedContext::hand_over) in `before_restart` and fetch it with
/// [`take_handed`](crate::SupervisedContext::take_handed) in `started` or `after_restart`.
///
/// A panic in a `before_` hook is recorded and changes nothing; one in an `after_` hook is a
/// failure of the new incarnation.
pub trait SupervisedDistributedActor: DistributedActor {
    /// How failures are handled; read at each start of an incarnation.
    ///
    /// A strategy given to [`with_supervision`](crate::ActorProps::with_supervision) goes before
    /// this one, and one [changed to](crate::ChangeStrategy) while the actor runs before both. An
    /// invalid strategy ends the actor with
    /// [`EndReason::InvalidStrategy`](crate::EndReason). The default is
    /// [`SupervisionStrategy::default`].
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::default()
    }

    /// Error types of the actor's own that may come in a `Box<dyn Error + Send>`; read together
    /// with the strategy. They are recognised beside the standard ones.
    fn error_types(&self) -> KnownErrors {
        KnownErrors::none()
    }

    /// When an end is answered by a restart; read once, where the actor is described.
    ///
    /// [`with_restart_type`](crate::ActorProps::with_restart_type) goes before this one. The
    /// default is [`RestartType::Transient`].
    fn restart_type() -> RestartType
    where
        Self: Sized,
    {
        RestartType::default()
    }

    /// How many failures are remembered; read once, where the actor is described.
    ///
    /// [`with_history_capacity`](crate::ActorProps::with_history_capacity) goes before this one.
    /// The default is [`DEFAULT_HISTORY_CAPACITY`].
    fn history_capacity() -> usize
    where
        Self: Sized,
    {
        DEFAULT_HISTORY_CAPACITY
    }

    /// How long the actor may go without being able to handle a message before that is a failure of
    /// type `stall`; read once, where the actor is described.
    ///
    /// [`with_stall_deadline`](crate::ActorProps::with_stall_deadline) goes before this one, and
    /// tells what counts. The default is `None`: nothing is watched.
    fn stall_deadline() -> Option<Duration>
    where
        Self: Sized,
    {
        None
    }

    /// Called on an incarnation before it is replaced on the same node: with its failure, or without
    /// one if it has not failed itself and is restarted along with a sibling of its group.
    fn before_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        let _ = (ctx, failure);
    }

    /// Called on the new incarnation after `started`, before its first message: with the failure it
    /// recovers from, or without one if it was restarted along with a sibling or by request.
    fn after_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        let _ = (ctx, failure);
    }

    /// Called on the incarnation that is about to move to `target_node`.
    ///
    /// Where no cluster is attached nothing can move: the actor is restarted in place, and
    /// `before_restart` is called instead.
    fn before_relocate(
        &mut self,
        ctx: &mut Context<Self>,
        target_node: NodeId,
        failure: Option<FailureInfo>,
    ) {
        let _ = (ctx, target_node, failure);
    }

    /// Called on the incarnation that came from `source_node`, after `started`.
    fn after_relocate(
        &mut self,
        ctx: &mut Context<Self>,
        source_node: NodeId,
        failure: Option<FailureInfo>,
    ) {
        let _ = (ctx, source_node, failure);
    }
}
