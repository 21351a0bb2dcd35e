//! A path has at least one byte.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "")]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
