//! Nothing in the expansion is linted.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused,
    unused_qualifications,
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    future_incompatible,
    let_underscore,
    rust_2018_idioms,
    rust_2024_compatibility
)]
#![allow(unreachable_pub, clippy::needless_pass_by_ref_mut)]

use actix::prelude::*;
use supervision_actix::prelude::*;

/// An error.
#[derive(Debug, thiserror::Error, ErrorVariants)]
pub enum Failed {
    /// The only one.
    #[error("badly")]
    Badly,
}

/// An actor.
#[derive(Debug, Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/{id}")]
#[supervision(
    on(Failed.Badly => restart(max = 3, within = "100s", delay = "1s"..="9s", factor = 1.5)),
    on(Failed => stop),
    default = relocate(node("b"), max = 2) then escalate,
    known(std::fmt::Error, Failed.*),
    restart_type = transient,
    history = 3,
    before_restart = Self::flush,
    after_relocate = arrived,
)]
pub struct Worker {
    /// Which.
    pub id: u32,
}

impl Worker {
    fn flush(&mut self, _: &mut Context<Self>, _: Option<FailureInfo>) {
        self.id += 1;
    }
}

fn arrived(worker: &mut Worker, _: &mut Context<Worker>, _: NodeId, _: Option<FailureInfo>) {
    worker.id += 1;
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {
    assert_eq!(Worker { id: 1 }.actor_path(), "/user/1");
}
