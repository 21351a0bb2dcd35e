//! Where a run was made, and with which versions.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde::{Deserialize, Serialize};

use crate::{
    bench::peers::{ERLANG, PEERS},
    figures::Failed,
};

/// The machine.
#[derive(Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory_gb: u64,
    pub(super) kernel: String,
    pub(super) rustc: String,
    /// Of one minute, before the run: what others had it do.
    pub(super) load: f64,
}

impl Machine {
    /// What can be learnt of it; empty where it is not Linux.
    pub(super) fn here() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let load = read("/proc/loadavg");
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: kilobytes(&field(&read("/proc/meminfo"), "MemTotal")) >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            rustc: said("rustc", &["--version"]),
            load: load
                .split(' ')
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0.0),
        }
    }
}

fn kilobytes(text: &str) -> u64 {
    let number = text.split(' ').next().and_then(|text| text.parse().ok());
    number.unwrap_or(0)
}

/// Bytes that can be had without swapping; `u64::MAX` where nobody tells.
pub(super) fn available_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    line.map_or(u64::MAX, |line| kilobytes(line.trim()) << 10)
}

/// The versions of those who are measured, of what they run on, and of Erlang if it is there.
pub(super) fn versions(lock: &Path, erlang: bool) -> Result<BTreeMap<String, String>, Failed> {
    let lock = fs::read_to_string(lock)?;
    let wanted = PEERS.iter().map(|peer| peer.package).chain(["tokio"]);
    let found = wanted.filter_map(|name| Some((name.to_owned(), locked(&lock, name)?)));
    let mut versions: BTreeMap<_, _> = found.collect();
    if erlang {
        let tell = "io:format(\"OTP ~s, erts ~s\", [erlang:system_info(otp_release), \
                    erlang:system_info(version)]), halt().";
        versions.insert(ERLANG.to_owned(), said("erl", &["-noshell", "-eval", tell]));
    }
    Ok(versions)
}

/// A package's version in a `Cargo.lock`.
fn locked(lock: &str, package: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version.to_owned())
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_tells_the_version_of_a_package_and_not_of_one_with_a_longer_name() {
        let lock =
            "name = \"actix-rt\"\nversion = \"2.15.0\"\n\nname = \"actix\"\nversion = \"0.13.5\"\n";
        assert_eq!(locked(lock, "actix").as_deref(), Some("0.13.5"));
        assert_eq!(locked(lock, "acti"), None);
    }
}
