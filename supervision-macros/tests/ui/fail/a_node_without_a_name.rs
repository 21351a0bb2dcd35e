//! Names of nodes have rules.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(panic => relocate(node(""), max = 1)),
    default = relocate(node("a b"), max = 1),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
