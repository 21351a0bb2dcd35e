//! Attributes have parentheses.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor = "/user/a"]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
