//! Durable actors: what was acknowledged is there, once, whatever happens.

use std::time::Duration;

use futures_util::future::join_all;
use supervision_cluster::SendError;

use super::{Add, AddLate, Break, Counter, Stage, node, on, path, pause, run, seconds};

#[test]
fn a_failure_takes_back_what_was_not_acknowledged_and_nothing_else() {
    run(async {
        let stage = Stage::new(2, |kind| kind.durable()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("b")).await.unwrap();
        for node in [stage.a(), stage.b()] {
            let counter = node.actor_ref::<Counter>(&name);
            let before = counter.send(Add(0)).await.unwrap();
            // All of these are in one batch, or in two.
            let adds = (0..10).map(|_| counter.send(Add(1)));
            let first = join_all(adds);
            let broken = counter.send(Break::Panic);
            let late = counter.send(AddLate(1));
            let last = join_all((0..10).map(|_| counter.send(Add(1))));
            let (first, broken, late, last) = tokio::join!(first, broken, late, last);
            assert!(
                first.iter().chain(&last).all(Result::is_ok),
                "{first:?} {last:?}"
            );
            assert!(late.is_ok());
            assert!(matches!(broken, Err(SendError::Failed(_))), "{broken:?}");
            assert_eq!(counter.send(Add(0)).await, Ok(before + 21));
        }
    });
}

#[test]
fn a_relocated_durable_actor_goes_on_from_its_checkpoint() {
    run(async {
        let stage = Stage::new(2, |kind| kind.durable()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("a")).await.unwrap();
        let counter = stage.b().actor_ref::<Counter>(&name);
        assert_eq!(counter.send(Add(5)).await, Ok(5));
        let broken = counter.send(Break::Disk);
        let added = join_all((0..10).map(|_| counter.send(Add(1))));
        let (broken, added) = tokio::join!(broken, added);
        assert!(matches!(broken, Err(SendError::Failed(_))), "{broken:?}");
        let added: Result<Vec<_>, _> = added.into_iter().collect();
        assert_eq!(added, Ok((6..16).collect()));
        let hooks = stage.log().into_iter().filter(|it| !it.starts_with('+'));
        assert_eq!(
            hooks.collect::<Vec<_>>(),
            [
                r#"before b Some("broken disk")"#,
                r#"after a Some("broken disk")"#
            ]
        );
        assert_eq!(stage.owner(&name).await, [node("b")]);
    });
}

#[test]
fn no_acknowledged_increment_is_lost_or_doubled_while_nodes_crash() {
    run(async {
        let mut stage = Stage::new(3, |kind| kind.durable()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("b")).await.unwrap();
        let asker = stage.a().clone();
        let load = actix::spawn(async move {
            let counter = asker.actor_ref::<Counter>(&path("/user/counter"));
            let counter = counter.with_timeout(seconds(20));
            let (mut acked, mut unknown) = (0, 0);
            for _ in 0..400 {
                match counter.send(Add(1)).await {
                    Ok(_) => acked += 1,
                    Err(SendError::Unknown) => unknown += 1,
                    Err(SendError::Refused(_)) => {}
                    Err(other) => panic!("{other}"),
                }
                pause(Duration::from_millis(50)).await;
            }
            (acked, unknown)
        });
        let mut crashes = 0;
        while !load.is_finished() {
            pause(seconds(3)).await;
            let Some(owner) = stage.owner(&name).await.pop() else {
                continue;
            };
            if owner == node("a") {
                let _ = stage.a().relocate(&name, &node("c")).await;
                continue;
            }
            crashes += 1;
            let owner = owner.as_str().to_owned();
            stage.engine.crash(&owner);
            stage.nodes.retain(|node| node.node().as_str() != owner);
            stage
                .join(&owner, super::counters(&stage.log).durable())
                .await;
        }
        let (acked, unknown) = load.await.unwrap();
        let counter = stage.a().actor_ref::<Counter>(&name);
        let sum = counter.send(Add(0)).await.unwrap();
        assert!(crashes >= 3, "{crashes}");
        assert!(acked >= 200, "{acked}");
        assert!(
            acked <= sum && sum <= acked + unknown,
            "{acked} {sum} {unknown}"
        );
    });
}
