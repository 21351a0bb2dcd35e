//! The record of one failure, and the name of the node it happened on.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is known of one failure, in the form it is kept, queried and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureInfo {
    /// Path of the failed actor, for example `/user/my-actor`.
    pub actor_path: String,
    /// Node on which the failure happened.
    pub node_id: NodeId,
    /// When it happened, in milliseconds since the Unix epoch (wall clock; for people, never for
    /// decisions).
    pub time: u64,
    /// The error's message; for a panic, its payload as text.
    pub error: String,
    /// The outermost error's type name, or one of [`PANIC`](crate::PANIC),
    /// [`STALL`](crate::STALL), [`EXIT`](crate::EXIT).
    pub error_type: String,
    /// Restarts of this actor before this failure; the failure itself is not counted.
    pub restart_count: usize,
    /// Unique identifier of this failure.
    pub failure_id: Uuid,
}

/// The name of a node. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(Arc<str>);

/// A node's name was refused; nothing was created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid node id {0:?}: must hold 1 to 255 bytes and no control characters or blanks")]
pub struct InvalidNodeId(String);

impl NodeId {
    /// Longest accepted name, in bytes.
    pub const MAX_LEN: usize = 255;

    /// Names a node.
    ///
    /// # Errors
    /// [`InvalidNodeId`] if the name is empty, longer than [`MAX_LEN`](Self::MAX_LEN) bytes, or
    /// holds whitespace or control characters.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidNodeId> {
        let name = name.as_ref();
        let bad_char = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > Self::MAX_LEN || name.contains(bad_char) {
            return Err(InvalidNodeId(name.chars().take(64).collect()));
        }
        Ok(Self(name.into()))
    }

    /// The name of a node that belongs to no cluster: `local`.
    pub fn local() -> Self {
        static LOCAL: LazyLock<Arc<str>> = LazyLock::new(|| "local".into());
        Self(LOCAL.clone())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for NodeId {
    type Error = InvalidNodeId;

    fn try_from(name: String) -> Result<Self, InvalidNodeId> {
        Self::new(name)
    }
}

impl From<NodeId> for String {
    fn from(id: NodeId) -> String {
        id.as_str().to_owned()
    }
}
