//! Bounds, defaults, constants and lifetimes are taken over.

use actix::prelude::*;
use supervision_actix::prelude::*;

trait Backend: Unpin + 'static {}
impl Backend for u8 {}

#[derive(Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/{shard}")]
#[supervision(on(panic => stop), default = escalate)]
struct Worker<B: Clone = u8, const SHARDS: usize = 4>
where
    B: Backend,
{
    shard: usize,
    backend: B,
}

impl<B: Backend + Clone, const SHARDS: usize> Actor for Worker<B, SHARDS> {
    type Context = Context<Self>;
}

fn main() {
    let worker = Worker::<u8> { shard: 3, backend: 0 };
    assert_eq!(worker.actor_path(), "/user/3");
    let _ = worker.backend;
}
