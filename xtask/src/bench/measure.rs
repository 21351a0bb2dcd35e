//! Building what measures, and running one process for each measurement.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    bench::{
        machine::{Machine, available_memory, versions},
        peers::{ERLANG, PEERS},
        results::{Results, Row},
        table,
    },
    debian,
    figures::{Failed, complain},
    workspace,
};

/// How long one measurement may take, in seconds, in a full and in a quick run.
const LIMIT: [u64; 2] = [30, 5];
/// The same where there are many actors: to start them is not what is measured, and takes its time.
const LIMIT_OF_STORM: [u64; 2] = [40, 12];
const LIMIT_OF_MANY: [u64; 2] = [150, 60];
/// How often a process is looked after: rarely enough not to disturb it.
const LOOK: Duration = Duration::from_millis(20);
/// The one case whose memory has to be there.
const MANY: &str = "idle-1m";

/// What to measure.
pub(super) struct Plan {
    pub(super) quick: bool,
    pub(super) rounds: u64,
    pub(super) only: String,
    pub(super) peers: Vec<String>,
}

/// A case, as the program describes it; pairs are for a full and a quick run.
#[derive(Deserialize)]
struct Case {
    name: String,
    what: String,
    unit: String,
    places: Vec<String>,
    ops: [u64; 2],
    rounds: [u64; 2],
}

/// The programs that measure.
pub(super) struct Bench {
    program: PathBuf,
    /// Where the Erlang module lies compiled; `None` where there is no Erlang.
    erlang: Option<PathBuf>,
    lock: PathBuf,
}

/// What became of one process.
enum Ran {
    Figures(BTreeMap<String, f64>),
    Cannot(String),
    OverLimit(u64),
    Broken(String),
}

impl Bench {
    /// Builds the program, which is not part of the workspace, and the Erlang module.
    pub(super) fn build() -> Result<Self, Failed> {
        let root = workspace::root()?;
        Ok(Self {
            program: program("bench", &[])?,
            erlang: erlang(&root)?,
            lock: root.join("xtask/bench/Cargo.lock"),
        })
    }

    /// Draws the figures of a file.
    pub(super) fn plot(&self, results: &Path, svg: &Path) -> Result<(), Failed> {
        let status = Command::new(&self.program)
            .arg("plot")
            .args([results, svg])
            .status()?;
        let drawn = status.success().then_some(());
        drawn.ok_or_else(|| Failed::because("the plot was not drawn"))
    }

    /// Measures everything in the plan, round by round, in each round peer by peer.
    pub(super) fn measure(&self, plan: &Plan) -> Result<Results, Failed> {
        let known = |name: &&String| PEERS.iter().any(|peer| peer.name == name.as_str());
        if let Some(unknown) = plan.peers.iter().find(|name| !known(name)) {
            let names: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
            let problem = format!("there is no peer {unknown}, only {}", names.join(", "));
            return Err(Failed::because(problem));
        }
        let run = usize::from(plan.quick);
        let mut results = Results {
            machine: Machine::here(),
            versions: versions(&self.lock, self.erlang.is_some())?,
            quick: plan.quick,
            rounds: plan.rounds,
            limit: LIMIT[run],
            rows: Vec::new(),
        };
        for case in self.cases()? {
            if !case.name.contains(&plan.only) {
                continue;
            }
            for place in &case.places {
                let begun = Instant::now();
                let row = self.row(plan, &case, place, &results);
                complain(&format!("{}@{place}: {:.0?}", case.name, begun.elapsed()));
                results.rows.push(row);
            }
        }
        Ok(results)
    }

    fn cases(&self) -> Result<Vec<Case>, Failed> {
        let output = Command::new(&self.program).arg("list").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let cases = text.lines().map(serde_json::from_str);
        Ok(cases.collect::<Result<_, _>>()?)
    }

    fn row(&self, plan: &Plan, case: &Case, place: &str, before: &Results) -> Row {
        let run = usize::from(plan.quick);
        let mut row = Row {
            case: case.name.clone(),
            what: case.what.clone(),
            unit: case.unit.clone(),
            place: place.to_owned(),
            ops: case.ops[run],
            cells: BTreeMap::new(),
        };
        for _ in 0..case.rounds[run].min(plan.rounds) {
            for peer in PEERS.iter().map(|peer| peer.name) {
                let wanted = plan.peers.is_empty() || plan.peers.iter().any(|name| name == peer);
                let there = peer != ERLANG || self.erlang.is_some();
                let has_peers = row.has_peers();
                let cell = row.cells.entry(peer.to_owned()).or_default();
                let hopeless = cell.over_limit.is_some() && !cell.has_figures();
                let settled = cell.cannot.is_some() || hopeless || cell.broken.is_some();
                if !wanted || !there || settled {
                    continue;
                }
                let ran = match too_many(plan, case, peer, before) {
                    Some(reason) => Ran::Cannot(reason),
                    None if peer == ERLANG && !has_peers => continue,
                    None if too_slow(case, peer, place, before) => {
                        Ran::OverLimit(limit(&case.name)[run])
                    }
                    None => self.run(case, peer, place, run),
                };
                match ran {
                    Ran::Figures(figures) => cell.runs.push(figures),
                    Ran::Cannot(reason) => cell.cannot = Some(reason),
                    Ran::OverLimit(seconds) => {
                        // So that the runs of a round have the same place with all peers.
                        cell.runs.push(BTreeMap::new());
                        cell.over_limit = Some(seconds);
                    }
                    Ran::Broken(problem) => cell.broken = Some(problem),
                }
            }
        }
        row.cells.retain(|_, cell| !cell.is_empty());
        row
    }

