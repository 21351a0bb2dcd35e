//! What was owned by members that are gone: whose turn it is to claim it, and what is not claimed
//! any more.

use super::*;

/// A path of a member that is gone, as it was found in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Orphan {
    pub(super) record: OwnRecord,
    pub(super) revision: Revision,
}

impl NodeMachine {
    /// A lease was seen in the store.
    pub(super) fn seen(&mut self, stored: Stored, now: Timestamp, tray: &mut Vec<Command>) {
        let lost = self.with_observer(now, tray, |observer, desk, _| observer.see(desk, stored));
        let Some(lost) = lost.filter(|lost| *lost != self.me) else {
            return;
        };
        tray.push(Command::Report(Report::Lost(lost.clone())));
        tray.push(Command::Scan(lost.clone()));
        self.without(&lost, now, tray);
    }

    /// What was exchanged with a member that is gone is at an end.
    fn without(&mut self, lost: &Member, now: Timestamp, tray: &mut Vec<Command>) {
        let concerns = |at: &Path| at.away_to() == Some(lost) || at.expects(lost);
        let concerned: Vec<ActorPath> = self
            .paths
            .iter()
            .filter(|(_, at)| concerns(at))
            .map(|(path, _)| path.clone())
            .collect();
        for path in concerned {
            self.with_path(&path, now, tray, |path, desk, _| path.without(desk, lost));
        }
    }

    /// An ownership was found in the store that may be this node's to claim.
    pub(super) fn found(
        &mut self,
        path: ActorPath,
        orphan: Orphan,
        rank: Option<u32>,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        let known = self.paths.contains_key(&path)
            || self.turns.contains_key(&path)
            || self.parking.contains_key(&path);
        let claimable =
            orphan.record.state == OwnState::Owned || self.settings.bugs.has(Bug::ParkedClaimed);
        if known || !claimable || !self.may_act(now) {
            return;
        }
        let owner = &orphan.record.owner;
        if *owner == self.me {
            // This node was given it and does not run it.
            return self.look(&path, now, tray);
        }
        let gone = self
            .observer
            .is_gone(&desk!(self, now, tray), owner, orphan.revision);
        if let Some(rank) = rank.filter(|_| gone) {
            let at = now.saturating_add(self.settings.terms.turn() * rank);
            self.turns.insert(path.clone(), orphan);
            self.turn_times.insert((at, path));
            self.take_turns(now, tray);
        }
    }

    pub(super) fn take_turns(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        while let Some((at, path)) = self.turn_times.first().cloned()
            && now >= at
        {
            self.turn_times.pop_first();
            // A node that is leaving claims nothing.
            if let Some(orphan) = self.turns.remove(&path)
                && !self.paths.contains_key(&path)
                && self.may_act(now)
            {
                self.claim(path, orphan, now, tray);
            }
        }
    }

    fn claim(
        &mut self,
        path: ActorPath,
        mut orphan: Orphan,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        let record = &mut orphan.record;
        let epoch = record.epoch_at(orphan.revision);
        let stayed_up = self.observer.had_confirmed(&record.owner, epoch);
        record.tries = if stayed_up { 1 } else { record.tries + 1 };
        match record.tries {
            tries if tries > self.settings.limits.tries => self.park(path, &orphan, now, tray),
            0 | 1 => self.recover(&path, &orphan, now, tray),
            _ => {
                self.suspects.push_back((path, orphan));
                self.prove_next(now, tray);
            }
        }
    }

    fn recover(
        &mut self,
        path: &ActorPath,
        orphan: &Orphan,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        if let Some(durability) = self.settings.kinds.get(&orphan.record.kind).copied() {
            self.make(path, now, tray, |desk, _| {
                Path::recover(
                    desk,
                    path.clone(),
                    durability,
                    &orphan.record,
                    orphan.revision,
                )
            });
        }
    }

