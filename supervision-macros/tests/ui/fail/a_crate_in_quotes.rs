//! Paths are written as paths.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/worker", crate = "supervision_actix")]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
