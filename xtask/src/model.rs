//! The proof of the cluster's protocol: random walks, planted mistakes and searches, in release.
//!
//! The work is done by the test binary `protocol` of `supervision-cluster`; here it is given its size,
//! and its figures are read off its output.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::{
    figures::{Failed, Figures},
    workspace::cargo,
};

/// How much.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The first seed of the walks
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many walks; 500,000, or 100,000,000 with --long
    #[arg(long)]
    walks: Option<u64>,
    /// Walk and search for hours
    #[arg(long)]
    long: bool,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let mut figures = Figures::of("model");
    let default = if args.long { 100_000_000 } else { 500_000 };
    let walks = args.walks.unwrap_or(default);
    figures.note("seed", args.seed);
    let mut tests = cargo()?
        .args(["test", "--release", "--locked", "-p", "supervision-cluster"])
        .args(["--features", "planted-bugs", "--test", "protocol", "--"])
        .args(["--nocapture", "--test-threads=1"])
        .env("SUPERVISION_SEED", args.seed.to_string())
        .env("SUPERVISION_WALKS", walks.to_string())
        .env("SUPERVISION_SCALE", if args.long { "2" } else { "1" })
        .stdout(Stdio::piped())
        .spawn()?;
    let mut sums = Sums::default();
    if let Some(output) = tests.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            sums.add(&line);
        }
    }
    if !tests.wait()?.success() {
        figures.fall_short("a promise was broken, a mistake was not found, or it did not compile");
    }
    figures.require_at_least("walks", sums.walks, walks);
    figures.note("walks_per_second", sums.rate);
    figures.require_at_least("mistakes_found", sums.mistakes, 15);
    figures.require_at_least("states", sums.states, 1_000_000);
    Ok(figures)
}

/// What the tests have printed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    walks: u64,
    rate: u64,
    mistakes: u64,
    states: u64,
}

impl Sums {
    fn add(&mut self, line: &str) {
        // The name of the test may stand before the first line that it prints.
        let after = |mark: &str| {
            let (_, rest) = line.split_once(mark)?;
            rest.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.walks = after("walks: ").unwrap_or(self.walks);
        self.rate = after("walks per second: ").unwrap_or(self.rate);
        self.states += after("states: ").unwrap_or(0);
        self.mistakes += u64::from(line.contains("found with seed: "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_read_off_the_output() {
        let mut sums = Sums::default();
        sums.add("test walk ... walks: 12 ");
        sums.add("walks per second: 34");
        sums.add("check durable, states: 5 steps: 6");
        sums.add("check volatile, states: 7 steps: 8");
        sums.add("NoSeal found with seed: 9");
        let expected = Sums {
            walks: 12,
            rate: 34,
            mistakes: 1,
            states: 12,
        };
        assert_eq!(sums, expected);
    }
}
