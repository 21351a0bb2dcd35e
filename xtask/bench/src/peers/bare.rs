//! `Actor::start`: no supervision at all.

use actix::prelude::*;

use crate::{
    cases::Job,
    peer::Place,
    probe::{Probe, Start, Started, arbiter},
};

pub struct Bare(Option<Arbiter>);

impl Start for Bare {
    type Kept = ();

    fn cannot(job: Job, _: Place) -> Option<&'static str> {
        match job {
            Job::Restart(_) | Job::Storm(_) | Job::Queued(_) => {
                Some("nothing restarts it: a failed actor is gone, with its address and mailbox")
            }
            _ => None,
        }
    }

    async fn open(place: Place) -> Self {
        Self(arbiter(place))
    }

    async fn start(&self, _: u32) -> Started<()> {
        let addr = match &self.0 {
            None => Probe::new(1).start(),
            Some(arbiter) => Probe::start_in_arbiter(&arbiter.handle(), |_| Probe::new(1)),
        };
        Started { addr, _kept: () }
    }
}
