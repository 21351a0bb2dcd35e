//! Types, paths and numbers may come from a macro's arguments.

use actix::prelude::*;
use supervision_actix::prelude::*;

macro_rules! actor {
    ($name:ident, $path:literal, $error:ty, $max:literal, $within:literal, $hook:path) => {
        #[derive(DistributedActor, SupervisedDistributedActor)]
        #[actor(path = $path)]
        #[supervision(
            on($error => restart(max = $max, within = $within)),
            before_restart = $hook,
        )]
        struct $name {
            id: u8,
        }

        impl Actor for $name {
            type Context = Context<Self>;
        }
    };
}

fn flush<A: Actor<Context = Context<A>>>(_: &mut A, _: &mut Context<A>, _: Option<FailureInfo>) {}

actor!(One, "/one/{id}", std::io::Error, 1, "1m", flush);
actor!(Two, "/two/{id}", std::fmt::Error, 2, "2m", self::flush);

fn main() {
    let (one, two) = (One { id: 1 }, Two { id: 2 });
    assert_eq!([one.actor_path(), two.actor_path()], ["/one/1", "/two/2"]);
    assert_ne!(one.supervision_strategy(), two.supervision_strategy());
}
