//! A store with compare-and-set, whose answers may be lost, whose writes may come late, and whose reads
//! may show what stood before.

use std::{collections::BTreeMap, sync::Arc};

use supervision_cluster::{
    engine::Revision,
    protocol::{Record, RecordKey, Stored, WriteOutcome},
};

/// What stands, what stood, and how far the revisions have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    entries: BTreeMap<RecordKey, Versions>,
    last: u64,
    keeps: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Versions {
    now: Arc<Stored>,
    /// The latest first; `None`: nothing stood there yet.
    before: Vec<Option<Arc<Stored>>>,
}

/// A write on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Put {
    pub(crate) key: RecordKey,
    pub(crate) record: Record,
    pub(crate) expected: Option<Revision>,
}

impl Store {
    pub(crate) fn new(keeps: u8) -> Self {
        Self {
            keeps,
            ..Self::default()
        }
    }

    pub(crate) fn get(&self, key: &RecordKey) -> Option<&Stored> {
        self.entries.get(key).map(|versions| &*versions.now)
    }

    /// What a reader sees who is this many versions behind, or as many as are kept.
    pub(crate) fn get_old(&self, key: &RecordKey, back: u8) -> Option<&Stored> {
        let versions = self.entries.get(key)?;
        let back = usize::from(back).min(versions.before.len());
        match back.checked_sub(1) {
            None => Some(&versions.now),
            Some(i) => versions.before[i].as_deref(),
        }
    }

    pub(crate) fn would_take(&self, put: &Put) -> bool {
        self.get(&put.key).map(|stored| stored.revision) == put.expected
    }

    pub(crate) fn put(&mut self, put: Put) -> WriteOutcome {
        if !self.would_take(&put) {
            return WriteOutcome::Conflict;
        }
        self.last += 1;
        let revision = Revision::new(self.last);
        let now = Arc::new(Stored {
            record: put.record,
            revision,
        });
        match self.entries.get_mut(&put.key) {
            None => {
                let before = vec![None; usize::from(self.keeps.min(1))];
                self.entries.insert(put.key, Versions { now, before });
            }
            Some(versions) => {
                let old = std::mem::replace(&mut versions.now, now);
                if self.keeps > 0 {
                    versions.before.insert(0, Some(old));
                    versions.before.truncate(self.keeps.into());
                }
            }
        }
        WriteOutcome::Committed(revision)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RecordKey, &Stored)> {
        self.entries.iter().map(|(key, all)| (key, &*all.now))
    }
}
