//! A capacity is a number.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    history = "many",
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
