//! Names of entries and of groups of entries, and the subjects of messages.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::token::{self, InvalidName};

/// JetStream keeps these keys for itself.
const RESERVED_KEY: &str = "_kv";
/// The client of NATS receives its replies there.
const RESERVED_SUBJECT: &str = "_INBOX";

/// The name of an entry: parts joined by dots, each of the characters `-/_=a-zA-Z0-9`.
///
/// At most [`MAX_NAME`](super::MAX_NAME) bytes, cheap to clone. [`Key::of`] makes one from any
/// texts, [`Key::new`] takes one that is written out.
///
/// ```
/// use supervision_cluster::engine::Key;
///
/// let key = Key::of(["owner", "users/Zoë"])?;
/// assert_eq!(key.as_str(), "owner.users/Zo=c3=ab");
/// assert_eq!(key.parts().unwrap(), ["owner", "users/Zoë"]);
/// assert!(Key::new("owner..x").is_err());
/// # Ok::<(), supervision_cluster::engine::InvalidName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Takes a key as it is written.
    ///
    /// # Errors
    /// [`InvalidName`] where it is empty, too long, begins with `_kv`, or where a part of it is empty
    /// or holds another character.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        token::checked(name, RESERVED_KEY).map(Self)
    }

    /// Makes a key of any texts: each becomes one part, and different lists become different keys.
    ///
    /// # Errors
    /// [`InvalidName`] where the list is empty or the key would be too long or begin with `_kv`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidName> {
        Self::new(&token::encode(parts))
    }

    /// The texts it was made of; `None` where [`Key::of`] could not have made it.
    pub fn parts(&self) -> Option<Vec<String>> {
        token::decode(&self.0)
    }

    /// The key as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// All keys below a name: `owner` has `owner.a` and `owner.a.b` below it, neither itself nor `owners`.
///
/// Whole parts only, because that is what a server of NATS can filter by (`owner.>`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Option<Key>);

impl Prefix {
    /// Every key.
    pub const fn all() -> Self {
        Self(None)
    }

    /// Every key below `key`.
    pub const fn below(key: Key) -> Self {
        Self(Some(key))
    }

    /// Every key below the one made of these texts, see [`Key::of`]; every key if there are none.
    ///
    /// # Errors
    /// Those of [`Key::of`].
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidName> {
        let mut parts = parts.into_iter().peekable();
        if parts.peek().is_none() {
            return Ok(Self::all());
        }
        Key::of(parts).map(Self::below)
    }

    /// Whether `key` is below it.
    pub fn contains(&self, key: &Key) -> bool {
        let Some(above) = &self.0 else {
            return true;
        };
        let rest = key.as_str().strip_prefix(above.as_str());
        rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// The key it is below; `None` of all keys.
    pub const fn above(&self) -> Option<&Key> {
        self.0.as_ref()
    }
}

/// Where messages go: parts joined by dots, like a [`Key`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

impl Subject {
    /// Takes a subject as it is written.
    ///
    /// # Errors
    /// [`InvalidName`] where it is empty, too long, begins with `_INBOX`, or where a part of it is
    /// empty or holds another character.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        token::checked(name, RESERVED_SUBJECT).map(Self)
    }

    /// Makes a subject of any texts: each becomes one part, and different lists become different
    /// subjects.
    ///
    /// # Errors
    /// [`InvalidName`] where the list is empty or the subject would be too long or begin with
    /// `_INBOX`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidName> {
        Self::new(&token::encode(parts))
    }

    /// The texts it was made of; `None` where [`Subject::of`] could not have made it.
    pub fn parts(&self) -> Option<Vec<String>> {
        token::decode(&self.0)
    }

    /// The subject as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

macro_rules! read_and_written_as_text {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(&String::deserialize(from)?).map_err(D::Error::custom)
            }
        }
    )*};
}

read_and_written_as_text!(Key Subject);

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(above) => write!(f, "{above}.>"),
            None => f.write_str(">"),
        }
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
