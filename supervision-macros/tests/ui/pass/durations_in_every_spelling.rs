//! As in configuration files, or one number with its unit.

use actix::prelude::*;
use supervision_actix::prelude::*;

use std::time::Duration;

macro_rules! delay {
    ($name:ident: $($delay:tt)*) => {{
        #[derive(DistributedActor, SupervisedDistributedActor)]
        #[actor(path = "/user/worker")]
        #[supervision(strategy = restart(delay = $($delay)*))]
        struct $name;

        impl Actor for $name {
            type Context = Context<Self>;
        }

        match $name.supervision_strategy() {
            SupervisionStrategy::Restart { delay, .. } => delay,
            other => panic!("{other:?}"),
        }
    }};
}

fn main() {
    assert_eq!(delay!(A: "1m 30s"), Duration::from_secs(90));
    assert_eq!(delay!(B: 90s), Duration::from_secs(90));
    assert_eq!(delay!(C: 1_500ms), Duration::from_millis(1_500));
    assert_eq!(delay!(D: "0s"), Duration::ZERO);
    assert_eq!(delay!(E: 7ns), Duration::from_nanos(7));
    assert_eq!(delay!(F: "365days"), Duration::from_secs(365 * 86_400));
}
