//! Live moves: ordered, by policy, and by a drain.

use futures_util::future::join_all;
use supervision_cluster::{MoveError, SendError};

use std::time::Duration;

use super::{Add, Break, Counter, Nap, Stage, node, on, path, pause, run, seconds};

#[test]
fn a_thousand_queued_messages_move_along_and_are_handled_once_in_order() {
    run(async {
        let stage = Stage::new(3, |kind| kind.snapshot()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("b")).await.unwrap();
        let counter = stage.a().actor_ref::<Counter>(&name);
        let sent: Vec<_> = (1..=1_000).map(|n| counter.send(Add(n))).collect();
        let moved = async {
            tokio::task::yield_now().await;
            stage.b().relocate(&name, &node("c")).await.unwrap();
        };
        let (answers, ()) = tokio::join!(join_all(sent), moved);
        let answers: Result<Vec<_>, _> = answers.into_iter().collect();
        let sums: Vec<u64> = (1..=1_000).map(|n| n * (n + 1) / 2).collect();
        assert_eq!(answers, Ok(sums));
        let added = stage.log().into_iter().filter(|what| what.starts_with('+'));
        let expected: Vec<_> = (1..=1_000).map(|n| format!("+{n}")).collect();
        assert_eq!(added.collect::<Vec<_>>(), expected);
        assert_eq!(stage.owner(&name).await, [node("c")]);
        let log = stage.log();
        let at = |what: &str| log.iter().position(|it| it == what).unwrap();
        // Both nodes had their part of them.
        assert!(at("+1") < at("before c None"), "{log:?}");
        assert!(at("before c None") < at("after b None"));
        assert!(at("after b None") < at("+1000"));
    });
}

#[test]
fn messages_on_the_short_way_move_along_in_order() {
    run(async {
        let stage = Stage::new(2, |kind| kind.snapshot()).await;
        let name = path("/user/counter");
        let counter = stage.a().start_at::<Counter>(&name, on("a")).await.unwrap();
        assert_eq!(counter.send(Add(0)).await, Ok(0));
        assert_eq!(counter.send(Add(0)).await, Ok(0));
        assert!(stage.a().message_counts().short_way > 0);
        for n in 1..=500 {
            counter.do_send(Add(n)).unwrap();
            if n == 100 {
                counter.do_send(Nap).unwrap();
            }
        }
        // The first hundred are handled now; the others wait in the inlet.
        pause(Duration::from_millis(10)).await;
        let to = node("b");
        let order = stage.a().relocate(&name, &to);
        let more = async {
            for n in 501..=1_000 {
                counter.do_send(Add(n)).unwrap();
            }
        };
        let (moved, ()) = tokio::join!(order, more);
        moved.unwrap();
        assert_eq!(counter.send(Add(0)).await, Ok(500_500));
        let log = stage.log();
        let left = log.iter().position(|what| what == "before b None");
        assert_eq!(left, Some(100), "{log:?}");
        let added = log.into_iter().filter(|what| what.starts_with('+'));
        let added: Vec<_> = added.collect();
        let expected: Vec<_> = (1..=1_000).map(|n| format!("+{n}")).collect();
        assert_eq!(added, expected);
        let counts = stage.a().message_counts();
        assert_eq!(counts.sent, counts.delivered);
    });
}

