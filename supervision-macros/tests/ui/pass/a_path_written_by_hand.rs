//! Either trait may be written by hand.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(SupervisedDistributedActor)]
#[supervision(strategy = escalate)]
struct Derived;

impl DistributedActor for Derived {
    fn actor_path(&self) -> String {
        "/by/hand".to_owned()
    }
}

#[derive(DistributedActor)]
#[actor(path = "/derived")]
struct Written;

impl SupervisedDistributedActor for Written {
    fn restart_type() -> RestartType {
        RestartType::Permanent
    }
}

impl Actor for Derived {
    type Context = Context<Self>;
}
impl Actor for Written {
    type Context = Context<Self>;
}

fn main() {
    assert_eq!(Derived.actor_path(), "/by/hand");
    assert_eq!(Written.actor_path(), "/derived");
    assert_eq!(Derived.supervision_strategy(), SupervisionStrategy::Escalate);
}
