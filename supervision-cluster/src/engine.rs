//! What the cluster stands on: one store that compares and swaps, and messages between nodes.
//!
//! Nothing here is home-made consensus: an [`Engine`] is a view of a server that has it, or of one
//! process that needs none. The trait asks for no more than JetStream gives (NATS server 2.12 and
//! later), so that it can be implemented call by call:
//!
//! | call | JetStream |
//! |---|---|
//! | [`get`](Engine::get) | `get_last_raw_message_by_subject` from the leader (`allow_direct: false`); a marker is no entry |
//! | [`write`](Engine::write), at a revision | publish with `Nats-Expected-Last-Subject-Sequence` and `Nats-TTL`, awaiting the acknowledgement. Not `update()`, which drops the lifetime |
//! | [`write`](Engine::write), absent | the same expecting 0; on a conflict read the last message and, if that is a marker, expect its sequence |
//! | [`delete`](Engine::delete) | publish a `DEL` marker expecting the sequence, with the markers' lifetime |
//! | [`scan`](Engine::scan) | an ordered consumer, last message of each subject; complete to the stream's last sequence read *before* it was made |
//! | [`watch`](Engine::watch) | an ordered consumer from the sequence, or from the last message of each subject; `CaughtUp` at no pending messages, `Interrupted` at a reconnect, a gap or a slow-consumer event. The handle remembers when it saw which revision: `Compacted` from one that it last saw a markers' lifetime ago, or never |
//! | [`request`](Engine::request) | a request; status 503 is `NoResponders` |
//! | [`serve`](Engine::serve) | a subscription, no queue group |
//! | [`publish`](Engine::publish) | a plain publish |
//! | [`incarnation`](Engine::incarnation) | an entry created by `write` at the first connect, checked again at each reconnect together with the stream's last sequence, which must not go back |
//!
//! What may be relied upon:
//!
//! 1. A `write` or `delete` happens only if its key's last change is the expected one, at one instant:
//!    of many that expect the same change, one at most ever happens, late ones included.
//! 2. Revisions grow over the whole store and none is used twice.
//! 3. A watch tells the last change of each key, in order.
//!
//! What may not: a `get` or a `scan` may show a state that has passed; an expiry comes early or late;
//! a message is lost, doubled, late, or overtaken by another one; an absent entry, an expiry and
//! [`RequestError::NoResponders`] prove nothing about anybody.

pub mod in_process;

mod entry;
mod error;
mod key;
mod stream;
mod token;

use std::time::Duration;

use bytes::Bytes;
pub use futures_util::future::BoxFuture;

pub use self::{
    entry::{Entry, Expected, Revision, StoreIncarnation, Ttl},
    error::{EngineError, PublishError, Refusal, RequestError, WriteError},
    key::{Key, Prefix, Subject},
    stream::{Request, Respond, Responder, Scan, Served, Watch, WatchEvent},
    token::{InvalidName, MAX_NAME},
};

/// One node's connection to the store and to the other nodes; used as `Arc<dyn Engine>`.
///
/// A call is sent when its future is first polled. Dropping that future later does not take it back:
/// a write whose future was dropped is as unknown as one that timed out. Calls to the store end within
/// the engine's own request timeout.
pub trait Engine: Send + Sync + 'static {
    /// Reads an entry. What it shows was true some time ago and may have passed: only a successful
    /// [`write`](Self::write) proves what the store holds.
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Entry>, EngineError>>;

    /// Writes an entry if its key is as `expected`, and returns its revision.
    ///
    /// `ttl` replaces the entry's lifetime: `None` means forever, whatever was said before.
    fn write(
        &self,
        key: &Key,
        value: Bytes,
        expected: Expected,
        ttl: Option<Ttl>,
    ) -> BoxFuture<'_, Result<Revision, WriteError>>;

    /// Deletes an entry if its last change is `expected`, and returns the deletion's own revision.
    fn delete(&self, key: &Key, expected: Revision) -> BoxFuture<'_, Result<Revision, WriteError>>;

    /// Reads all entries below a prefix, page by page.
    fn scan(&self, prefix: &Prefix) -> BoxFuture<'_, Result<Scan, EngineError>>;

    /// Follows the changes below a prefix: from `from` on, or, if that is `None`, first all live
    /// entries as they are. Of a key with several changes before the watch, only the last is told.
    ///
    /// Deletions and expiries are told only for so long (the markers' lifetime): a watch that begins
    /// too far back fails with [`EngineError::Compacted`] rather than leaving some out.
    fn watch(
        &self,
        prefix: &Prefix,
        from: Option<Revision>,
    ) -> BoxFuture<'_, Result<Watch, EngineError>>;

    /// Sends a request to all who serve the subject and takes the first reply.
    fn request(
        &self,
        to: &Subject,
        payload: Bytes,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Bytes, RequestError>>;

    /// Takes the messages to a subject from now on.
    fn serve(&self, subject: &Subject) -> BoxFuture<'_, Result<Served, EngineError>>;

    /// Sends a message to all who serve the subject, if any. `Ok` does not mean that it arrives, nor
    /// that it arrives soon: let it carry an epoch and a deadline.
    fn publish(&self, to: &Subject, payload: Bytes) -> BoxFuture<'_, Result<(), PublishError>>;

    /// The store this handle connected to. Once the engine notices that there is another one, calls
    /// fail with [`EngineError::Replaced`] and watches are interrupted; this goes on telling the first.
    fn incarnation(&self) -> StoreIncarnation;

    /// The longest value or payload in bytes, the engine's own headers already deducted.
    fn max_payload(&self) -> usize;
}
