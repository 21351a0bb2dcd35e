//! The text that keys and subjects are made of: checked once, and an injective encoding of anything
//! else into it.

use std::{fmt::Write as _, sync::Arc};

/// Longest key, prefix or subject, in bytes.
///
/// A server of NATS takes control lines of 4 KiB, which also hold the reply subject and the name of
/// the stream; a quarter of that leaves room for both.
pub const MAX_NAME: usize = 1_024;

/// Why a text is neither a key nor a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// There is nothing in it, or nothing between two of its dots.
    #[error("a part of the name is empty: {name:?}")]
    EmptyPart {
        /// The text.
        name: String,
    },
    /// It is longer than [`MAX_NAME`].
    #[error("the name has {length} bytes, more than {MAX_NAME}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It holds something else than `-/_=.a-zA-Z0-9`.
    #[error("the name holds {found:?}, which is not one of -/_=.a-zA-Z0-9")]
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// It begins with `_kv` (of keys, kept by JetStream) or `_INBOX` (of subjects, kept by the client).
    #[error("names beginning with {prefix} are kept by the engine")]
    Reserved {
        /// The reserved beginning.
        prefix: &'static str,
    },
}

/// Checks a text of dot-separated parts.
pub(super) fn checked(name: &str, reserved: &'static str) -> Result<Arc<str>, InvalidName> {
    if name.len() > MAX_NAME {
        let length = name.len();
        return Err(InvalidName::TooLong { length });
    }
    if let Some(found) = name
        .chars()
        .find(|c| *c != '.' && !is_plain(*c) && *c != '=')
    {
        return Err(InvalidName::BadCharacter { found });
    }
    if name.split('.').any(str::is_empty) {
        let name = name.to_owned();
        return Err(InvalidName::EmptyPart { name });
    }
    if name.starts_with(reserved) {
        return Err(InvalidName::Reserved { prefix: reserved });
    }
    Ok(name.into())
}

/// Whether a character stands for itself in an encoded part.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/')
}

/// Joins any texts to one name, each of them one part of it.
///
/// Different lists give different names: `=` begins an escape of two hexadecimal digits for each
/// byte that does not stand for itself, and alone stands for an empty text.
pub(super) fn encode<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut name = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            name.push('.');
        }
        if part.is_empty() {
            name.push('=');
        }
        for byte in part.bytes() {
            if is_plain(char::from(byte)) {
                name.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(name, "={byte:02x}");
            }
        }
    }
    name
}

/// The parts that were encoded; `None` where a part was not made by [`encode`].
pub(super) fn decode(name: &str) -> Option<Vec<String>> {
    let parts = name.split('.').map(decode_part);
    let parts: Vec<String> = parts.collect::<Option<_>>()?;
    // `=41` says the same as `A` but is not what encoding makes; two names must not be one list.
    (encode(parts.iter().map(String::as_str)) == name).then_some(parts)
}

fn decode_part(part: &str) -> Option<String> {
    if part == "=" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            let (digits, after) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
