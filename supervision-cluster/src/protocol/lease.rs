//! A node's own lease: how it joins, how it renews, and when it must stop by itself.
//!
//! 1. One record for each node; renewed by compare-and-set every quarter of its length.
//! 2. It holds until nine tenths of its length after the *sending* of the last renewal that was
//!    made. After that the node is fenced: nothing of this boot runs any more.
//! 3. Others may declare it dead after eleven tenths of its length without a sign of life, counted
//!    from the *receipt* of the last one (`observer`). Clocks may therefore run up to a tenth too
//!    fast or too slow each, and still the holder stops before anybody takes over.
//! 4. A fenced node joins again as a new boot.

use std::time::Duration;

use bytes::Bytes;
use supervision_core::Timestamp;

use super::{
    bug::Bug,
    desk::{Desk, ReadOutcome, Ticket, WriteOutcome},
    record::{BootId, Epoch, LeaseRecord, Member, Record, RecordKey, Standing, Stored},
    write::{Commit, Progress, Write},
};
use crate::engine::Revision;

/// How long leases are, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseTerms {
    length: Duration,
}

/// A length of a lease was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLease {
    /// Too short for the store: one outage of the length that is to be survived would fence all.
    #[error(
        "lease of {length:?} is too short: an engine gap of {gap:?} and a request timeout of {timeout:?} need at least {least:?}"
    )]
    TooShort {
        /// What was asked for.
        length: Duration,
        /// The longest time the store may be away.
        gap: Duration,
        /// How long one request may take.
        timeout: Duration,
        /// What would do.
        least: Duration,
    },
}

impl LeaseTerms {
    /// Leases of this length.
    ///
    /// A node survives a gap in which the store does not answer if the gap and one request fit
    /// between a renewal that has just been missed and the end of the lease: 0.9 less 0.25 of the
    /// length.
    ///
    /// # Errors
    /// [`InvalidLease::TooShort`] if `length < (gap + timeout) / 0.65`.
    pub fn new(length: Duration, gap: Duration, timeout: Duration) -> Result<Self, InvalidLease> {
        let least = (gap + timeout) * 100 / 65;
        if length < least || length.is_zero() {
            return Err(InvalidLease::TooShort {
                length,
                gap,
                timeout,
                least,
            });
        }
        Ok(Self { length })
    }

    /// Five seconds: an engine that is away for one second and answers within two.
    pub const fn standard() -> Self {
        Self {
            length: Duration::from_secs(5),
        }
    }

    /// The length.
    pub fn length(self) -> Duration {
        self.length
    }

    /// How often a holder renews.
    pub fn renewal(self) -> Duration {
        self.length / 4
    }

    /// How long after the sending of a renewal its holder stops.
    pub fn hold(self) -> Duration {
        self.length * 9 / 10
    }

    /// How long after the receipt of a sign of life its holder may be declared dead.
    pub fn silence(self) -> Duration {
        self.length * 11 / 10
    }

    /// What separates the claims of one survivor from those of the next.
    pub fn turn(self) -> Duration {
        self.length / 2
    }

    /// How long to wait before something that failed is tried again.
    pub fn pause(self) -> Duration {
        self.length / 16
    }
}

/// A node's own lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    me: Member,
    former: Option<(BootId, Option<Epoch>)>,
    profile: Bytes,
    confirmed: Option<Epoch>,
    phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Looking(Ticket),
    /// Until something is known about the run before this one.
    Waiting(Timestamp),
    Joining(Write),
    Held(Held),
    Leaving(Write),
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Held {
    revision: Revision,
    valid_until: Timestamp,
    renew_at: Timestamp,
    renewal: Option<Write>,
}

/// What has happened to the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseNews {
    None,
    Joined,
    Lost,
    Left,
}

