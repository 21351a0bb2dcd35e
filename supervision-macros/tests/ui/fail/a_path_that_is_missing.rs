//! An actor lives somewhere.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
