//! Who is measured. Erlang is measured by `xtask/bench/erlang/bench.erl`.

mod actix_supervisor;
mod bare;
mod bare_catch;
mod deadline;
mod dynamic;
mod lean;
mod supervisor;

#[cfg(feature = "peers")]
mod kameo;
#[cfg(feature = "peers")]
mod kameo_bounded;
#[cfg(feature = "peers")]
mod ractor;
#[cfg(feature = "peers")]
mod ractor_supervisor;
#[cfg(feature = "peers")]
mod tokio_actors;

use crate::{
    cases::Job,
    peer::{Outcome, Place},
    probe::OnActix,
};

/// The peers, those with a name of ours first.
pub const NAMES: &[&str] = &[
    "bare",
    "bare-catch",
    "actix-supervisor",
    "lean",
    "dynamic",
    "supervisor",
    "deadline",
    #[cfg(feature = "peers")]
    "kameo",
    #[cfg(feature = "peers")]
    "kameo-bounded",
    #[cfg(feature = "peers")]
    "ractor",
    #[cfg(feature = "peers")]
    "ractor-supervisor",
    #[cfg(feature = "peers")]
    "tokio-actors",
];

/// `None` if there is no such peer.
pub fn run(peer: &str, job: Job, place: Place, ops: u64) -> Option<Outcome> {
    let run = match peer {
        "lean" => Job::run::<OnActix<lean::Lean>>,
        _ if job.is_ours() => return Some(Outcome::Cannot("a part of this library alone")),
        "bare" => Job::run::<OnActix<bare::Bare>>,
        "bare-catch" => Job::run::<bare_catch::BareCatch>,
        "actix-supervisor" => Job::run::<OnActix<actix_supervisor::ActixSupervisor>>,
        "dynamic" => Job::run::<OnActix<dynamic::Dynamic>>,
        "supervisor" => Job::run::<OnActix<supervisor::Supervisor>>,
        "deadline" => Job::run::<OnActix<deadline::Deadline>>,
        #[cfg(feature = "peers")]
        "kameo" => Job::run::<kameo::Kameo>,
        #[cfg(feature = "peers")]
        "kameo-bounded" => Job::run::<kameo_bounded::KameoBounded>,
        #[cfg(feature = "peers")]
        "ractor" => Job::run::<ractor::Ractor>,
        #[cfg(feature = "peers")]
        "ractor-supervisor" => Job::run::<ractor_supervisor::RactorSupervisor>,
        #[cfg(feature = "peers")]
        "tokio-actors" => Job::run::<tokio_actors::TokioActors>,
        _ => return None,
    };
    Some(run(job, place, ops))
}
