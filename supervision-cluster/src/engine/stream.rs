//! What an engine hands out over time: the pages of a scan, the events of a watch, the messages of a
//! subject.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{
    future::BoxFuture,
    stream::{BoxStream, Stream, StreamExt},
};

use super::{
    entry::{Entry, Revision},
    error::{EngineError, PublishError},
    key::Key,
};

/// The live entries below a prefix, read page by page while the store goes on changing.
///
/// An entry that nobody changes meanwhile is in it, exactly once. One that changes may be missing, or
/// be there as it was before or after: its change has a revision above
/// [`complete_to`](Self::complete_to), so a watch from the next one tells it. After an error the rest
/// is missing: scan again.
pub struct Scan {
    complete_to: Revision,
    entries: BoxStream<'static, Result<Entry, EngineError>>,
}

impl Scan {
    /// For implementors: entries as they come, none of them older than at `complete_to`.
    pub fn new(
        complete_to: Revision,
        entries: impl Stream<Item = Result<Entry, EngineError>> + Send + 'static,
    ) -> Self {
        Self {
            complete_to,
            entries: entries.boxed(),
        }
    }

    /// The last change the scan is sure to show.
    pub const fn complete_to(&self) -> Revision {
        self.complete_to
    }
}

impl Stream for Scan {
    type Item = Result<Entry, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.entries.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Scan");
        shown.field("complete_to", &self.complete_to);
        shown.finish_non_exhaustive()
    }
}

/// Something a watch saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// An entry was written.
    Put(Entry),
    /// An entry was deleted.
    Deleted {
        /// Its name.
        key: Key,
        /// The deletion's own revision.
        revision: Revision,
    },
    /// An entry's time was over. That says nothing about whoever wrote it.
    Expired {
        /// Its name.
        key: Key,
        /// The expiry's own revision.
        revision: Revision,
    },
    /// All that had happened when the watch began has been told. Comes once.
    CaughtUp,
    /// Something may be missing from here on, and the watch has ended. Watch again from the revision
    /// after the last one seen, or from where this watch began if it saw none.
    Interrupted,
}

impl WatchEvent {
    /// The change it tells of.
    pub const fn revision(&self) -> Option<Revision> {
        match self {
            Self::Put(entry) => Some(entry.revision),
            Self::Deleted { revision, .. } | Self::Expired { revision, .. } => Some(*revision),
            Self::CaughtUp | Self::Interrupted => None,
        }
    }
}

/// Changes below a prefix, in the order of their revisions, each at most once.
///
/// The last change of each key is told in the end; earlier ones may be left out. The stream ends after
/// [`WatchEvent::Interrupted`], or without it when the handle is closed.
pub struct Watch(BoxStream<'static, WatchEvent>);

impl Watch {
    /// For implementors.
    pub fn new(events: impl Stream<Item = WatchEvent> + Send + 'static) -> Self {
        Self(events.boxed())
    }
}

impl Stream for Watch {
    type Item = WatchEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<WatchEvent>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// The messages to a subject, requests and others, until it is dropped or the handle is closed.
///
/// Whoever takes them too slowly loses the newest: the engine holds a bounded number and counts the
/// rest.
pub struct Served(BoxStream<'static, Request>);

impl Served {
    /// For implementors.
    pub fn new(requests: impl Stream<Item = Request> + Send + 'static) -> Self {
        Self(requests.boxed())
    }
}

impl Stream for Served {
    type Item = Request;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Request>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

/// A message to a subject.
#[derive(Debug)]
pub struct Request {
    /// What was sent.
    pub payload: Bytes,
    /// Takes the reply; `None` where none is awaited (the message was published).
    pub responder: Option<Responder>,
}

/// Sends one reply. Dropped without one, it leaves the asker to its timeout.
pub struct Responder(Box<dyn Respond>);

/// For implementors of engines: how a reply is sent.
pub trait Respond: Send + 'static {
    /// Sends `payload` to whoever asked.
    fn respond(self: Box<Self>, payload: Bytes) -> BoxFuture<'static, Result<(), PublishError>>;
}

impl Responder {
    /// For implementors.
    pub fn new(respond: impl Respond) -> Self {
        Self(Box::new(respond))
    }

    /// Sends the reply. `Ok` does not mean that it arrives; the asker may have gone.
    ///
    /// # Errors
    /// [`PublishError`]: nothing was sent.
    pub async fn respond(self, payload: Bytes) -> Result<(), PublishError> {
        self.0.respond(payload).await
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").finish_non_exhaustive()
    }
}
