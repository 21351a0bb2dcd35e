//! One write to the store, followed until its fate is known.
//!
//! Why this is a machine of its own: an answer that is lost says nothing. The write may have been
//! made, may be made later, or never. It is settled only when its key is seen *past* the version it
//! was to replace: then either one of its own attempts stands there, or it can never be made. To
//! find its stamp missing while the old version stands proves nothing; then another attempt with
//! the same expectation is what forces the matter.

use std::time::Duration;

use supervision_core::Timestamp;

use super::{
    bug::Bug,
    desk::{Command, Desk, ReadOutcome, Ticket, WriteOutcome},
    record::{Record, RecordKey, Stored},
};
use crate::engine::Revision;

/// A write that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Write {
    key: RecordKey,
    record: Record,
    expected: Option<Revision>,
    attempts: Vec<Attempt>,
    waits: Waits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    ticket: Ticket,
    sent_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Waits {
    /// For the answer to the last attempt.
    Written(Ticket),
    /// To see what stands there.
    Read(Ticket),
    /// To try again.
    Until(Timestamp),
}

/// What has become of a write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Progress {
    /// It is still under way, or what was heard does not concern it.
    Pending,
    /// It stands.
    Committed(Commit),
    /// Something else stands there, and it will never be made from now on. Where an answer was
    /// lost it may have stood in between. `None`: nothing stands there.
    Lost(Option<Stored>),
}

/// A write that was made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Commit {
    /// What stands there.
    pub(crate) record: Record,
    /// Its revision.
    pub(crate) revision: Revision,
    /// When the attempt was sent that made it.
    pub(crate) sent_at: Timestamp,
}

impl Write {
    pub(crate) fn start(
        desk: &mut Desk<'_>,
        key: RecordKey,
        record: Record,
        expected: Option<Revision>,
    ) -> Self {
        let mut write = Self {
            key,
            record,
            expected,
            attempts: Vec::with_capacity(1),
            waits: Waits::Until(desk.now),
        };
        write.attempt(desk);
        write
    }

    fn attempt(&mut self, desk: &mut Desk<'_>) {
        let ticket = desk.ticket();
        self.attempts.push(Attempt {
            ticket,
            sent_at: desk.now,
        });
        self.waits = Waits::Written(ticket);
        desk.put(Command::Write {
            ticket,
            key: self.key.clone(),
            record: self.record.clone().stamped(desk.stamp(ticket)),
            expected: self.expected,
        });
    }

    fn look(&mut self, desk: &mut Desk<'_>) {
        self.waits = Waits::Read(desk.read(self.key.clone()));
    }

    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        match self.waits {
            Waits::Until(at) => Some(at),
            Waits::Written(_) | Waits::Read(_) => None,
        }
    }

    pub(crate) fn tick(&mut self, desk: &mut Desk<'_>) {
        if matches!(self.waits, Waits::Until(at) if desk.now >= at) {
            self.attempt(desk);
        }
    }

    pub(crate) fn written(
        &mut self,
        desk: &mut Desk<'_>,
        ticket: Ticket,
        outcome: WriteOutcome,
    ) -> Progress {
        if self.waits != Waits::Written(ticket) {
            return Progress::Pending;
        }
        match outcome {
            WriteOutcome::Committed(revision) => return self.committed(ticket, revision, desk),
            WriteOutcome::Unknown if desk.has(Bug::UnknownMeansFailed) => {
                return Progress::Lost(None);
            }
            WriteOutcome::Conflict | WriteOutcome::Unknown => self.look(desk),
        }
        Progress::Pending
    }

    pub(crate) fn read(
        &mut self,
        desk: &mut Desk<'_>,
        ticket: Ticket,
        outcome: ReadOutcome,
        pause: Duration,
    ) -> Progress {
        if self.waits != Waits::Read(ticket) {
            return Progress::Pending;
        }
        match outcome {
            ReadOutcome::Entry(entry) if self.is_past(entry.revision) => {
                return self.settled(desk, entry);
            }
            // A read may show an old version, and one before the key was there shows nothing. So
            // both say as little as silence; the next attempt will be refused if the key moved on.
            ReadOutcome::Entry(_) | ReadOutcome::Absent | ReadOutcome::Failed => {
                self.waits = Waits::Until(desk.now.saturating_add(pause));
            }
        }
        Progress::Pending
    }

    fn is_past(&self, revision: Revision) -> bool {
        self.expected.is_none_or(|expected| revision > expected)
    }

    fn settled(&mut self, desk: &mut Desk<'_>, entry: Stored) -> Progress {
        let stamp = entry.record.stamp();
        let mine = |a: &&Attempt| desk.stamp(a.ticket) == stamp;
        if let Some(attempt) = self.attempts.iter().find(mine) {
            return self.committed(attempt.ticket, entry.revision, desk);
        }
        if desk.has(Bug::BlindRepeat) && self.attempts.len() == 1 {
            self.expected = Some(entry.revision);
            self.attempt(desk);
            return Progress::Pending;
        }
        Progress::Lost(Some(entry))
    }

    fn committed(&self, ticket: Ticket, revision: Revision, desk: &Desk<'_>) -> Progress {
        let sent_at = self
            .attempts
            .iter()
            .find(|a| a.ticket == ticket)
            .map_or(desk.now, |a| a.sent_at);
        Progress::Committed(Commit {
            record: self.record.clone().stamped(desk.stamp(ticket)),
            revision,
            sent_at,
        })
    }
}
