//! How a node comes to own a path: look, claim or be handed it, read, seal, start.

use supervision_core::Timestamp;

use super::{Context, Own, Path, Phase, not_handled};
use crate::engine::Revision;
use crate::protocol::{
    bug::Bug,
    desk::{Command, Desk, ReadOutcome, Report, Ticket},
    message::{NotHandled, Place, Refusal, Request, Take},
    record::{
        ActorPath, Durability, Epoch, KindName, Member, OwnRecord, OwnState, Record, RecordKey,
        StateRecord, Stored,
    },
    write::{Commit, Write},
};

/// Why a path is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// Its user wants it to be.
    Create,
    /// Its owner is gone, or this node was given it and does not run it.
    Recover,
}

impl Path {
    /// Makes an actor at a path that has none.
    pub(crate) fn create(
        desk: &mut Desk<'_>,
        path: ActorPath,
        kind: KindName,
        durability: Durability,
        owner: Member,
    ) -> Self {
        let mut this = Self::new(path, kind, durability, Phase::Starting);
        this.write_creation(desk, owner, None);
        this
    }

    fn write_creation(&mut self, desk: &mut Desk<'_>, owner: Member, over: Option<Revision>) {
        let here = owner == *desk.me;
        let mut record = self.own_record(desk, owner.clone(), 0);
        record.from = (!here).then(|| desk.me.clone());
        let write = Write::start(desk, self.own_key(), Record::Own(record), over);
        self.phase = if here {
            Phase::Claiming {
                write,
                why: Why::Create,
            }
        } else {
            Phase::Making { write, to: owner }
        };
    }

    /// There is an actor at the path, or there was one: over its end another may be made, and one that
    /// was parked is given another chance, with the state that it had.
    pub(super) fn not_made(&mut self, desk: &mut Desk<'_>, found: Option<Stored>, owner: Member) {
        let over = |stored: &&Stored| matches!(&stored.record, Record::Own(record) if record.state != OwnState::Owned);
        if let Some(revision) = found.as_ref().filter(over).map(|stored| stored.revision) {
            return self.write_creation(desk, owner, Some(revision));
        }
        let place = found.as_ref().and_then(place_of);
        desk.put(Command::Report(Report::NotCreated(
            self.path.clone(),
            place,
        )));
        self.own_lost(desk, found.as_ref());
    }

    /// Claims a path whose owner is gone.
    pub(crate) fn recover(
        desk: &mut Desk<'_>,
        path: ActorPath,
        durability: Durability,
        record: &OwnRecord,
        revision: Revision,
    ) -> Self {
        let mut this = Self::new(path, record.kind.clone(), durability, Phase::Starting);
        this.claim(desk, revision, record.tries);
        this
    }

    fn claim(&mut self, desk: &mut Desk<'_>, over: Revision, tries: u32) {
        self.own = None;
        let record = self.own_record(desk, desk.me.clone(), tries);
        let write = Write::start(desk, self.own_key(), Record::Own(record), Some(over));
        self.phase = Phase::Claiming {
            write,
            why: Why::Recover,
        };
    }

    /// Somebody takes this node for the owner: looks who is.
    pub(crate) fn look(desk: &mut Desk<'_>, path: ActorPath) -> Self {
        let ticket = desk.read(RecordKey::Own(path.clone()));
        // What kind it is will be read; until then nothing depends on it.
        Self::new(
            path,
            KindName::new(""),
            Durability::Volatile,
            Phase::Looking(ticket),
        )
    }

    pub(crate) fn is_looking_for(&self, ticket: Ticket) -> bool {
        self.phase == Phase::Looking(ticket)
    }

    /// A look has shown that this node was given the path and does not run it.
    pub(crate) fn found_mine(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        durability: Durability,
        record: OwnRecord,
        revision: Revision,
    ) {
        let sent_by = record.from.as_ref().filter(|from| **from != *desk.me);
        let still_sends = sent_by.is_some_and(|from| !cx.observer.is_gone(desk, from, revision));
        self.kind = record.kind.clone();
        self.durability = durability;
        if desk.has(Bug::NoNewEpoch) {
            self.take_over(record.epoch_at(revision), revision, record.tries);
            return self.read_checkpoint(desk);
        }
        if still_sends {
            let until = desk.now.saturating_add(cx.terms.length());
            self.phase = Phase::Expecting {
                until,
                record,
                revision,
            };
        } else {
            self.claim(desk, revision, record.tries);
        }
    }

    /// The old owner did not send what it holds in time.
    pub(super) fn expected_in_vain(&mut self, desk: &mut Desk<'_>) {
        if let Phase::Expecting {
            record, revision, ..
        } = &self.phase
        {
            let (revision, tries) = (*revision, record.tries);
            self.claim(desk, revision, tries);
        }
    }

