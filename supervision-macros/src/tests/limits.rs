//! What the derive knows of the runtime's rules, held against the runtime.

use supervision_actix::{ActorProps, StartError};
use supervision_core as core;

use crate::check::{
    MAX_PATH,
    rungs::{MAX_COUNTED, MAX_DELAY, MAX_NODE, MAX_REPLICAS},
};

struct Worker;

impl actix::Actor for Worker {
    type Context = actix::Context<Self>;
}

#[test]
fn the_limits_are_the_runtimes() {
    assert_eq!(MAX_DELAY, core::MAX_DELAY);
    assert_eq!(MAX_COUNTED, core::MAX_COUNTED);
    assert_eq!(MAX_REPLICAS, core::placement::MAX_REPLICAS);
    assert_eq!(MAX_NODE, core::NodeId::MAX_LEN);
}

#[test]
fn the_longest_path_is_the_runtimes() {
    let refused = |length| {
        let props = ActorProps::plain("x".repeat(length), || Worker);
        matches!(props.try_start(), Err(StartError::Path(_)))
    };
    assert!(
        !refused(MAX_PATH),
        "there is no runtime here, but the path was taken"
    );
    assert!(refused(MAX_PATH + 1));
}
