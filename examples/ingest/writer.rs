//! The writer: appends batches to the output file. When the disk fails, the writer fails with it, and
//! a new incarnation starts from what the file really holds.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{
    disk::{Disk, Known},
    faults::Faults,
    record::Record,
};

/// Asks for a batch to be stored; the answer is the lines whose id was stored before.
///
/// To ask twice for the same batch stores it once.
#[derive(Message)]
#[rtype(result = "Result<Vec<u64>, io::Error>")]
pub(crate) struct Store(pub(crate) Arc<[Record]>);

/// Stores batches; [`strategy`] says what happens when it cannot.
#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/ingest/writer")]
#[supervision(before_restart = Self::hand_over_known)]
pub(crate) struct Writer {
    path: PathBuf,
    faults: Faults,
    attempts: Arc<AtomicU64>,
    /// `None` while it cannot be opened.
    disk: Option<Disk>,
}

impl Actor for Writer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // Nothing is handed over at the first start, nor after a panic outside a handler: then the
        // whole file is read.
        let known: Known = ctx.take_handed().unwrap_or_default();
        match Disk::recover(&self.path, known, self.faults, self.attempts.clone()) {
            Ok(disk) => self.disk = Some(disk),
            Err(error) => ctx.fail(error),
        }
    }
}

impl Writer {
    fn hand_over_known(&mut self, ctx: &mut Context<Self>, _: Option<FailureInfo>) {
        if let Some(disk) = self.disk.take() {
            // Refused only outside a supervisor, and then there is no restart either.
            let _ = ctx.hand_over(disk.into_known());
        }
    }
}

impl Handler<Store> for Writer {
    type Result = FailOnErr<Vec<u64>, io::Error>;

    fn handle(&mut self, Store(batch): Store, _: &mut Context<Self>) -> Self::Result {
        FailOnErr(match &mut self.disk {
            Some(disk) => disk.store(&batch),
            None => Err(io::Error::other("the output is not open")),
        })
    }
}

/// Makes writers.
pub(crate) fn factory(path: PathBuf, faults: Faults) -> impl FnMut() -> Writer + Send {
    let attempts = Arc::new(AtomicU64::new(0));
    move || Writer {
        path: path.clone(),
        faults,
        attempts: attempts.clone(),
        disk: None,
    }
}

/// At once, since most bad moments pass; where they come in rows, with a rest; and when there are
/// more than 500 in ten seconds nothing else happens any more, and somebody has to look at the disk.
pub(crate) fn strategy() -> Result<SupervisionStrategy, supervision_actix::BackoffError> {
    let patience = Backoff::new(Duration::from_millis(1), Duration::from_millis(5))?;
    let ladder = SupervisionStrategy::Ladder {
        rungs: vec![
            SupervisionStrategy::Restart {
                max_restarts: 3,
                window: Duration::from_secs(1),
                delay: Duration::ZERO,
            },
            SupervisionStrategy::RestartWithBackoff {
                max_restarts: 500,
                window: Duration::from_secs(10),
                backoff: patience,
            },
            SupervisionStrategy::Escalate,
        ],
    };
    Ok(SupervisionStrategy::Match {
        // A file that is not what it should be does not get better by trying again.
        default: Box::new(SupervisionStrategy::Stop),
        matchers: vec![SupervisionMatcher::on::<io::Error>(ladder)],
    })
}
