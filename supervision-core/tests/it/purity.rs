//! The crate stays pure: what it depends on, and what its clippy settings forbid.

use std::{collections::BTreeSet, process::Command};

/// All that may be linked into a program through this crate, and why.
const ALLOWED: [(&str, &str); 7] = [
    ("humantime", "durations written as \"1m 30s\""),
    ("serde", "strategies and records are data"),
    ("serde_core", "what serde is made of"),
    ("thiserror", "error messages"),
    (
        "uuid",
        "the type of `FailureInfo::failure_id`; the features that draw one are off",
    ),
    ("supervision-core", "this crate"),
    (
        "xxhash-rust",
        "placement: a hash that is the same in every version and on every platform",
    ),
];

/// Crates that would bring a runtime, a clock, randomness or logging; `*` stands for any ending.
const FORBIDDEN: [&str; 24] = [
    "actix*",
    "async-*",
    "chrono*",
    "crossbeam*",
    "env_logger",
    "fastrand",
    "futures*",
    "getrandom",
    "instant",
    "jiff*",
    "log",
    "mio",
    "nanorand",
    "oorandom",
    "parking_lot*",
    "quanta",
    "rand*",
    "rayon*",
    "slog*",
    "smol*",
    "socket2",
    "time",
    "tokio*",
    "tracing*",
];

/// Names of the crates that a build of this crate links, build and development tools left out.
fn linked_crates() -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--package", "supervision-core", "--format", "{p}"])
        .args(["--edges", "normal,no-proc-macro", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`cargo tree` failed, run `cargo check` first:\n{problem}"
    );
    let tree = String::from_utf8(output.stdout).expect("text");
    let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
    tree.lines().filter_map(name).collect()
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[test]
fn no_runtime_clock_randomness_or_logging_can_be_reached() {
    let linked = linked_crates();
    assert!(
        linked.contains("supervision-core") && linked.contains("serde"),
        "{linked:?}"
    );
    for name in &linked {
        assert!(
            !FORBIDDEN.iter().any(|pattern| fits(pattern, name)),
            "supervision-core links {name}: it must not run, wait, draw, read a clock or log; pass what you need as an argument"
        );
    }
}

#[test]
fn only_crates_on_the_list_are_linked() {
    let allowed: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let linked = linked_crates();
    let new: Vec<_> = linked.difference(&allowed).collect();
    assert!(
        new.is_empty(),
        "supervision-core links {new:?}: everyone who supervises anything links it too; if it is pure and worth that, put it on the list with the reason"
    );
    let gone: Vec<_> = allowed.difference(&linked).collect();
    assert!(
        gone.is_empty(),
        "{gone:?} are no longer linked: take them off the list"
    );
}

#[test]
fn nothing_allowed_is_forbidden() {
    for (name, why) in ALLOWED {
        assert!(
            !FORBIDDEN.iter().any(|pattern| fits(pattern, name)),
            "{name}: {why}"
        );
    }
    for name in ["rand_core", "tokio", "tracing-core", "time", "async-std"] {
        assert!(
            FORBIDDEN.iter().any(|pattern| fits(pattern, name)),
            "{name}"
        );
    }
    assert!(!fits("time", "timely"));
}

#[test]
fn clippy_forbids_clocks_sleeps_threads_identity_and_printing() {
    let settings = include_str!("../../clippy.toml");
    for path in [
        "std::time::Instant::now",
        "std::time::Instant::elapsed",
        "std::time::SystemTime::now",
        "std::time::SystemTime::elapsed",
        "std::thread::sleep",
        "std::thread::spawn",
        "uuid::Uuid::new_v4",
        "uuid::Uuid::now_v7",
        "std::println",
        "std::eprintln",
        "std::dbg",
        "std::collections::HashMap",
        "std::collections::HashSet",
    ] {
        assert!(
            settings.contains(&format!("path = \"{path}\"")),
            "{path} must be banned"
        );
    }
}
