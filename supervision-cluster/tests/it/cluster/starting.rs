//! Starting actors, and reaching them from anywhere.

use supervision_cluster::{
    Cluster, ClusterConfig, ConfigError, JoinError, SendError, StartError, protocol::Refusal,
};

use super::{Add, AddLate, Break, Counter, Stage, counters, node, on, path, run};

#[test]
fn an_actor_is_started_where_it_is_wanted_and_answers_from_every_node() {
    run(async {
        let stage = Stage::new(3, |kind| kind).await;
        let name = path("/user/counter");
        let from_a = stage.a().start_at::<Counter>(&name, on("c")).await.unwrap();
        assert_eq!(from_a.send(Add(1)).await, Ok(1));
        let from_b = stage.b().actor_ref::<Counter>(&name);
        assert_eq!(from_b.send(Add(2)).await, Ok(3));
        let from_c = stage.nodes[2].actor_ref::<Counter>(&name);
        assert_eq!(from_c.send(Add(4)).await, Ok(7));
        assert_eq!(from_b.send(AddLate(8)).await, Ok(15));
        assert_eq!(from_c.send(AddLate(16)).await, Ok(31));
        assert_eq!(stage.owner(&name).await, [node("c")]);
        let counts = stage.nodes[2].message_counts();
        assert_eq!((counts.sent, counts.short_way, counts.delivered), (2, 2, 2));
    });
}

#[test]
fn there_is_one_actor_at_a_path() {
    run(async {
        let stage = Stage::new(2, |kind| kind).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("b")).await.unwrap();
        let again = stage.b().start_at::<Counter>(&name, on("a")).await;
        assert!(matches!(again, Err(StartError::Exists(_))), "{again:?}");
        assert_eq!(stage.owner(&name).await, [node("b")]);
    });
}

#[test]
fn nobody_answers_for_an_actor_that_is_not_there() {
    run(async {
        let stage = Stage::new(2, |kind| kind).await;
        let nobody = stage.a().actor_ref::<Counter>(&path("/user/nobody"));
        let refused = Err(SendError::Refused(Refusal::NoSuchActor));
        assert_eq!(nobody.send(Add(1)).await, refused);
        let nowhere = stage.a().start_at::<Counter>(&path("/x"), on("z")).await;
        assert!(matches!(nowhere, Err(StartError::Placement(_))));
    });
}

#[test]
fn a_failed_message_is_answered_and_the_ones_behind_it_are_handled() {
    run(async {
        let stage = Stage::new(2, |kind| kind).await;
        let name = path("/user/counter");
        stage.a().start_at::<Counter>(&name, on("b")).await.unwrap();
        for node in [stage.a(), stage.b()] {
            let counter = node.actor_ref::<Counter>(&name);
            let broken = counter.send(Break::Panic);
            let added = counter.send(Add(1));
            let (broken, added) = tokio::join!(broken, added);
            assert!(matches!(broken, Err(SendError::Failed(_))), "{broken:?}");
            // A volatile actor begins anew.
            assert_eq!(added, Ok(1));
        }
    });
}

#[test]
fn an_actor_that_has_ended_can_be_made_anew() {
    run(async {
        let stage = Stage::new(2, |kind| kind.durable()).await;
        let name = path("/user/counter");
        let counter = stage.a().start_at::<Counter>(&name, on("a")).await.unwrap();
        assert_eq!(counter.send(Add(1)).await, Ok(1));
        stage.a().end(&name).await.unwrap();
        let refused = Err(SendError::Refused(Refusal::NoSuchActor));
        assert_eq!(counter.send(Add(1)).await, refused);
        let counter = stage.b().start_at::<Counter>(&name, on("b")).await.unwrap();
        assert_eq!(counter.send(Add(1)).await, Ok(1));
    });
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_done() {
    run(async {
        let stage = Stage::new(0, |kind| kind).await;
        let config = ClusterConfig::new(node("a"))
            .with_kind(counters(&stage.log))
            .with_kind(counters(&stage.log));
        let clock = std::sync::Arc::new(stage.engine.clock("a"));
        let joined = Cluster::join(stage.engine.connect("a"), clock, config).await;
        let Err(JoinError::Config(ConfigError::KindTwice(kind))) = joined else {
            panic!("{joined:?}");
        };
        assert_eq!(kind.as_str(), "counter");
        let twice = counters(&stage.log).handles::<Add>();
        let config = ClusterConfig::new(node("a")).with_kind(twice);
        let clock = std::sync::Arc::new(stage.engine.clock("a"));
        let joined = Cluster::join(stage.engine.connect("a"), clock, config).await;
        assert!(matches!(
            joined,
            Err(JoinError::Config(ConfigError::MessageTwice {
                message: "add",
                ..
            }))
        ));
        assert_eq!(stage.engine.stats_of("a").writes, 0);
    });
}
