//! A typo in a restart type.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    restart_type = permament,
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
