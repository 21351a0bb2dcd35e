//! Neither of them says how long.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    stall = never,
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
