//! A fixed path needs no fields.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/machine")]
#[supervision(strategy = resume)]
enum Machine {
    Idle,
    Busy { since: u64 },
}

impl Actor for Machine {
    type Context = Context<Self>;
}

fn main() {
    for machine in [Machine::Idle, Machine::Busy { since: 1 }] {
        assert_eq!(machine.actor_path(), "/user/machine");
        assert_eq!(machine.supervision_strategy(), SupervisionStrategy::Resume);
        if let Machine::Busy { since } = machine {
            assert_eq!(since, 1);
        }
    }
}
