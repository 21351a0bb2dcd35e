//! One path at one node: the way from a claim to an actor that serves, and from there to another
//! node or to an end.
//!
//! ```text
//! Looking -> Claiming -> Reading -> Sealing -> Starting -> Serving -> Storing -> Handing -> Away
//!    |          (volatile: at once to Starting)     ^          |                               |
//!    +--> Expecting a Take ---> Sealing or Confirming          +-> Ending        forgotten when taken
//! ```
//!
//! What must hold, and where it is seen to:
//!
//! 1. Nothing is dispatched and nothing is answered unless the node's lease is valid at that moment
//!    (`NodeMachine::handle`).
//! 2. Every activation is begun by a write to the ownership record that only one node can win, or is
//!    handed over by the owner itself with such a write. Its revision is the epoch.
//! 3. Before an actor with a checkpoint is started, the checkpoint is *sealed*: written again as it
//!    stands, with the new epoch, never over a later one. Then a write of any earlier owner fails.
//! 4. A request is handled only in the epoch that it is meant for, and noted in the table.
//! 5. The answers of a durable actor leave when the checkpoint that holds their effects stands.
//! 6. An owner that hands over forgets only when the new owner has what was held.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use supervision_core::Timestamp;

use super::{
    bug::Bug,
    desk::{Command, Desk, Ticket},
    lease::LeaseTerms,
    message::{Answer, NotHandled, PeerMessage, Place, Refusal, Request, RequestId, Take},
    observer::Observer,
    record::{ActorPath, Durability, Epoch, KindName, Member, OwnRecord, OwnState},
    table::{Known, RequestTable},
    write::Write,
};
use crate::engine::Revision;

mod moving;
mod serving;
mod taking;

use taking::Why;
pub(crate) use taking::place_of;

/// How much a path may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathLimits {
    /// Messages that wait for their actor.
    pub held: usize,
    /// Answers in the table.
    pub table: usize,
    /// Messages that a durable actor handles between two checkpoints.
    pub batch: usize,
    /// Owners that an actor may take down in a row before it is parked.
    pub tries: u32,
}

impl Default for PathLimits {
    /// 10,000 messages held, 10,000 answers, 256 in a batch, 3 owners.
    fn default() -> Self {
        Self {
            held: 10_000,
            table: 10_000,
            batch: 256,
            tries: 3,
        }
    }
}

/// One path at one node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Path {
    path: ActorPath,
    kind: KindName,
    durability: Durability,
    phase: Phase,
    /// The ownership, once it is this node's.
    own: Option<Own>,
    /// The revision of the checkpoint as this owner knows it.
    checkpoint: Option<Revision>,
    body: Option<Bytes>,
    table: RequestTable,
    luggage: Bytes,
    from: Option<Member>,
    held: VecDeque<Request>,
    in_hand: BTreeSet<RequestId>,
    /// Its supervision has ended: what is left is to write that down.
    over: bool,
    /// When the timer set holds an entry for it, and for which time.
    pub(crate) wake: Option<Timestamp>,
    /// Where it went, once that is known.
    gone_to: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Own {
    epoch: Epoch,
    revision: Revision,
    tries: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Somebody asks for it: whose is it?
    Looking(Ticket),
    /// It was handed to this node, whose former owner is alive and will send what it holds.
    Expecting {
        until: Timestamp,
        record: OwnRecord,
        revision: Revision,
    },
    Claiming {
        write: Write,
        why: Why,
    },
    Reading(Ticket),
    /// The store did not answer.
    Pausing(Timestamp),
    Sealing(Write),
    /// An actor without a checkpoint was handed over: the record is written once more, to know that
    /// the message was no late copy.
    Confirming(Write),
    Starting,
    /// A suspect stays up: its tries are forgotten.
    Clearing(Write),
    Serving {
        moving: Option<Member>,
        ending: bool,
    },
    /// The checkpoint of a durable actor is written; then these leave.
    Saving {
        write: Write,
        answers: Vec<(RequestId, Answer)>,
        moving: Option<Member>,
        ending: bool,
    },
    /// The actor packs.
    Packing(Member),
    Storing {
        write: Write,
        to: Member,
    },
    Handing {
        write: Write,
        to: Member,
    },
    Away {
        to: Member,
        take: Box<Take>,
        resend_at: Timestamp,
    },
    /// The checkpoint is emptied; then the ownership is ended.
    Emptying(Write),
    Ending(Write),
    /// Made for another node.
    Making {
        write: Write,
        to: Member,
    },
    Gone,
}

/// What a path's machine needs from its node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) terms: LeaseTerms,
    pub(crate) limits: &'a PathLimits,
    /// Whether the node's lease is valid now.
    pub(crate) valid: bool,
    pub(crate) observer: &'a Observer,
}

