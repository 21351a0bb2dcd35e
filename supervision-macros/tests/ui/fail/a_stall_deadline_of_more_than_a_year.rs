//! Longer than the runtime accepts.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    stall = "2y",
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
