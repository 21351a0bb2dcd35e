//! What goes into a node's machine and what comes out of it.

use bytes::Bytes;
use supervision_core::{NodeId, Timestamp};

use super::{
    bug::{Bug, Bugs},
    message::{Answer, Letter, PeerMessage, Place, Refusal, Request, RequestId},
    record::{
        ActorPath, BootId, Epoch, KindName, Member, OwnRecord, Record, RecordKey, Stamp, Stored,
    },
};
use crate::engine::Revision;

/// Names one command that is to be answered. The answer to one that nobody waits for any longer is
/// ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something that happened to a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed. Due at the latest at [`NodeMachine::next_wake`](super::NodeMachine).
    Tick,
    /// A write was answered.
    Written(Ticket, WriteOutcome),
    /// A read was answered.
    Read(Ticket, ReadOutcome),
    /// Somebody's lease was seen in the store, at this moment.
    Lease(Stored),
    /// A lease is gone from the store without a word: a reason to look, never a permission.
    LeaseGone(NodeId),
    /// An ownership was found in the store, for example after a node was lost.
    Found {
        /// Whose.
        path: ActorPath,
        /// What stands there.
        record: OwnRecord,
        /// At this revision.
        revision: Revision,
        /// How many others are to try before this node does; `None` if it is not to.
        rank: Option<u32>,
    },
    /// A message from another node.
    Peer(Letter),
    /// A message of this node's own to an actor anywhere.
    Call(Call),
    /// What an actor has done.
    Actor(ActorPath, Epoch, ActorEvent),
    /// What the node's user, or its policy, wants.
    Order(Order),
}

/// A message to an actor, from a user of this node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// By what the outcome is told apart.
    pub token: u64,
    /// To whom.
    pub path: ActorPath,
    /// The message.
    pub body: Bytes,
    /// When the caller stops waiting.
    pub deadline: Timestamp,
    /// Whether it may be sent again where it is not known whether it was handled.
    pub repeat: Repeat,
}

/// Whether a message may be sent again after its fate has become unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Never: it is handled at most once.
    Never,
    /// To the actor's later activations too. Applied once by a durable actor, whose table moves
    /// with its state; a message that is harmless twice may be sent so to any.
    AcrossEpochs,
}

/// The answer to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteOutcome {
    /// It stands, at this revision.
    Committed(Revision),
    /// It was not made: another version stands there.
    Conflict,
    /// No answer: it may stand, come to stand, or never stand.
    Unknown,
}

/// The answer to a read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReadOutcome {
    /// This stood there, at some moment not long ago.
    Entry(Stored),
    /// Nothing stood there.
    Absent,
    /// No answer.
    Failed,
}

/// What the actor of a path has done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ActorEvent {
    /// It runs.
    Started,
    /// A batch of messages is done with.
    Handled {
        /// What became of those that were begun with.
        answers: Vec<(RequestId, Answer)>,
        /// Those that were not.
        back: Vec<Request>,
        /// The state after them; of a durable actor only.
        state: Option<Bytes>,
    },
    /// It has packed; it does nothing any more.
    Packed {
        /// Its state, where its kind moves with one and the value was sound.
        state: Option<Bytes>,
        /// Failure history and budgets, as ages.
        luggage: Bytes,
    },
    /// Its supervision has ended.
    Ended,
}

/// What is wanted of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Make an actor, here or elsewhere.
    Create {
        /// Its path.
        path: ActorPath,
        /// Its kind.
        kind: KindName,
        /// Who is to own it.
        owner: Member,
    },
    /// Move an actor that this node owns.
    Move {
        /// Its path.
        path: ActorPath,
        /// Who is to own it.
        to: Member,
    },
    /// End an actor that this node owns.
    End(ActorPath),
    /// Give the lease back. Nothing may be owned any more.
    Leave,
}

