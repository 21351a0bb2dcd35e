//! A typo in a placement.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    strategy = relocate(roundrobin, max = 3),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
