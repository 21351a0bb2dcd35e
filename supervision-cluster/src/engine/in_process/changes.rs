//! Reading and changing entries inside of the store.

use std::time::Duration;

use bytes::Bytes;
use supervision_core::Timestamp;

use super::{
    Chance, Step,
    agenda::Event,
    store::Body,
    trace::digest,
    world::{NodeId, World},
};
use crate::engine::{Entry, Expected, Key, Prefix, Revision, Ttl};

/// Entries of a scan that are read under one lock.
pub(super) const PAGE: usize = 1_024;

/// What a write or a deletion came to: its revision, or the key's last change.
pub(super) type Outcome = Result<Revision, Option<Revision>>;

impl World {
    pub(super) fn read(&mut self, node: NodeId, key: &Key) -> Option<Entry> {
        self.trace(Some(node), Step::Get, key.as_str(), || 0);
        let present = self.store.entry(key);
        let store = &self.options.faults.store;
        if !store.stale_get.hits(&mut self.rng) {
            return present;
        }
        let back = super::Span::between(Duration::ZERO, store.stale_by).draw(&mut self.rng);
        let at = self.now.saturating_sub(back);
        match self.past.at(key, at).cloned() {
            Some(past) if past != present => {
                self.stats(node).stale_gets += 1;
                self.trace(Some(node), Step::ShowPast, key.as_str(), || number(&past));
                past
            }
            _ => present,
        }
    }

    /// The beginning of a scan, and the change it is complete to.
    pub(super) fn first_page(&mut self, node: NodeId, prefix: &Prefix) -> (Revision, Vec<Entry>) {
        let last = self.store.last();
        self.trace(Some(node), Step::Scan, &prefix.to_string(), || {
            last.as_u64()
        });
        (last, self.store.page(prefix, None, PAGE))
    }

    pub(super) fn write(
        &mut self,
        node: NodeId,
        key: &Key,
        value: Bytes,
        expected: Expected,
        ttl: Option<Ttl>,
    ) -> Outcome {
        self.trace(Some(node), Step::Write, key.as_str(), || digest(&value));
        let outcome = self.change(key, expected, Body::Live(value), ttl);
        self.decided(node, key, outcome)
    }

    pub(super) fn delete(&mut self, node: NodeId, key: &Key, expected: Revision) -> Outcome {
        self.trace(Some(node), Step::Delete, key.as_str(), || 0);
        let outcome = self.change(key, Expected::Revision(expected), Body::Deleted, None);
        self.decided(node, key, outcome)
    }

    fn decided(&mut self, node: NodeId, key: &Key, outcome: Outcome) -> Outcome {
        let (step, number) = match outcome {
            Ok(revision) => (Step::Commit, revision),
            Err(actual) => (Step::Conflict, actual.unwrap_or_default()),
        };
        let stats = self.stats(node);
        match outcome {
            Ok(_) => stats.committed += 1,
            Err(_) => stats.conflicts += 1,
        }
        self.trace(Some(node), step, key.as_str(), || number.as_u64());
        outcome
    }

    /// An entry's time is over, unless somebody has written it again.
    pub(super) fn expire(&mut self, key: &Key, revision: Revision) {
        let expected = Expected::Revision(revision);
        if let Ok(revision) = self.change(key, expected, Body::Expired, None) {
            self.store_stats.expired += 1;
            self.trace(None, Step::Expire, key.as_str(), || revision.as_u64());
        }
    }

    pub(super) fn forget(&mut self, key: &Key, marker: Revision) {
        if self.store.forget(key, marker) {
            self.trace(None, Step::ForgetMarker, key.as_str(), || marker.as_u64());
        }
    }

    fn change(&mut self, key: &Key, expected: Expected, body: Body, ttl: Option<Ttl>) -> Outcome {
        let remembers = self.faults().store.stale_get != Chance::NEVER;
        let before = remembers.then(|| self.store.entry(key));
        let changed = self.store.change(key, expected, body.clone())?;
        if let Some(before) = before {
            self.past.remember(key, before, self.now);
        }
        if let Some(obsolete) = changed.obsolete {
            self.agenda.cancel(obsolete);
        }
        let revision = changed.revision;
        let ends = match body {
            Body::Live(_) => ttl.map(|ttl| {
                let event = Event::Expire(key.clone(), revision);
                (self.end_of_life(ttl), event)
            }),
            Body::Deleted | Body::Expired => {
                let end = self.now.saturating_add(self.options.marker_lifetime);
                Some((end, Event::Forget(key.clone(), revision)))
            }
        };
        if let Some((at, event)) = ends {
            let appointment = self.agenda.note(at, event);
            self.store.appoint(key, appointment);
        }
        self.tell_watches(key, &body, revision);
        Ok(revision)
    }

    /// When an entry expires that is written now: on time, or too early or too late as the faults have it.
    fn end_of_life(&mut self, ttl: Ttl) -> Timestamp {
        let end = self.now.saturating_add(ttl.as_duration());
        let (early, late) = {
            let store = &self.faults().store;
            (store.early_expiry, store.late_expiry)
        };
        if early.is_zero() && late.is_zero() {
            return end;
        }
        let span = |to| super::Span::between(Duration::ZERO, to);
        if self.rng.bool() {
            let by = span(late).draw(&mut self.rng);
            self.store_stats.late_expiries += u64::from(!by.is_zero());
            end.saturating_add(by)
        } else {
            let by = span(early).draw(&mut self.rng);
            self.store_stats.early_expiries += u64::from(!by.is_zero());
            end.saturating_sub(by).max(self.now)
        }
    }
}

fn number(entry: &Option<Entry>) -> u64 {
    entry.as_ref().map_or(0, |entry| entry.revision.as_u64())
}
