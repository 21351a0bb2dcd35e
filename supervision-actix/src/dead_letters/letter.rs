//! What is told of a message that will not be handled.

use std::{
    any::{Any, type_name},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use actix::Message;
use serde::{Deserialize, Serialize};

use crate::{panics::drop_guarded, tracked::Said};

/// A message that will not be handled, or several of unknown types. Clones share the message.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The actor's path. Before the first incarnation of an actor that tells its path itself, its
    /// type's name.
    pub path: Arc<str>,
    /// The actor's last incarnation, counted from 1; 0 before the first.
    pub incarnation: u64,
    /// The message's type; `None` for messages by a plain `Addr`.
    pub message_type: Option<&'static str>,
    /// Why it will not be handled.
    pub reason: DeadLetterReason,
    /// When that was found, in milliseconds since the Unix epoch.
    pub time: u64,
    /// How many messages this is about: 1 where the type is known.
    pub count: u64,
    message: Arc<Kept>,
}

/// Why a message will not be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeadLetterReason {
    /// The actor ended while it was in the mailbox.
    Ended,
    /// It was sent after the actor had ended.
    Closed,
    /// The actor is a child of a group that has stopped it and has no start due.
    NotRunning,
    /// The actor's arbiter stopped, or was not there to start it.
    ArbiterStopped,
}

/// A message until somebody takes it.
struct Kept(Mutex<Option<Box<dyn Any + Send>>>);

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // A destructor that panics must harm nobody who happens to hold it last.
        let message = self.lock().take();
        drop_guarded(message);
    }
}

impl DeadLetter {
    pub(crate) fn of_message<M: Send + 'static>(said: Said, message: M) -> Self {
        let name = Some(type_name::<M>());
        Self::new(said, name, 1, Some(Box::new(message)))
    }

    /// Several messages of which nothing is known.
    pub(crate) fn of_unknown(said: Said, count: u64) -> Self {
        Self::new(said, None, count, None)
    }

    fn new(
        said: Said,
        message_type: Option<&'static str>,
        count: u64,
        message: Option<Box<dyn Any + Send>>,
    ) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        Self {
            path: said.path,
            incarnation: said.incarnation,
            message_type,
            reason: said.reason,
            time: u64::try_from(millis).unwrap_or(u64::MAX),
            count,
            message: Arc::new(Kept(Mutex::new(message))),
        }
    }

    /// The message, if it is an `M` and nobody has taken it: the first of all subscribers who asks
    /// gets it.
    pub fn take<M: 'static>(&self) -> Option<M> {
        let mut kept = self.message.lock();
        let message = kept.take()?;
        match message.downcast() {
            Ok(message) => Some(*message),
            Err(other) => {
                *kept = Some(other);
                None
            }
        }
    }

    /// The message, whatever it is, if nobody has taken it.
    pub fn take_any(&self) -> Option<Box<dyn Any + Send>> {
        self.message.lock().take()
    }
}

impl Message for DeadLetter {
    type Result = ();
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("path", &self.path)
            .field("incarnation", &self.incarnation)
            .field("message_type", &self.message_type)
            .field("reason", &self.reason)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
