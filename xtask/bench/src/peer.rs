//! What every peer can be asked to do, so that each case is written once.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use crate::cases::Job;

/// Where the supervised actors run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On the thread of whoever talks to them.
    Same,
    /// On a thread of their own.
    Other,
}

impl Place {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "same" => Some(Self::Same),
            "other" => Some(Self::Other),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Other => "other",
        }
    }
}

/// How an actor is made to fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Its handler panics.
    Panic,
    /// It reports an error, in the peer's own way.
    Error,
}

/// The order to fail.
#[derive(Clone, Copy, Debug)]
pub struct Fail {
    pub how: How,
    /// The handler first waits, blocking its thread, until [`open_gate`] is called.
    pub gated: bool,
}

impl Fail {
    pub fn by(how: How) -> Self {
        Self { how, gated: false }
    }

    /// What each peer's handler does first.
    pub fn wait(self) {
        while self.gated && !GATE.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}

static GATE: AtomicBool = AtomicBool::new(false);

/// Lets gated failures go on.
pub fn open_gate() {
    GATE.store(true, Ordering::Release);
}

/// What an actor says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "peers", derive(kameo::Reply))]
pub struct Answer {
    /// Counted from 1.
    pub incarnation: u32,
    /// Tells handled by this incarnation.
    pub count: u32,
}

static LIVE: AtomicI64 = AtomicI64::new(0);

/// Part of every actor's value: counts those alive.
pub struct Live(());

impl Live {
    pub fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }

    /// How many values of actors are alive.
    pub fn count() -> i64 {
        LIVE.load(Ordering::Acquire)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Release);
    }
}

/// What a measurement has given.
pub enum Outcome {
    /// Named figures; the first one is the case's main figure.
    Figures(Vec<(&'static str, f64)>),
    /// The peer has nothing to measure here, and why.
    Cannot(&'static str),
}

impl Outcome {
    pub fn of(value: f64) -> Self {
        Self::Figures(vec![("value", value)])
    }

    /// Nanoseconds per operation.
    pub fn per_op(elapsed: Duration, ops: u64) -> Self {
        Self::of(elapsed.as_nanos() as f64 / ops as f64)
    }
}

/// One way of having actors.
#[allow(async_fn_in_trait, reason = "no bound on these futures is needed")]
pub trait Peer: Sized {
    /// What a user holds to talk to an actor, whichever incarnation is up.
    type Ref;

    /// Why this peer cannot do a job, if so.
    fn cannot(_job: Job, _place: Place) -> Option<&'static str> {
        None
    }

    /// Runs everything that happens on the caller's thread.
    fn enter<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(work)
    }

    /// Makes what there has to be before the first actor.
    async fn open(place: Place) -> Self;

    /// Starts one supervised actor.
    async fn start(&self, index: u32) -> Self::Ref;

    /// Sends a message that is not answered.
    async fn tell(&self, to: &Self::Ref);

    /// Asks whichever incarnation is up; tries again where the peer refuses in between.
    async fn ask(&self, to: &Self::Ref) -> Answer;

    /// Has the actor fail; returns when the order is on its way.
    async fn fail(&self, to: &Self::Ref, fail: Fail);

    /// Begins to stop all actors. They have stopped when none is [`Live`].
    async fn stop(self, all: Vec<Self::Ref>);
}
