//! Every gate a change must pass, one after the other; all of them run, whatever fails.

use std::time::Instant;

use serde_json::{Map, Value};

use crate::{
    figures::{Failed, Figures, seconds},
    test, tidy,
    workspace::{Metadata, cargo},
};

/// Which gates.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave the tests out; `cargo xtask test` runs them
    #[arg(long)]
    no_tests: bool,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let mut figures = Figures::of("ci");
    let mut gates = Gates {
        figures: &mut figures,
        times: Map::new(),
    };
    gates.pass("fmt", fmt)?;
    gates.pass("tidy", || {
        tidy::run(tidy::Args::default()).map(|tidy| tidy.is_ok())
    })?;
    gates.pass("clippy", clippy)?;
    gates.pass("doc", doc)?;
    gates.pass("features", features)?;
    if !args.no_tests {
        gates.pass("test", || {
            test::run(test::Args::default()).map(|test| test.is_ok())
        })?;
    }
    let times = gates.times;
    figures.note("gates", times.len());
    figures.note("seconds_by_gate", times);
    Ok(figures)
}

/// The gates passed so far.
struct Gates<'a> {
    figures: &'a mut Figures,
    times: Map<String, Value>,
}

impl Gates<'_> {
    fn pass(
        &mut self,
        name: &str,
        gate: impl FnOnce() -> Result<bool, Failed>,
    ) -> Result<(), Failed> {
        println!("── {name}");
        let begun = Instant::now();
        if !gate()? {
            self.figures.fall_short(format!("{name} failed"));
        }
        self.times
            .insert(name.to_owned(), seconds(begun.elapsed()).into());
        Ok(())
    }
}

fn cargo_step(args: &[&str], env: &[(&str, &str)]) -> Result<bool, Failed> {
    let status = cargo()?.args(args).envs(env.iter().copied()).status()?;
    Ok(status.success())
}

/// The bench is a workspace of its own; its format is looked at all the same.
fn fmt() -> Result<bool, Failed> {
    let bench = [
        "fmt",
        "--check",
        "--manifest-path",
        "xtask/bench/Cargo.toml",
    ];
    Ok(cargo_step(&["fmt", "--all", "--check"], &[])? & cargo_step(&bench, &[])?)
}

fn clippy() -> Result<bool, Failed> {
    let mut args = vec![
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
    ];
    args.extend(["--", "-D", "warnings"]);
    cargo_step(&args, &[])
}

fn doc() -> Result<bool, Failed> {
    let args = [
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--locked",
    ];
    cargo_step(&args, &[("RUSTDOCFLAGS", "-D warnings")])
}

/// Every library builds by itself with none and with all of its features: what it needs from its
/// dependencies it must ask for, and not find there because another crate asked.
fn features() -> Result<bool, Failed> {
    let mut all_build = true;
    for package in Metadata::load()?.libraries() {
        for features in ["--no-default-features", "--all-features"] {
            all_build &= cargo_step(&["check", "--locked", "-p", &package, features], &[])?;
        }
    }
    Ok(all_build)
}
