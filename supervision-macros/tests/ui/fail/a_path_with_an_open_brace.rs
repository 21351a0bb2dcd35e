//! A brace has two sides.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/{id")]
struct Worker {
    id: u32,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
