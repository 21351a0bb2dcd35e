//! Tracked addresses: every message comes to exactly one end, in its sender's order, and the sums are
//! exact.

mod cost;
mod fates;
mod grouped;
mod room;
mod sums;
mod threads;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use actix::prelude::*;
use supervision_actix::{TrackedCounts, dead_letters::DeadLetter, prelude::*};

use crate::{probe::Meant, quiet::MEANT};

/// Keeps the dead letters it is told of.
pub(crate) struct Undertaker(pub(crate) Arc<Mutex<Vec<DeadLetter>>>);

impl Actor for Undertaker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(1 << 20);
    }
}

impl Handler<DeadLetter> for Undertaker {
    type Result = ();

    fn handle(&mut self, letter: DeadLetter, _: &mut Context<Self>) {
        self.0.lock().unwrap().push(letter);
    }
}

/// Answered when everything before it has been handled.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Flush;

impl Handler<Flush> for Undertaker {
    type Result = ();

    fn handle(&mut self, _: Flush, _: &mut Context<Self>) {}
}

/// An undertaker and what it was told of.
pub(crate) async fn undertaker() -> (Addr<Undertaker>, Arc<Mutex<Vec<DeadLetter>>>) {
    let told = Arc::default();
    let undertaker = Undertaker(Arc::clone(&told)).start();
    // Its mailbox has its capacity once it has started.
    undertaker.send(Flush).await.expect("it is up");
    (undertaker, told)
}

/// What became of the tracked messages of one test, as the messages themselves and the handler know.
#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) returned: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) made: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// What a message does to its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Nothing,
    Panic,
    Fail,
    Stop,
    /// The actor takes no message for so many milliseconds.
    Wait(u8),
}

/// What a message does when it is dropped unhandled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    Nothing,
    Panic,
    /// Sends one more message to the actor it was for.
    Send,
}

/// A message that knows what happens to it.
pub(crate) struct Job {
    pub(crate) deed: Deed,
    pub(crate) last: Last,
    pub(crate) to: Option<TrackedAddr<Worker>>,
    pub(crate) truth: Arc<Truth>,
    /// Who sent it, and its number there.
    pub(crate) from: (usize, usize),
}

impl Job {
    pub(crate) fn new(truth: &Arc<Truth>, deed: Deed) -> Self {
        truth.made.fetch_add(1, SeqCst);
        Self {
            deed,
            last: Last::Nothing,
            to: None,
            truth: truth.clone(),
            from: (usize::MAX, 0),
        }
    }
}

impl Message for Job {
    type Result = usize;
}

impl Drop for Job {
    fn drop(&mut self) {
        self.truth.dropped.fetch_add(1, SeqCst);
        let to = self.to.take();
        match self.last {
            Last::Nothing => {}
            Last::Panic => std::panic::resume_unwind(Box::new(MEANT)),
            Last::Send => {
                if let Some(to) = to {
                    to.do_send(Self::new(&self.truth, Deed::Nothing));
                }
            }
        }
    }
}

/// Does jobs, and writes down whose.
#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) done: Arc<Mutex<Vec<(usize, usize)>>>,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

impl Handler<Job> for Worker {
    type Result = usize;

    fn handle(&mut self, mut job: Job, ctx: &mut Context<Self>) -> usize {
        self.done.lock().unwrap().push(job.from);
        // What it does when it is dropped is for those that are not handled.
        job.last = Last::Nothing;
        let bad = matches!(job.deed, Deed::Panic | Deed::Fail);
        let count = if bad {
            &job.truth.failed
        } else {
            &job.truth.returned
        };
        count.fetch_add(1, SeqCst);
        match job.deed {
            Deed::Nothing => {}
            Deed::Panic => std::panic::resume_unwind(Box::new(MEANT)),
            Deed::Fail => ctx.fail(Meant),
            Deed::Stop => ctx.stop(),
            Deed::Wait(millis) => {
                let nap = std::time::Duration::from_millis(millis.into());
                ctx.wait(actix_rt::time::sleep(nap).into_actor(self));
            }
        }
        job.from.1
    }
}

/// The sums of a quiescent actor.
pub(crate) fn assert_exact(counts: TrackedCounts) {
    let ended = counts.handled + counts.failed + counts.cancelled + counts.dead_lettered;
    assert_eq!(counts.sent, ended, "{counts:?}");
    assert_eq!(counts.in_transit(), 0);
}
