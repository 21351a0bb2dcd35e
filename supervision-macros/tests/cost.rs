//! What one derive costs the compiler. Not a test that can fail: it measures, on request.
//!
//! `cargo test -p supervision-macros --test cost -- --ignored --nocapture`

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const RUNS: usize = 31;

const BARE: &str = "
pub struct DatabaseError;
pub struct Worker;

impl actix::Actor for Worker {
    type Context = actix::Context<Self>;
}
";

const DERIVED: &str = r#"
#[derive(supervision_actix::DistributedActor, supervision_actix::SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
    on(std::fmt::Error => stop),
    default = restart(max = 3, within = "60s", delay = "100ms"),
)]
"#;

const BY_HAND: &str = r#"
use std::time::Duration;
use supervision_actix::*;

impl DistributedActor for Worker {
    fn actor_path(&self) -> String {
        "/user/worker".to_owned()
    }
}

impl SupervisedDistributedActor for Worker {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::Match {
            default: Box::new(SupervisionStrategy::Restart {
                max_restarts: 3,
                window: Duration::from_secs(60),
                delay: Duration::from_millis(100),
            }),
            matchers: vec![
                SupervisionMatcher::on::<std::io::Error>(SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 3,
                    delay: Duration::from_millis(200),
                }),
                SupervisionMatcher::on::<std::fmt::Error>(SupervisionStrategy::Stop),
            ],
        }
    }
    fn error_types(&self) -> KnownErrors {
        KnownErrors::none().with::<std::io::Error>().with::<std::fmt::Error>()
    }
}
"#;

#[test]
#[ignore = "it measures, for a minute"]
#[expect(clippy::print_stderr, reason = "the measurement is what is wanted")]
fn the_cost_of_one_derive() -> io::Result<()> {
    let package = Package::new()?;
    let derived = BARE.replace(
        "pub struct Worker;",
        &format!("{DERIVED}pub struct Worker;"),
    );
    let by_hand = format!("{BARE}{BY_HAND}");
    let sources = [("bare", BARE), ("derived", &derived), ("by hand", &by_hand)];
    package.build(BARE)?; // everything it depends on
    let mut taken = [const { Vec::new() }; 3];
    for _ in 0..RUNS {
        for ((_, source), taken) in sources.iter().zip(&mut taken) {
            taken.push(package.build(source)?);
        }
    }
    for ((name, _), mut taken) in sources.into_iter().zip(taken) {
        taken.sort();
        eprintln!(
            "{name}: median {:?} of {RUNS} builds ({:?} to {:?})",
            taken[RUNS / 2],
            taken[0],
            taken[RUNS - 1]
        );
    }
    Ok(())
}

/// A package that depends on the runtime crate, beside the workspace's own artifacts.
struct Package(PathBuf);

impl Package {
    fn new() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cost");
        fs::create_dir_all(package.join("src"))?;
        fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))?;
        let runtime = root.join("supervision-actix").canonicalize()?;
        let manifest = format!(
            "[package]\nname = \"cost\"\nedition = \"2024\"\n\
             [dependencies]\nactix = \"0.13.5\"\nsupervision-actix = {{ path = {runtime:?} }}\n\
             [workspace]\n"
        );
        fs::write(package.join("Cargo.toml"), manifest)?;
        Ok(Self(package))
    }

    /// How long the package alone takes; every time from its beginning.
    fn build(&self, source: &str) -> io::Result<Duration> {
        fs::write(self.0.join("src/lib.rs"), source)?;
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--offline", "--quiet"])
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", self.0.join("target"))
            .env("CARGO_INCREMENTAL", "0");
        let start = Instant::now();
        let status = cargo.status()?;
        let taken = start.elapsed();
        assert!(status.success(), "the package does not build");
        Ok(taken)
    }
}
