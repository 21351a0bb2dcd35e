//! Once is enough.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    known(std::fmt::Error, std::fmt::Error),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
