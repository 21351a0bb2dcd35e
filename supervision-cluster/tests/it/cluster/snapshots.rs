//! Snapshots of other versions, and snapshots that cannot be read.

use std::{sync::Arc, time::Duration};

use actix::prelude::*;
use serde::{Deserialize, Serialize};
use supervision_actix::{SupervisionEvent, prelude::*};
use supervision_cluster::{
    Cluster, ClusterConfig, Kind, RemoteMessage, SendError, Snapshot,
    engine::in_process::{InProcess, Options},
    protocol::Refusal,
};

use super::{Log, node, on, path, run, until};

/// An actor of version `V` of its program.
struct Versioned<const V: u32> {
    words: Vec<String>,
}

impl<const V: u32> Actor for Versioned<V> {
    type Context = Context<Self>;
}

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Vec<String>")]
struct Say(String);

impl RemoteMessage for Say {
    const NAME: &'static str = "say";
}

impl<const V: u32> Handler<Say> for Versioned<V> {
    type Result = Vec<String>;
    fn handle(&mut self, Say(word): Say, _: &mut Context<Self>) -> Vec<String> {
        self.words.push(word);
        self.words.clone()
    }
}

impl<const V: u32> Snapshot for Versioned<V> {
    type State = serde_json::Value;
    const VERSION: u32 = V;
    fn snapshot(&self) -> Self::State {
        match V {
            // The first version kept one text.
            1 => self.words.join(" ").into(),
            _ => self.words.clone().into(),
        }
    }
    fn restore(&mut self, state: Self::State) {
        self.words = match state {
            serde_json::Value::String(text) => text.split(' ').map(str::to_owned).collect(),
            list => serde_json::from_value(list).unwrap(),
        };
    }
    fn migrate(found: u32, state: serde_json::Value) -> Result<serde_json::Value, String> {
        match (found, state) {
            (1, serde_json::Value::String(text)) if V == 2 => {
                Ok(text.split(' ').collect::<Vec<_>>().into())
            }
            (found, _) => Err(format!("{found} is none of mine")),
        }
    }
}

async fn join<const V: u32>(engine: &InProcess, name: &str, log: &Log) -> Cluster {
    let strategy = SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Restart {
            max_restarts: 3,
            window: Duration::from_secs(60),
            delay: Duration::ZERO,
        }),
        matchers: vec![SupervisionMatcher {
            error_type: "UnreadableSnapshot".into(),
            strategy: Box::new(SupervisionStrategy::Stop),
        }],
    };
    let log = Arc::clone(log);
    let kind = Kind::plain("speaker", strategy, |_| Versioned::<V> { words: vec![] })
        .handles::<Say>()
        .snapshot()
        .with_props(move |props| {
            let log = Arc::clone(&log);
            props.with_observer(move |event| {
                if let SupervisionEvent::Failed { failure, .. } = event {
                    log.lock().unwrap().push(failure.error_type.clone());
                }
            })
        });
    let config = ClusterConfig::new(node(name)).with_kind(kind);
    let clock = Arc::new(engine.clock(name));
    Cluster::join(engine.connect(name), clock, config)
        .await
        .unwrap()
}

async fn upgrade<const V: u32>(log: &Log) -> Result<Vec<String>, SendError> {
    let engine = InProcess::new(Options::seeded(1));
    let old = join::<1>(&engine, "a", log).await;
    let new = join::<V>(&engine, "b", log).await;
    until("both see each other", async || {
        old.members().len() == 2 && new.members().len() == 2
    })
    .await;
    let name = path("/user/speaker");
    let speaker = old.start_at::<Versioned<1>>(&name, on("a")).await.unwrap();
    speaker.send(Say("one".into())).await.unwrap();
    old.relocate(&name, &node("b")).await.unwrap();
    speaker.send(Say("two".into())).await
}

#[test]
fn a_snapshot_of_an_older_version_is_migrated() {
    run(async {
        let log = Log::default();
        assert_eq!(
            upgrade::<2>(&log).await,
            Ok(vec!["one".into(), "two".into()])
        );
        assert!(log.lock().unwrap().is_empty());
    });
}

#[test]
fn an_unreadable_snapshot_is_a_failure_of_its_own_type_and_no_fresh_start() {
    run(async {
        let log = Log::default();
        let gone = Err(SendError::Refused(Refusal::NoSuchActor));
        assert_eq!(upgrade::<3>(&log).await, gone);
        let log = log.lock().unwrap();
        let [error_type] = log.as_slice() else {
            panic!("{log:?}");
        };
        assert!(error_type.ends_with("UnreadableSnapshot"), "{error_type}");
    });
}
