//! The five strategies that say one thing.

use supervision_actix::prelude::*;

use crate::{DELAY, WINDOW, stage::Scene};

/// A new incarnation takes over the address, the queue, and what was handed over.
pub(crate) async fn restart() {
    let strategy = SupervisionStrategy::Restart {
        max_restarts: 1,
        window: WINDOW,
        delay: DELAY,
    };
    let scene = Scene::open("Restart: once a minute, after 20 ms", strategy).await;
    scene.stamp(1).await;
    scene.panic().await;
    // Asked while nobody is there: it waits in the mailbox.
    scene.stamp(2).await;
    assert_eq!(scene.outcomes().await, [Outcome::Restarted]);

    println!("  ... and once more, which is one too many:");
    scene.panic().await;
    scene.assert_gone().await;
    assert!(matches!(scene.end(), Some(EndReason::Exhausted { .. })));
}

/// The first failure is the end.
pub(crate) async fn stop() {
    let scene = Scene::open("Stop", SupervisionStrategy::Stop).await;
    scene.panic().await;
    scene.assert_gone().await;
    assert_eq!(scene.outcomes().await, [Outcome::Stopped]);
    assert!(matches!(scene.end(), Some(EndReason::Stopped { .. })));
}

/// Somebody above decides; here nobody is above, so the clerk ends and the observer is told.
pub(crate) async fn escalate() {
    let scene = Scene::open("Escalate, with nobody above", SupervisionStrategy::Escalate).await;
    scene.panic().await;
    scene.assert_gone().await;
    assert_eq!(scene.outcomes().await, [Outcome::Escalated]);
    let Some(EndReason::Escalated { failure, exhausted }) = scene.end() else {
        panic!("the observer must be told of the escalation");
    };
    assert!(!exhausted);
    assert_eq!(failure.error, "coffee on the papers");
}

/// Another node takes over; without a cluster there is none, so this one does, and says so.
pub(crate) async fn relocate() {
    let strategy = SupervisionStrategy::Relocate {
        placement: PlacementStrategy::RoundRobin,
        max_relocations: 3,
        delay: DELAY,
    };
    let scene = Scene::open("Relocate, without a cluster", strategy).await;
    scene.stamp(1).await;
    scene.panic().await;
    scene.stamp(2).await;
    let records = scene.records().await;
    assert!(matches!(
        records[0].decision,
        Some(Decision::Relocate { .. })
    ));
    assert_eq!(records[0].outcome, Outcome::RestartedInPlace);
    scene.close().await;
}

/// The failure is recorded, and that is all: same value, no hook.
pub(crate) async fn resume() {
    let scene = Scene::open("Resume", SupervisionStrategy::Resume).await;
    scene.stamp(1).await;
    scene.panic().await;
    scene.stamp(2).await;
    let records = scene.records().await;
    assert_eq!(records[0].outcome, Outcome::Resumed);
    assert_eq!(records[0].info.restart_count, 0);
    scene.close().await;
}
