//! An ingestion pipeline of supervised actors that keeps its accounts while everything breaks.
//!
//! ```text
//!            lines                 records              batches
//!   file ─▶ reader ─▶ parser-1..n ─▶ (back to the reader) ─▶ writer ─▶ file
//! ```
//!
//! Read it in this order: `ledger` (where every line is), `reader` (who moves them), `parser` and
//! `writer` (who crash), `disk` (why a batch that is sent twice is stored once), `audit` (who
//! believes none of them).

mod record;

mod ledger;
mod source;

mod parser;
mod reader;
mod writer;

mod casebook;
mod disk;
mod faults;
mod legacy;
mod quiet;

mod pipeline;
mod tally;

mod args;
mod audit;
mod report;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    args::Args,
    audit::Audit,
    faults::Faults,
    pipeline::{Job, Outcome},
    report::Report,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ingest/sample.ndjson");

/// Why nothing was done: a mistake on the command line.
struct Misuse(String);

fn main() -> ExitCode {
    let args = Args::parse();
    quiet::silence();
    match ingest(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Misuse(problem)) => {
            // A terminal that is gone cannot be told.
            let _ = writeln!(
                io::stderr(),
                "error: {problem}\n\nFor more information, try '--help'."
            );
            ExitCode::from(2)
        }
    }
}

/// The whole run; whether all went well.
fn ingest(args: &Args) -> Result<bool, Misuse> {
    let input = args.file.clone().unwrap_or_else(|| SAMPLE.into());
    let (file, length) = open_input(&input)?;
    let (output, scratch) = create_output(args.output.as_deref(), &input)?;
    let bar = progress(length);
    let begun = Instant::now();
    let outcome = actix::System::new().block_on(pipeline::run(Job {
        input: file,
        labels: input.parent().map(Path::to_owned).unwrap_or_default(),
        output: output.clone(),
        faults: Faults::new(args.seed, args.faults),
        parsers: args.parsers.into(),
        tries: args.tries,
        bar: bar.clone(),
    }));
    bar.finish_and_clear();
    let outcome = outcome.map_err(|error| Misuse(error.to_string()))?;
    let problems = problems(&outcome, &input, &output);
    let report = Report::new(args.seed, begun.elapsed(), outcome, problems);
    let text = if args.json {
        report.json().map_err(|error| Misuse(error.to_string()))?
    } else {
        format!(
            "{}\n{}",
            report.text(args.history),
            told_output(&output, scratch.is_some())
        )
    };
    // Whoever reads may have gone away (`| head`); what was to be done is done all the same.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(report.is_ok())
}

fn open_input(path: &Path) -> Result<(File, u64), Misuse> {
    let wrong = |problem: String| Misuse(format!("cannot read {}: {problem}", path.display()));
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let about = file.metadata().map_err(|error| wrong(error.to_string()))?;
    if !about.is_file() {
        // It is read a second time at the end, to check the sums.
        return Err(wrong("not a regular file".to_owned()));
    }
    Ok((file, about.len()))
}

/// A directory that is removed with everything in it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Creates the output file, empty.
fn create_output(
    wanted: Option<&Path>,
    input: &Path,
) -> Result<(PathBuf, Option<Scratch>), Misuse> {
    let wrong =
        |path: &Path, error: io::Error| Misuse(format!("cannot write {}: {error}", path.display()));
    let (path, scratch) = match wanted {
        Some(path) => (path.to_owned(), None),
        None => {
            let directory = std::env::temp_dir().join(format!("ingest-{}", std::process::id()));
            fs::create_dir_all(&directory).map_err(|error| wrong(&directory, error))?;
            (directory.join("stored.ndjson"), Some(Scratch(directory)))
        }
    };
    let same = fs::canonicalize(&path).ok() == fs::canonicalize(input).ok();
    if same {
        return Err(Misuse("the output is the input".to_owned()));
    }
    File::create(&path).map_err(|error| wrong(&path, error))?;
    Ok((path, scratch))
}

/// Hidden by itself where the error output is not a terminal.
fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Everything that is not as it should be.
fn problems(outcome: &Outcome, input: &Path, output: &Path) -> Vec<String> {
    let mut problems = outcome.counts.given_up.clone();
    match (&outcome.finished, Audit::of(input, output)) {
        (Some(finished), Ok(audit)) => problems.extend(audit.complaints(finished)),
        (None, _) => problems.push("the reader left no accounts".to_owned()),
        (_, Err(error)) => problems.push(format!("the files cannot be checked: {error}")),
    }
    problems
}

fn told_output(output: &Path, scratch: bool) -> String {
    if scratch {
        "The output was a temporary file; keep it with --output FILE.".to_owned()
    } else {
        format!("Stored in {}.", output.display())
    }
}
