//! What nodes say to each other. Every message about an actor carries an epoch: a receiver that
//! knows a later one does not act on it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    record::{ActorPath, Epoch, KindName, Member},
    table::RequestTable,
};
use crate::engine::Revision;

/// One message to an actor, the same in all attempts to deliver it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks.
    pub caller: Member,
    /// Counted by the caller for each actor, from 1.
    pub seq: u64,
}

/// A message on its way to an actor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    /// Which message.
    pub id: RequestId,
    /// To whom.
    pub path: ActorPath,
    /// The activation it is meant for. No other one applies it.
    pub epoch: Epoch,
    /// Every request of this caller to this actor below it is settled.
    pub floor: u64,
    /// The message, in its own coding.
    pub body: Bytes,
}

/// What became of a message that was handled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// Its handler returned this.
    Done(Bytes),
    /// Its handler failed. The message has had no effect on a durable actor's state.
    Failed(String),
}

/// Why a message was not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// No actor has this path.
    NoSuchActor,
    /// The actor took several nodes down and waits to be allowed back.
    Parked,
    /// The actor's queue, or its table of requests, is full.
    Full,
    /// The caller has settled it already: a late copy.
    Settled,
    /// The addressed node does not run the actor, and does not know who does.
    NotHere,
    /// The node has lost its lease before it could begin with the message.
    Fenced,
    /// The caller's time was over before the message could be sent to anybody.
    NotInTime,
}

/// Where an actor was last known to run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Its owner.
    pub owner: Member,
    /// Its activation there.
    pub epoch: Epoch,
}

/// A message from one node to another, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Letter {
    /// Who sends it.
    pub from: Member,
    /// Counted by the sender for each receiver: a copy is known by it.
    pub number: u64,
    /// The message.
    pub message: PeerMessage,
}

/// From one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PeerMessage {
    /// To the node that owns the actor.
    Request(Request),
    /// Back to the caller: the message was handled.
    Answer {
        /// Which message.
        id: RequestId,
        /// Of which actor.
        path: ActorPath,
        /// Who answers, and for which activation.
        place: Place,
        /// What became of it.
        answer: Answer,
    },
    /// Back to the caller: the message was not handled.
    NotHandled {
        /// Which message.
        id: RequestId,
        /// Of which actor.
        path: ActorPath,
        /// Who says so: the word of one node about what another was sent counts for nothing.
        by: Member,
        /// Why, or where to go.
        why: NotHandled,
    },
    /// From the old owner to the new one: the actor is yours.
    Take(Take),
    /// Back to the old owner: what you sent is in my hands.
    Taken {
        /// Which actor.
        path: ActorPath,
        /// Which `Take`.
        epoch: Epoch,
    },
}

/// Why a message was not handled by the node it was sent to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NotHandled {
    /// The actor runs there.
    Moved(Place),
    /// It is refused.
    Refused(Refusal),
}

/// An actor that is handed over by its living owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Take {
    /// Which actor.
    pub path: ActorPath,
    /// Of which kind.
    pub kind: KindName,
    /// Who hands it over.
    pub from: Member,
    /// The activation that the hand-over began.
    pub epoch: Epoch,
    /// Its checkpoint, where its kind has one.
    pub checkpoint: Option<Checkpoint>,
    /// What has been applied.
    pub table: RequestTable,
    /// Failure history and budgets, as ages.
    pub luggage: Bytes,
    /// Messages that arrived and were not begun with, in their order.
    pub held: Vec<Request>,
}

/// A checkpoint as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its revision; `None` if there is none yet.
    pub revision: Option<Revision>,
    /// The actor's state.
    pub body: Option<Bytes>,
}
