//! The key is shorter.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    stall_deadline = "5s",
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
