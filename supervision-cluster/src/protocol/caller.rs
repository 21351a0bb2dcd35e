//! The sending side: where an actor is, what has been sent to it and what became of that.
//!
//! 1. A message keeps its id in all attempts; the owner's table knows it by that.
//! 2. An attempt is over when the node it was sent to says that it did not handle it. Then, if no
//!    other attempt is in doubt, the message may go anywhere else.
//! 3. An attempt that is not answered is in doubt. The message may be sent to the same activation
//!    again, which knows it; to a later one only if its sender allowed that. Else it is waited for:
//!    it may have been held in a move, and sent along.
//! 4. No answer is taken that is of an earlier activation than the latest one known.
//! 5. Each message comes to one outcome, at its deadline at the latest.
//! 6. What is sent while the place is looked for goes behind what it is looked for.

use std::collections::{BTreeMap, BTreeSet};

use supervision_core::Timestamp;

use super::{
    bug::Bug,
    desk::{Call, CallOutcome, Command, Desk, ReadOutcome, Repeat, Ticket},
    lease::LeaseTerms,
    message::{Answer, NotHandled, PeerMessage, Place, Refusal, Request, RequestId},
    observer::Observer,
    path::place_of,
    record::{ActorPath, Member, OwnState, Record, RecordKey, Stored},
};

