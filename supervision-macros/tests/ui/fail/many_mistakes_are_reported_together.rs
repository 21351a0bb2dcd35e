//! One build tells everything.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(std::io::Error => relocate(roundrobin, mx = 3, delay = "200")),
    on(panic => restart(max = 0, within = "0s")),
    histroy = 5,
    on(panic => stpo),
    restart_type = forever,
    default = stop then restart,
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {}
