//! `ActorProps::start_actor`: the lean way.

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{
    peer::Place,
    probe::{Start, Started, UNLIMITED, arbiter, factory},
};

pub struct Lean(Option<Arbiter>);

impl Start for Lean {
    type Kept = ();

    async fn open(place: Place) -> Self {
        Self(arbiter(place))
    }

    async fn start(&self, _: u32) -> Started<()> {
        let props = ActorProps::plain("/bench/probe", factory()).with_supervision(UNLIMITED);
        let addr = match &self.0 {
            None => props.start_actor(),
            Some(arbiter) => props.start_actor_in_arbiter(&arbiter.handle()),
        };
        Started { addr, _kept: () }
    }
}