/// What this node has sent, or is about to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    next_seq: u64,
    calls: BTreeMap<u64, Outgoing>,
    open: BTreeMap<ActorPath, BTreeSet<u64>>,
    places: BTreeMap<ActorPath, Place>,
    looks: BTreeMap<Ticket, u64>,
    timers: BTreeSet<(Timestamp, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Outgoing {
    call: Call,
    at: Step,
    /// Attempts were made whose fate is not known: the activation they were for.
    doubt: Option<Place>,
    /// How many attempts have not been answered.
    unanswered: u32,
    timer: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Looking(Ticket),
    Sent(Place),
    Pausing,
    /// Behind an earlier one to the same actor that looks: it is sent after that one.
    Behind,
}

impl Outgoing {
    /// Whether what this node says is about the attempt that is under way, or about the only one
    /// there ever was in doubt.
    fn concerns(&self, by: &Member) -> bool {
        match (&self.at, &self.doubt) {
            (Step::Sent(to), _) => to.owner == *by,
            (_, Some(doubt)) => self.unanswered == 1 && doubt.owner == *by,
            (_, None) => false,
        }
    }
}

/// How many places are kept of actors that nothing is sent to at the moment.
const PLACES: usize = 65_536;

impl Caller {
    /// Begins to send a message.
    pub(crate) fn call(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms, call: Call) {
        self.next_seq += 1;
        let seq = self.next_seq;
        self.open.entry(call.path.clone()).or_default().insert(seq);
        let timer = call.deadline;
        self.timers.insert((timer, seq));
        self.calls.insert(
            seq,
            Outgoing {
                call,
                at: Step::Pausing,
                doubt: None,
                unanswered: 0,
                timer,
            },
        );
        self.go_on(desk, terms, seq);
    }

    /// Where an actor was last known to be.
    pub(crate) fn place(&self, path: &ActorPath) -> Option<&Place> {
        self.places.get(path)
    }

    /// Takes note of where an actor is, unless something later is known.
    pub(crate) fn learn(&mut self, path: &ActorPath, place: Place) {
        if self
            .places
            .get(path)
            .is_some_and(|known| known.epoch >= place.epoch)
        {
            return;
        }
        if self.places.len() >= PLACES {
            // What is being sent to keeps its place: its epoch guards against late answers.
            let idle = self
                .places
                .keys()
                .find(|path| !self.open.contains_key(*path))
                .cloned();
            idle.map(|path| self.places.remove(&path));
        }
        self.places.insert(path.clone(), place);
    }

    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.timers.first().map(|&(at, _)| at)
    }

    pub(crate) fn tick(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms) {
        while let Some(&(at, seq)) = self.timers.first()
            && at <= desk.now
        {
            self.timers.pop_first();
            self.timed_out(desk, terms, seq);
        }
    }

    fn timed_out(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms, seq: u64) {
        let Some(out) = self.calls.get_mut(&seq) else {
            return;
        };
        let sent_to = match &out.at {
            Step::Sent(place) => Some(place.clone()),
            Step::Looking(_) | Step::Pausing | Step::Behind => None,
        };
        out.doubt = out.doubt.take().or(sent_to);
        if desk.now >= out.call.deadline {
            let outcome = match out.doubt {
                Some(_) => CallOutcome::Unknown,
                None => CallOutcome::Refused(Refusal::NotInTime),
            };
            return self.resolve(desk, seq, outcome);
        }
        if matches!(out.at, Step::Looking(_)) {
            return self.set_timer(seq, desk.now.saturating_add(terms.renewal()));
        }
        self.look(desk, terms, seq);
    }

    /// Sends it where the actor is known to be, or looks where that is.
    fn go_on(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms, seq: u64) {
        let Some(out) = self.calls.get(&seq) else {
            return;
        };
        if self.is_behind(&out.call.path, seq) {
            return self.wait_behind(desk, terms, seq);
        }
        match self.places.get(&out.call.path) {
            Some(place) => self.send(desk, terms, seq, place.clone()),
            None => self.look(desk, terms, seq),
        }
    }

    /// Whether the first message to the actor that has no outcome yet is an earlier one, and looks.
    fn is_behind(&self, path: &ActorPath, seq: u64) -> bool {
        let first = self.open.get(path).and_then(BTreeSet::first);
        first.is_some_and(|first| {
            let looks = |out: &Outgoing| matches!(out.at, Step::Looking(_));
            *first < seq && self.calls.get(first).is_some_and(looks)
        })
    }

    fn wait_behind(&mut self, desk: &Desk<'_>, terms: LeaseTerms, seq: u64) {
        if let Some(out) = self.calls.get_mut(&seq) {
            out.at = Step::Behind;
            self.set_timer(seq, desk.now.saturating_add(terms.renewal()));
        }
    }

    /// Sends what waits behind a look that was answered.
    fn send_those_behind(
        &mut self,
        desk: &mut Desk<'_>,
        terms: LeaseTerms,
        path: &ActorPath,
        place: &Place,
    ) {
        for seq in self.open.get(path).cloned().unwrap_or_default() {
            let waits = |out: &Outgoing| out.at == Step::Behind;
            if self.calls.get(&seq).is_some_and(waits) {
                self.send(desk, terms, seq, place.clone());
            }
        }
    }

    fn look(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms, seq: u64) {
        let Some(out) = self.calls.get_mut(&seq) else {
            return;
        };
        let ticket = desk.read(RecordKey::Own(out.call.path.clone()));
        out.at = Step::Looking(ticket);
        self.looks.insert(ticket, seq);
        self.set_timer(seq, desk.now.saturating_add(terms.renewal()));
    }

    fn pause(&mut self, desk: &Desk<'_>, terms: LeaseTerms, seq: u64) {
        if let Some(out) = self.calls.get_mut(&seq) {
            out.at = Step::Pausing;
            self.set_timer(seq, desk.now.saturating_add(terms.pause()));
        }
    }

    fn send(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms, seq: u64, place: Place) {
        let Some(out) = self.calls.get_mut(&seq) else {
            return;
        };
        let later = out
            .doubt
            .as_ref()
            .is_some_and(|tried| tried.epoch != place.epoch);
        if later && out.call.repeat == Repeat::Never && !desk.has(Bug::DoubtForgotten) {
            out.at = Step::Pausing;
            return self.set_timer(seq, desk.now.saturating_add(terms.renewal()));
        }
        out.at = Step::Sent(place.clone());
        out.unanswered += 1;
        let path = out.call.path.clone();
        let request = Request {
            id: RequestId {
                caller: desk.me.clone(),
                seq,
            },
            floor: self.open[&path].first().copied().unwrap_or(seq),
            epoch: place.epoch,
            body: out.call.body.clone(),
            path,
        };
        desk.send(&place.owner, PeerMessage::Request(request));
        self.set_timer(seq, desk.now.saturating_add(terms.renewal()));
    }

    /// Sets when it is gone on with, at its deadline at the latest.
    fn set_timer(&mut self, seq: u64, at: Timestamp) {
        if let Some(out) = self.calls.get_mut(&seq) {
            self.timers.remove(&(out.timer, seq));
            out.timer = at.min(out.call.deadline);
            self.timers.insert((out.timer, seq));
        }
    }

    pub(crate) fn read(
        &mut self,
        desk: &mut Desk<'_>,
        terms: LeaseTerms,
        observer: &Observer,
        ticket: Ticket,
        outcome: ReadOutcome,
    ) {
        let Some(seq) = self.looks.remove(&ticket) else {
            return;
        };
        let looking = |out: &Outgoing| out.at == Step::Looking(ticket);
        if !self.calls.get(&seq).is_some_and(looking) {
            return;
        }
        match outcome {
            ReadOutcome::Failed => self.pause(desk, terms, seq),
            ReadOutcome::Absent => self.not_handled_anywhere(desk, seq, Refusal::NoSuchActor),
            ReadOutcome::Entry(stored) => self.looked(desk, terms, observer, seq, &stored),
        }
    }

    fn looked(
        &mut self,
        desk: &mut Desk<'_>,
        terms: LeaseTerms,
        observer: &Observer,
        seq: u64,
        stored: &Stored,
    ) {
        let Record::Own(record) = &stored.record else {
            return;
        };
        let path = self.calls[&seq].call.path.clone();
        let Some(place) = place_of(stored) else {
            let why = match record.state {
                OwnState::Parked => Refusal::Parked,
                OwnState::Owned | OwnState::Ended => Refusal::NoSuchActor,
            };
            return self.not_handled_anywhere(desk, seq, why);
        };
        if self.is_lost_for_good(desk, observer, seq) {
            return self.resolve(desk, seq, CallOutcome::Unknown);
        }
        let known = self.places.get(&path);
        if known.is_some_and(|known| known.epoch > place.epoch)
            || observer.is_gone(desk, &place.owner, stored.revision)
        {
            return self.pause(desk, terms, seq);
        }
        self.learn(&path, place.clone());
        self.send(desk, terms, seq, place.clone());
        self.send_those_behind(desk, terms, &path, &place);
    }

    /// Whether it was last seen at a node that is gone, and must not be sent again.
    fn is_lost_for_good(&self, desk: &Desk<'_>, observer: &Observer, seq: u64) -> bool {
        let out = &self.calls[&seq];
        let gone = |at: &Place| observer.is_gone(desk, &at.owner, at.epoch.0);
        let once = out.call.repeat == Repeat::Never && !desk.has(Bug::DoubtForgotten);
        once && out.doubt.as_ref().is_some_and(gone)
    }

    /// It will not be handled anywhere, unless an earlier attempt was.
    fn not_handled_anywhere(&mut self, desk: &mut Desk<'_>, seq: u64, why: Refusal) {
        let doubt = self.calls.get(&seq).is_some_and(|out| out.doubt.is_some());
        let outcome = if doubt && !desk.has(Bug::RefusedInDoubt) {
            CallOutcome::Unknown
        } else {
            CallOutcome::Refused(why)
        };
        self.resolve(desk, seq, outcome);
    }

    /// An actor has handled a message.
    pub(crate) fn answered(
        &mut self,
        desk: &mut Desk<'_>,
        id: &RequestId,
        path: &ActorPath,
        place: Place,
        answer: Answer,
    ) {
        if !self.is_mine(desk, id, path) {
            return;
        }
        let stale = self
            .places
            .get(path)
            .is_some_and(|known| place.epoch < known.epoch);
        if stale && !desk.has(Bug::AnswerOfAnyEpoch) {
            return;
        }
        self.learn(path, place);
        let outcome = match answer {
            Answer::Done(reply) => CallOutcome::Done(reply),
            Answer::Failed(error) => CallOutcome::Failed(error),
        };
        self.resolve(desk, id.seq, outcome);
    }

    /// A node has not handled a message.
    pub(crate) fn not_handled(
        &mut self,
        desk: &mut Desk<'_>,
        terms: LeaseTerms,
        id: &RequestId,
        path: &ActorPath,
        by: &Member,
        why: NotHandled,
    ) {
        if !self.is_mine(desk, id, path) {
            return;
        }
        let any = desk.has(Bug::WordOfAnybody);
        let concerned = |out: &&mut Outgoing| out.concerns(by) || any;
        let Some(out) = self.calls.get_mut(&id.seq).filter(concerned) else {
            return;
        };
        out.unanswered = out.unanswered.saturating_sub(1);
        if out.unanswered == 0 {
            out.doubt = None;
        }
        match why {
            NotHandled::Moved(place) => {
                self.learn(path, place);
                self.go_on_elsewhere(desk, terms, id.seq, path);
            }
            NotHandled::Refused(Refusal::NotHere | Refusal::Fenced) => {
                self.pause(desk, terms, id.seq)
            }
            NotHandled::Refused(why) => self.not_handled_anywhere(desk, id.seq, why),
        }
    }

    /// Goes on with what is now known; the same place again only after a pause.
    fn go_on_elsewhere(
        &mut self,
        desk: &mut Desk<'_>,
        terms: LeaseTerms,
        seq: u64,
        path: &ActorPath,
    ) {
        let tried = self.calls.get(&seq).map(|out| &out.at);
        let same = matches!(
            (tried, self.places.get(path)),
            (Some(Step::Sent(tried)), Some(known)) if tried == known
        );
        if same {
            self.pause(desk, terms, seq);
        } else {
            self.go_on(desk, terms, seq);
        }
    }

    fn is_mine(&self, desk: &Desk<'_>, id: &RequestId, path: &ActorPath) -> bool {
        id.caller == *desk.me
            && self
                .calls
                .get(&id.seq)
                .is_some_and(|out| out.call.path == *path)
    }

    fn resolve(&mut self, desk: &mut Desk<'_>, seq: u64, outcome: CallOutcome) {
        let Some(out) = self.calls.remove(&seq) else {
            return;
        };
        self.timers.remove(&(out.timer, seq));
        if let Some(open) = self.open.get_mut(&out.call.path) {
            open.remove(&seq);
            if open.is_empty() {
                self.open.remove(&out.call.path);
            }
        }
        desk.put(Command::Resolve {
            token: out.call.token,
            outcome,
        });
    }

    /// The node has lost its lease: whatever was sent may have been handled.
    pub(crate) fn fence(&mut self, desk: &mut Desk<'_>) {
        let all: Vec<u64> = self.calls.keys().copied().collect();
        for seq in all {
            let out = &self.calls[&seq];
            let sent = out.doubt.is_some() || matches!(out.at, Step::Sent(_));
            let outcome = if sent {
                CallOutcome::Unknown
            } else {
                CallOutcome::Refused(Refusal::Fenced)
            };
            self.resolve(desk, seq, outcome);
        }
    }

    /// How many messages have no outcome yet.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }
}
