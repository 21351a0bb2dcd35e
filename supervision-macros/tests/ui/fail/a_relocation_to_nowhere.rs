//! A relocation has a target and a limit.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(std::io::Error => relocate),
    on(std::fmt::Error => relocate(max = 3)),
    default = relocate(random),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
