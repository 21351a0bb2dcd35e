//! Calls to the store, so many at once: the lease's first, the others in the order they were wanted.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{
    future::LocalBoxFuture,
    stream::{FuturesUnordered, StreamExt},
};

use crate::{
    codec::{Names, decode_record, encode_record},
    engine::{Engine, EngineError, Expected, Refusal, Revision, WriteError},
    protocol::{Input, ReadOutcome, Record, RecordKey, Stored, Ticket, WriteOutcome},
};

/// A call that the machine wants.
pub(super) enum Wanted {
    Read(Ticket, RecordKey),
    Write {
        ticket: Ticket,
        key: RecordKey,
        record: Record,
        expected: Option<Revision>,
    },
}

/// What was answered; `Err` if the engine is gone for good.
pub(super) type Answered = Result<Input, String>;

pub(super) struct Calls {
    engine: Arc<dyn Engine>,
    names: Arc<Names>,
    at_once: usize,
    running: FuturesUnordered<LocalBoxFuture<'static, (bool, Answered)>>,
    /// Of the running ones, those that count.
    counted: usize,
    waiting: VecDeque<Wanted>,
}

impl Calls {
    pub(super) fn new(engine: Arc<dyn Engine>, names: Arc<Names>, at_once: usize) -> Self {
        Self {
            engine,
            names,
            at_once,
            running: FuturesUnordered::new(),
            counted: 0,
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn want(&mut self, wanted: Wanted) {
        let is_lease = matches!(
            &wanted,
            Wanted::Read(_, RecordKey::Lease(_))
                | Wanted::Write {
                    key: RecordKey::Lease(_),
                    ..
                }
        );
        if is_lease {
            self.begin(wanted, false);
        } else if self.counted < self.at_once {
            self.begin(wanted, true);
        } else {
            self.waiting.push_back(wanted);
        }
    }

    fn begin(&mut self, wanted: Wanted, counts: bool) {
        self.counted += usize::from(counts);
        let (engine, names) = (Arc::clone(&self.engine), Arc::clone(&self.names));
        self.running.push(Box::pin(async move {
            let answered = match wanted {
                Wanted::Read(ticket, key) => read(&*engine, &names, ticket, key).await,
                Wanted::Write {
                    ticket,
                    key,
                    record,
                    expected,
                } => write(&*engine, &names, ticket, &key, &record, expected).await,
            };
            (counts, answered)
        }));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// The next answer. Pending while no call is under way.
    pub(super) async fn next(&mut self) -> Answered {
        let Some((counts, answered)) = self.running.next().await else {
            return std::future::pending().await;
        };
        self.counted -= usize::from(counts);
        if counts && let Some(wanted) = self.waiting.pop_front() {
            self.begin(wanted, true);
        }
        answered
    }
}

async fn read(engine: &dyn Engine, names: &Names, ticket: Ticket, key: RecordKey) -> Answered {
    let failed = Ok(Input::Read(ticket, ReadOutcome::Failed));
    let Ok(name) = names.key(&key) else {
        // No record can stand under such a name.
        return Ok(Input::Read(ticket, ReadOutcome::Absent));
    };
    match engine.get(&name).await {
        Ok(None) => Ok(Input::Read(ticket, ReadOutcome::Absent)),
        Ok(Some(entry)) => match decode_record(&key, &entry.value) {
            Ok(record) => {
                let revision = entry.revision;
                let stored = Stored { record, revision };
                Ok(Input::Read(ticket, ReadOutcome::Entry(stored)))
            }
            Err(error) => {
                tracing::error!(key = %name, %error, "a record cannot be read");
                failed
            }
        },
        Err(error @ (EngineError::Closed | EngineError::Replaced)) => Err(error.to_string()),
        Err(_) => failed,
    }
}

async fn write(
    engine: &dyn Engine,
    names: &Names,
    ticket: Ticket,
    key: &RecordKey,
    record: &Record,
    expected: Option<Revision>,
) -> Answered {
    let unknown = Ok(Input::Written(ticket, WriteOutcome::Unknown));
    let Ok(name) = names.key(key) else {
        tracing::error!(?key, "a path has no name in the store");
        return unknown;
    };
    let expected = expected.map_or(Expected::Absent, Expected::Revision);
    // No lifetime: a lease that nobody renews is what the others judge by, for as long as it takes.
    let written = engine.write(&name, encode_record(record), expected, None);
    match written.await {
        Ok(revision) => Ok(Input::Written(ticket, WriteOutcome::Committed(revision))),
        Err(WriteError::Conflict { .. }) => Ok(Input::Written(ticket, WriteOutcome::Conflict)),
        Err(WriteError::Unknown) => unknown,
        Err(WriteError::Refused(error @ (Refusal::Closed | Refusal::Replaced))) => {
            Err(error.to_string())
        }
        // It was not made. To say so would end what wants it; it is tried again after a pause.
        Err(WriteError::Refused(error)) => {
            tracing::warn!(key = %name, %error, "a write was refused");
            unknown
        }
    }
}
