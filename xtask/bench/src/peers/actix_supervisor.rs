//! `actix::Supervisor`: restarts the same object after `ctx.stop()`, and does not notice a panic.

use actix::prelude::*;

use crate::{
    cases::Job,
    peer::{How, Place},
    probe::{Probe, Start, Started, arbiter},
};

pub struct ActixSupervisor(Option<Arbiter>);

impl Start for ActixSupervisor {
    type Kept = ();
    const STOPS: bool = true;

    fn cannot(job: Job, _: Place) -> Option<&'static str> {
        match job {
            Job::Restart(How::Panic) | Job::Storm(How::Panic) | Job::Queued(How::Panic) => {
                Some("a panic ends it for good, with its address and mailbox")
            }
            _ => None,
        }
    }

    async fn open(place: Place) -> Self {
        Self(arbiter(place))
    }

    async fn start(&self, _: u32) -> Started<()> {
        let addr = match &self.0 {
            None => actix::Supervisor::start(|_| Probe::new(1)),
            Some(arbiter) => {
                actix::Supervisor::start_in_arbiter(&arbiter.handle(), |_| Probe::new(1))
            }
        };
        Started { addr, _kept: () }
    }
}
