//! The sign of a path's fragment is not the one here.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(Debug, thiserror::Error, ErrorVariants)]
enum DatabaseError {
    #[error("timeout")]
    Timeout,
    #[error("refused")]
    Refused,
}

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(DatabaseError # Timeout => stop),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
