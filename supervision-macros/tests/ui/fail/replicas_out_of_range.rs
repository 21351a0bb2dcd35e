//! An actor has an owner, and not more nodes than the runtime takes.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(panic => relocate(redundant(0), max = 1)),
    default = relocate(redundant(65), max = 1),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
