//! Measures this library beside its peers: one process per measurement, the peers in turn, medians,
//! and ratios pair by pair.

mod docs;
mod machine;
mod measure;
mod peers;
mod results;
mod table;
mod targets;

use std::{fs, path::PathBuf};

use serde_json::{Map, Value};

pub(crate) use measure::program;

use crate::{
    bench::{
        measure::{Bench, Plan},
        results::Results,
    },
    figures::{Failed, Figures},
    workspace,
};

/// What is measured, and what becomes of it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fewer operations and rounds: at most five minutes on two cores that have nothing else to do
    #[arg(long)]
    quick: bool,
    /// Measurements of each case and peer; expensive cases are measured less often [default: 7, or 3]
    #[arg(long)]
    rounds: Option<u64>,
    /// Measure only cases whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Measure only these peers, separated by commas
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Measure nothing: take the results of an earlier run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "rounds", "only", "peers"])]
    from: Option<PathBuf>,
    /// Draw docs/benchmarks.svg
    #[arg(long, conflicts_with_all = ["only", "peers"])]
    plot: bool,
    /// Write the figures into docs/benchmarks.md and README.md
    #[arg(long, conflicts_with_all = ["only", "peers"])]
    write_docs: bool,
    /// Fail if a target is missed
    #[arg(long)]
    strict: bool,
    /// Accepted for the sake of uniformity; nothing here is random
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let _ = args.seed;
    let mut figures = Figures::of("bench");
    let (results, path) = match &args.from {
        Some(path) => (Results::read(path)?, path.clone()),
        None => measured(&args, &mut figures)?,
    };
    for columns in [table::ON_ACTIX, table::OTHERS] {
        let beside = peers::titled(columns.beside);
        println!("{}", table::terminal(&results, columns));
        println!("x: the ratio to {beside}, median of the rounds\n");
    }
    let verdicts = targets::judge(&results);
    println!("{}", targets::terminal(&verdicts));
    note(&mut figures, &results);
    figures.note("results", path.display().to_string());
    for verdict in verdicts.iter().filter(|verdict| verdict.is_missed()) {
        if args.strict {
            figures.fall_short(format!("missed: {verdict}"));
        }
    }
    let missed = verdicts.iter().filter(|verdict| verdict.is_missed());
    let missed: Vec<_> = missed.map(ToString::to_string).collect();
    figures.note("targets", verdicts.len());
    figures.note("missed", missed);
    if args.write_docs {
        docs::write(&results, &verdicts)?;
    }
    if args.plot {
        let svg = workspace::root()?.join("docs/benchmarks.svg");
        Bench::build()?.plot(&path, &svg)?;
    }
    Ok(figures)
}

fn measured(args: &Args, figures: &mut Figures) -> Result<(Results, PathBuf), Failed> {
    let bench = Bench::build()?;
    let plan = Plan {
        quick: args.quick,
        rounds: args.rounds.unwrap_or(if args.quick { 3 } else { 7 }).max(1),
        only: args.only.clone(),
        peers: args.peers.clone(),
    };
    let results = bench.measure(&plan)?;
    for broken in results.broken() {
        figures.fall_short(broken);
    }
    figures.require_at_least("measurements", results.measurements(), 1);
    let whole = args.only.is_empty() && args.peers.is_empty();
    let name = match (whole, args.quick) {
        (false, _) => "partial.json",
        (true, true) => "quick.json",
        (true, false) => "results.json",
    };
    let path = workspace::root()?.join("target/bench").join(name);
    fs::write(&path, serde_json::to_string_pretty(&results)?)?;
    Ok((results, path))
}

/// The medians, by case, place and peer.
fn note(figures: &mut Figures, results: &Results) {
    for row in &results.rows {
        let medians = row.cells.iter().filter_map(|(peer, cell)| {
            let median = cell.median("value")?;
            Some((peer.clone(), Value::from(results::rounded(median))))
        });
        let medians: Map<String, Value> = medians.collect();
        figures.note(&format!("{}@{}", row.case, row.place), medians);
    }
}
