//! What is not said has the trait's defaults.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {
    assert_eq!(Worker.actor_path(), "/user/worker");
    assert_eq!(Worker.supervision_strategy(), SupervisionStrategy::default());
    assert!(Worker.error_types().is_empty());
    assert_eq!(Worker::restart_type(), RestartType::Transient);
    assert_eq!(Worker::history_capacity(), supervision_actix::DEFAULT_HISTORY_CAPACITY);
}