    /// The other side of a hand-over is gone: the old owner will send nothing any more, or the new
    /// one will take nothing, and whoever comes after it starts from the store.
    pub(crate) fn without(&mut self, desk: &mut Desk<'_>, gone: &Member) {
        if self.away_to() == Some(gone) {
            self.phase = Phase::Gone;
        } else if self.expects(gone) {
            self.expected_in_vain(desk);
        }
    }

    /// The old owner hands the actor over.
    pub(crate) fn take(
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        durability: Durability,
        take: Take,
        waiting: Vec<Request>,
    ) -> Self {
        let mut this = Self::new(take.path.clone(), take.kind, durability, Phase::Starting);
        this.take_over(take.epoch, take.epoch.0, 0);
        this.table = take.table;
        this.luggage = take.luggage;
        this.from = Some(take.from);
        this.held.extend(take.held);
        for request in waiting {
            this.arrive(desk, cx, request);
        }
        match take.checkpoint {
            Some(checkpoint) => {
                this.body = checkpoint.body;
                this.checkpoint = checkpoint.revision;
                this.seal(desk, cx);
            }
            None if desk.has(Bug::TakenOnTrust) => this.start(desk),
            // The message alone is no proof: it may be a late copy of an earlier hand-over.
            None => {
                let record = this.own_record(desk, desk.me.clone(), 0);
                let key = this.own_key();
                let over = Some(take.epoch.0);
                this.phase = Phase::Confirming(Write::start(desk, key, Record::Own(record), over));
            }
        }
        this
    }

    /// What the old owner sends of a path that this node has made its own already, or has passed on.
    pub(crate) fn take_more(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, take: Take) {
        self.table.merge(&take.table);
        if let Some(epoch) = self.latest_epoch() {
            for request in take.held {
                self.arrive(desk, cx, Request { epoch, ..request });
            }
        }
    }

    /// Gives up what was waiting for it, to be begun with anew by what comes with `coming`.
    ///
    /// If the path had been given away and now comes back, nobody has told yet that what was sent along
    /// had arrived. Of that, what a caller has asked whom the table does not know is left in doubt: an
    /// owner in between may have handled it, and have forgotten the caller because it was gone.
    pub(crate) fn waiting(&mut self, coming: &Take, me: &Member) -> Vec<Request> {
        if let Phase::Away { take, .. } = &mut self.phase {
            let sure = |request: &Request| {
                request.id.caller == *me || coming.table.knows(request.id.caller.boot)
            };
            let held = std::mem::take(&mut take.held).into_iter().filter(sure);
            let epoch = coming.epoch;
            self.held
                .extend(held.map(|request| Request { epoch, ..request }));
        }
        std::mem::take(&mut self.held).into()
    }

    fn take_over(&mut self, epoch: Epoch, revision: Revision, tries: u32) {
        self.own = Some(Own {
            epoch,
            revision,
            tries,
        });
    }

    pub(super) fn claimed(&mut self, desk: &mut Desk<'_>, commit: &Commit, why: Why) {
        let Record::Own(record) = &commit.record else {
            return;
        };
        let epoch = record.epoch_at(commit.revision);
        self.take_over(epoch, commit.revision, record.tries);
        if why == Why::Create {
            desk.put(Command::Report(Report::Created(self.path.clone(), epoch)));
        }
        self.send_on_others(desk, epoch);
        self.read_checkpoint(desk);
    }

