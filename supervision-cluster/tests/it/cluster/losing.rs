//! Losing nodes, and losing the engine.

use std::time::Duration;

use supervision_cluster::SendError;

use super::{Add, Counter, Stage, node, on, path, pause, run, seconds, until};

#[test]
fn the_actors_of_a_lost_node_answer_again_elsewhere() {
    run(async {
        let stage = Stage::new(3, |kind| kind.durable()).await;
        let names: Vec<_> = (0..20).map(|n| path(&format!("/user/{n}"))).collect();
        for name in &names {
            let counter = stage.a().start_at::<Counter>(name, on("c")).await.unwrap();
            assert_eq!(counter.send(Add(3)).await, Ok(3));
        }
        stage.engine.crash("c");
        for name in &names {
            let counter = stage.a().actor_ref::<Counter>(name);
            let counter = counter.with_timeout(seconds(30));
            assert_eq!(counter.send(Add(4)).await, Ok(7));
            let owner = stage.owner(name).await;
            assert_eq!(owner.len(), 1, "{owner:?}");
            assert_ne!(owner, [node("c")]);
        }
        assert!(stage.nodes[2].has_ended());
    });
}

#[test]
fn when_the_engine_is_away_for_ten_minutes_all_stop_in_time_and_all_recover() {
    run(async {
        let stage = Stage::new(3, |kind| kind.durable()).await;
        let names: Vec<_> = (0..30).map(|n| path(&format!("/user/{n}"))).collect();
        for name in &names {
            let counter = stage.a().start::<Counter>(name).await.unwrap();
            assert_eq!(counter.send(Add(3)).await, Ok(3));
        }
        let boots: Vec<_> = stage.boots().await;
        stage.engine.begin_outage();
        // The lease holds for 4.5 s from the last renewal that was sent before.
        pause(Duration::from_millis(4_600)).await;
        for node in &stage.nodes {
            assert_eq!(node.owned().await, [], "{node:?} still runs something");
        }
        let here = stage.a().actor_ref::<Counter>(&names[0]);
        let refused = here.send(Add(1)).await;
        assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
        pause(seconds(600)).await;
        stage.engine.end_outage();
        for name in &names {
            let counter = stage.b().actor_ref::<Counter>(name);
            let counter = counter.with_timeout(seconds(60));
            assert_eq!(counter.send(Add(4)).await, Ok(7));
            assert_eq!(stage.owner(name).await.len(), 1);
        }
        for (before, after) in boots.iter().zip(stage.boots().await) {
            assert_ne!(*before, after, "a fenced boot is never used again");
        }
    });
}

#[test]
fn a_node_that_was_paused_past_its_lease_finds_itself_replaced() {
    run(async {
        let stage = Stage::new(2, |kind| kind.durable()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("b")).await.unwrap();
        let counter = stage.a().actor_ref::<Counter>(&name);
        let counter = counter.with_timeout(seconds(30));
        assert_eq!(counter.send(Add(3)).await, Ok(3));
        stage.engine.pause("b");
        assert_eq!(counter.send(Add(4)).await, Ok(7));
        assert_eq!(stage.a().owned().await.len(), 1);
        stage.engine.resume("b");
        until("b has joined again", async || {
            stage.a().members().len() == 2 && stage.b().members().len() == 2
        })
        .await;
        assert_eq!(stage.owner(&name).await, [node("a")]);
        let from_b = stage.b().actor_ref::<Counter>(&name);
        assert_eq!(from_b.send(Add(1)).await, Ok(8));
    });
}

/// What a loss of so many actors costs: calls to the store for each, and virtual time until all answer.
pub(super) async fn lose(actors: usize) -> (f64, Duration) {
    let stage = Stage::new(3, |kind| kind.durable()).await;
    let names: Vec<_> = (0..actors).map(|n| path(&format!("/user/{n}"))).collect();
    for some in names.chunks(256) {
        let started = some
            .iter()
            .map(|name| stage.a().start_at::<Counter>(name, on("c")));
        for started in futures_util::future::join_all(started).await {
            started.unwrap();
        }
    }
    until("all run on c", async || {
        stage.nodes[2].owned().await.len() == actors
    })
    .await;
    let calls = |name: &str| {
        let stats = stage.engine.stats_of(name);
        stats.gets + stats.writes
    };
    let before = calls("a") + calls("b");
    stage.engine.crash("c");
    let lost_at = tokio::time::Instant::now();
    until("all run elsewhere", async || {
        stage.a().owned().await.len() + stage.b().owned().await.len() == actors
    })
    .await;
    let calls = calls("a") + calls("b") - before;
    for some in names.chunks(1_000) {
        let answers = some.iter().map(|name| {
            let counter = stage.b().actor_ref::<Counter>(name);
            async move { counter.send(Add(1)).await }
        });
        for answer in futures_util::future::join_all(answers).await {
            assert_eq!(answer, Ok(1));
        }
    }
    let took = lost_at.elapsed();
    (calls as f64 / actors as f64, took)
}

#[test]
fn the_loss_of_a_node_costs_three_calls_to_the_store_for_each_of_its_actors() {
    run(async {
        let (calls, took) = lose(2_000).await;
        // Renewals of the two survivors are among them.
        assert!((3.0..3.05).contains(&calls), "{calls} calls");
        assert!(took < seconds(8), "{took:?}");
    });
}
