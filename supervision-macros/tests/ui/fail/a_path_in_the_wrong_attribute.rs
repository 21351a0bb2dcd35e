//! Each derive has its own attribute.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    path = "/user/a",
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