    /// Begins with the next suspect once the one before it has proven sound, or is gone.
    pub(super) fn prove_next(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        if self
            .proving
            .as_ref()
            .is_some_and(|path| self.starting.contains(path))
        {
            return;
        }
        self.proving = None;
        while let Some((path, orphan)) = self.suspects.pop_front() {
            if !self.paths.contains_key(&path) && self.may_act(now) {
                self.proving = Some(path.clone());
                return self.recover(&path, &orphan, now, tray);
            }
        }
    }

    fn park(&mut self, path: ActorPath, orphan: &Orphan, now: Timestamp, tray: &mut Vec<Command>) {
        let mark = tray.len();
        let write = self.with_desk(now, tray, |desk, _| {
            let record = Record::Own(parked(desk, &orphan.record));
            Write::start(
                desk,
                RecordKey::Own(path.clone()),
                record,
                Some(orphan.revision),
            )
        });
        self.note_waiters(tray, mark, &Waiter::Parking(path.clone()));
        self.parking.insert(path, write);
    }

    pub(super) fn with_parking(
        &mut self,
        path: &ActorPath,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Write, &mut Desk<'_>) -> Progress,
    ) {
        let mark = tray.len();
        let mut desk = desk!(self, now, tray);
        let Some(write) = self.parking.get_mut(path) else {
            return;
        };
        let progress = work(write, &mut desk);
        self.note_waiters(tray, mark, &Waiter::Parking(path.clone()));
        if let Progress::Committed(_) = progress {
            tray.push(Command::Report(Report::Parked(path.clone())));
        }
        if progress != Progress::Pending {
            self.parking.remove(path);
        }
    }

    pub(super) fn tick_parking(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        let is_due = |write: &Write| write.next_wake().is_some_and(|at| now >= at);
        let due: Vec<ActorPath> = self
            .parking
            .iter()
            .filter(|(_, write)| is_due(write))
            .map(|(path, _)| path.clone())
            .collect();
        for path in due {
            self.with_parking(&path, now, tray, |write, desk| {
                write.tick(desk);
                Progress::Pending
            });
        }
    }

    /// A read of a path's was answered: its look at the ownership, or something of its own.
    pub(super) fn path_read(
        &mut self,
        path: &ActorPath,
        ticket: Ticket,
        outcome: ReadOutcome,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        if !self
            .paths
            .get(path)
            .is_some_and(|at| at.is_looking_for(ticket))
        {
            return self.with_path(path, now, tray, |path, desk, cx| {
                path.read(desk, cx, ticket, outcome);
            });
        }
        let stored = match outcome {
            ReadOutcome::Entry(stored) => Some(stored),
            ReadOutcome::Absent | ReadOutcome::Failed => None,
        };
        let mine = stored.as_ref().and_then(|stored| self.mine(stored));
        let place = stored.as_ref().and_then(place_of);
        self.with_path(path, now, tray, |path, desk, cx| match (mine, place) {
            (Some((orphan, durability)), _) => {
                path.found_mine(desk, cx, durability, orphan.record, orphan.revision);
            }
            (None, Some(place)) if place.owner != *desk.me => {
                path.let_go(desk, &NotHandled::Moved(place));
            }
            _ => path.let_go(desk, &NotHandled::Refused(Refusal::NotHere)),
        });
    }

    /// What a record says that this node is to run.
    fn mine(&self, stored: &Stored) -> Option<(Orphan, Durability)> {
        let Record::Own(record) = &stored.record else {
            return None;
        };
        let mine = record.state == OwnState::Owned && record.owner == self.me;
        let durability = self.settings.kinds.get(&record.kind).copied()?;
        let orphan = Orphan {
            record: record.clone(),
            revision: stored.revision,
        };
        mine.then_some((orphan, durability))
    }
}

/// The record of a path that took too many owners down: nobody's.
fn parked(desk: &Desk<'_>, record: &OwnRecord) -> OwnRecord {
    OwnRecord {
        kind: record.kind.clone(),
        owner: desk.me.clone(),
        epoch: None,
        state: OwnState::Parked,
        tries: record.tries,
        from: None,
        stamp: desk.unstamped(),
    }
}
