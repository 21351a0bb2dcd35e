//! Measures supervised actors beside bare ones: one process per measurement, the variants in turn,
//! medians, and ratios pair by pair.

use std::{path::PathBuf, process::Command};

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::{Map, Value};

use crate::{
    figures::{Failed, Figures},
    workspace,
};

/// What is compared; the first is what the others are compared with.
const VARIANTS: [&str; 3] = ["bare", "lean", "supervisor"];

/// The most that the lean way of starting may cost, as a multiple of bare actix.
const LIMITS: &[(&str, f64)] = &[
    ("tell", 1.10),
    ("tell-one-per-wakeup", 1.15),
    ("ask", 1.10),
    ("spawn-and-first-answer", 1.60),
    ("restart-after-panic", 2.00),
];

/// What is measured, and how often.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measurements of each case and variant
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Measure only cases whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Accepted for the sake of uniformity; nothing here is random
    #[arg(long)]
    seed: Option<u64>,
}

/// One case's measurements, a row for each variant.
struct Measured {
    case: String,
    unit: String,
    runs: Vec<Vec<f64>>,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let _ = args.seed;
    let mut figures = Figures::of("bench");
    let program = build()?;
    let mut measured = Vec::new();
    for (case, unit) in cases(&program)? {
        if case.contains(&args.only) {
            measured.push(measure(&program, case, unit, args.rounds.max(1))?);
        }
    }
    println!("{}", table(&measured));
    for row in &measured {
        figures.note(&row.case, row.figures());
    }
    for (case, limit) in LIMITS {
        let lean = measured
            .iter()
            .find(|row| row.case == *case)
            .and_then(|row| row.ratio(1));
        if let Some(ratio) = lean.filter(|ratio| ratio > limit) {
            figures.fall_short(format!(
                "{case} costs {ratio:.2} times bare actix, over {limit:.2}"
            ));
        }
    }
    Ok(figures)
}

/// Builds the program that measures, which is not part of the workspace.
fn build() -> Result<PathBuf, Failed> {
    let root = workspace::root()?;
    let target = root.join("target").join("bench");
    let manifest = root.join("xtask/bench/Cargo.toml");
    let status = workspace::cargo()?
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", &target)
        .status()?;
    if !status.success() {
        return Err(Failed::because("the bench program does not build"));
    }
    Ok(target.join("release").join("supervision-bench"))
}

fn cases(program: &PathBuf) -> Result<Vec<(String, String)>, Failed> {
    let listed = output(Command::new(program).arg("list"))?;
    let split = |line: &str| {
        line.split_once(' ')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    Ok(listed.lines().filter_map(split).collect())
}

fn measure(
    program: &PathBuf,
    case: String,
    unit: String,
    rounds: usize,
) -> Result<Measured, Failed> {
    let mut runs = vec![Vec::new(); VARIANTS.len()];
    for _ in 0..rounds {
        for (runs, variant) in runs.iter_mut().zip(VARIANTS) {
            let printed = output(Command::new(program).args([case.as_str(), variant]))?;
            // A case that a variant cannot do prints `n/a`.
            runs.extend(printed.trim().parse::<f64>());
        }
    }
    Ok(Measured { case, unit, runs })
}

fn output(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(Failed::because(format!(
            "{command:?} failed: {}",
            output.status
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Measured {
    fn median(&self, variant: usize) -> Option<f64> {
        median(self.runs[variant].clone())
    }

    /// The median of the ratios to bare, run by run, so that a machine that slows down meanwhile
    /// slows both.
    fn ratio(&self, variant: usize) -> Option<f64> {
        let pairs = self.runs[variant].iter().zip(&self.runs[0]);
        median(pairs.map(|(this, bare)| this / bare).collect())
    }

    fn figures(&self) -> Value {
        let mut figures = Map::new();
        for (at, variant) in VARIANTS.iter().enumerate() {
            if let Some(median) = self.median(at) {
                figures.insert(format!("{variant}_{}", self.unit), rounded(median).into());
            }
            if let Some(ratio) = self.ratio(at).filter(|_| at > 0) {
                figures.insert(format!("{variant}_to_bare"), rounded(ratio).into());
            }
        }
        figures.into()
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "case",
        "unit",
        "bare",
        "lean",
        "/ bare",
        "supervisor",
        "/ bare",
    ]);
    let text = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.1}"));
    let ratio = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2}"));
    for row in measured {
        table.add_row([
            row.case.clone(),
            row.unit.clone(),
            text(row.median(0)),
            text(row.median(1)),
            ratio(row.ratio(1)),
            text(row.median(2)),
            ratio(row.ratio(2)),
        ]);
    }
    table
}