/// Something a node's driver is to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Read a record and answer with [`Input::Read`].
    Read(Ticket, RecordKey),
    /// Write a record if the version that stands there is the expected one, and answer with
    /// [`Input::Written`].
    Write {
        /// For the answer.
        ticket: Ticket,
        /// Where.
        key: RecordKey,
        /// What.
        record: Record,
        /// Over what; `None`: over nothing.
        expected: Option<Revision>,
    },
    /// Send to another node. Whether it arrives is not told.
    Send(Member, Letter),
    /// Look through all ownerships, and answer with [`Input::Found`] for each of a lost member.
    Scan(Member),
    /// Start an actor.
    Start {
        /// Its path.
        path: ActorPath,
        /// Its kind.
        kind: KindName,
        /// Its activation.
        epoch: Epoch,
        /// Its state; `None`: as new.
        state: Option<Bytes>,
        /// Failure history and budgets.
        luggage: Bytes,
        /// Who handed it over, if somebody did.
        from: Option<Member>,
    },
    /// Give an actor these messages, in this order.
    Dispatch(ActorPath, Epoch, Vec<Request>),
    /// Let an actor pack, to be moved to this node.
    Pack(ActorPath, Epoch, Member),
    /// Stop an actor and forget it. What it does after this counts for nothing.
    Halt(ActorPath, Epoch),
    /// Tell a caller of this node what became of a message.
    Resolve {
        /// Which.
        token: u64,
        /// What.
        outcome: CallOutcome,
    },
    /// Tell who gave an order what became of it.
    Report(Report),
    /// The node has lost its lease: every actor of this boot is to be halted, and the node may join
    /// again under a new one.
    Fenced,
}

/// What became of a message. One of these, once, for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// Its handler returned.
    Done(Bytes),
    /// Its handler failed.
    Failed(String),
    /// It was not handled, and will not be.
    Refused(Refusal),
    /// It may have been handled, or may yet be.
    Unknown,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// The node is a member of the cluster.
    Joined,
    /// The node has given its lease back.
    Left,
    /// The node has not given its lease back: it is not held, or something is still owned.
    NotLeft,
    /// An actor was made.
    Created(ActorPath, Epoch),
    /// An actor was not made: there is one, at this place as far as it is known, or there was one not
    /// long ago.
    NotCreated(ActorPath, Option<Place>),
    /// An actor was not made: this node does not know its kind.
    UnknownKind(ActorPath, KindName),
    /// An actor has moved away.
    Moved(ActorPath, Epoch),
    /// An actor could not be moved, and stays.
    NotMoved(ActorPath),
    /// An actor has ended.
    Ended(ActorPath),
    /// An actor took too many owners down and was parked.
    Parked(ActorPath),
    /// Another node was declared dead, by whomever.
    Lost(Member),
}

/// The desk of a machine while it works on one input: the time, its identity, and a tray for what
/// it wants done.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) now: Timestamp,
    pub(crate) me: &'a Member,
    pub(crate) counter: &'a mut u64,
    pub(crate) tray: &'a mut Vec<Command>,
    pub(crate) bugs: Bugs,
}

impl Desk<'_> {
    pub(crate) fn put(&mut self, command: Command) {
        self.tray.push(command);
    }

    pub(crate) fn send(&mut self, to: &Member, message: PeerMessage) {
        // It is numbered when the whole input has been worked on.
        let from = self.me.clone();
        self.put(Command::Send(
            to.clone(),
            Letter {
                from,
                number: 0,
                message,
            },
        ));
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        *self.counter += 1;
        Ticket(*self.counter)
    }

    pub(crate) fn read(&mut self, key: RecordKey) -> Ticket {
        let ticket = self.ticket();
        self.put(Command::Read(ticket, key));
        ticket
    }

    pub(crate) fn stamp(&self, ticket: Ticket) -> Stamp {
        Stamp {
            boot: self.boot(),
            nonce: ticket.0,
        }
    }

    pub(crate) fn unstamped(&self) -> Stamp {
        Stamp {
            boot: self.boot(),
            nonce: 0,
        }
    }

    pub(crate) fn boot(&self) -> BootId {
        self.me.boot
    }

    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bugs.has(bug)
    }
}
