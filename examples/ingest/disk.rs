//! The output file as the only memory of what is stored.
//!
//! A writer that failed may have left half a line behind, or whole lines that nobody was told of.
//! So a new writer believes the file: it cuts off a torn end, and learns which ids are there and
//! from which line each came. What the writer before it had confirmed need not be read again.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    faults::{Faults, WriteFault, bad_moment},
    record::Record,
};

/// The output file cannot be taken over; it was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    /// The disk had a bad moment, which may pass. Rules for `std::io::Error` find the source.
    #[error("the output cannot be opened")]
    Disk(#[from] io::Error),
    /// A whole line is not what a writer writes. That does not pass.
    #[error("the output holds a line that no writer wrote")]
    Foreign(#[from] serde_json::Error),
    /// Two lines hold the same id. That does not pass either.
    #[error("the output holds id {0} twice")]
    Twice(u64),
}

/// What is known to be in the file up to a place. By default nothing, up to the beginning.
#[derive(Default)]
pub(crate) struct Known {
    /// The line that each stored id came from.
    index: HashMap<u64, u64>,
    bytes: u64,
}

/// The open output file.
pub(crate) struct Disk {
    file: File,
    known: Known,
    faults: Faults,
    /// Writes tried in this run, by all incarnations of the writer.
    attempts: Arc<AtomicU64>,
}

impl Disk {
    /// Opens the file, learns what is in it behind what is `known`, and cuts off a torn end.
    pub(crate) fn recover(
        path: &Path,
        mut known: Known,
        faults: Faults,
        attempts: Arc<AtomicU64>,
    ) -> Result<Self, RecoverError> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        file.seek(SeekFrom::Start(known.bytes))?;
        let mut rest = Vec::new();
        file.read_to_end(&mut rest)?;
        rest.truncate(
            rest.iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |at| at + 1),
        );
        known.add(&rest)?;
        file.set_len(known.bytes)?;
        file.seek(SeekFrom::Start(known.bytes))?;
        Ok(Self {
            file,
            known,
            faults,
            attempts,
        })
    }

    /// What was confirmed.
    pub(crate) fn into_known(self) -> Known {
        self.known
    }

    /// Writes those records of a batch that are not there yet, and returns the lines whose id came
    /// from another line before.
    pub(crate) fn store(&mut self, batch: &[Record]) -> io::Result<Vec<u64>> {
        let mut duplicates = Vec::new();
        let mut fresh = HashMap::new();
        let mut text = Vec::new();
        for record in batch {
            match self
                .known
                .index
                .get(&record.id)
                .or_else(|| fresh.get(&record.id))
            {
                // Written by an incarnation that crashed before it could say so.
                Some(line) if *line == record.line => {}
                Some(_) => duplicates.push(record.line),
                None => {
                    fresh.insert(record.id, record.line);
                    serde_json::to_writer(&mut text, record)?;
                    text.push(b'\n');
                }
            }
        }
        self.append(&text)?;
        self.known.index.extend(fresh);
        self.known.bytes += text.len() as u64;
        Ok(duplicates)
    }

    /// Appends, or fails as the faults want it. After an error nobody knows what was written.
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        match self.faults.break_write(attempt) {
            None => self.file.write_all(text),
            Some(WriteFault::Refused) => Err(bad_moment("nothing written")),
            Some(WriteFault::Torn) => {
                self.file.write_all(&text[..text.len() / 2])?;
                Err(bad_moment("written by half"))
            }
            Some(WriteFault::Unconfirmed) => {
                self.file.write_all(text)?;
                Err(bad_moment("written, not confirmed"))
            }
        }
    }
}

impl Known {
    /// Takes in whole lines that follow.
    fn add(&mut self, text: &[u8]) -> Result<(), RecoverError> {
        #[derive(serde::Deserialize)]
        struct Key {
            id: u64,
            line: u64,
        }
        for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let Key { id, line } = serde_json::from_slice(line)?;
            if self.index.insert(id, line).is_some() {
                return Err(RecoverError::Twice(id));
            }
        }
        self.bytes += text.len() as u64;
        Ok(())
    }
}
