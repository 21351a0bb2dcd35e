//! Checks the pipeline's word against the two files, without asking any actor.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use crate::{reader::Finished, record::Record};

/// What the files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Lines in the input.
    pub(crate) lines_in: u64,
    /// Records in the output.
    pub(crate) stored: u64,
    /// The money in them.
    pub(crate) cents: u64,
    /// Records whose id or whose line is in the output before.
    pub(crate) repeated: u64,
}

impl Audit {
    /// Reads both files.
    pub(crate) fn of(input: &Path, output: &Path) -> io::Result<Self> {
        let mut audit = Self {
            lines_in: count_lines(input)?,
            stored: 0,
            cents: 0,
            repeated: 0,
        };
        let (mut lines, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for text in BufReader::new(File::open(output)?).lines() {
            let record: Record = serde_json::from_str(&text?)?;
            audit.stored += 1;
            audit.cents += record.cents;
            let new = lines.insert(record.line) & ids.insert(record.id);
            audit.repeated += u64::from(!new);
        }
        Ok(audit)
    }

    /// Everything that does not agree; nothing, if all is well.
    pub(crate) fn complaints(&self, told: &Finished) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut agree = |what: &str, files: u64, pipeline: u64| {
            if files != pipeline {
                complaints.push(format!("{what}: {files} by the files, {pipeline} as told"));
            }
        };
        agree("lines in", self.lines_in, told.read);
        agree("lines stored", self.stored, told.totals.stored);
        agree("cents stored", self.cents, told.totals.cents);
        agree("records stored twice", self.repeated, 0);
        agree("lines left open", 0, told.open);
        let sum = told.totals.stored + told.totals.refused();
        agree("stored + refused", self.lines_in, sum);
        complaints
    }
}

/// Ends of lines, and one more if the last line has none.
fn count_lines(path: &Path) -> io::Result<u64> {
    let mut file = BufReader::new(File::open(path)?);
    let (mut lines, mut open) = (0, false);
    loop {
        let block = file.fill_buf()?;
        let Some(last) = block.last() else { break };
        open = *last != b'\n';
        lines += block.iter().filter(|b| **b == b'\n').count() as u64;
        let length = block.len();
        file.consume(length);
    }
    Ok(lines + u64::from(open))
}
