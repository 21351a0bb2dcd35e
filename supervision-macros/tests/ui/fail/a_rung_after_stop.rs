//! Nothing comes after the end.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    strategy = restart(max = 3) then stop then escalate,
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
