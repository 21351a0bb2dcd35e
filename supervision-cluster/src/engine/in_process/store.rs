//! The entries: compare and swap, in order of keys and in order of changes. Knows no time and no nodes.

use std::{
    collections::BTreeMap,
    ops::Bound::{self, Excluded, Included, Unbounded},
};

use bytes::Bytes;

use super::agenda::Appointment;
use crate::engine::{Entry, Expected, Key, Prefix, Revision, WatchEvent};

/// What a key's last change left.
#[derive(Clone)]
pub(super) enum Body {
    Live(Bytes),
    Deleted,
    Expired,
}

/// A key with its last change.
struct Slot {
    body: Body,
    revision: Revision,
    /// When the entry expires or the marker is forgotten.
    appointment: Option<Appointment>,
}

/// All keys, and the last change of each by revision.
#[derive(Default)]
pub(super) struct Store {
    slots: BTreeMap<Key, Slot>,
    changes: BTreeMap<Revision, Key>,
    last: Revision,
    /// The last deletion or expiry that was forgotten.
    forgotten: Revision,
}

/// A change that was made.
pub(super) struct Changed {
    pub(super) revision: Revision,
    /// What was to happen to what was there before.
    pub(super) obsolete: Option<Appointment>,
}

impl Store {
    pub(super) fn last(&self) -> Revision {
        self.last
    }

    pub(super) fn forgotten(&self) -> Revision {
        self.forgotten
    }

    pub(super) fn entry(&self, key: &Key) -> Option<Entry> {
        self.slots.get(key).and_then(|slot| slot.entry(key))
    }

    /// Makes a change if the key is as expected; otherwise says what its last change is.
    pub(super) fn change(
        &mut self,
        key: &Key,
        expected: Expected,
        body: Body,
    ) -> Result<Changed, Option<Revision>> {
        let slot = self.slots.get(key);
        let fits = match expected {
            Expected::Absent => !slot.is_some_and(|slot| matches!(slot.body, Body::Live(_))),
            Expected::Revision(revision) => slot.is_some_and(|slot| slot.revision == revision),
        };
        if !fits {
            return Err(slot.map(|slot| slot.revision));
        }
        self.last = self.last.next();
        let revision = self.last;
        let slot = Slot {
            body,
            revision,
            appointment: None,
        };
        let before = self.slots.insert(key.clone(), slot);
        if let Some(before) = &before {
            self.changes.remove(&before.revision);
        }
        self.changes.insert(revision, key.clone());
        let obsolete = before.and_then(|before| before.appointment);
        Ok(Changed { revision, obsolete })
    }

    /// Notes when the key's present state is to end.
    pub(super) fn appoint(&mut self, key: &Key, appointment: Appointment) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.appointment = Some(appointment);
        }
    }

    /// Removes the marker that a deletion or an expiry left.
    pub(super) fn forget(&mut self, key: &Key, marker: Revision) -> bool {
        let there = self
            .slots
            .get(key)
            .is_some_and(|slot| slot.revision == marker && !matches!(slot.body, Body::Live(_)));
        if there {
            self.slots.remove(key);
            self.changes.remove(&marker);
            self.forgotten = self.forgotten.max(marker);
        }
        there
    }

    /// All that is to happen to it.
    pub(super) fn into_appointments(self) -> impl Iterator<Item = Appointment> {
        self.slots.into_values().filter_map(|slot| slot.appointment)
    }

    /// The next `most` live entries below a prefix, in the order of their keys.
    pub(super) fn page(&self, prefix: &Prefix, after: Option<&Key>, most: usize) -> Vec<Entry> {
        // '/' is the character after '.', so these are exactly the keys that begin with `above.`.
        let above = prefix.above();
        let (first, end) = match above {
            Some(above) => (format!("{above}."), format!("{above}/")),
            None => (String::new(), String::new()),
        };
        let from: Bound<&str> = after.map_or(Included(&*first), |key| Excluded(key.as_str()));
        let to = above.map_or(Unbounded, |_| Excluded(&*end));
        let slots = self.slots.range::<str, _>((from, to));
        let entries = slots.filter_map(|(key, slot)| slot.entry(key));
        entries.take(most).collect()
    }

    /// Looks at the next `most` changes from `next` to `end` and takes those below a prefix.
    ///
    /// Returns where to go on, `None` at the end.
    pub(super) fn walk(
        &self,
        prefix: &Prefix,
        next: Revision,
        end: Revision,
        most: usize,
    ) -> (Vec<WatchEvent>, Option<Revision>) {
        if next > end {
            return (Vec::new(), None);
        }
        let mut found = Vec::new();
        for (seen, (revision, key)) in self.changes.range(next..=end).enumerate() {
            if seen == most {
                return (found, Some(*revision));
            }
            if prefix.contains(key)
                && let Some(slot) = self.slots.get(key)
            {
                found.push(slot.event(key));
            }
        }
        (found, None)
    }
}

impl Slot {
    fn entry(&self, key: &Key) -> Option<Entry> {
        let Body::Live(value) = &self.body else {
            return None;
        };
        Some(Entry {
            key: key.clone(),
            value: value.clone(),
            revision: self.revision,
        })
    }

    fn event(&self, key: &Key) -> WatchEvent {
        self.body.event(key, self.revision)
    }
}

impl Body {
    /// The change that leaves this.
    pub(super) fn event(&self, key: &Key, revision: Revision) -> WatchEvent {
        let key = key.clone();
        match self {
            Self::Live(value) => WatchEvent::Put(Entry {
                key,
                value: value.clone(),
                revision,
            }),
            Self::Deleted => WatchEvent::Deleted { key, revision },
            Self::Expired => WatchEvent::Expired { key, revision },
        }
    }
}