    fn run(&self, case: &Case, peer: &str, place: &str, run: usize) -> Ran {
        let ops = case.ops[run].to_string();
        let command = match (peer, &self.erlang) {
            (ERLANG, Some(compiled)) => erl(compiled, &case.name, place, &ops),
            _ => {
                let mut command = Command::new(&self.program);
                command.args([case.name.as_str(), peer, place, ops.as_str()]);
                command
            }
        };
        let limit = limit(&case.name)[run];
        finish(command, limit).unwrap_or_else(|problem| Ran::Broken(problem.to_string()))
    }
}

/// Why a million actors of this peer are not started, if so.
fn too_many(plan: &Plan, case: &Case, peer: &str, before: &Results) -> Option<String> {
    if case.name != MANY {
        return None;
    }
    if plan.quick && peer != "lean" {
        return Some("not part of a quick run".to_owned());
    }
    let each = before.row("bytes", "same").and_then(|row| row.median(peer));
    // What is not known is taken to be as much as the largest of its kind needs.
    let on_actix = table::ON_ACTIX.peers.contains(&peer);
    let most = if on_actix { 4_000.0 } else { 16_000.0 };
    let needed = each.unwrap_or(most) * case.ops[0] as f64 * 1.25;
    let gigabytes = needed / 1e9;
    (needed > available_memory() as f64)
        .then(|| format!("{gigabytes:.0} GB of memory were not to be had"))
}

/// Whether a storm of a tenth was over its limit already.
fn too_slow(case: &Case, peer: &str, place: &str, before: &Results) -> bool {
    let smaller = case.name.replace("100k", "10k");
    let cell = before
        .row(&smaller, place)
        .and_then(|row| row.cells.get(peer));
    smaller != case.name
        && cell.is_some_and(|cell| cell.over_limit.is_some() && !cell.has_figures())
}

fn limit(case: &str) -> [u64; 2] {
    match case {
        MANY => LIMIT_OF_MANY,
        case if case.contains("100k") => LIMIT_OF_STORM,
        _ => LIMIT,
    }
}

/// Builds the program that measures in a directory below `target`, and tells where it is.
pub(crate) fn program(directory: &str, flags: &[&str]) -> Result<PathBuf, Failed> {
    let root = workspace::root()?;
    let target = root.join("target").join(directory);
    let status = workspace::cargo()?
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(root.join("xtask/bench/Cargo.toml"))
        .args(flags)
        .env("CARGO_TARGET_DIR", &target)
        .status()?;
    if !status.success() {
        return Err(Failed::because("the bench program does not build"));
    }
    Ok(target.join("release").join("supervision-bench"))
}

/// Compiles the Erlang module. `None`, and said aloud, where there is no Erlang.
fn erlang(root: &Path) -> Result<Option<PathBuf>, Failed> {
    if !debian::ensure_erlang() {
        complain(&"NO ERLANG HERE, and erlang-base cannot be installed: its column is left out");
        return Ok(None);
    }
    let compiled = root.join("target/bench/erlang");
    fs::create_dir_all(&compiled)?;
    let status = Command::new("erlc")
        .arg("-o")
        .arg(&compiled)
        .arg(root.join("xtask/bench/erlang/bench.erl"))
        .status()?;
    if !status.success() {
        return Err(Failed::because("bench.erl does not compile"));
    }
    Ok(Some(compiled))
}

fn erl(compiled: &Path, case: &str, place: &str, ops: &str) -> Command {
    let schedulers = if place == "same" { "1:1" } else { "2:2" };
    let mut command = Command::new("erl");
    command
        .args([
            "-noshell", "-noinput", "+S", schedulers, "+P", "2000000", "-pa",
        ])
        .arg(compiled)
        .args(["-run", "bench", "main", case, ops]);
    command
}

/// Runs a measurement to its end or, after `limit` seconds, kills it.
fn finish(mut command: Command, limit: u64) -> Result<Ran, Failed> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let end = Instant::now() + Duration::from_secs(limit);
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() < end => std::thread::sleep(LOOK),
            None => {
                child.kill()?;
                child.wait()?;
                return Ok(Ran::OverLimit(limit));
            }
        }
    };
    // A line each: less than a pipe holds, so the process did not wait for a reader.
    let (mut said, mut problem) = (String::new(), String::new());
    if let (Some(out), Some(err)) = (&mut child.stdout, &mut child.stderr) {
        out.read_to_string(&mut said)?;
        err.read_to_string(&mut problem)?;
    }
    if !status.success() {
        return Ok(Ran::Broken(format!("{status}: {}", problem.trim())));
    }
    parsed(&said)
}

fn parsed(said: &str) -> Result<Ran, Failed> {
    let value: Value = serde_json::from_str(said)?;
    if let Some(reason) = value["cannot"].as_str() {
        return Ok(Ran::Cannot(reason.to_owned()));
    }
    Ok(Ran::Figures(serde_json::from_value(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Ran {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        finish(command, 1).expect("it runs")
    }

    #[test]
    fn a_process_over_its_limit_is_killed_and_one_that_fails_is_told_apart() {
        assert!(matches!(shell("exec sleep 60"), Ran::OverLimit(1)));
        assert!(matches!(shell("echo no >&2; exit 1"), Ran::Broken(why) if why.contains("no")));
        assert!(matches!(shell(r#"echo '{"cannot":"so"}'"#), Ran::Cannot(why) if why == "so"));
        assert!(matches!(shell(r#"echo '{"value":1.5}'"#), Ran::Figures(f) if f["value"] == 1.5));
    }
}
