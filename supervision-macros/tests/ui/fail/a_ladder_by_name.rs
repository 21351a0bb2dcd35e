//! Rungs are joined by `then`.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    strategy = ladder(restart, stop),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
