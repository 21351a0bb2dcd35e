//! The seam to a cluster: what an actor's supervision asks of whoever hosts it, and what it tells.
//!
//! Nothing here knows a network. Without a relocator an actor stays where it was started.

use actix::{Actor, Context};
use supervision_core::{FailureInfo, NodeId, PlacementStrategy};

use crate::{event::EndReason, luggage::Luggage};

/// Hosts one supervised actor: chooses where it goes and takes it over when it goes.
///
/// All of it is called on the actor's arbiter, inside its own task, and should be quick. A panic in
/// it is logged; the actor then stays, or is gone without its state.
pub trait Relocator<A: Actor<Context = Context<A>>>: Send + 'static {
    /// An incarnation is up: `started` and its hook have run, and its first message comes next.
    fn started(&self) {}

    /// Whether `Resume` may go on with the value that failed. Where its changes count only once they
    /// are stored, it may not: then `Resume` is answered as where there is no sound value.
    fn may_resume(&self) -> bool {
        true
    }

    /// The node that the actor is to move to after a failure; `None` if no node is eligible. Then it
    /// is restarted in place, which is recorded as
    /// [`Outcome::RestartedInPlace`](crate::Outcome::RestartedInPlace).
    fn choose(&self, placement: &PlacementStrategy, failure: &FailureInfo) -> Option<NodeId>;

    /// Takes the actor over: this incarnation ends now, and none comes after it here.
    ///
    /// `before_relocate` has been called. `value` is the actor where it is reachable and no panic
    /// has gone through it. What was not handled of its inlet is dropped after this.
    fn depart(&self, to: &NodeId, value: Option<&A>, luggage: Luggage);

    /// The supervision of the actor has ended: nothing of it runs any more.
    fn ended(&self, reason: &EndReason);
}