impl Lease {
    /// Begins to join. `stopped` is the run before this one, if the caller knows by itself that
    /// nothing of it runs any more.
    pub(crate) fn join(
        desk: &mut Desk<'_>,
        stopped: Option<(BootId, Option<Epoch>)>,
        profile: Bytes,
    ) -> Self {
        let me = desk.me.clone();
        let ticket = desk.read(RecordKey::Lease(me.node.clone()));
        Self {
            me,
            former: stopped,
            profile,
            confirmed: None,
            phase: Phase::Looking(ticket),
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.phase, Phase::Held(_))
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Whether this boot may act at this moment.
    pub(crate) fn is_valid(&self, desk: &Desk<'_>) -> bool {
        match &self.phase {
            Phase::Held(held) => desk.now < held.valid_until || desk.has(Bug::NoSelfFence),
            _ => false,
        }
    }

    /// When this boot stops unless it renews before.
    pub(crate) fn valid_until(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Held(held) => Some(held.valid_until),
            _ => None,
        }
    }

    pub(crate) fn confirmed(&self) -> Option<Epoch> {
        self.confirmed
    }

    /// Lets the next renewal tell that claims up to this one have been started and stay up.
    pub(crate) fn confirm(&mut self, epoch: Option<Epoch>) {
        self.confirmed = self.confirmed.max(epoch);
    }

