//! What goes wrong with an engine, one type for each kind of call, each with the state it leaves.

use super::entry::Revision;

/// A read, a scan, a watch or the start of serving did not happen. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No answer came in time. Try again.
    #[error("the engine did not answer in time")]
    Timeout,
    /// The store said, or is known, not to be there, for example while it has no leader. Try again.
    #[error("the store is not available")]
    Unavailable,
    /// A watch was asked to begin at a revision whose deletions the store no longer tells. Scan, then
    /// watch from what the scan is complete to.
    #[error("the store no longer tells all changes from revision {from}")]
    Compacted {
        /// Where the watch was to begin.
        from: Revision,
    },
    /// It is another store than the one this handle connected to: whatever was known about entries is
    /// void. Connect again.
    #[error("the store was replaced by another one")]
    Replaced,
    /// The handle was closed, or its node was taken away from it. It stays so.
    #[error("the engine was closed")]
    Closed,
}

/// A write or a deletion did not succeed, or nobody knows whether it did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The key was not as expected. This attempt has changed nothing and never will.
    #[error("the key is not at the expected revision")]
    Conflict {
        /// The key's last change where the engine learnt it; a hint, as it may be out of date.
        actual: Option<Revision>,
    },
    /// No answer came in time. The write has happened, will happen, or never will: once at most. It is
    /// settled by seeing the key *past* the expected revision, for which a write of one's own may be
    /// needed; that an answer, or one's own value, is missing proves nothing.
    #[error("whether the write happened is unknown")]
    Unknown,
    /// It was refused. It has changed nothing and never will.
    #[error("the write was refused")]
    Refused(#[from] Refusal),
}

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The value is longer than [`Engine::max_payload`](super::Engine::max_payload).
    #[error("{size} bytes are more than {max}")]
    TooLarge {
        /// Length of the value in bytes.
        size: usize,
        /// The most there may be.
        max: usize,
    },
    /// The store is known not to have taken it, for example while it had no leader. Try again.
    #[error("the store is not available")]
    Unavailable,
    /// See [`EngineError::Replaced`].
    #[error("the store was replaced by another one")]
    Replaced,
    /// See [`EngineError::Closed`].
    #[error("the engine was closed")]
    Closed,
}

/// A request brought no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Nobody was seen to serve the subject, so nobody got this request. That is a hint, not a proof
    /// that nobody serves it: the view of who serves what may be out of date or cut in two.
    #[error("nobody serves the subject")]
    NoResponders,
    /// No reply came in time. The request may have been handled, may be handled later, or never.
    #[error("no reply came in time")]
    Timeout,
    /// The payload is longer than [`Engine::max_payload`](super::Engine::max_payload). Nothing was
    /// sent.
    #[error("{size} bytes are more than {max}")]
    TooLarge {
        /// Length of the payload in bytes.
        size: usize,
        /// The most there may be.
        max: usize,
    },
    /// The connection was lost. The request may have been handled, may be handled later, or never.
    #[error("the connection was lost")]
    Disconnected,
    /// See [`EngineError::Closed`]. Nothing was sent.
    #[error("the engine was closed")]
    Closed,
}

/// A message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The payload is longer than [`Engine::max_payload`](super::Engine::max_payload).
    #[error("{size} bytes are more than {max}")]
    TooLarge {
        /// Length of the payload in bytes.
        size: usize,
        /// The most there may be.
        max: usize,
    },
    /// See [`EngineError::Closed`].
    #[error("the engine was closed")]
    Closed,
}