impl Context<'_> {
    /// Whether nobody is there any more to be answered. Such a request must not be applied: the table
    /// may have forgotten its caller.
    fn is_of_the_past(&self, request: &Request) -> bool {
        self.observer.is_boot_gone(request.id.caller.boot)
    }
}

impl Path {
    fn new(path: ActorPath, kind: KindName, durability: Durability, phase: Phase) -> Self {
        Self {
            path,
            kind,
            durability,
            phase,
            own: None,
            checkpoint: None,
            body: None,
            table: RequestTable::default(),
            luggage: Bytes::new(),
            from: None,
            held: VecDeque::new(),
            in_hand: BTreeSet::new(),
            over: false,
            wake: None,
            gone_to: None,
        }
    }

    /// Where it went, once it is gone.
    pub(crate) fn gone_to(&mut self) -> Option<Place> {
        self.gone_to.take()
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.phase == Phase::Gone
    }

    /// Whether it waits for an old owner's word, or for whose it is, or has been given away itself.
    pub(crate) fn is_waiting_for_take(&self) -> bool {
        matches!(
            self.phase,
            Phase::Looking(_) | Phase::Expecting { .. } | Phase::Away { .. }
        )
    }

    /// Whether it waits for what this member holds.
    pub(crate) fn expects(&self, member: &Member) -> bool {
        matches!(&self.phase, Phase::Expecting { record, .. } if record.from.as_ref() == Some(member))
    }

    /// Whether it is claimed and does not serve yet.
    pub(crate) fn is_unproven(&self) -> bool {
        matches!(
            self.phase,
            Phase::Claiming { .. }
                | Phase::Confirming(_)
                | Phase::Reading(_)
                | Phase::Pausing(_)
                | Phase::Sealing(_)
                | Phase::Starting
                | Phase::Clearing(_)
        )
    }

