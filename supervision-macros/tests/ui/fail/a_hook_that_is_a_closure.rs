//! Functions have names.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    before_restart = |_, _, _| {},
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
