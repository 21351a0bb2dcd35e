//! The protocol: who is a member, who owns an actor, how it moves. State machines without clock,
//! store or network.
//!
//! # Steps
//!
//! 1. A boot of a node *joins* by writing its lease, and renews it by compare-and-set ([`LeaseTerms`]).
//!    It stops by itself when the lease runs out.
//! 2. Whoever sees no renewal for long enough writes "dead" over the lease. Then the paths of that
//!    member may be claimed.
//! 3. A *claim* is a compare-and-set of the ownership record. Its revision is the [`Epoch`].
//! 4. The claimant reads the checkpoint and *seals* it: writes it again with its epoch. From then on no
//!    write of an earlier owner succeeds. Then the actor is started.
//! 5. A request names the epoch it is for, and is handled in no other. The answer of a durable actor
//!    leaves after the checkpoint that holds the effect.
//! 6. A *live move*: nothing more is dispatched; the actor packs; its state is written; the ownership
//!    is written to the target; what is held goes there; then the old owner forgets.
//!
//! # Invariants
//!
//! - For each epoch of a path there is one boot that ever acted in it.
//! - Of two epochs of a path, no effect of the earlier one is accepted after the later one has sealed.
//! - An acknowledged effect on a durable actor is in every later checkpoint, once.
//! - Every message comes to one outcome.
//!
//! They hold as long as no clock of the cluster runs more than a tenth faster or slower than real time
//! over one lease, for any loss, delay, copy or reordering of messages, and for any answer of the store
//! that is lost. Where a process is paused it may act late; it is not listened to then.

mod bug;
mod caller;
mod desk;
mod lease;
mod link;
mod message;
mod node;
mod observer;
mod path;
mod record;
mod table;
mod write;

pub use bug::{Bug, Bugs};
pub use desk::{
    ActorEvent, Call, CallOutcome, Command, Input, Order, ReadOutcome, Repeat, Report, Ticket,
    WriteOutcome,
};
pub use lease::{InvalidLease, LeaseTerms};
pub use message::{
    Answer, Checkpoint, Letter, NotHandled, PeerMessage, Place, Refusal, Request, RequestId, Take,
};
pub use node::{NodeMachine, NodeSettings};
pub use path::PathLimits;
pub use record::{
    ActorPath, BootId, Durability, Epoch, InvalidActorPath, KindName, LeaseRecord, Member,
    OwnRecord, OwnState, Record, RecordKey, Stamp, Standing, StateRecord, Stored,
};
pub use table::{Known, RequestTable};
