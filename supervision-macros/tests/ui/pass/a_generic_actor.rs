//! Type parameters need no bounds on the struct itself.

use actix::prelude::*;
use supervision_actix::prelude::*;

use std::{fmt::Display, marker::PhantomData};

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/{name}")]
#[supervision(strategy = restart(max = 5), before_restart = Self::flush)]
struct Worker<N, T> {
    name: N,
    work: PhantomData<T>,
}

impl<N: Unpin + 'static, T: Unpin + 'static> Actor for Worker<N, T> {
    type Context = Context<Self>;
}

impl<N, T> Worker<N, T>
where
    Self: Actor<Context = Context<Self>>,
{
    fn flush(&mut self, _: &mut Context<Self>, _: Option<FailureInfo>) {}
}

fn path<N: Display + Unpin + 'static>(name: N) -> String {
    let worker = Worker { name, work: PhantomData::<u8> };
    assert_ne!(worker.supervision_strategy(), SupervisionStrategy::default());
    worker.actor_path()
}

fn main() {
    assert_eq!(path("a"), "/user/a");
    assert_eq!(path(7), "/user/7");
}
