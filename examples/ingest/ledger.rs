//! The accounts: every line that was read is in exactly one place.
//!
//! A line is *parsing*, then *parsed* (waiting for its batch to fill), then *storing*, and at last
//! *stored* or *refused*. The sum over the five places is the number of lines read, always. The
//! ledger knows no actors: the reader asks it what to do next and tells it what came of it. When
//! the reader fails, the ledger is handed to the next incarnation as it is.

use std::{collections::BTreeMap, sync::Arc};

use crate::record::{Record, Refusal};

/// Records that are stored at once.
pub(crate) const BATCH: usize = 128;
/// Lines that may be parsing at a time.
const MAX_PARSING: usize = 64;
/// Batches that may be storing at a time.
const MAX_STORING: usize = 2;

/// A line on its way through a parser.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) text: Arc<[u8]>,
    /// Tries before this one that ended in a crash.
    pub(crate) tries: u32,
}

/// Where every line is.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    read: u64,
    all_read: bool,
    parsing: BTreeMap<u64, Attempt>,
    parsed: Vec<Record>,
    storing: BTreeMap<u64, Arc<[Record]>>,
    batches: u64,
    totals: Totals,
}

/// What became of the lines that are done with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) stored: u64,
    /// The sum of the money in what was stored.
    pub(crate) cents: u64,
    pub(crate) refused: BTreeMap<Refusal, u64>,
}

impl Totals {
    pub(crate) fn refused(&self) -> u64 {
        self.refused.values().sum()
    }
}

impl Ledger {
    /// Lines read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether there is room for one more line. This is the back pressure: a slow writer fills its
    /// two batches, and then nothing is read.
    pub(crate) fn wants_line(&self) -> bool {
        !self.all_read && self.parsing.len() < MAX_PARSING && self.storing.len() < MAX_STORING
    }

    /// Takes in a line and returns its number.
    pub(crate) fn admit(&mut self, text: Vec<u8>) -> u64 {
        self.read += 1;
        let text = text.into();
        self.parsing.insert(self.read, Attempt { text, tries: 0 });
        self.read
    }

    /// Notes that the input is at its end.
    pub(crate) fn end_input(&mut self) {
        self.all_read = true;
    }

    /// A line that is parsing.
    pub(crate) fn attempt(&self, line: u64) -> Option<&Attempt> {
        self.parsing.get(&line)
    }

    /// The lines that are parsing.
    pub(crate) fn lines_parsing(&self) -> Vec<u64> {
        self.parsing.keys().copied().collect()
    }

    /// Counts a crash against a line and returns how many there were.
    pub(crate) fn count_crash(&mut self, line: u64) -> u32 {
        match self.parsing.get_mut(&line) {
            Some(attempt) => {
                attempt.tries += 1;
                attempt.tries
            }
            None => 0,
        }
    }

    /// A line turned out to be a record.
    pub(crate) fn accept(&mut self, record: Record) {
        if self.parsing.remove(&record.line).is_some() {
            self.parsed.push(record);
        }
        self.check();
    }

    /// A line turned out to be none.
    pub(crate) fn refuse(&mut self, line: u64, reason: Refusal) {
        if self.parsing.remove(&line).is_some() {
            *self.totals.refused.entry(reason).or_default() += 1;
        }
        self.check();
    }

    /// The number of a batch that is to be stored now: a full one, or at the end what is left.
    pub(crate) fn cut_batch(&mut self) -> Option<u64> {
        let last = self.all_read && self.parsing.is_empty() && !self.parsed.is_empty();
        if self.parsed.len() < BATCH && !last {
            return None;
        }
        self.batches += 1;
        let rest = self.parsed.split_off(self.parsed.len().min(BATCH));
        let batch = std::mem::replace(&mut self.parsed, rest);
        self.storing.insert(self.batches, batch.into());
        Some(self.batches)
    }

    /// A batch that is storing.
    pub(crate) fn batch(&self, number: u64) -> Option<Arc<[Record]>> {
        self.storing.get(&number).cloned()
    }

    /// The batches that are storing.
    pub(crate) fn batches_storing(&self) -> Vec<u64> {
        self.storing.keys().copied().collect()
    }

    /// A batch is on disk, but for the lines whose id was there before.
    pub(crate) fn confirm(&mut self, number: u64, duplicates: &[u64]) {
        let Some(batch) = self.storing.remove(&number) else {
            return;
        };
        for record in batch.iter() {
            if duplicates.contains(&record.line) {
                *self.totals.refused.entry(Refusal::DuplicateId).or_default() += 1;
            } else {
                self.totals.stored += 1;
                self.totals.cents += record.cents;
            }
        }
        self.check();
    }

    /// Whether every line of the input is done with.
    pub(crate) fn is_settled(&self) -> bool {
        self.all_read && self.open() == 0
    }

    /// Lines that are not done with.
    pub(crate) fn open(&self) -> u64 {
        let storing: usize = self.storing.values().map(|batch| batch.len()).sum();
        (self.parsing.len() + self.parsed.len() + storing) as u64
    }

    /// The one rule of the accounts.
    pub(crate) fn balances(&self) -> bool {
        self.read == self.open() + self.totals.stored + self.totals.refused()
    }

    fn check(&self) {
        debug_assert!(
            self.balances(),
            "a line was lost or counted twice: {self:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: u64) -> Record {
        Record {
            line,
            id: line,
            shop: "Lyon".to_owned(),
            shelf: "LMP".to_owned(),
            qty: 1,
            cents: 10,
            cents_each: 10,
            label: None,
        }
    }

    #[test]
    fn an_answer_that_comes_twice_counts_once() {
        let mut ledger = Ledger::default();
        let line = ledger.admit(b"x".to_vec());
        ledger.accept(record(line));
        ledger.accept(record(line));
        ledger.refuse(line, Refusal::Poison);
        ledger.end_input();
        let batch = ledger.cut_batch().expect("the rest is a batch");
        ledger.confirm(batch, &[]);
        ledger.confirm(batch, &[]);
        assert_eq!((ledger.totals().stored, ledger.totals().cents), (1, 10));
        assert!(ledger.is_settled() && ledger.balances());
    }

    #[test]
    fn a_slow_writer_stops_the_reading() {
        let mut ledger = Ledger::default();
        let mut lines = 0;
        while ledger.wants_line() {
            let line = ledger.admit(Vec::new());
            ledger.accept(record(line));
            ledger.cut_batch();
            lines += 1;
        }
        assert_eq!(lines, MAX_STORING * BATCH);
        ledger.confirm(1, &[3, 5]);
        assert!(ledger.wants_line() && ledger.balances());
        assert_eq!(ledger.totals().refused(), 2);
    }
}
