//! Nothing is ignored silently.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(strategy = stop)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
