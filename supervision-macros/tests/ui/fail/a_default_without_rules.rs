//! Without rules there is a strategy.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    default = restart,
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
