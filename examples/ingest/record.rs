//! What a line should hold, and the reasons for which one is refused.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

/// Longest line that is looked at, in bytes.
pub(crate) const MAX_LINE: usize = 4_096;

/// An order as the input spells it. Fields that are not named here are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) shop: String,
    pub(crate) sku: String,
    pub(crate) qty: u32,
    pub(crate) cents: i64,
    /// A file that belongs to the order, beside the input file.
    pub(crate) label: Option<String>,
}

/// An order as the output stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its line in the input, counted from 1. No two records have the same.
    pub(crate) line: u64,
    pub(crate) id: u64,
    pub(crate) shop: String,
    pub(crate) shelf: String,
    pub(crate) qty: u32,
    pub(crate) cents: u64,
    pub(crate) cents_each: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
}

/// Why a line was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    Empty,
    TooLong,
    NotUtf8,
    NotJson,
    WrongFields,
    BadValue,
    DuplicateId,
    MissingLabel,
    Poison,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty line",
            Self::TooLong => "longer than 4,096 bytes",
            Self::NotUtf8 => "not UTF-8",
            Self::NotJson => "not JSON",
            Self::WrongFields => "a field is missing or of the wrong type",
            Self::BadValue => "a value out of range",
            Self::DuplicateId => "id stored before",
            Self::MissingLabel => "its label file cannot be read",
            Self::Poison => "poison: panics the parser every time",
        })
    }
}

impl Order {
    /// Reads one line.
    pub(crate) fn decode(line: &[u8]) -> Result<Self, Refusal> {
        if line.len() > MAX_LINE {
            return Err(Refusal::TooLong);
        }
        let text = std::str::from_utf8(line).map_err(|_| Refusal::NotUtf8)?;
        if text.trim().is_empty() {
            return Err(Refusal::Empty);
        }
        let order: Self = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                Refusal::WrongFields
            } else {
                Refusal::NotJson
            }
        })?;
        if order.label.as_deref().is_some_and(leads_elsewhere) {
            return Err(Refusal::BadValue);
        }
        Ok(order)
    }

    /// What is paid, if it is a sum that can be paid.
    pub(crate) fn price(&self) -> Result<u64, Refusal> {
        u64::try_from(self.cents).map_err(|_| Refusal::BadValue)
    }
}

/// Whether a file name from the input leaves the input's directory.
fn leads_elsewhere(name: &str) -> bool {
    use std::path::Component;
    let mut parts = Path::new(name).components();
    !parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &[u8]) -> Refusal {
        Order::decode(line)
            .and_then(|order| order.price())
            .expect_err("must be refused")
    }

    #[test]
    fn each_kind_of_damage_has_its_reason() {
        assert_eq!(refused(b""), Refusal::Empty);
        assert_eq!(refused(&[b'x'; MAX_LINE + 1]), Refusal::TooLong);
        assert_eq!(refused(b"\"Malm\xF6\""), Refusal::NotUtf8);
        assert_eq!(refused(b"{\"id\":1,\"sho"), Refusal::NotJson);
        assert_eq!(refused(b"{\"id\":1}"), Refusal::WrongFields);
        let order = |cents: &str, label: &str| {
            format!(
                r#"{{"id":1,"shop":"Lyon","sku":"LMP-042","qty":3,"cents":{cents},"label":{label}}}"#
            )
        };
        assert_eq!(refused(order("-5", "null").as_bytes()), Refusal::BadValue);
        assert_eq!(
            refused(order("5", "\"../x\"").as_bytes()),
            Refusal::BadValue
        );
        assert_eq!(
            refused(order("5", "\"/etc/x\"").as_bytes()),
            Refusal::BadValue
        );
        assert!(Order::decode(order("5", "null").as_bytes()).is_ok());
    }
}
