//! All tests of the workspace, with nothing but Rust installed.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::{
    figures::{Failed, Figures},
    workspace::cargo,
};

/// With fewer tests than this something was not run.
const AT_LEAST: u64 = 60;

/// Which tests.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Run only tests whose name contains this
    filter: Option<String>,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let mut figures = Figures::of("test");
    let mut cargo = cargo()?;
    cargo
        .args([
            "test",
            "--workspace",
            "--all-features",
            "--locked",
            "--no-fail-fast",
        ])
        .args(&args.filter)
        .stdout(Stdio::piped());
    let mut tests = cargo.spawn()?;
    let mut sums = Sums::default();
    if let Some(output) = tests.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            sums.add(&line);
        }
    }
    let passed = tests.wait()?.success();
    if args.filter.is_some() {
        figures.note("passed", sums.passed);
    } else {
        figures.require_at_least("passed", sums.passed, AT_LEAST);
    }
    figures.note("failed", sums.failed);
    figures.note("ignored", sums.ignored);
    figures.note("binaries", sums.binaries);
    if !passed {
        figures.fall_short("tests failed or did not compile");
    }
    Ok(figures)
}

/// The sums over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    passed: u64,
    failed: u64,
    ignored: u64,
    binaries: u64,
}

impl Sums {
    /// Counts a line of the form `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let Some((_, counts)) = result.split_once(". ") else {
            return;
        };
        self.binaries += 1;
        for count in counts.split("; ") {
            let Some((number, name)) = count.split_once(' ') else {
                continue;
            };
            let number: u64 = number.parse().unwrap_or(0);
            match name {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed_over_binaries() {
        let mut sums = Sums::default();
        sums.add("running 3 tests");
        sums.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out");
        sums.add("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        let expected = Sums {
            passed: 4,
            failed: 2,
            ignored: 1,
            binaries: 2,
        };
        assert_eq!(sums, expected);
    }
}
