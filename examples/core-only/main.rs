//! Supervises tokio tasks and child processes with `supervision-core` alone: no actor, no adapter.
//!
//! What core leaves to its user is all here: running the work, telling how it ended (`how_it_ended`),
//! reading the clock, and carrying the decision out (`supervise`). The rest is `decide`.

use std::{
    error::Error,
    io,
    time::{Duration, Instant},
};

use supervision_core::{
    Backoff, Budgets, Cause, Decision, EscalationReason, Failure, InvalidStrategy, KnownErrors,
    Policy, RestartType, StopReason, SupervisionMatcher, SupervisionStrategy, Timestamp, decide,
};
use tokio::{
    process::Command,
    task::JoinHandle,
    time::{sleep, timeout},
};

type Failed = Box<dyn Error + Send + Sync>;

/// A child process that ended, but not well.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    #[error("exit code {0}")]
    Code(i32),
    #[error("killed by a signal")]
    Signal,
}

/// An import that failed, with the reason as its source.
#[derive(Debug, thiserror::Error)]
#[error("import failed")]
struct ImportError(#[source] Failed);

/// Something that is run again when it fails.
struct Task {
    name: &'static str,
    policy: Policy,
    budgets: Budgets,
    restart_type: RestartType,
    deadline: Duration,
    known: KnownErrors,
    clock: Instant,
    restarts: u32,
}

impl Task {
    fn new(name: &'static str, strategy: SupervisionStrategy) -> Result<Self, InvalidStrategy> {
        Ok(Self {
            name,
            policy: Policy::new(strategy)?,
            budgets: Budgets::default(),
            restart_type: RestartType::Transient,
            deadline: Duration::from_secs(10),
            known: KnownErrors::standard()
                .with::<ChildError>()
                .with::<ImportError>(),
            clock: Instant::now(),
            restarts: 0,
        })
    }

    /// Runs the work until the policy says that it is over; gives the number of restarts and the
    /// last decision.
    async fn supervise<W>(mut self, work: impl Fn(u32) -> W) -> (u32, Decision)
    where
        W: Future<Output = Result<(), Failed>> + Send + 'static,
    {
        loop {
            let mut running = tokio::spawn(work(self.restarts));
            let cause = self.how_it_ended(&mut running).await;
            let decision = self.decide(&cause);
            println!("{:>9}: {} -> {decision:?}", self.name, told(&cause));
            let Some(delay) = decision.delay() else {
                return (self.restarts, decision);
            };
            sleep(delay).await;
            self.restarts += 1;
        }
    }

    /// Waits for the end of the work and describes it as a cause.
    async fn how_it_ended(&self, running: &mut JoinHandle<Result<(), Failed>>) -> Cause {
        match timeout(self.deadline, &mut *running).await {
            Ok(Ok(Ok(()))) => Cause::exit("done"),
            Ok(Ok(Err(error))) => Cause::erased(&*error, &self.known),
            Ok(Err(panicked)) => Cause::panic(panicked.to_string()),
            Err(_elapsed) => {
                running.abort();
                Cause::stall(format!("not done within {:?}", self.deadline))
            }
        }
    }

    /// The one decision. A task's value is gone when it ends, so nothing is resumable; `main` is
    /// the parent of all.
    fn decide(&mut self, cause: &Cause) -> Decision {
        let failure = Failure::of(cause)
            .with_restart_type(self.restart_type)
            .with_parent(true);
        let now = Timestamp::after_start(self.clock.elapsed());
        let entropy = fastrand::u64(..);
        decide(&mut self.budgets, &self.policy, &failure, now, entropy)
    }
}

/// All errors of the chain in one line.
fn told(cause: &Cause) -> String {
    let links = cause
        .chain()
        .map(|link| format!("{} ({})", link.error_type, link.message));
    links.collect::<Vec<_>>().join(" from ")
}

/// Runs a shell script as a child process, which is killed when nobody waits for it any more.
async fn child(script: &'static str) -> Result<(), Failed> {
    let mut shell = Command::new("sh");
    let child = shell.args(["-c", script]).kill_on_drop(true);
    match child.status().await?.code() {
        Some(0) => Ok(()),
        Some(code) => Err(ChildError::Code(code).into()),
        None => Err(ChildError::Signal.into()),
    }
}

/// Fails twice for want of a disk, then for a reason that no restart mends.
async fn import(attempt: u32) -> Result<(), Failed> {
    if attempt < 2 {
        let disk = io::Error::new(io::ErrorKind::StorageFull, "disk full");
        return Err(ImportError(disk.into()).into());
    }
    let number = "12O".parse::<u32>().map_err(|e| ImportError(e.into()))?;
    println!("imported {number}");
    Ok(())
}

fn restart(max_restarts: usize, delay_ms: u64) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts,
        window: Duration::from_secs(60),
        delay: Duration::from_millis(delay_ms),
    }
}

/// Two quick restarts, then two that wait longer and longer.
fn quick_then_patient() -> Result<SupervisionStrategy, Failed> {
    let patient = SupervisionStrategy::RestartWithBackoff {
        max_restarts: 2,
        window: Duration::from_secs(60),
        backoff: Backoff::new(Duration::from_millis(100), Duration::from_millis(400))?,
    };
    let rungs = vec![restart(2, 10), patient];
    Ok(SupervisionStrategy::Ladder { rungs })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let start = Instant::now();
    let poller = Task::new("poller", restart(3, 50))?.supervise(|attempt| async move {
        assert!(attempt >= 2, "out of range"); // panics twice
        Ok(())
    });
    let by_error = SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Stop),
        matchers: vec![SupervisionMatcher::on::<io::Error>(restart(3, 50))],
    };
    let importer = Task::new("importer", by_error)?.supervise(import);
    let broken = Task::new("broken", quick_then_patient()?)?.supervise(|_| child("exit 3"));
    let mut server = Task::new("server", restart(2, 50))?;
    server.restart_type = RestartType::Permanent; // its end is a failure, even a good one
    let server =
        server.supervise(|attempt| child(["kill -9 $$", "exit 0"][attempt.min(1) as usize]));
    let mut stuck = Task::new("stuck", restart(1, 50))?;
    stuck.deadline = Duration::from_millis(200);
    let stuck = stuck.supervise(|_| child("exec sleep 60"));

    let (poller, importer, broken, server, stuck) =
        tokio::join!(poller, importer, broken, server, stuck);
    let stopped = |reason| Decision::Stop { reason };
    let reason = EscalationReason::Exhausted;
    println!("\nAfter {:?}:", start.elapsed());
    confirm("poller", poller, (2, stopped(StopReason::Finished)));
    confirm("importer", importer, (2, stopped(StopReason::Policy)));
    confirm("broken", broken, (4, Decision::Escalate { reason }));
    confirm("server", server, (2, Decision::Escalate { reason }));
    confirm("stuck", stuck, (1, Decision::Escalate { reason }));
    Ok(())
}

/// Prints how a task went, and fails the program unless that is what was to be shown.
fn confirm(name: &str, outcome: (u32, Decision), expected: (u32, Decision)) {
    println!("{name:>9}: restarts {}, then {:?}", outcome.0, outcome.1);
    assert_eq!(outcome, expected, "{name}");
}
