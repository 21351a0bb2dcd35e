//! A typo in a key.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(paht = "/user/a")]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
