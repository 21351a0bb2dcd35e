//! An enum has no fields of its own.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/{id}")]
enum Worker {
    One { id: u32 },
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
