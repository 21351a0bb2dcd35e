//! The parser: turns lines into records. It has no state worth keeping, so a crash costs it nothing.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{
    casebook::Casebook,
    faults::Faults,
    legacy,
    record::{Order, Record, Refusal},
};

/// Bytes of a label that are stored.
const LONGEST_LABEL: u64 = 1_024;

/// Asks for a line to be parsed.
#[derive(Message)]
#[rtype(result = "Result<Parsed, LabelError>")]
pub(crate) struct Parse {
    pub(crate) line: u64,
    pub(crate) text: Arc<[u8]>,
    /// Tries before this one that crashed a parser.
    pub(crate) tries: u32,
}

/// What a line turned out to be. A damaged line is an ordinary answer, not a failure: the parser
/// is all right.
pub(crate) enum Parsed {
    Record(Record),
    Refused(Refusal),
}

/// The file that belongs to an order cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the label {label}")]
pub(crate) struct LabelError {
    label: String,
    source: io::Error,
}

/// Parses lines.
///
/// There is no limit on restarts: how often one line may crash a parser is limited by the reader.
/// An `io::Error` is found in the chain of sources, behind `LabelError`: the file is missing for good
/// and the parser is sound, so it goes on.
#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "{path}")]
#[supervision(
    on(panic => restart(max = unlimited, delay = "0s")),
    on(io::Error => resume),
    default = escalate,
    before_restart = Self::note_suspect,
)]
pub(crate) struct Parser {
    pub(crate) path: String,
    /// The directory that labels are in.
    pub(crate) labels: PathBuf,
    pub(crate) faults: Faults,
    pub(crate) casebook: Casebook,
    /// Crashes after which a line is poison.
    pub(crate) tries: u32,
    /// The line at hand, if one more crash makes it poison.
    pub(crate) suspect: Option<u64>,
}

impl Actor for Parser {
    type Context = Context<Self>;
}

impl Handler<Parse> for Parser {
    type Result = FailOnErr<Parsed, LabelError>;

    fn handle(&mut self, msg: Parse, _: &mut Context<Self>) -> Self::Result {
        self.suspect = (msg.tries + 1 >= self.tries).then_some(msg.line);
        self.faults.crash_parser(msg.line, msg.tries);
        FailOnErr(self.parse(msg.line, &msg.text))
    }
}

impl Parser {
    fn note_suspect(&mut self, _: &mut Context<Self>, failure: Option<FailureInfo>) {
        if let (Some(line), Some(failure)) = (self.suspect, failure) {
            self.casebook.note(line, failure.error);
        }
    }

    fn parse(&self, line: u64, text: &[u8]) -> Result<Parsed, LabelError> {
        let order = Order::decode(text).and_then(|order| Ok((order.price()?, order)));
        let (cents, order) = match order {
            Ok(order) => order,
            Err(reason) => return Ok(Parsed::Refused(reason)),
        };
        let cents_each = legacy::cents_each(cents, order.qty);
        let shelf = legacy::shelf(&order.sku).to_owned();
        let label = order.label.map(|name| read_label(&self.labels, name));
        Ok(Parsed::Record(Record {
            line,
            id: order.id,
            shop: order.shop,
            shelf,
            qty: order.qty,
            cents,
            cents_each,
            label: label.transpose()?,
        }))
    }
}

/// Reads the beginning of a label; nobody prints longer ones.
fn read_label(directory: &Path, label: String) -> Result<String, LabelError> {
    let mut text = String::new();
    let read = File::open(directory.join(&label))
        .and_then(|file| file.take(LONGEST_LABEL).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text.trim_end().to_owned()),
        Err(source) => Err(LabelError { label, source }),
    }
}
