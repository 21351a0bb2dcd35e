//! The counter: its state, its messages, and what it says when it moves.

use std::{io, time::Duration};

use actix::prelude::*;
use serde::{Deserialize, Serialize};
use supervision_actix::{FailureInfo, prelude::*};
use supervision_cluster::{Kind, RemoteMessage, Snapshot, protocol::ActorPath};

/// Adds up what it is sent.
pub(crate) struct Counter {
    path: ActorPath,
    sum: u64,
}

/// Adds, and gives the sum.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "u64")]
pub(crate) struct Add(pub(crate) u64);

/// Lets the counter meet a disk that is broken on its node.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "()")]
pub(crate) struct Flush;

impl RemoteMessage for Add {
    const NAME: &'static str = "add";
}

impl RemoteMessage for Flush {
    const NAME: &'static str = "flush";
}

/// What nodes have to know to run counters.
pub(crate) fn kind() -> Kind<Counter> {
    let make = |path: &ActorPath| Counter {
        path: path.clone(),
        sum: 0,
    };
    Kind::new("counter", make)
        .handles::<Add>()
        .handles::<Flush>()
        .durable()
}

impl Actor for Counter {
    type Context = Context<Self>;
}

impl DistributedActor for Counter {
    fn actor_path(&self) -> String {
        self.path.to_string()
    }
}

impl SupervisedDistributedActor for Counter {
    /// What is wrong with a disk is wrong with the node; anything else is tried again here.
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::Match {
            default: Box::new(SupervisionStrategy::default()),
            matchers: vec![SupervisionMatcher {
                error_type: "std::io::Error".into(),
                strategy: Box::new(SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 3,
                    delay: Duration::from_millis(50),
                }),
            }],
        }
    }

    fn before_relocate(&mut self, _: &mut Context<Self>, to: NodeId, why: Option<FailureInfo>) {
        if let Some(failure) = why {
            println!(
                "    {} fails ({}) and leaves for {to}",
                self.path, failure.error
            );
        }
    }

    fn after_relocate(&mut self, _: &mut Context<Self>, from: NodeId, why: Option<FailureInfo>) {
        if why.is_some() {
            println!(
                "    {} is up again after {from}, with sum {}",
                self.path, self.sum
            );
        }
    }
}

impl Snapshot for Counter {
    type State = u64;

    fn snapshot(&self) -> u64 {
        self.sum
    }

    fn restore(&mut self, sum: u64) {
        self.sum = sum;
    }
}

impl Handler<Add> for Counter {
    type Result = u64;

    fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u64 {
        self.sum += n;
        self.sum
    }
}

impl Handler<Flush> for Counter {
    type Result = ();

    fn handle(&mut self, _: Flush, ctx: &mut Context<Self>) {
        ctx.fail(io::Error::other("disk full"));
    }
}
