//! As the lean way, with a stall deadline of 5 s.

use std::time::Duration;

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{
    peer::Place,
    probe::{Start, Started, UNLIMITED, arbiter, factory},
};

pub struct Deadline(Option<Arbiter>);

impl Start for Deadline {
    type Kept = ();

    async fn open(place: Place) -> Self {
        Self(arbiter(place))
    }

    async fn start(&self, _: u32) -> Started<()> {
        let props = ActorProps::plain("/bench/probe", factory())
            .with_supervision(UNLIMITED)
            .with_stall_deadline(Duration::from_secs(5));
        let addr = match &self.0 {
            None => props.start_actor(),
            Some(arbiter) => props.start_actor_in_arbiter(&arbiter.handle()),
        };
        Started { addr, _kept: () }
    }
}
