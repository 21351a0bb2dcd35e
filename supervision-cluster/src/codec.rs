//! Records and letters as bytes and back. Bytes come from anywhere, so reading them never panics and
//! never allocates more than they can hold; what they mean is for the machines.
//!
//! The first byte is the version of the coding. A node that meets a later one refuses it: it is the
//! older side that must not guess.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use supervision_core::NodeId;

use crate::{
    engine::{InvalidName, Key, Prefix, Subject},
    protocol::{ActorPath, LeaseRecord, Letter, Member, OwnRecord, Record, RecordKey, StateRecord},
};

/// The coding that this version writes, and the only one it reads.
pub const VERSION: u8 = 1;

/// Bytes that are no record, or no letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are none.
    #[error("no bytes")]
    Empty,
    /// They were written by a version that this one does not know.
    #[error("coding {found} is not known, only {VERSION} is")]
    Version {
        /// The version they name.
        found: u8,
    },
    /// They are not what they should be.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Something is left behind the end.
    #[error("{0} bytes too many")]
    Trailing(usize),
}

/// Writes a value in the current coding.
pub(crate) fn encode<T: Serialize>(value: &T) -> Bytes {
    // Only a value that cannot tell its length fails here, and ours all can.
    let bytes = postcard::to_extend(value, vec![VERSION]).unwrap_or_default();
    Bytes::from(bytes)
}

/// Reads a value.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (&version, rest) = bytes.split_first().ok_or(DecodeError::Empty)?;
    if version != VERSION {
        return Err(DecodeError::Version { found: version });
    }
    let malformed = |error: postcard::Error| DecodeError::Malformed(error.to_string());
    let (value, rest) = postcard::take_from_bytes(rest).map_err(malformed)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing(rest.len()))
    }
}

/// Writes a record.
pub fn encode_record(record: &Record) -> Bytes {
    match record {
        Record::Lease(record) => encode(record),
        Record::Own(record) => encode(record),
        Record::State(record) => encode(record),
    }
}

/// Reads the record that stands under a key.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_record(key: &RecordKey, bytes: &[u8]) -> Result<Record, DecodeError> {
    Ok(match key {
        RecordKey::Lease(_) => Record::Lease(decode::<LeaseRecord>(bytes)?),
        RecordKey::Own(_) => Record::Own(decode::<OwnRecord>(bytes)?),
        RecordKey::State(_) => Record::State(decode::<StateRecord>(bytes)?),
    })
}

/// Writes a letter.
pub fn encode_letter(letter: &Letter) -> Bytes {
    encode(letter)
}

/// Reads a letter.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_letter(bytes: &[u8]) -> Result<Letter, DecodeError> {
    decode(bytes)
}

/// How a cluster's records and letters are named in the engine.
#[derive(Clone, Debug)]
pub struct Names {
    cluster: String,
    /// Below which the leases stand.
    pub leases: Prefix,
    /// Below which the ownerships stand.
    pub owners: Prefix,
}

const LEASE: &str = "lease";
const OWN: &str = "own";
const STATE: &str = "state";
const LETTERS: &str = "letters";

impl Names {
    /// The names of a cluster; those of another one are different.
    ///
    /// # Errors
    /// [`InvalidName`] where the cluster's name is empty or too long.
    pub fn new(cluster: &str) -> Result<Self, InvalidName> {
        // The longest name there will be must fit.
        Key::of([cluster, STATE, &"x".repeat(ActorPath::MAX_LEN)])?;
        Ok(Self {
            cluster: cluster.to_owned(),
            leases: Prefix::of([cluster, LEASE])?,
            owners: Prefix::of([cluster, OWN])?,
        })
    }

    /// Where a record stands.
    ///
    /// # Errors
    /// [`InvalidName`] where a path has so many characters beyond plain text that no key can hold it.
    pub fn key(&self, key: &RecordKey) -> Result<Key, InvalidName> {
        match key {
            RecordKey::Lease(node) => Key::of([&*self.cluster, LEASE, node.as_str()]),
            RecordKey::Own(path) => Key::of([&*self.cluster, OWN, path.as_str()]),
            RecordKey::State(path) => Key::of([&*self.cluster, STATE, path.as_str()]),
        }
    }

    /// What stands under a key; `None` if that is not one of this cluster's.
    pub fn record_key(&self, key: &Key) -> Option<RecordKey> {
        let parts = key.parts()?;
        let [cluster, what, name] = parts.as_slice() else {
            return None;
        };
        if *cluster != self.cluster {
            return None;
        }
        Some(match what.as_str() {
            LEASE => RecordKey::Lease(NodeId::new(name).ok()?),
            OWN => RecordKey::Own(ActorPath::new(name).ok()?),
            STATE => RecordKey::State(ActorPath::new(name).ok()?),
            _ => return None,
        })
    }

    /// Where a member takes its letters. Each boot has its own: letters to an earlier one are lost.
    ///
    /// # Errors
    /// [`InvalidName`] where the node's name has too many characters beyond plain text.
    pub fn letters(&self, to: &Member) -> Result<Subject, InvalidName> {
        let boot = to.boot.0.simple().to_string();
        Subject::of([&*self.cluster, LETTERS, to.node.as_str(), &boot])
    }
}
