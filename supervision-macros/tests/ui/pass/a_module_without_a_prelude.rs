//! Not even the standard prelude is needed.
#![no_implicit_prelude]


use ::core::clone::Clone;
use ::supervision_actix::{DistributedActor, ErrorVariants, SupervisedDistributedActor};

#[derive(Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/{id}/x")]
#[supervision(
    on(Failed.Once => restart(delay = "1s"..="9s", jitter = 0)),
    on(stall => relocate(least_loaded, max = 2) then stop),
    known(::std::fmt::Error),
)]
struct Worker {
    id: u8,
}

impl ::actix::Actor for Worker {
    type Context = ::actix::Context<Self>;
}

#[derive(::core::fmt::Debug, ErrorVariants)]
enum Failed {
    Once,
    #[allow(dead_code)]
    Twice(u8),
}

impl ::core::fmt::Display for Failed {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("failed")
    }
}

impl ::core::error::Error for Failed {}

fn main() {
    let worker = Clone::clone(&Worker { id: 1 });
    ::core::assert_eq!(worker.actor_path(), "/user/1/x");
    ::core::assert!(worker.supervision_strategy().validate().is_ok());
    ::core::assert_eq!(Failed::Once.variant(), "Once");
}
