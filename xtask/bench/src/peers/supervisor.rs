//! `ActorProps::start`, with the supervisor's address held.

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{
    peer::Place,
    probe::{Probe, Start, Started, UNLIMITED, arbiter, factory},
};

pub struct Supervisor(Option<Arbiter>);

impl Start for Supervisor {
    type Kept = Addr<SupervisorActor<Probe>>;

    async fn open(place: Place) -> Self {
        Self(arbiter(place))
    }

    async fn start(&self, _: u32) -> Started<Self::Kept> {
        let props = ActorProps::plain("/bench/probe", factory()).with_supervision(UNLIMITED);
        let kept = match &self.0 {
            None => props.start(),
            Some(arbiter) => props.start_in_arbiter(&arbiter.handle()),
        };
        let addr = kept.send(GetActorAddr::new()).await.ok().flatten();
        Started {
            addr: addr.expect("a running actor"),
            _kept: kept,
        }
    }
}
