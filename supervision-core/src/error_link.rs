//! One error of a chain, and how it is written down.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One error of a chain: its type's name and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorLink {
    /// The type's name in its canonical form, see [`canonical`](crate::canonical).
    pub error_type: Cow<'static, str>,
    /// What the error says (its `Display`).
    pub message: String,
    /// The variant it is, where the type is an enum known
    /// [with its variants](crate::KnownErrors::with_variants).
    pub variant: Option<Cow<'static, str>>,
}

/// An error that names the variant it is, so that a rule can be for that variant alone.
///
/// Derive it with `#[derive(ErrorVariants)]` of `supervision-macros`, or write it:
///
/// ```
/// # use supervision_core::ErrorVariants;
/// # struct Query;
/// enum DatabaseError {
///     Timeout,
///     Refused(Query),
/// }
///
/// impl ErrorVariants for DatabaseError {
///     fn variant(&self) -> &'static str {
///         match self {
///             Self::Timeout => "Timeout",
///             Self::Refused(_) => "Refused",
///         }
///     }
/// }
/// ```
pub trait ErrorVariants {
    /// The variant's name as rules spell it; equal for equal variants.
    fn variant(&self) -> &'static str;
}

/// Text formats name the variant in a field of its own, absent where there is none.
#[derive(Serialize, Deserialize)]
#[serde(rename = "ErrorLink")]
struct Readable<'a> {
    error_type: Cow<'a, str>,
    message: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<Cow<'a, str>>,
}

/// Compact formats count fields instead of naming them, so there can be no third one: the variant
/// follows the type's name, after a character that no name has.
#[derive(Serialize, Deserialize)]
#[serde(rename = "ErrorLink")]
struct Compact<'a> {
    error_type: Cow<'a, str>,
    message: Cow<'a, str>,
}

/// The unit separator.
const SEPARATOR: char = '\u{1f}';

impl Serialize for ErrorLink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error_type = Cow::Borrowed(&*self.error_type);
        let message = Cow::Borrowed(&*self.message);
        if serializer.is_human_readable() {
            let variant = self.variant.as_deref().map(Cow::Borrowed);
            return Readable {
                error_type,
                message,
                variant,
            }
            .serialize(serializer);
        }
        let error_type = match &self.variant {
            Some(variant) => Cow::Owned(format!("{error_type}{SEPARATOR}{variant}")),
            None => error_type,
        };
        Compact {
            error_type,
            message,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ErrorLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let owned = |text: Cow<'_, str>| Cow::<'static, str>::Owned(text.into_owned());
        if deserializer.is_human_readable() {
            let link = Readable::deserialize(deserializer)?;
            return Ok(Self {
                error_type: owned(link.error_type),
                message: link.message.into_owned(),
                variant: link.variant.map(owned),
            });
        }
        let link = Compact::deserialize(deserializer)?;
        let (error_type, variant) = match link.error_type.split_once(SEPARATOR) {
            Some((error_type, variant)) => (error_type, Some(variant)),
            None => (&*link.error_type, None),
        };
        Ok(Self {
            error_type: Cow::Owned(error_type.to_owned()),
            message: link.message.into_owned(),
            variant: variant.map(|variant| Cow::Owned(variant.to_owned())),
        })
    }
}
