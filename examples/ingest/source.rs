//! Reading lines of bytes, however long and broken they are, within a bounded memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

use crate::record::MAX_LINE;

/// The input file and how far it was read.
pub(crate) struct Source {
    file: BufReader<File>,
    bytes: u64,
}

impl Source {
    pub(crate) fn new(file: File) -> Self {
        Self {
            file: BufReader::new(file),
            bytes: 0,
        }
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line without its end; `None` after the last. Of a line that is too long only so
    /// much is kept that this can be seen.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        // Room for the line, its end, and one byte more that proves it too long.
        let mut limited = self.file.by_ref().take(MAX_LINE as u64 + 2);
        let read = limited.read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.bytes += read as u64;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if line.len() > MAX_LINE {
            self.bytes += self.file.skip_until(b'\n')? as u64;
        }
        Ok(Some(line))
    }
}
