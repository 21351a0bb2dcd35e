//! The state of an actor as bytes, with the version that wrote it.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::protocol::ActorPath;

/// An actor whose state can outlive it: taken here, put into a fresh value there.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use supervision_cluster::Snapshot;
///
/// struct Counter { sum: u64, clicks: u64 }
///
/// #[derive(Serialize, Deserialize)]
/// struct State { sum: u64, clicks: u64 }
///
/// impl Snapshot for Counter {
///     type State = State;
///     // Version 1 was the sum alone.
///     const VERSION: u32 = 2;
///
///     fn snapshot(&self) -> State {
///         State { sum: self.sum, clicks: self.clicks }
///     }
///
///     fn restore(&mut self, state: State) {
///         (self.sum, self.clicks) = (state.sum, state.clicks);
///     }
///
///     fn migrate(found: u32, state: serde_json::Value) -> Result<serde_json::Value, String> {
///         match found {
///             1 => Ok(serde_json::json!({ "sum": state, "clicks": 0 })),
///             _ => Err(format!("version {found} was never written")),
///         }
///     }
/// }
/// ```
pub trait Snapshot: Sized {
    /// What is kept. It is written as JSON.
    type State: Serialize + DeserializeOwned;

    /// The version of `State` that this program writes. Raise it when an older state can no longer be
    /// read as it is.
    const VERSION: u32 = 1;

    /// The state now.
    fn snapshot(&self) -> Self::State;

    /// Puts a state into a value that the kind's factory has just made.
    fn restore(&mut self, state: Self::State);

    /// Turns a state of another version into one of [`VERSION`](Self::VERSION). Default: none can be.
    ///
    /// # Errors
    /// Why it cannot; the actor then fails to start with [`UnreadableSnapshot`].
    fn migrate(found: u32, state: Value) -> Result<Value, String> {
        let _ = state;
        Err(format!(
            "there is no way from version {found} to {}",
            Self::VERSION
        ))
    }
}

/// A snapshot that this program cannot read: a failure of the actor's start, which its strategy
/// answers (`UnreadableSnapshot` in a matcher). It is never started afresh instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot of {path}, version {found:?}, cannot be read: {problem}")]
pub struct UnreadableSnapshot {
    /// Whose.
    pub path: ActorPath,
    /// The version it names, if it names one.
    pub found: Option<u32>,
    /// What is wrong with it.
    pub problem: String,
}

/// A state that could not be written: a failure of the actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwritableSnapshot {
    /// Its `Serialize` failed, or what it wrote has no place in JSON.
    #[error("the snapshot cannot be written: {0}")]
    Value(String),
    /// It is too long for the engine.
    #[error("the snapshot has {size} bytes, more than {max}")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The most there may be.
        max: usize,
    },
}

/// Writes the state of an actor.
pub(crate) fn write<A: Snapshot>(actor: &A) -> Result<Bytes, UnwritableSnapshot> {
    let mut bytes = A::VERSION.to_le_bytes().to_vec();
    serde_json::to_writer(&mut bytes, &actor.snapshot())
        .map_err(|error| UnwritableSnapshot::Value(error.to_string()))?;
    Ok(bytes.into())
}

/// Reads a state into a fresh actor.
pub(crate) fn read<A: Snapshot>(
    path: &ActorPath,
    actor: &mut A,
    bytes: &[u8],
) -> Result<(), UnreadableSnapshot> {
    let unreadable = |found, problem: String| UnreadableSnapshot {
        path: path.clone(),
        found,
        problem,
    };
    let Some((version, state)) = bytes.split_first_chunk() else {
        return Err(unreadable(None, "it is too short".into()));
    };
    let found = u32::from_le_bytes(*version);
    let malformed = |error: serde_json::Error| unreadable(Some(found), error.to_string());
    let state = if found == A::VERSION {
        serde_json::from_slice(state).map_err(malformed)?
    } else {
        let old = serde_json::from_slice(state).map_err(malformed)?;
        let new = A::migrate(found, old).map_err(|why| unreadable(Some(found), why))?;
        serde_json::from_value(new).map_err(malformed)?
    };
    actor.restore(state);
    Ok(())
}
