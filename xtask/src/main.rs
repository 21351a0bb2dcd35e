//! The project's one task runner: `cargo xtask COMMAND`.
//!
//! Every command is one file. To add a suite, write its file, with a `pub(crate) struct Args` and a
//! `pub(crate) fn run(args) -> Result<Figures, Failed>`, and give it a line in [`Command`] and in
//! [`run`]. A suite prints its figures as one JSON object in its last line and fails when it falls
//! short of what it promises.

mod bench;
mod ci;
mod demo;
mod otp;
mod placement;
mod sample;
mod test;
mod tidy;

mod figures;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::figures::{Failed, Figures};

/// The tasks of this workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the demo: ingest a damaged file with actors that crash, and lose nothing
    Demo(demo::Args),
    /// Run all tests: unit, integration, doc tests, and the examples
    Test(test::Args),
    /// Run every gate: format, lints, docs, features, tidiness, tests
    Ci(ci::Args),
    /// Check what the compiler does not: file headers, sizes, names, MSRV, the sample
    Tidy(tidy::Args),
    /// Measure supervised actors beside bare ones, in turn, and compare
    Bench(bench::Args),
    /// Compare the core's groups with Erlang/OTP's supervisor on random schedules
    Otp(otp::Args),
    /// Place a million actors on a thousand nodes, on paper: balance, moves, and what it costs
    Placement(placement::Args),
    /// Write the demo's input file anew
    Sample(sample::Args),
}

fn main() -> ExitCode {
    let outcome = run(Cli::parse().command);
    match outcome {
        Ok(Some(figures)) => {
            println!("{figures}");
            figures.exit_code()
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(failed) => {
            figures::complain(&failed);
            failed.exit_code()
        }
    }
}

/// `None` for a command that has printed its own last line.
fn run(command: Command) -> Result<Option<Figures>, Failed> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Test(args) => test::run(args).map(Some),
        Command::Ci(args) => ci::run(args).map(Some),
        Command::Tidy(args) => tidy::run(args).map(Some),
        Command::Bench(args) => bench::run(args).map(Some),
        Command::Otp(args) => otp::run(args).map(Some),
        Command::Placement(args) => placement::run(args),
        Command::Sample(args) => sample::run(args).map(Some),
    }
}
