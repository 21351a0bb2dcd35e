//! Counts instructions under valgrind's callgrind, beside bare actix in the same run, and holds the
//! ratios against ceilings. Unlike times, these counts are the same on a busy machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::{
    bench, debian,
    figures::{Failed, Figures, complain},
    workspace,
};

/// The most that one operation may cost, as a multiple of bare actix's instructions: what was
/// measured when this was last lowered, and little more.
const CEILINGS: &[Ceiling] = &[
    Ceiling::new("tell", "lean", [50_000, 150_000], 1.08),
    Ceiling::new("tell-one-per-wakeup", "lean", [10_000, 30_000], 1.18),
    Ceiling::new("ask", "lean", [10_000, 30_000], 1.15),
    Ceiling::new("spawn", "lean", [2_000, 6_000], 1.70),
    Ceiling::new("spawn", "dynamic", [2_000, 6_000], 5.20),
];

/// The least that must have been counted for an operation: a program that does nothing passes
/// anything.
const SOME_INSTRUCTIONS: f64 = 100.0;

struct Ceiling {
    case: &'static str,
    peer: &'static str,
    /// Operations of a short and of a long run; what they have in common is not counted.
    ops: [u64; 2],
    most: f64,
}

impl Ceiling {
    const fn new(case: &'static str, peer: &'static str, ops: [u64; 2], most: f64) -> Self {
        Self {
            case,
            peer,
            ops,
            most,
        }
    }
}

/// Nothing to choose.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Accepted for the sake of uniformity; nothing here is random
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let _ = args.seed;
    let mut figures = Figures::of("guard");
    if !debian::ensure("valgrind", &["valgrind", "--version"]) {
        let problem = "NO VALGRIND HERE, and it cannot be installed: no instruction is counted";
        figures.note("skipped", true);
        if std::env::var_os("CI").is_some() {
            figures.fall_short(problem);
        } else {
            complain(&problem);
        }
        return Ok(figures);
    }
    // Without the peers: only bare actix is needed, and it builds in half the time. In a directory of
    // its own, or the bench would build all its dependencies anew, with other features.
    let counter = Counter {
        program: bench::program("guard", &["--no-default-features"])?,
        out: workspace::root()?.join("target/guard/callgrind.out"),
    };
    for ceiling in CEILINGS {
        let Ceiling {
            case, peer, most, ..
        } = *ceiling;
        let bare = counter.per_op(case, "bare", ceiling.ops)?;
        let ours = counter.per_op(case, peer, ceiling.ops)?;
        let ratio = ours / bare;
        println!(
            "{case:<20} {peer:<8} {ours:>8.0} / bare {bare:>8.0} = {ratio:.3} (at most {most})"
        );
        let counts =
            json!({"bare": bare.round(), "instructions": ours.round(), "ratio": rounded(ratio)});
        figures.note(&format!("{case}:{peer}"), counts);
        if bare < SOME_INSTRUCTIONS || ours < SOME_INSTRUCTIONS {
            figures.fall_short(format!("{case}: too few instructions to be true"));
        }
        if ratio > most {
            figures.fall_short(format!(
                "{case}, {peer}: {ratio:.3} times bare actix, over {most}"
            ));
        }
    }
    Ok(figures)
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

struct Counter {
    program: PathBuf,
    out: PathBuf,
}

impl Counter {
    /// Instructions of one operation: those of a long run without those of a short one.
    fn per_op(&self, case: &str, peer: &str, [few, many]: [u64; 2]) -> Result<f64, Failed> {
        let (short, long) = (self.count(case, peer, few)?, self.count(case, peer, many)?);
        Ok((long as f64 - short as f64) / (many - few) as f64)
    }

    fn count(&self, case: &str, peer: &str, ops: u64) -> Result<u64, Failed> {
        let mut file = std::ffi::OsString::from("--callgrind-out-file=");
        file.push(&self.out);
        let output = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(file)
            .arg(&self.program)
            .args([case, peer, "same", &ops.to_string()])
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            let problem = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failed::because(format!(
                "{case} {peer} under callgrind: {problem}"
            )));
        }
        total(&self.out)
    }
}

/// The sum in callgrind's file.
fn total(out: &Path) -> Result<u64, Failed> {
    let text = fs::read_to_string(out)?;
    let sum = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let sum = sum.and_then(|sum| sum.trim().parse().ok());
    sum.ok_or_else(|| Failed::because("callgrind wrote no sum"))
}
