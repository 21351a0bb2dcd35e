//! What flows to and from the engine beside single calls: letters in and out, leases, and scans. Each
//! is a small task that ends with its boot; none of them decides anything.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use supervision_core::Timestamp;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    happened::{Generation, Happened},
    shared::NodeShared,
};
use crate::{
    codec::{Names, decode_letter, decode_record, encode_letter},
    engine::{Engine, EngineError, Entry, PublishError, Revision, Subject, WatchEvent},
    protocol::{Letter, Member, Record, RecordKey, Stored},
};

/// How many records of a scan are read before other tasks have their turn.
const SCANNED_AT_ONCE: usize = 256;

/// Everything that flows for one boot; it stops flowing when this is dropped.
pub(super) struct Feeds {
    source: Source,
    out: mpsc::UnboundedSender<(Member, Letter)>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Clone)]
struct Source {
    engine: Arc<dyn Engine>,
    names: Arc<Names>,
    shared: Arc<NodeShared>,
    generation: Generation,
    pause: Duration,
}

impl Feeds {
    pub(super) fn start(
        engine: Arc<dyn Engine>,
        names: Arc<Names>,
        shared: Arc<NodeShared>,
        generation: Generation,
        pause: Duration,
        sweep: Duration,
        me: &Member,
    ) -> Self {
        let source = Source {
            engine,
            names,
            shared,
            generation,
            pause,
        };
        let (out, outgoing) = mpsc::unbounded_channel();
        let tasks = vec![
            actix::spawn(source.clone().letters(me.clone())),
            actix::spawn(source.clone().leases()),
            actix::spawn(source.clone().send(outgoing)),
            actix::spawn(source.clone().sweep(sweep)),
        ];
        Self { source, out, tasks }
    }

    pub(super) fn send(&self, to: Member, letter: Letter) {
        // It is gone only with this.
        let _ = self.out.send((to, letter));
    }

    /// Looks through all ownerships.
    pub(super) fn scan(&mut self) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks
            .push(actix::spawn(self.source.clone().scan_until_done()));
    }
}

impl Drop for Feeds {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Source {
    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    async fn wait(&self, time: Duration) {
        let at = self.now().saturating_add(time);
        self.shared.clock.sleep_until(at).await;
    }

    /// Waits before the next attempt, unless there is no use in one.
    async fn failed(&self, error: &EngineError) -> bool {
        match error {
            EngineError::Closed | EngineError::Replaced => {
                self.shared.tell(Happened::EngineGone(error.to_string()));
                false
            }
            _ => {
                self.wait(self.pause).await;
                true
            }
        }
    }

    /// Takes what is sent to this boot.
    async fn letters(self, me: Member) {
        let Ok(subject) = self.names.letters(&me) else {
            return;
        };
        loop {
            match self.engine.serve(&subject).await {
                Ok(mut served) => {
                    while let Some(request) = served.next().await {
                        match decode_letter(&request.payload) {
                            Ok(letter) => {
                                let letter = Happened::Letter(self.generation, letter);
                                self.shared.tell(letter);
                            }
                            Err(error) => tracing::warn!(%error, "a letter cannot be read"),
                        }
                    }
                }
                Err(error) => {
                    if !self.failed(&error).await {
                        return;
                    }
                }
            }
        }
    }

    /// Follows the leases.
    async fn leases(self) {
        let mut from = None;
        loop {
            match self.engine.watch(&self.names.leases, from).await {
                Ok(mut watch) => {
                    while let Some(event) = watch.next().await {
                        from = event.revision().map(Revision::next).or(from);
                        if event == WatchEvent::Interrupted {
                            break;
                        }
                        self.lease_event(event);
                    }
                }
                Err(EngineError::Compacted { .. }) => from = None,
                Err(error) => {
                    if !self.failed(&error).await {
                        return;
                    }
                }
            }
        }
    }

    fn lease_event(&self, event: WatchEvent) {
        match event {
            WatchEvent::Put(entry) => {
                if let Some((_, stored)) = self.read(&entry) {
                    self.shared.tell(Happened::Lease(self.generation, stored));
                }
            }
            WatchEvent::Deleted { key, .. } | WatchEvent::Expired { key, .. } => {
                if let Some(RecordKey::Lease(node)) = self.names.record_key(&key) {
                    self.shared.tell(Happened::LeaseGone(self.generation, node));
                }
            }
            WatchEvent::CaughtUp | WatchEvent::Interrupted => {}
        }
    }

    fn read(&self, entry: &Entry) -> Option<(RecordKey, Stored)> {
        let key = self.names.record_key(&entry.key)?;
        match decode_record(&key, &entry.value) {
            Ok(record) => {
                let revision = entry.revision;
                Some((key, Stored { record, revision }))
            }
            Err(error) => {
                tracing::error!(key = %entry.key, %error, "a record cannot be read");
                None
            }
        }
    }

    /// Sends letters, in their order.
    async fn send(self, mut outgoing: mpsc::UnboundedReceiver<(Member, Letter)>) {
        let mut last: Option<(Member, Subject)> = None;
        while let Some((to, letter)) = outgoing.recv().await {
            let subject = match last.take() {
                Some((member, subject)) if member == to => subject,
                _ => match self.names.letters(&to) {
                    Ok(subject) => subject,
                    Err(_) => continue,
                },
            };
            let sent = self.engine.publish(&subject, encode_letter(&letter)).await;
            last = Some((to, subject));
            match sent {
                Ok(()) => {}
                // As good as lost; what waits for it goes on by its deadline.
                Err(error @ PublishError::TooLarge { .. }) => {
                    tracing::error!(%error, "a letter cannot be sent");
                }
                Err(error) => tracing::debug!(%error, "a letter was not sent"),
            }
        }
    }

    async fn sweep(self, period: Duration) {
        loop {
            self.clone().scan_until_done().await;
            self.wait(period).await;
        }
    }

    async fn scan_until_done(self) {
        while let Err(error) = self.scan().await {
            if !self.failed(&error).await {
                return;
            }
        }
    }

    async fn scan(&self) -> Result<(), EngineError> {
        let mut scan = self.engine.scan(&self.names.owners).await?;
        let mut read = 0;
        while let Some(entry) = scan.next().await {
            if let Some((RecordKey::Own(path), stored)) = self.read(&entry?)
                && let Record::Own(record) = stored.record
            {
                self.shared.tell(Happened::Found {
                    generation: self.generation,
                    path,
                    record,
                    revision: stored.revision,
                });
            }
            read += 1;
            if read % SCANNED_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}
