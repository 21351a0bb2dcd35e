//! What entries were before, for reads that show the past. Kept only while there are such reads.

use std::collections::{BTreeMap, VecDeque};

use supervision_core::Timestamp;

use crate::engine::{Entry, Key};

/// Older states of one key that are kept at most.
const MOST: usize = 16;

/// A state of a key that is over.
struct Former {
    until: Timestamp,
    entry: Option<Entry>,
}

/// Former states by key, oldest first.
#[derive(Default)]
pub(super) struct Past(BTreeMap<Key, VecDeque<Former>>);

impl Past {
    /// Notes what `key` was `until` now.
    pub(super) fn remember(&mut self, key: &Key, entry: Option<Entry>, until: Timestamp) {
        let formers = self.0.entry(key.clone()).or_default();
        formers.push_back(Former { until, entry });
        if formers.len() > MOST {
            formers.pop_front();
        }
    }

    /// What `key` was at `at`; `None` if that is what it still is, or too long ago.
    pub(super) fn at(&self, key: &Key, at: Timestamp) -> Option<&Option<Entry>> {
        let formers = self.0.get(key)?;
        let former = formers.iter().find(|former| former.until > at)?;
        Some(&former.entry)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
