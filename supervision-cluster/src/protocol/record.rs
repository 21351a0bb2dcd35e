//! What stands in the store: one lease for each node, one ownership and one checkpoint for each
//! path. No rule about when a record may be written; those are in the machines.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use supervision_core::NodeId;
use uuid::Uuid;

use super::table::RequestTable;
use crate::engine::Revision;

/// One run of a node's process. Never used again, so what was owned by an earlier run of the same
/// node is known not to be owned by this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BootId(pub Uuid);

/// A node in one of its runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// The node's name, the same in all its runs.
    pub node: NodeId,
    /// Which of its runs.
    pub boot: BootId,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.node, self.boot.0.simple())
    }
}

/// The name of an actor in the cluster, for example `/user/cart/42`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActorPath(Arc<str>);

/// An actor's path was refused; nothing was created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid actor path {0:?}: must hold 1 to 512 bytes and no control characters or blanks")]
pub struct InvalidActorPath(String);

impl ActorPath {
    /// Longest accepted path, in bytes.
    pub const MAX_LEN: usize = 512;

    /// Names an actor.
    ///
    /// # Errors
    /// [`InvalidActorPath`] if the path is empty, longer than [`MAX_LEN`](Self::MAX_LEN) bytes, or
    /// holds whitespace or control characters.
    pub fn new(path: impl AsRef<str>) -> Result<Self, InvalidActorPath> {
        let path = path.as_ref();
        let bad_char = |c: char| c.is_whitespace() || c.is_control();
        if path.is_empty() || path.len() > Self::MAX_LEN || path.contains(bad_char) {
            return Err(InvalidActorPath(path.chars().take(64).collect()));
        }
        Ok(Self(path.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActorPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ActorPath {
    type Error = InvalidActorPath;

    fn try_from(path: String) -> Result<Self, Self::Error> {
        Self::new(path)
    }
}

impl From<ActorPath> for String {
    fn from(path: ActorPath) -> Self {
        path.0.as_ref().to_owned()
    }
}

/// The fencing token of one activation of a path: the revision of the write that gave the path to
/// its owner. A later activation has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub Revision);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0.as_u64())
    }
}

/// Who wrote a record, and in which of its attempts: by this a writer recognises its own write
/// when it could not hear the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The writer.
    pub boot: BootId,
    /// The attempt; no two of one boot share it.
    pub nonce: u64,
}

/// What a node promises about itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// The run of the node that the lease is for.
    pub member: Member,
    /// Whether it holds.
    pub standing: Standing,
    /// Claims of this member up to this epoch have been started and stayed up.
    pub confirmed: Option<Epoch>,
    /// The node's run before this one, and what that one had confirmed.
    pub former: Option<(BootId, Option<Epoch>)>,
    /// What placement may know of the node, in the cluster's own coding.
    pub profile: Bytes,
    /// The write that made this version.
    pub stamp: Stamp,
}

/// Whether a lease holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// The member renews it.
    Alive,
    /// The member gave it back after it had stopped or moved all its actors.
    Left,
    /// Another node saw no renewal for too long, and made every later one fail.
    Dead,
}

/// Who owns a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OwnRecord {
    /// Which registered kind of actor lives there.
    pub kind: KindName,
    /// Who may run it.
    pub owner: Member,
    /// The activation this version belongs to; `None` in the version that began it, whose own
    /// revision is the epoch.
    pub epoch: Option<Epoch>,
    /// What the owner is to do with it.
    pub state: OwnState,
    /// Claims in a row whose owner was lost before it had confirmed them.
    pub tries: u32,
    /// Who handed it over, if it was a living owner: that one will send what it holds.
    pub from: Option<Member>,
    /// The write that made this version.
    pub stamp: Stamp,
}

impl OwnRecord {
    /// The activation that this version, which stands at `revision`, belongs to.
    pub fn epoch_at(&self, revision: Revision) -> Epoch {
        self.epoch.unwrap_or(Epoch(revision))
    }
}

/// What is to be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OwnState {
    /// Its owner runs it.
    Owned,
    /// It took several owners down and is run by nobody until it is ordered to be created again.
    Parked,
    /// It has ended; the record stays for a time so that late writes about it fail.
    Ended,
}

/// What of an actor outlives its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Nothing: it begins anew wherever it is started again. A live move still brings along what
    /// was held for it, and what was applied.
    Volatile,
    /// Its state, as of the last checkpoint or live move.
    Snapshot,
    /// Its state with every message that was answered: the checkpoint stands before the answer
    /// leaves.
    Durable,
}

/// The name of a kind of actor, for example `cart`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct KindName(Arc<str>);

impl KindName {
    /// Names a kind. The name is compared, and never taken apart.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(name.as_ref().into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for KindName {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<KindName> for String {
    fn from(name: KindName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a new owner of a path goes on from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StateRecord {
    /// The activation that wrote it, or sealed it.
    pub epoch: Epoch,
    /// The actor's state in its kind's coding; `None` before the first checkpoint.
    pub body: Option<Bytes>,
    /// What has been applied to reach this state, so that nothing is applied twice.
    pub table: RequestTable,
    /// Failure history and budgets, as ages.
    pub luggage: Bytes,
    /// The write that made this version.
    pub stamp: Stamp,
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// The lease of a node.
    Lease(NodeId),
    /// The ownership of a path.
    Own(ActorPath),
    /// The checkpoint of a path.
    State(ActorPath),
}

/// Any record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Under [`RecordKey::Lease`].
    Lease(LeaseRecord),
    /// Under [`RecordKey::Own`].
    Own(OwnRecord),
    /// Under [`RecordKey::State`].
    State(StateRecord),
}

impl Record {
    pub(crate) fn stamp(&self) -> Stamp {
        match self {
            Self::Lease(record) => record.stamp,
            Self::Own(record) => record.stamp,
            Self::State(record) => record.stamp,
        }
    }

    pub(crate) fn stamped(mut self, stamp: Stamp) -> Self {
        match &mut self {
            Self::Lease(record) => record.stamp = stamp,
            Self::Own(record) => record.stamp = stamp,
            Self::State(record) => record.stamp = stamp,
        }
        self
    }
}

/// A record with the revision it was read at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Its revision.
    pub revision: Revision,
}
