//! Text is made by `Display`.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/{id}")]
struct Worker {
    id: Vec<u8>,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