    /// What was held before the epoch was known is for an earlier one, unless it says otherwise.
    fn send_on_others(&mut self, desk: &mut Desk<'_>, epoch: Epoch) {
        if desk.has(Bug::RequestOfAnyEpoch) {
            return;
        }
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|request| request.epoch == epoch);
        self.held.extend(mine);
        for request in others {
            let why = self.not_for_this(desk, epoch, request.epoch);
            not_handled(desk, &request, why);
        }
    }

    pub(super) fn read_checkpoint(&mut self, desk: &mut Desk<'_>) {
        if self.durability == Durability::Volatile {
            return self.start(desk);
        }
        self.phase = Phase::Reading(desk.read(RecordKey::State(self.path.clone())));
    }

    pub(super) fn read_again(&mut self, desk: &mut Desk<'_>) {
        self.phase = Phase::Reading(desk.read(RecordKey::State(self.path.clone())));
    }

    pub(super) fn checkpoint_read(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        outcome: ReadOutcome,
    ) {
        match outcome {
            ReadOutcome::Failed => {
                self.phase = Phase::Pausing(desk.now.saturating_add(cx.terms.pause()));
            }
            ReadOutcome::Absent => {
                self.checkpoint = None;
                self.seal(desk, cx);
            }
            ReadOutcome::Entry(stored) => self.seal_over(desk, cx, stored),
        }
    }

    /// Seals what stands there, unless it is a later activation's, or this one's own: then this
    /// activation has been here before, and what made it begin again was a late copy.
    fn seal_over(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, stored: Stored) {
        let Record::State(state) = stored.record else {
            return;
        };
        let later = self.epoch().is_none_or(|mine| state.epoch >= mine);
        if later && !desk.has(Bug::SealOverLater) {
            return self.let_go(desk, &NotHandled::Refused(Refusal::NotHere));
        }
        let first = self.checkpoint.is_none() && self.body.is_none();
        self.checkpoint = Some(stored.revision);
        if first || !desk.has(Bug::StaleSeal) {
            self.body = state.body;
            self.table.merge(&state.table);
            // What was brought along by a living owner is later than what was stored.
            if self.luggage.is_empty() {
                self.luggage = state.luggage;
            }
        }
        if desk.has(Bug::NoSeal) {
            return self.start(desk);
        }
        self.seal(desk, cx);
    }

    fn seal(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        let all = desk.has(Bug::LivingForgotten);
        self.table
            .forget(|boot| all || cx.observer.is_boot_gone(boot));
        if desk.has(Bug::TableLeftBehind) {
            self.table = Default::default();
        }
        let record = self.state_record(desk);
        let key = RecordKey::State(self.path.clone());
        self.phase = Phase::Sealing(Write::start(desk, key, record, self.checkpoint));
    }

    pub(super) fn sealed(&mut self, desk: &mut Desk<'_>, commit: &Commit) {
        self.checkpoint = Some(commit.revision);
        self.start(desk);
    }

    /// Another version of the checkpoint came in between.
    pub(super) fn seal_lost(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        found: Option<Stored>,
    ) {
        match found {
            Some(stored) => self.seal_over(desk, cx, stored),
            None => self.read_again(desk),
        }
    }

    /// The record of what is owned could not be written: it is another's.
    pub(super) fn own_lost(&mut self, desk: &mut Desk<'_>, found: Option<&Stored>) {
        let place = found.and_then(place_of);
        let answer = match place {
            Some(place) if place.owner != *desk.me => NotHandled::Moved(place),
            _ => NotHandled::Refused(Refusal::NotHere),
        };
        self.let_go(desk, &answer);
    }

    pub(super) fn start(&mut self, desk: &mut Desk<'_>) {
        let Some(own) = &self.own else { return };
        self.phase = Phase::Starting;
        desk.put(Command::Start {
            path: self.path.clone(),
            kind: self.kind.clone(),
            epoch: own.epoch,
            state: self.body.take(),
            luggage: std::mem::take(&mut self.luggage),
            from: self.from.take(),
        });
    }

    /// The actor runs. One that is suspected of taking its owners down has to be written down as
    /// sound before the next suspect is begun with.
    pub(crate) fn started(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        if self.phase != Phase::Starting {
            return;
        }
        let Some(own) = &self.own else { return };
        if own.tries >= 2 {
            let over = Some(own.revision);
            let record = self.own_record(desk, desk.me.clone(), 0);
            let write = Write::start(desk, self.own_key(), Record::Own(record), over);
            self.phase = Phase::Clearing(write);
            return;
        }
        self.phase = Phase::Serving {
            moving: None,
            ending: false,
        };
        self.go_on(desk, cx);
    }

    /// The record stands once more as this node's.
    pub(super) fn own_written(&mut self, commit: &Commit) {
        if let (Some(own), Record::Own(record)) = (&mut self.own, &commit.record) {
            own.revision = commit.revision;
            own.tries = record.tries;
        }
    }

    pub(super) fn own_key(&self) -> RecordKey {
        RecordKey::Own(self.path.clone())
    }

    pub(super) fn state_record(&self, desk: &Desk<'_>) -> Record {
        Record::State(StateRecord {
            epoch: self.epoch().unwrap_or(Epoch(Revision::ZERO)),
            body: self.body.clone(),
            table: self.table.clone(),
            luggage: self.luggage.clone(),
            stamp: desk.unstamped(),
        })
    }

    pub(super) fn due(&self, now: Timestamp) -> bool {
        self.next_wake().is_some_and(|at| now >= at)
    }
}

/// Where an ownership record says that the path is run.
pub(crate) fn place_of(stored: &Stored) -> Option<Place> {
    match &stored.record {
        Record::Own(record) if record.state == OwnState::Owned => Some(Place {
            owner: record.owner.clone(),
            epoch: record.epoch_at(stored.revision),
        }),
        _ => None,
    }
}