    /// The activation that this node runs, or is about to.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.own.as_ref().map(|own| own.epoch)
    }

    /// The latest activation that this node knows to have begun.
    pub(crate) fn latest_epoch(&self) -> Option<Epoch> {
        match &self.phase {
            Phase::Away { take, .. } => Some(take.epoch),
            _ => self.epoch(),
        }
    }

    /// Whether its actor is up.
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self.phase, Phase::Serving { .. } | Phase::Saving { .. })
    }

    /// Whether its actor may be given messages past the protocol: it is up, nothing waits for it here,
    /// and it is not about to leave.
    pub(crate) fn is_clear(&self) -> bool {
        let stays = matches!(
            self.phase,
            Phase::Serving {
                moving: None,
                ending: false
            }
        );
        stays && !self.over && self.held.is_empty()
    }

    /// Whether this node owns it and has not begun to give it away.
    pub(crate) fn is_owned(&self) -> bool {
        self.own.is_some() && !matches!(self.phase, Phase::Away { .. } | Phase::Gone)
    }

    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Pausing(at) | Phase::Expecting { until: at, .. } => Some(*at),
            Phase::Away { resend_at, .. } => Some(*resend_at),
            _ => self.write().and_then(Write::next_wake),
        }
    }

    fn write(&self) -> Option<&Write> {
        match &self.phase {
            Phase::Claiming { write, .. }
            | Phase::Sealing(write)
            | Phase::Confirming(write)
            | Phase::Clearing(write)
            | Phase::Saving { write, .. }
            | Phase::Storing { write, .. }
            | Phase::Handing { write, .. }
            | Phase::Emptying(write)
            | Phase::Ending(write)
            | Phase::Making { write, .. } => Some(write),
            _ => None,
        }
    }

    fn write_mut(&mut self) -> Option<&mut Write> {
        match &mut self.phase {
            Phase::Claiming { write, .. }
            | Phase::Sealing(write)
            | Phase::Confirming(write)
            | Phase::Clearing(write)
            | Phase::Saving { write, .. }
            | Phase::Storing { write, .. }
            | Phase::Handing { write, .. }
            | Phase::Emptying(write)
            | Phase::Ending(write)
            | Phase::Making { write, .. } => Some(write),
            _ => None,
        }
    }

    /// A request arrives for it.
    pub(crate) fn arrive(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, request: Request) {
        if cx.is_of_the_past(&request) && !desk.has(Bug::PastCallersServed) {
            return;
        }
        if let Phase::Away { to, take, .. } = &self.phase {
            // Who means a later activation knows more than this node does.
            if request.epoch > take.epoch {
                return not_handled(desk, &request, NotHandled::Refused(Refusal::NotHere));
            }
            // It is not sent on: were it then refused there, its caller would hear that from a node
            // that it has not asked, and could not tell whether another copy was on its way.
            let place = Place {
                owner: to.clone(),
                epoch: take.epoch,
            };
            return not_handled(desk, &request, NotHandled::Moved(place));
        }
        if let Some(epoch) = self.epoch()
            && request.epoch != epoch
            && !desk.has(Bug::RequestOfAnyEpoch)
        {
            let why = self.not_for_this(desk, epoch, request.epoch);
            return not_handled(desk, &request, why);
        }
        if self.is_held(&request.id) {
            // An earlier attempt is still here, and will be answered.
            return;
        }
        if self.held.len() >= cx.limits.held {
            return not_handled(desk, &request, NotHandled::Refused(Refusal::Full));
        }
        self.held.push_back(request);
        self.dispatch(desk, cx);
    }

    fn is_held(&self, id: &RequestId) -> bool {
        self.in_hand.contains(id) || self.held.iter().any(|request| request.id == *id)
    }

    /// A request for an earlier activation is sent on to this one; one for a later activation shows
    /// that this one is over, which its next write will tell.
    fn not_for_this(&self, desk: &Desk<'_>, mine: Epoch, meant: Epoch) -> NotHandled {
        if meant < mine {
            NotHandled::Moved(Place {
                owner: desk.me.clone(),
                epoch: mine,
            })
        } else {
            NotHandled::Refused(Refusal::NotHere)
        }
    }

    /// Gives the actor what is held, as far as it may have it now.
    fn dispatch(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        let ready = matches!(
            self.phase,
            Phase::Serving {
                moving: None,
                ending: false
            }
        );
        let one_at_a_time = self.durability == Durability::Durable;
        if !ready || !cx.valid || (one_at_a_time && !self.in_hand.is_empty()) {
            return;
        }
        let Some(epoch) = self.epoch() else { return };
        let mut batch = Vec::new();
        while batch.len() < cx.limits.batch
            && let Some(request) = self.held.pop_front()
        {
            if self.admit(desk, cx, epoch, &request) {
                self.in_hand.insert(request.id.clone());
                batch.push(request);
            }
        }
        if !batch.is_empty() {
            desk.put(Command::Dispatch(self.path.clone(), epoch, batch));
        }
    }

    /// Whether a request is to be handled; if not, it has been answered.
    fn admit(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        epoch: Epoch,
        request: &Request,
    ) -> bool {
        if cx.is_of_the_past(request) && !desk.has(Bug::PastCallersServed) {
            return false;
        }
        if desk.has(Bug::NoTable) {
            return !self.in_hand.contains(&request.id);
        }
        self.table.settle(request.id.caller.boot, request.floor);
        match self.table.look_up(&request.id) {
            Known::Applied(answer) => {
                self.answer(desk, epoch, &request.id, answer);
                false
            }
            Known::Settled => {
                not_handled(desk, request, NotHandled::Refused(Refusal::Settled));
                false
            }
            Known::New if self.in_hand.contains(&request.id) => false,
            Known::New if self.table.len() + self.in_hand.len() >= cx.limits.table => {
                not_handled(desk, request, NotHandled::Refused(Refusal::Full));
                false
            }
            Known::New => true,
        }
    }

    fn answer(&self, desk: &mut Desk<'_>, epoch: Epoch, id: &RequestId, answer: Answer) {
        let place = Place {
            owner: desk.me.clone(),
            epoch,
        };
        let message = PeerMessage::Answer {
            id: id.clone(),
            path: self.path.clone(),
            place,
            answer,
        };
        desk.send(&id.caller, message);
    }

    /// Gives up what it holds, and forgets the path. The actor, if there is one, is halted.
    pub(crate) fn let_go(&mut self, desk: &mut Desk<'_>, why: &NotHandled) {
        if let Some(own) = &self.own {
            desk.put(Command::Halt(self.path.clone(), own.epoch));
        }
        for request in std::mem::take(&mut self.held) {
            not_handled(desk, &request, why.clone());
        }
        if let NotHandled::Moved(place) = why {
            self.gone_to = Some(place.clone());
        }
        self.phase = Phase::Gone;
    }

    /// A record that only its owner may write, with `state`.
    fn own_record(&self, desk: &Desk<'_>, owner: Member, tries: u32) -> OwnRecord {
        OwnRecord {
            kind: self.kind.clone(),
            owner,
            epoch: self.epoch(),
            state: OwnState::Owned,
            tries,
            from: None,
            stamp: desk.unstamped(),
        }
    }
}

pub(crate) fn not_handled(desk: &mut Desk<'_>, request: &Request, why: NotHandled) {
    let message = PeerMessage::NotHandled {
        id: request.id.clone(),
        path: request.path.clone(),
        by: desk.me.clone(),
        why,
    };
    desk.send(&request.id.caller, message);
}
