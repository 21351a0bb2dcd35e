//! A path is text.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = user)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
