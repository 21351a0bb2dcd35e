//! Strategies made of strategies, and delays that grow.

use std::{error::Error, io, time::Duration};

use supervision_actix::prelude::*;

use crate::{
    DELAY, WINDOW,
    clerk::{Clerk, DatabaseError},
    stage::Scene,
};

/// Another answer for each type of error, found also behind an error that wraps it.
pub(crate) async fn by_error_type() {
    let strategy = SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Resume),
        matchers: vec![
            SupervisionMatcher {
                error_type: "std::io::Error".to_owned(),
                strategy: Box::new(SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 3,
                    delay: DELAY,
                }),
            },
            SupervisionMatcher::on::<DatabaseError>(SupervisionStrategy::Stop),
        ],
    };
    let scene = Scene::open(
        "Match: relocate for io, stop for the database, else resume",
        strategy,
    );
    let scene = scene.await;
    scene.panic().await;
    report(&scene, Box::new(io::Error::other("the cable is loose"))).await;
    report(&scene, Box::new(DatabaseError)).await;
    scene.assert_gone().await;
    let expected = [
        Outcome::Resumed,
        Outcome::RestartedInPlace,
        Outcome::Stopped,
    ];
    assert_eq!(scene.outcomes().await, expected);
}

async fn report(scene: &Scene, error: Box<dyn Error + Send>) {
    let report = ReportFailure::<Clerk>::new(error);
    let answer = scene.supervisor.send(report).await;
    answer.expect("a supervisor answers");
}

/// Each failure in a row is followed by a longer rest.
pub(crate) async fn with_backoff() {
    let (shortest, longest) = (Duration::from_millis(10), Duration::from_millis(30));
    let backoff = Backoff::new(shortest, longest)
        // Without the usual spread the delays are known beforehand.
        .and_then(|backoff| backoff.with_jitter(0.0))
        .expect("10 ms is less than 30 ms");
    let strategy = SupervisionStrategy::RestartWithBackoff {
        max_restarts: 5,
        window: WINDOW,
        backoff,
    };
    let scene = Scene::open("RestartWithBackoff: from 10 ms to 30 ms", strategy).await;
    for _ in 0..3 {
        scene.panic().await;
    }
    scene.stamp(1).await;
    let records = scene.records().await;
    let delays = records
        .iter()
        .filter_map(|record| record.decision.as_ref()?.delay());
    let expected = [10, 20, 30].map(Duration::from_millis);
    assert_eq!(delays.collect::<Vec<_>>(), expected);
    scene.close().await;
}

/// When one answer does not help, the next one is tried.
pub(crate) async fn ladder() {
    let strategy = SupervisionStrategy::Ladder {
        rungs: vec![
            SupervisionStrategy::Restart {
                max_restarts: 2,
                window: WINDOW,
                delay: Duration::ZERO,
            },
            SupervisionStrategy::Relocate {
                placement: PlacementStrategy::LeastLoaded,
                max_relocations: 1,
                delay: DELAY,
            },
            SupervisionStrategy::Escalate,
        ],
    };
    let scene = Scene::open(
        "Ladder: restart twice, relocate once, then escalate",
        strategy,
    )
    .await;
    for _ in 0..4 {
        scene.panic().await;
    }
    scene.assert_gone().await;
    let expected = [
        Outcome::Restarted,
        Outcome::Restarted,
        Outcome::RestartedInPlace,
        Outcome::Escalated,
    ];
    assert_eq!(scene.outcomes().await, expected);
}
