//! Finding, installing and running Erlang.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::schedule::Schedule;
use crate::{debian, figures::Failed};

const REFERENCE: &str = include_str!("reference.erl");

/// An Erlang that is installed.
pub(super) struct Erlang(());

impl Erlang {
    /// `None` if there is none and it cannot be installed from Debian's packages.
    pub(super) fn find_or_install() -> Result<Option<Self>, Failed> {
        Ok(debian::ensure_erlang().then_some(Self(())))
    }

    /// What OTP's supervisor does in each of the schedules.
    pub(super) fn traces(&self, schedules: &[Schedule]) -> Result<Vec<String>, Failed> {
        let scratch = Scratch::new()?;
        let source = scratch.write("reference.erl", REFERENCE)?;
        let terms: Vec<_> = schedules.iter().map(Schedule::to_string).collect();
        let terms = scratch.write("schedules", &terms.join("\n"))?;
        let traces = scratch.0.join("traces");
        finish(Command::new("erlc").arg("-o").arg(&scratch.0).arg(source))?;
        finish(
            Command::new("erl")
                .args(["-noshell", "-noinput", "-pa"])
                .arg(&scratch.0)
                .args(["-run", "reference", "main"])
                .args([terms, traces.clone()]),
        )?;
        let traces = fs::read_to_string(traces)?;
        let traces: Vec<_> = traces.lines().collect();
        if traces.len() != schedules.len() {
            let problem = format!("OTP ran {} of {} schedules", traces.len(), schedules.len());
            return Err(Failed::because(problem));
        }
        let numbered = |(schedule, line): (&Schedule, &&str)| {
            let trace = line.strip_prefix(&format!("{} ", schedule.index));
            trace.map(str::to_owned).ok_or_else(|| {
                Failed::because(format!("not the trace of {}: {line}", schedule.index))
            })
        };
        schedules.iter().zip(&traces).map(numbered).collect()
    }
}

fn finish(command: &mut Command) -> Result<(), Failed> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let [out, problem] = [output.stdout, output.stderr];
    let said = [
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&problem),
    ]
    .concat();
    let program = command.get_program().to_string_lossy();
    Err(Failed::because(format!("{program} failed:\n{said}")))
}

/// A directory that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failed> {
        let path = std::env::temp_dir().join(format!("supervision-otp-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failed> {
        let path = self.0.join(Path::new(name));
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a directory for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
