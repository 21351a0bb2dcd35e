//! What the poison did: for each line that crashed a parser once too often, the last panic.
//!
//! The reader, who gives up on such a line, is told only that the answer is lost. The parser's hook
//! is the place that sees both, the line and the panic.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Lines remembered. The rest are only counted: a bad file must not fill the memory.
const LINES: usize = 100;

/// Shared by all parsers.
#[derive(Clone, Default)]
pub(crate) struct Casebook(Arc<Mutex<BTreeMap<u64, String>>>);

impl Casebook {
    /// Notes a crash.
    pub(crate) fn note(&self, line: u64, panic: String) {
        let mut cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cases.len() < LINES || cases.contains_key(&line) {
            cases.insert(line, panic);
        }
    }

    /// All that was noted.
    pub(crate) fn cases(&self) -> BTreeMap<u64, String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
