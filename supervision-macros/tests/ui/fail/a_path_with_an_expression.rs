//! Fields only.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/{id + 1}")]
struct Worker {
    id: u32,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
