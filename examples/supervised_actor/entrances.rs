//! The ways for a failure to enter. A panic and three kinds of error end in the same place.

use std::{io, time::Duration};

use supervision_actix::prelude::*;

use crate::{
    WINDOW,
    clerk::{Clerk, Count, GiveUp},
    stage::Scene,
};

async fn open(title: &str) -> Scene {
    let strategy = SupervisionStrategy::Restart {
        max_restarts: 3,
        window: WINDOW,
        delay: Duration::ZERO,
    };
    let scene = Scene::open(title, strategy).await;
    scene.stamp(1).await;
    scene
}

/// Checks that one failure of this type was recorded and answered by a restart that kept the stamps.
async fn close(scene: Scene, error_type: &str) {
    scene.stamp(2).await;
    let records = scene.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].info.error_type, error_type);
    assert_eq!(records[0].outcome, Outcome::Restarted);
    scene.close().await;
}

/// A panic anywhere in the actor.
pub(crate) async fn panic() {
    let scene = open("A failure enters: a panic").await;
    scene.panic().await;
    close(scene, "panic").await;
}

/// The actor says so itself, and its handler ends as usual.
pub(crate) async fn fail_from_inside() {
    let scene = open("A failure enters: ctx.fail").await;
    let answer = scene.clerk.send(GiveUp).await;
    println!("  asker: the handler ended as usual - {answer:?}");
    assert_eq!(answer, Ok(()));
    close(scene, "supervised_actor::clerk::InkError").await;
}

/// The error goes to both, the asker and the supervisor.
pub(crate) async fn error_as_answer() {
    let scene = open("A failure enters: FailOnErr").await;
    let answer = scene.clerk.send(Count("many")).await;
    println!("  asker: got the error too - {answer:?}");
    assert!(answer.is_ok_and(|count| count.is_err()));
    close(scene, "std::num::ParseIntError").await;
}

/// Somebody else noticed. The answer comes when the decision has been carried out.
pub(crate) async fn report_from_outside() {
    let scene = open("A failure enters: ReportFailure").await;
    let report = ReportFailure::<Clerk>::of(io::Error::other("the stamp is upside down"));
    let answer = scene
        .supervisor
        .send(report)
        .await
        .expect("a supervisor answers");
    assert!(
        answer.is_some_and(|clerk| clerk == scene.clerk),
        "the address stays"
    );
    close(scene, "std::io::Error").await;
}
