//! The cases: what is measured, in which unit, how often.

mod bytes;
mod events;
mod idle;
mod messages;
mod queued;
mod restart;
mod spawn;
mod storm;

mod decide;

use crate::peer::{How, Outcome, Peer, Place};

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    Tell,
    TellOnePerWakeup,
    Ask,
    Spawn,
    Bytes,
    Restart(How),
    Storm(How),
    Queued(How),
    Decide,
    Event { observed: bool },
    Idle,
}

/// One row of the table, for each of its places.
pub struct Case {
    pub name: &'static str,
    pub what: &'static str,
    pub unit: &'static str,
    pub job: Job,
    pub places: &'static [Place],
    /// How many operations a full and a quick run do.
    pub ops: [u64; 2],
    /// How often a full and a quick run measure it, at most.
    pub rounds: [u64; 2],
}

const BOTH: &[Place] = &[Place::Same, Place::Other];
const SAME: &[Place] = &[Place::Same];
const OFTEN: [u64; 2] = [u64::MAX, 3];
const SELDOM: [u64; 2] = [5, 1];

/// All cases.
pub const CASES: &[Case] = &[
    Case {
        name: "tell",
        what: "tell, in bursts of 1,000",
        unit: "ns",
        job: Job::Tell,
        places: BOTH,
        ops: [1_000_000, 300_000],
        rounds: OFTEN,
    },
    Case {
        name: "tell-one-per-wakeup",
        what: "tell, one message per wake-up",
        unit: "ns",
        job: Job::TellOnePerWakeup,
        places: SAME,
        ops: [500_000, 150_000],
        rounds: OFTEN,
    },
    Case {
        name: "ask",
        what: "ask, one after the other",
        unit: "ns",
        job: Job::Ask,
        places: SAME,
        ops: [300_000, 100_000],
        rounds: OFTEN,
    },
    Case {
        name: "ask",
        what: "ask, one after the other",
        unit: "ns",
        job: Job::Ask,
        places: &[Place::Other],
        ops: [50_000, 10_000],
        rounds: [u64::MAX, 1],
    },
    Case {
        name: "spawn",
        what: "spawn and first answer",
        unit: "ns",
        job: Job::Spawn,
        places: SAME,
        ops: [100_000, 30_000],
        rounds: OFTEN,
    },
    Case {
        name: "spawn",
        what: "spawn and first answer",
        unit: "ns",
        job: Job::Spawn,
        places: &[Place::Other],
        ops: [100_000, 10_000],
        rounds: SELDOM,
    },
    Case {
        name: "bytes",
        what: "resident memory of an idle actor",
        unit: "B",
        job: Job::Bytes,
        places: SAME,
        ops: [100_000, 50_000],
        rounds: [3, 1],
    },
    Case {
        name: "restart-panic",
        what: "restart after a panic, to the answered ping",
        unit: "ns",
        job: Job::Restart(How::Panic),
        places: BOTH,
        ops: [50_000, 10_000],
        rounds: [u64::MAX, 2],
    },
    Case {
        name: "restart-error",
        what: "restart after a reported failure, to the answered ping",
        unit: "ns",
        job: Job::Restart(How::Error),
        places: BOTH,
        ops: [50_000, 10_000],
        rounds: [u64::MAX, 2],
    },
    Case {
        name: "storm-10k-panic",
        what: "10,000 panic at once, until all answer",
        unit: "ms",
        job: Job::Storm(How::Panic),
        places: BOTH,
        ops: [10_000, 10_000],
        rounds: SELDOM,
    },
    Case {
        name: "storm-10k-error",
        what: "10,000 fail at once, until all answer",
        unit: "ms",
        job: Job::Storm(How::Error),
        places: BOTH,
        ops: [10_000, 10_000],
        rounds: SELDOM,
    },
    Case {
        name: "storm-100k-panic",
        what: "100,000 panic at once, until all answer",
        unit: "ms",
        job: Job::Storm(How::Panic),
        places: SAME,
        ops: [100_000, 100_000],
        rounds: SELDOM,
    },
    Case {
        name: "storm-100k-error",
        what: "100,000 fail at once, until all answer",
        unit: "ms",
        job: Job::Storm(How::Error),
        places: SAME,
        ops: [100_000, 100_000],
        rounds: SELDOM,
    },
    Case {
        name: "queued-panic",
        what: "messages kept of 1,000 queued behind a panic",
        unit: "messages",
        job: Job::Queued(How::Panic),
        places: BOTH,
        ops: [1_000, 1_000],
        rounds: [u64::MAX, 1],
    },
    Case {
        name: "queued-error",
        what: "messages kept of 1,000 queued behind a reported failure",
        unit: "messages",
        job: Job::Queued(How::Error),
        places: BOTH,
        ops: [1_000, 1_000],
        rounds: [u64::MAX, 1],
    },
    Case {
        name: "decide",
        what: "one decision",
        unit: "ns",
        job: Job::Decide,
        places: SAME,
        ops: [2_000_000, 1_000_000],
        rounds: OFTEN,
    },
    Case {
        name: "resume-unobserved",
        what: "a failure answered by Resume, no subscriber",
        unit: "ns",
        job: Job::Event { observed: false },
        places: SAME,
        ops: [200_000, 50_000],
        rounds: OFTEN,
    },
    Case {
        name: "resume-observed",
        what: "a failure answered by Resume, one subscriber",
        unit: "ns",
        job: Job::Event { observed: true },
        places: SAME,
        ops: [200_000, 50_000],
        rounds: OFTEN,
    },
    Case {
        name: "idle-1m",
        what: "1,000,000 idle actors, memory of each",
        unit: "B",
        job: Job::Idle,
        places: SAME,
        ops: [1_000_000, 1_000_000],
        rounds: [1, 1],
    },
];

impl Case {
    /// As JSON.
    pub fn described(&self) -> String {
        let Self {
            name,
            what,
            unit,
            places,
            ops,
            rounds,
            ..
        } = self;
        let places: Vec<_> = places
            .iter()
            .map(|place| format!("{:?}", place.name()))
            .collect();
        let places = places.join(",");
        format!(
            r#"{{"name":{name:?},"what":{what:?},"unit":{unit:?},"places":[{places}],"ops":{ops:?},"rounds":{rounds:?}}}"#
        )
    }
}

impl Job {
    /// Does it with one peer.
    pub fn run<P: Peer>(self, place: Place, ops: u64) -> Outcome {
        if let Some(reason) = P::cannot(self, place) {
            return Outcome::Cannot(reason);
        }
        P::enter(async move {
            match self {
                Self::Tell => messages::tell::<P>(place, ops).await,
                Self::TellOnePerWakeup => messages::tell_one_per_wakeup::<P>(place, ops).await,
                Self::Ask => messages::ask::<P>(place, ops).await,
                Self::Spawn => spawn::spawn::<P>(place, ops).await,
                Self::Bytes => bytes::bytes::<P>(place, ops).await,
                Self::Restart(how) => restart::restart::<P>(place, how, ops).await,
                Self::Storm(how) => storm::storm::<P>(place, how, ops).await,
                Self::Queued(how) => queued::queued::<P>(place, how, ops).await,
                Self::Idle => idle::idle::<P>(place, ops).await,
                Self::Decide => decide::decide(ops),
                Self::Event { observed } => events::resume(observed, ops).await,
            }
        })
    }

    /// It is about one part of this library, and has no peers.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Decide | Self::Event { .. })
    }
}
