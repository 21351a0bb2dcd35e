//! Variants need `ErrorVariants`.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(Plain.Timeout => stop),
)]
struct Worker;

#[derive(Debug, thiserror::Error)]
enum Plain {
    #[error("timeout")]
    Timeout,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
