//! What a node knows of the others' leases, and when it may declare one dead.
//!
//! A boot is gone when its record says so, or when a record of its node that is later than anything
//! the boot was given is another boot's: both stay true for ever. Silence is not death. It allows a write that says "dead" over the very version that was
//! silent; if that write is made, no later renewal can be.

use std::{collections::BTreeMap, time::Duration};

use supervision_core::{NodeId, Timestamp};

use super::{
    bug::Bug,
    desk::{Desk, ReadOutcome, Ticket, WriteOutcome},
    lease::LeaseTerms,
    record::{BootId, Epoch, LeaseRecord, Member, Record, RecordKey, Standing, Stored},
    write::{Progress, Write},
};
use crate::engine::Revision;

/// What a node knows of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Observer {
    nodes: BTreeMap<NodeId, Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Seen {
    record: LeaseRecord,
    revision: Revision,
    /// When that revision was seen first.
    seen_at: Timestamp,
    verdict: Option<Write>,
}

impl Observer {
    /// Takes note of a lease. Returns the member that is now known to be lost, if that is news.
    pub(crate) fn see(&mut self, desk: &Desk<'_>, stored: Stored) -> Option<Member> {
        let Record::Lease(record) = stored.record else {
            return None;
        };
        let node = record.member.node.clone();
        let old = self.nodes.get(&node);
        if old.is_some_and(|old| old.revision >= stored.revision) {
            return None;
        }
        let lost = old
            .filter(|old| old.record.standing == Standing::Alive)
            .filter(|old| {
                old.record.member.boot != record.member.boot || record.standing != Standing::Alive
            })
            .map(|old| old.record.member.clone())
            .or_else(|| {
                (old.is_none() && record.standing == Standing::Dead).then(|| record.member.clone())
            });
        let seen_at = match old {
            Some(old) if desk.has(Bug::ObservedFromSend) => old.seen_at,
            _ => desk.now,
        };
        self.nodes.insert(
            node,
            Seen {
                record,
                revision: stored.revision,
                seen_at,
                verdict: None,
            },
        );
        lost
    }

    /// Whether a member, to which something was given at revision `as_of`, is known to run nothing
    /// any more, for ever.
    ///
    /// It had joined by then. So another boot in a *later* version of the lease has followed it,
    /// while one in an earlier version may have come before it.
    pub(crate) fn is_gone(&self, desk: &Desk<'_>, member: &Member, as_of: Revision) -> bool {
        let Some(seen) = self.nodes.get(&member.node) else {
            return false;
        };
        if seen.record.member.boot != member.boot {
            return seen.revision > as_of || desk.has(Bug::EarlierBootIsGone);
        }
        seen.record.standing != Standing::Alive
            || (desk.has(Bug::TakeOverOnHint) && seen.verdict.is_some())
    }

    /// Whether a boot is known to run nothing any more.
    pub(crate) fn is_boot_gone(&self, boot: BootId) -> bool {
        let former = |seen: &Seen| seen.record.former.is_some_and(|(b, _)| b == boot);
        let ended = |seen: &Seen| {
            seen.record.member.boot == boot && seen.record.standing != Standing::Alive
        };
        self.nodes.values().any(|seen| former(seen) || ended(seen))
    }

    /// Whether a lost member had told that what it claimed under this epoch stayed up.
    pub(crate) fn had_confirmed(&self, member: &Member, epoch: Epoch) -> bool {
        let Some(seen) = self.nodes.get(&member.node) else {
            return false;
        };
        let confirmed = if seen.record.member.boot == member.boot {
            seen.record.confirmed
        } else {
            let of_former = |&(boot, _): &(BootId, _)| boot == member.boot;
            seen.record.former.filter(of_former).and_then(|(_, c)| c)
        };
        confirmed.is_some_and(|up_to| epoch <= up_to)
    }

    /// Whether a member has been seen to have joined, and not to have gone.
    pub(crate) fn is_member(&self, member: &Member) -> bool {
        self.nodes.get(&member.node).is_some_and(|seen| {
            seen.record.member == *member && seen.record.standing == Standing::Alive
        })
    }

    /// The members that are not known to be gone, with what they tell of themselves.
    pub(crate) fn alive(&self) -> impl Iterator<Item = &LeaseRecord> {
        let alive = |seen: &&Seen| seen.record.standing == Standing::Alive;
        self.nodes.values().filter(alive).map(|seen| &seen.record)
    }

    pub(crate) fn next_wake(&self, me: &Member, silence: Duration) -> Option<Timestamp> {
        let wake = |seen: &Seen| match &seen.verdict {
            Some(write) => write.next_wake(),
            None => seen.due(me).then(|| seen.seen_at.saturating_add(silence)),
        };
        self.nodes.values().filter_map(wake).min()
    }

    pub(crate) fn tick(&mut self, desk: &mut Desk<'_>, terms: LeaseTerms) {
        let silence = if desk.has(Bug::MarginTooSmall) {
            terms.hold() * 7 / 9
        } else {
            terms.silence()
        };
        for seen in self.nodes.values_mut() {
            if let Some(verdict) = &mut seen.verdict {
                verdict.tick(desk);
            } else if seen.due(desk.me) && desk.now >= seen.seen_at.saturating_add(silence) {
                seen.declare_dead(desk);
            }
        }
    }

    pub(crate) fn written(
        &mut self,
        desk: &mut Desk<'_>,
        ticket: Ticket,
        outcome: WriteOutcome,
    ) -> Option<Stored> {
        let progress = self
            .nodes
            .values_mut()
            .filter_map(|seen| seen.verdict.as_mut())
            .map(|write| write.written(desk, ticket, outcome))
            .find(|progress| *progress != Progress::Pending);
        Self::news(progress)
    }

    pub(crate) fn read(
        &mut self,
        desk: &mut Desk<'_>,
        ticket: Ticket,
        outcome: &ReadOutcome,
        terms: LeaseTerms,
    ) -> Option<Stored> {
        let progress = self
            .nodes
            .values_mut()
            .filter_map(|seen| seen.verdict.as_mut())
            .map(|write| write.read(desk, ticket, outcome.clone(), terms.pause()))
            .find(|progress| *progress != Progress::Pending);
        Self::news(progress)
    }

    /// What now stands in the store, whoever wrote it.
    fn news(progress: Option<Progress>) -> Option<Stored> {
        match progress? {
            Progress::Pending => None,
            Progress::Committed(commit) => Some(Stored {
                record: commit.record,
                revision: commit.revision,
            }),
            Progress::Lost(found) => found,
        }
    }
}

impl Seen {
    /// Whether its silence is to be judged. A node does so for its own earlier runs too.
    fn due(&self, me: &Member) -> bool {
        self.record.standing == Standing::Alive && self.record.member != *me
    }

    fn declare_dead(&mut self, desk: &mut Desk<'_>) {
        let record = LeaseRecord {
            standing: Standing::Dead,
            ..self.record.clone()
        };
        let key = RecordKey::Lease(record.member.node.clone());
        let write = Write::start(desk, key, Record::Lease(record), Some(self.revision));
        self.verdict = Some(write);
    }
}
