//! Not supported yet, and said so.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    stall = "5s",
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
