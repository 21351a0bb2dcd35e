//! The policy of the document it all started from, said aloud.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(Debug, thiserror::Error)]
#[error("gone")]
struct DatabaseError;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/my-actor")]
#[supervision(
    on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
    on(DatabaseError => stop),
    default = restart(max = 3, within = "60s", delay = "100ms"),
)]
struct MyActor;

impl Actor for MyActor {
    type Context = Context<Self>;
}

fn main() {
    let ms = std::time::Duration::from_millis;
    let SupervisionStrategy::Match { default, matchers } = MyActor.supervision_strategy() else {
        panic!("rules make a `Match`");
    };
    assert_eq!(*default, SupervisionStrategy::Restart {
        max_restarts: 3,
        window: ms(60_000),
        delay: ms(100),
    });
    let [io, database] = matchers.try_into().expect("two rules");
    assert_eq!(io.error_type, "std::io::Error");
    assert_eq!(*io.strategy, SupervisionStrategy::Relocate {
        placement: PlacementStrategy::RoundRobin,
        max_relocations: 3,
        delay: ms(200),
    });
    assert!(database.error_type.ends_with("::DatabaseError"));
    assert_eq!(*database.strategy, SupervisionStrategy::Stop);
}
