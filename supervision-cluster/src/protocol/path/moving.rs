//! How a path leaves this node: packed, stored, handed over and sent on, or ended.

use bytes::Bytes;

use super::{Context, Path, Phase, Why};
use crate::protocol::{
    bug::Bug,
    desk::{Command, Desk, ReadOutcome, Report, Ticket, WriteOutcome},
    message::{Checkpoint, Place, Take},
    record::{Durability, Epoch, Member, OwnRecord, OwnState, Record, RecordKey, Stored},
    write::{Commit, Progress, Write},
};

impl Path {
    /// Moves it to another member, once what it has in hand is done with.
    pub(crate) fn order_move(&mut self, desk: &mut Desk<'_>, to: Member) {
        match &mut self.phase {
            Phase::Serving {
                moving,
                ending: false,
            } => *moving = Some(to.clone()),
            Phase::Saving {
                moving,
                ending: false,
                ..
            } => {
                *moving = Some(to);
                return;
            }
            _ => return desk.put(Command::Report(Report::NotMoved(self.path.clone()))),
        }
        self.pack_when_idle(desk, to);
    }

    pub(super) fn pack_when_idle(&mut self, desk: &mut Desk<'_>, to: Member) {
        let Some(epoch) = self.epoch() else { return };
        if self.in_hand.is_empty() || desk.has(Bug::PackedTooEarly) {
            desk.put(Command::Pack(self.path.clone(), epoch, to.clone()));
            self.phase = Phase::Packing(to);
        }
    }

    /// The actor has packed. Its state is stored where its kind has one that is not yet there.
    pub(crate) fn packed(&mut self, desk: &mut Desk<'_>, state: Option<Bytes>, luggage: Bytes) {
        let Phase::Packing(to) = &self.phase else {
            return;
        };
        let to = to.clone();
        self.luggage = luggage;
        self.body = state;
        // What a durable actor has answered stands in its checkpoint; only its table may know more.
        if self.durability != Durability::Snapshot || self.body.is_none() {
            return self.hand_over(desk, to);
        }
        let record = self.state_record(desk);
        let key = RecordKey::State(self.path.clone());
        let write = Write::start(desk, key, record, self.checkpoint);
        self.phase = Phase::Storing { write, to };
    }

    fn hand_over(&mut self, desk: &mut Desk<'_>, to: Member) {
        let Some(own) = &self.own else { return };
        let over = Some(own.revision);
        let record = OwnRecord {
            epoch: None,
            from: Some(desk.me.clone()),
            ..self.own_record(desk, to.clone(), 0)
        };
        let write = Write::start(desk, self.own_key(), Record::Own(record), over);
        self.phase = Phase::Handing { write, to };
    }

    /// The path is the other's. What is held goes there, until it says that it has it.
    fn handed_over(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, commit: &Commit, to: Member) {
        let epoch = Epoch(commit.revision);
        if let Some(own) = self.own.take() {
            desk.put(Command::Halt(self.path.clone(), own.epoch));
            desk.put(Command::Report(Report::Moved(self.path.clone(), epoch)));
        }
        let take = Box::new(self.pack_up(desk, cx, epoch));
        self.phase = Phase::Away {
            to,
            take,
            resend_at: desk.now,
        };
        self.resend_take(desk, cx);
        if desk.has(Bug::ForgottenTooEarly) {
            self.phase = Phase::Gone;
        }
    }

    fn pack_up(&mut self, desk: &Desk<'_>, cx: Context<'_>, epoch: Epoch) -> Take {
        // One that could not pack goes on from the store, where its new owner reads it.
        let fresh = self.checkpoint.is_none();
        let stored = self.durability != Durability::Volatile && (fresh || self.body.is_some());
        let checkpoint = stored.then(|| Checkpoint {
            revision: self.checkpoint,
            body: self.body.take(),
        });
        let mut held: Vec<_> = std::mem::take(&mut self.held).into();
        held.retain(|request| !cx.is_of_the_past(request));
        for request in &mut held {
            request.epoch = epoch;
        }
        if desk.has(Bug::HeldDropped) {
            held.clear();
        }
        let mut table = std::mem::take(&mut self.table);
        if desk.has(Bug::TableLeftBehind) {
            table = Default::default();
        }
        Take {
            path: self.path.clone(),
            kind: self.kind.clone(),
            from: desk.me.clone(),
            epoch,
            checkpoint,
            table,
            luggage: std::mem::take(&mut self.luggage),
            held,
        }
    }

    /// The new owner has what was held.
    pub(crate) fn taken(&mut self, by_epoch: Epoch) {
        if let Phase::Away { take, to, .. } = &self.phase
            && take.epoch == by_epoch
        {
            self.gone_to = Some(Place {
                owner: to.clone(),
                epoch: by_epoch,
            });
            self.phase = Phase::Gone;
        }
    }

