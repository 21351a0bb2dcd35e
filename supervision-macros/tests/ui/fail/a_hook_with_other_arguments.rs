//! Hooks take what the trait's methods take.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    before_restart = Self::flush,
)]
struct Worker;

impl Worker {
    fn flush(&mut self, _: &mut Context<Self>) {}
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