    /// Lets the next renewal tell this.
    pub(crate) fn set_profile(&mut self, profile: Bytes) {
        self.profile = profile;
    }

    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Looking(_) | Phase::Over => None,
            Phase::Waiting(until) => Some(*until),
            Phase::Joining(write) | Phase::Leaving(write) => write.next_wake(),
            Phase::Held(held) => {
                let next = match &held.renewal {
                    None => Some(held.renew_at),
                    Some(write) => write.next_wake(),
                };
                Some(next.map_or(held.valid_until, |at| at.min(held.valid_until)))
            }
        }
    }

    pub(crate) fn tick(&mut self, desk: &mut Desk<'_>) -> LeaseNews {
        if self.is_held() && !self.is_valid(desk) {
            self.phase = Phase::Over;
            return LeaseNews::Lost;
        }
        match &mut self.phase {
            Phase::Waiting(until) if desk.now >= *until => {
                self.phase = Phase::Looking(desk.read(RecordKey::Lease(self.me.node.clone())));
            }
            Phase::Joining(write) | Phase::Leaving(write) => write.tick(desk),
            Phase::Held(held) => match &mut held.renewal {
                Some(renewal) => renewal.tick(desk),
                None if desk.now >= held.renew_at => self.renew(desk),
                None => {}
            },
            Phase::Looking(_) | Phase::Waiting(_) | Phase::Over => {}
        }
        LeaseNews::None
    }

    fn renew(&mut self, desk: &mut Desk<'_>) {
        let (key, record) = (self.key(), self.record(Standing::Alive, desk));
        if let Phase::Held(held) = &mut self.phase {
            let write = Write::start(desk, key, Record::Lease(record), Some(held.revision));
            held.renewal = Some(write);
        }
    }

    /// Gives the lease back.
    pub(crate) fn leave(&mut self, desk: &mut Desk<'_>) {
        if let Phase::Held(held) = &self.phase {
            self.write_left(desk, held.revision);
        }
    }

    fn write_left(&mut self, desk: &mut Desk<'_>, over: Revision) {
        let record = Record::Lease(self.record(Standing::Left, desk));
        self.phase = Phase::Leaving(Write::start(desk, self.key(), record, Some(over)));
    }

    pub(crate) fn written(
        &mut self,
        desk: &mut Desk<'_>,
        ticket: Ticket,
        outcome: WriteOutcome,
        terms: LeaseTerms,
    ) -> LeaseNews {
        let Some(write) = self.write_mut() else {
            return LeaseNews::None;
        };
        let progress = write.written(desk, ticket, outcome);
        self.progressed(desk, progress, terms)
    }

    pub(crate) fn read(
        &mut self,
        desk: &mut Desk<'_>,
        ticket: Ticket,
        outcome: ReadOutcome,
        terms: LeaseTerms,
    ) -> LeaseNews {
        if self.phase == Phase::Looking(ticket) {
            return self.looked(desk, outcome, terms);
        }
        let Some(write) = self.write_mut() else {
            return LeaseNews::None;
        };
        let progress = write.read(desk, ticket, outcome, terms.pause());
        self.progressed(desk, progress, terms)
    }

    fn looked(
        &mut self,
        desk: &mut Desk<'_>,
        outcome: ReadOutcome,
        terms: LeaseTerms,
    ) -> LeaseNews {
        let expected = match outcome {
            ReadOutcome::Absent => None,
            ReadOutcome::Entry(Stored {
                record: Record::Lease(old),
                revision,
            }) => {
                if old.member.boot == self.me.boot && !desk.has(Bug::JoinedTwice) {
                    // A write of this boot's that was given up has come to stand after all, and others
                    // have seen it: they may have declared the boot dead, or be about to.
                    self.phase = Phase::Over;
                    return LeaseNews::Lost;
                }
                if !self.may_follow(&old) {
                    // The observer declares the old run dead like anybody's; then it is seen here.
                    return self.wait(desk, terms.renewal());
                }
                self.former = Some((old.member.boot, old.confirmed));
                Some(revision)
            }
            ReadOutcome::Entry(_) | ReadOutcome::Failed => return self.wait(desk, terms.renewal()),
        };
        let record = self.record(Standing::Alive, desk);
        let write = Write::start(desk, self.key(), Record::Lease(record), expected);
        self.phase = Phase::Joining(write);
        LeaseNews::None
    }

    fn wait(&mut self, desk: &Desk<'_>, time: Duration) -> LeaseNews {
        self.phase = Phase::Waiting(desk.now.saturating_add(time));
        LeaseNews::None
    }

    /// Whether the run that holds the record is known to be over.
    fn may_follow(&self, old: &LeaseRecord) -> bool {
        old.standing != Standing::Alive
            || self.former.is_some_and(|(boot, _)| boot == old.member.boot)
    }

    fn write_mut(&mut self) -> Option<&mut Write> {
        match &mut self.phase {
            Phase::Joining(write) | Phase::Leaving(write) => Some(write),
            Phase::Held(held) => held.renewal.as_mut(),
            Phase::Looking(_) | Phase::Waiting(_) | Phase::Over => None,
        }
    }

    fn progressed(
        &mut self,
        desk: &mut Desk<'_>,
        progress: Progress,
        terms: LeaseTerms,
    ) -> LeaseNews {
        match progress {
            Progress::Pending => LeaseNews::None,
            Progress::Committed(commit) => self.committed(desk, &commit, terms),
            Progress::Lost(found) => self.lost(desk, found, terms),
        }
    }

    fn committed(&mut self, desk: &Desk<'_>, commit: &Commit, terms: LeaseTerms) -> LeaseNews {
        let counted_from = if desk.has(Bug::LeaseFromReceipt) {
            desk.now
        } else {
            commit.sent_at
        };
        let held = Held {
            revision: commit.revision,
            valid_until: counted_from.saturating_add(terms.hold()),
            renew_at: commit.sent_at.saturating_add(terms.renewal()),
            renewal: None,
        };
        match &self.phase {
            Phase::Joining(_) if desk.now >= held.valid_until => {
                // The answer took longer than the lease lasts: nothing ran under it yet.
                self.phase = Phase::Over;
                LeaseNews::Lost
            }
            Phase::Joining(_) => {
                self.phase = Phase::Held(held);
                LeaseNews::Joined
            }
            Phase::Leaving(_) => {
                self.phase = Phase::Over;
                LeaseNews::Left
            }
            _ => {
                self.phase = Phase::Held(held);
                LeaseNews::None
            }
        }
    }

    fn lost(&mut self, desk: &mut Desk<'_>, found: Option<Stored>, terms: LeaseTerms) -> LeaseNews {
        if matches!(self.phase, Phase::Joining(_)) {
            self.phase = Phase::Waiting(desk.now.saturating_add(terms.pause()));
            return LeaseNews::None;
        }
        if let (Phase::Leaving(_), Some(found)) = (&self.phase, &found)
            && let Record::Lease(record) = &found.record
            && record.member == self.me
            && record.standing == Standing::Alive
        {
            // A renewal that was still under way came first.
            self.write_left(desk, found.revision);
            return LeaseNews::None;
        }
        self.phase = Phase::Over;
        LeaseNews::Lost
    }

    fn record(&self, standing: Standing, desk: &Desk<'_>) -> LeaseRecord {
        LeaseRecord {
            member: self.me.clone(),
            standing,
            confirmed: self.confirmed,
            former: self.former,
            profile: self.profile.clone(),
            stamp: desk.unstamped(),
        }
    }

    fn key(&self) -> RecordKey {
        RecordKey::Lease(self.me.node.clone())
    }
}
