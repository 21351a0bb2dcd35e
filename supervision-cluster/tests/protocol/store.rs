//! A store with compare-and-set, whose answers may be lost and whose writes may come late.

use std::collections::BTreeMap;

use supervision_cluster::{
    engine::Revision,
    protocol::{Record, RecordKey, Stored, WriteOutcome},
};

/// What stands, and how far the revisions have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    entries: BTreeMap<RecordKey, Stored>,
    last: u64,
}

/// A write on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Put {
    pub(crate) key: RecordKey,
    pub(crate) record: Record,
    pub(crate) expected: Option<Revision>,
}

impl Store {
    pub(crate) fn get(&self, key: &RecordKey) -> Option<&Stored> {
        self.entries.get(key)
    }

    pub(crate) fn put(&mut self, put: Put) -> WriteOutcome {
        if self.get(&put.key).map(|stored| stored.revision) != put.expected {
            return WriteOutcome::Conflict;
        }
        self.last += 1;
        let revision = Revision::new(self.last);
        let stored = Stored {
            record: put.record,
            revision,
        };
        self.entries.insert(put.key, stored);
        WriteOutcome::Committed(revision)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RecordKey, &Stored)> {
        self.entries.iter()
    }
}