#[test]
fn a_node_local_failure_moves_the_actor_with_its_state_and_calls_both_hooks() {
    run(async {
        let stage = Stage::new(3, |kind| kind.snapshot()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("a")).await.unwrap();
        let counter = stage.b().actor_ref::<Counter>(&name);
        assert_eq!(counter.send(Add(5)).await, Ok(5));
        let broken = counter.send(Break::Disk);
        let added = counter.send(Add(6));
        let (broken, added) = tokio::join!(broken, added);
        assert_eq!(broken, Ok(()));
        assert_eq!(added, Ok(11));
        let log = stage.log();
        let before = log
            .iter()
            .position(|it| it == r#"before b Some("broken disk")"#);
        let after = log
            .iter()
            .position(|it| it == r#"after a Some("broken disk")"#);
        assert!(before.is_some() && before < after, "{log:?}");
        assert_eq!(stage.owner(&name).await, [node("b")]);
    });
}

#[test]
fn relocations_are_counted_over_all_nodes() {
    run(async {
        let stage = Stage::new(3, |kind| kind.snapshot()).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("a")).await.unwrap();
        let counter = stage.a().actor_ref::<Counter>(&name);
        for _ in 0..2 {
            counter.send(Break::Disk).await.unwrap();
            assert_eq!(counter.send(Add(0)).await, Ok(0));
        }
        // The third one is one too many: nobody is above the actor, so it is stopped.
        let _ = counter.send(Break::Disk).await;
        let gone = counter.send(Add(0)).await;
        assert!(matches!(gone, Err(SendError::Refused(_))), "{gone:?}");
        let moves = stage
            .log()
            .iter()
            .filter(|it| it.starts_with("after"))
            .count();
        assert_eq!(moves, 2);
    });
}

#[test]
fn an_actor_without_another_node_is_restarted_where_it_is() {
    run(async {
        let stage = Stage::new(1, |kind| kind.snapshot()).await;
        let name = path("/user/counter");
        let counter = stage.a().start::<Counter>(&name).await.unwrap();
        assert_eq!(counter.send(Add(5)).await, Ok(5));
        counter.send(Break::Disk).await.unwrap();
        // It came with no state, and so it begins with none.
        assert_eq!(counter.send(Add(1)).await, Ok(1));
        assert_eq!(stage.owner(&name).await, [node("a")]);
        assert!(!stage.log().iter().any(|it| it.starts_with("before")));
    });
}

#[test]
fn what_cannot_move_stays_and_says_why() {
    run(async {
        let stage = Stage::new(2, |kind| kind).await;
        let name = path("/user/counter");
        let counter = stage.a().start_at::<Counter>(&name, on("a")).await.unwrap();
        let (to_z, to_a) = (node("z"), node("a"));
        let moved = stage.a().relocate(&name, &to_z).await;
        assert_eq!(moved, Err(MoveError::NoMember(to_z)));
        let moved = stage.a().relocate(&name, &to_a).await;
        assert_eq!(moved, Err(MoveError::NoMember(to_a)));
        let moved = stage.b().relocate(&name, &node("a")).await;
        assert!(matches!(moved, Err(MoveError::NotHere(_))));
        assert_eq!(counter.send(Add(1)).await, Ok(1));
    });
}

#[test]
fn a_node_that_drains_gives_all_its_actors_away_and_leaves() {
    run(async {
        let stage = Stage::new(3, |kind| kind.snapshot()).await;
        let names: Vec<_> = (0..200).map(|n| path(&format!("/user/{n}"))).collect();
        for name in &names {
            let counter = stage.a().start_at::<Counter>(name, on("a")).await.unwrap();
            assert_eq!(counter.send(Add(3)).await, Ok(3));
        }
        let report = stage.a().leave(seconds(60)).await;
        assert_eq!(report.moved, 200);
        assert_eq!(report.left, []);
        for name in &names {
            let counter = stage.b().actor_ref::<Counter>(name);
            assert_eq!(counter.send(Add(4)).await, Ok(7));
        }
        super::until("the others see that it has left", async || {
            stage.b().members().len() == 2
        })
        .await;
        assert!(stage.a().has_ended());
    });
}

#[test]
fn a_drain_without_another_node_says_what_is_left() {
    run(async {
        let stage = Stage::new(1, |kind| kind).await;
        let name = path("/user/counter");
        let counter = stage.a().start::<Counter>(&name).await.unwrap();
        let report = stage.a().drain(seconds(3)).await;
        assert_eq!((report.moved, report.left), (0, vec![name]));
        assert_eq!(counter.send(Add(1)).await, Ok(1));
    });
}
