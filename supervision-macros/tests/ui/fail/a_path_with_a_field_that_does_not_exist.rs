//! A typo in a field.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/user/{nmae}/{id}")]
struct Worker {
    id: u32,
    name: String,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
