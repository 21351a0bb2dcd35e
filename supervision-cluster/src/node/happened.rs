//! What the driver of a node is told by everybody else.

use std::time::Duration;

use supervision_core::{NodeId, PlacementStrategy};
use tokio::sync::oneshot;

use crate::engine::Revision;
use crate::{
    node::handle::{DrainReport, EndError, MoveError, StartError},
    protocol::{
        ActorPath, Call, CallOutcome, Epoch, KindName, Letter, Member, OwnRecord, Place, Stored,
    },
};

/// Which of the node's boots something is about; what comes late is about an earlier one.
pub(crate) type Generation = u64;

/// Who waits for what becomes of a message.
pub(crate) type Resolve = Box<dyn FnOnce(CallOutcome) + Send>;

/// Something for the driver.
pub(crate) enum Happened {
    /// A user sends a message. Its token is given by the driver.
    Call(Call, Resolve),
    /// An actor of this node has something to tell.
    Actor(Generation, ActorPath, Epoch),
    /// The delay before an actor's start is over.
    Due(Generation, ActorPath, Epoch),
    /// Something came to this node.
    Letter(Generation, Letter),
    /// A lease was seen.
    Lease(Generation, Stored),
    /// A lease is gone.
    LeaseGone(Generation, NodeId),
    /// An ownership was found. It was looked for after this member was lost, or in a sweep.
    Found {
        generation: Generation,
        path: ActorPath,
        record: OwnRecord,
        revision: Revision,
    },
    /// A user's order.
    Order(Order),
    /// The engine is closed for good, or is another one.
    EngineGone(String),
}

/// What users can order.
pub(crate) enum Order {
    Start {
        path: ActorPath,
        kind: KindName,
        placement: Option<PlacementStrategy>,
        reply: oneshot::Sender<Result<Epoch, StartError>>,
    },
    Move {
        path: ActorPath,
        to: NodeId,
        reply: oneshot::Sender<Result<Epoch, MoveError>>,
    },
    End {
        path: ActorPath,
        reply: oneshot::Sender<Result<(), EndError>>,
    },
    Drain {
        within: Duration,
        leave: bool,
        reply: oneshot::Sender<DrainReport>,
    },
    Locate {
        path: ActorPath,
        reply: oneshot::Sender<Option<Place>>,
    },
    Owned {
        reply: oneshot::Sender<Vec<(ActorPath, Epoch)>>,
    },
    Me {
        reply: oneshot::Sender<Member>,
    },
}
