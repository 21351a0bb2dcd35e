//! A rule about the labels of a node, written as one does on a command line: `disk=ssd`, or `gpu`.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest accepted key and longest accepted value of a label, in bytes.
pub const MAX_LABEL: usize = 255;

/// What a node's labels must hold: a key with a value (`disk=ssd`), or a key with any (`gpu`).
///
/// A value of this type is valid. In text formats it is its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabelRule {
    key: String,
    value: Option<String>,
}

/// A label or a rule about one was refused; nothing was created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid label {0:?}: must be `key` or `key=value`, of up to {MAX_LABEL} bytes each, the key not empty and without blanks, neither with control characters"
)]
pub struct InvalidLabel(String);

impl LabelRule {
    /// The key must have this value.
    ///
    /// # Errors
    /// [`InvalidLabel`] if the key is empty, holds blanks or `=`, or if either is longer than
    /// [`MAX_LABEL`] bytes or holds control characters.
    pub fn is(key: impl Into<String>, value: impl Into<String>) -> Result<Self, InvalidLabel> {
        Self::checked(key.into(), Some(value.into()))
    }

    /// The key must be there, whatever its value.
    ///
    /// # Errors
    /// As [`is`](Self::is).
    pub fn exists(key: impl Into<String>) -> Result<Self, InvalidLabel> {
        Self::checked(key.into(), None)
    }

    fn checked(key: String, value: Option<String>) -> Result<Self, InvalidLabel> {
        let fits = |value: &String| value.len() <= MAX_LABEL && !value.contains(char::is_control);
        if is_label_key(&key) && value.as_ref().is_none_or(fits) {
            return Ok(Self { key, value });
        }
        // Hostile text is not echoed at length.
        Err(InvalidLabel(key.chars().take(64).collect()))
    }

    /// The label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value it must have; `None` if any will do.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Whether these labels keep the rule.
    pub fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        let found = labels.get(&self.key);
        match &self.value {
            Some(value) => found == Some(value),
            None => found.is_some(),
        }
    }
}

pub(super) fn is_label_key(key: &str) -> bool {
    let bad_char = |c: char| c.is_whitespace() || c.is_control() || c == '=';
    !key.is_empty() && key.len() <= MAX_LABEL && !key.contains(bad_char)
}

impl fmt::Display for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

impl FromStr for LabelRule {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        match text.split_once('=') {
            Some((key, value)) => Self::is(key, value),
            None => Self::exists(text),
        }
    }
}

impl TryFrom<String> for LabelRule {
    type Error = InvalidLabel;

    fn try_from(text: String) -> Result<Self, InvalidLabel> {
        text.parse()
    }
}

impl From<LabelRule> for String {
    fn from(rule: LabelRule) -> String {
        rule.to_string()
    }
}
