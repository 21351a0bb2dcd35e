//! Messages that can travel: what a type needs for it, and how it is written.

use actix::Message;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// A message that can be sent to an actor on any node, and whose result can come back.
///
/// Messages and results are written as JSON, which lets fields be added while two versions of a
/// program run in one cluster (`#[serde(default)]`).
///
/// ```
/// use actix::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use supervision_cluster::RemoteMessage;
///
/// #[derive(Message, Serialize, Deserialize)]
/// #[rtype(result = "u64")]
/// struct Add(u64);
///
/// impl RemoteMessage for Add {
///     const NAME: &'static str = "add";
/// }
/// ```
pub trait RemoteMessage:
    Message<Result: Serialize + DeserializeOwned + Send + 'static>
    + Serialize
    + DeserializeOwned
    + Send
    + 'static
{
    /// By what the message is known on every node: at most 255 bytes, the same in all versions of
    /// the program, and different from those of the other messages of an actor.
    const NAME: &'static str;

    /// Whether it does no harm to be handled twice. Such a message is sent again where it is not
    /// known whether an earlier attempt was handled; one to a durable actor always is, since that
    /// applies it once. Default: `false`.
    const IDEMPOTENT: bool = false;
}

/// A message that could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// [`RemoteMessage::NAME`] is longer than 255 bytes.
    #[error("the message's name has {0} bytes, more than 255")]
    Name(usize),
    /// Its `Serialize` failed, or what it wrote has no place in JSON.
    #[error("the message cannot be written: {0}")]
    Value(String),
}

/// Writes a message with its name.
pub(crate) fn encode_message<M: RemoteMessage>(message: &M) -> Result<Bytes, EncodeError> {
    let name = M::NAME.as_bytes();
    let length = u8::try_from(name.len()).map_err(|_| EncodeError::Name(name.len()))?;
    let mut bytes = Vec::with_capacity(64);
    bytes.push(length);
    bytes.extend_from_slice(name);
    serde_json::to_writer(&mut bytes, message)
        .map_err(|error| EncodeError::Value(error.to_string()))?;
    Ok(bytes.into())
}

/// The name and the value of a message.
pub(crate) fn split_message(body: &[u8]) -> Option<(&str, &[u8])> {
    let (&length, rest) = body.split_first()?;
    let (name, value) = rest.split_at_checked(length.into())?;
    Some((std::str::from_utf8(name).ok()?, value))
}
