//! Several attributes read like one, also conditional ones.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(on(panic => restart))]
#[cfg_attr(all(), supervision(on(std::io::Error => stop), history = 3))]
#[cfg_attr(any(), supervision(nonsense))]
#[supervision()]
#[supervision(default = resume)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {
    let SupervisionStrategy::Match { default, matchers } = Worker.supervision_strategy() else {
        panic!("rules make a `Match`");
    };
    let types: Vec<_> = matchers.iter().map(|rule| &*rule.error_type).collect();
    assert_eq!(types, ["panic", "std::io::Error"]);
    assert_eq!(*default, SupervisionStrategy::Resume);
    assert_eq!(Worker::history_capacity(), 3);
}
