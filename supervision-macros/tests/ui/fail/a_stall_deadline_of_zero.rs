//! Every poll would be a stall.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    stall = 0s,
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
