//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Ingests a file of orders with supervised actors, while things keep breaking, and loses nothing.
///
/// A reader hands the lines of FILE to parsers, and what they make of them to a writer. The input
/// is damaged, some lines panic the parser, reading and writing fail now and then. At the end every
/// line is either stored or refused, and the sums are checked against the files.
#[derive(Parser)]
#[command(name = "ingest", after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// Orders, one JSON object a line [default: the sample in the repository]
    pub(crate) file: Option<PathBuf>,

    /// Where to store; an existing file is overwritten [default: a temporary file, removed at the
    /// end]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Seed of the injected faults: the same seed breaks the same things
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// One write in N fails, one line in 400 N crashes a parser, one in 800 N cannot be read at
    /// first; 0 injects nothing, 1 fails every write until the writer gives up
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) faults: u64,

    /// Parsers, each on a thread of its own
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) parsers: u8,

    /// Crashes after which a line is taken for poison and refused
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tries: u32,

    /// Failures to show at the end, the latest ones
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) history: usize,

    /// Print one line of JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all lines accounted for; 1 a sum does not match, or an actor gave up; \
2 the command line is wrong.";