    /// Where it has gone, while what was held is still sent on.
    pub(crate) fn away_to(&self) -> Option<&Member> {
        match &self.phase {
            Phase::Away { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Empties the checkpoint, so that nothing of this life is left to a later one.
    pub(super) fn empty(&mut self, desk: &mut Desk<'_>) {
        if self.durability == Durability::Volatile {
            return self.write_end(desk);
        }
        self.body = None;
        self.table = Default::default();
        self.luggage = Bytes::new();
        let record = self.state_record(desk);
        let key = RecordKey::State(self.path.clone());
        self.phase = Phase::Emptying(Write::start(desk, key, record, self.checkpoint));
    }

    fn write_end(&mut self, desk: &mut Desk<'_>) {
        let Some(own) = &self.own else { return };
        let over = Some(own.revision);
        let record = OwnRecord {
            state: OwnState::Ended,
            ..self.own_record(desk, desk.me.clone(), 0)
        };
        let write = Write::start(desk, self.own_key(), Record::Own(record), over);
        self.phase = Phase::Ending(write);
    }

    pub(crate) fn tick(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        if !self.due(desk.now) {
            return;
        }
        match &mut self.phase {
            Phase::Pausing(_) => self.read_again(desk),
            Phase::Expecting { .. } => self.expected_in_vain(desk),
            Phase::Away { .. } => self.resend_take(desk, cx),
            _ => {
                if let Some(write) = self.write_mut() {
                    write.tick(desk);
                }
            }
        }
    }

    pub(crate) fn written(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        ticket: Ticket,
        outcome: WriteOutcome,
    ) {
        if let Some(write) = self.write_mut() {
            let progress = write.written(desk, ticket, outcome);
            self.progressed(desk, cx, progress);
        }
    }

    pub(crate) fn read(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        ticket: Ticket,
        outcome: ReadOutcome,
    ) {
        if self.phase == Phase::Reading(ticket) {
            return self.checkpoint_read(desk, cx, outcome);
        }
        if let Some(write) = self.write_mut() {
            let progress = write.read(desk, ticket, outcome, cx.terms.pause());
            self.progressed(desk, cx, progress);
        }
    }

    fn progressed(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, progress: Progress) {
        match progress {
            Progress::Pending => {}
            Progress::Committed(commit) => self.committed(desk, cx, &commit),
            Progress::Lost(found) => self.lost(desk, cx, found),
        }
    }

    fn committed(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, commit: &Commit) {
        // What comes next is put in place of it; nothing returns to `Gone` by accident.
        match std::mem::replace(&mut self.phase, Phase::Gone) {
            Phase::Claiming { why, .. } => self.claimed(desk, commit, why),
            Phase::Making { to, .. } => {
                let epoch = Epoch(commit.revision);
                desk.put(Command::Report(Report::Created(self.path.clone(), epoch)));
                self.handed_over(desk, cx, commit, to);
            }
            Phase::Sealing(_) => self.sealed(desk, commit),
            Phase::Confirming(_) => {
                self.own_written(commit);
                self.read_checkpoint(desk);
            }
            Phase::Clearing(_) => {
                self.own_written(commit);
                self.phase = Phase::Serving {
                    moving: None,
                    ending: false,
                };
                self.go_on(desk, cx);
            }
            Phase::Saving {
                answers,
                moving,
                ending,
                ..
            } => {
                self.saved(desk, cx, commit, &answers, moving, ending);
            }
            Phase::Storing { to, .. } => {
                self.checkpoint = Some(commit.revision);
                self.hand_over(desk, to);
            }
            Phase::Handing { to, .. } => self.handed_over(desk, cx, commit, to),
            Phase::Emptying(_) => self.write_end(desk),
            Phase::Ending(_) => self.ended(desk),
            other => self.phase = other,
        }
    }

    fn lost(&mut self, desk: &mut Desk<'_>, cx: Context<'_>, found: Option<Stored>) {
        match &self.phase {
            Phase::Sealing(_) => self.seal_lost(desk, cx, found),
            Phase::Claiming {
                why: Why::Create, ..
            } => {
                let me = desk.me.clone();
                self.not_made(desk, found, me);
            }
            Phase::Making { to, .. } => {
                let to = to.clone();
                self.not_made(desk, found, to);
            }
            Phase::Saving { .. } if desk.has(Bug::UnknownMeansFailed) && found.is_none() => {
                self.phase = Phase::Serving {
                    moving: None,
                    ending: false,
                };
            }
            Phase::Saving { .. } | Phase::Storing { .. } | Phase::Emptying(_) => {
                self.superseded(desk);
            }
            _ => self.own_lost(desk, found.as_ref()),
        }
    }
}
