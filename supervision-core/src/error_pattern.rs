//! The name of an error type as rules write it, taken apart once so that matching allocates nothing.

use std::fmt;

use crate::{
    cause::Cause,
    error_link::ErrorLink,
    error_type::{canonical, canonical_match, split_variant},
    validate::{MAX_ERROR_TYPE, is_type_name},
};

/// What a rule asks for: errors of a type, or of one variant of it, compared as
/// [`matches`](crate::matches) tells. `panic`, `stall` and `exit` are types too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPattern {
    name: String,
    /// The name as a type and its variant, where it can be read so.
    variant: Option<(String, String)>,
}

/// A name was refused; nothing was created. Holds the start of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid error type {0:?}: must be a type name of 1 to {MAX_ERROR_TYPE} bytes, such as `std::io::Error`"
)]
pub struct InvalidErrorPattern(pub String);

impl ErrorPattern {
    /// The pattern that `error_type` spells.
    ///
    /// # Errors
    /// [`InvalidErrorPattern`] if it is not the name of a type.
    pub fn new(error_type: &str) -> Result<Self, InvalidErrorPattern> {
        if is_type_name(error_type) {
            Ok(Self::of_valid(error_type))
        } else {
            Err(InvalidErrorPattern(error_type.chars().take(64).collect()))
        }
    }

    /// The pattern of a name that was found valid.
    pub(crate) fn of_valid(error_type: &str) -> Self {
        let variant = split_variant(error_type);
        Self {
            name: canonical(error_type).to_owned(),
            variant: variant.map(|(of, variant)| (canonical(of).to_owned(), variant.to_owned())),
        }
    }

    /// Whether this one error is meant.
    pub fn matches(&self, link: &ErrorLink) -> bool {
        canonical_match(&self.name, &link.error_type)
            || self.variant.as_ref().is_some_and(|(of, variant)| {
                link.variant.as_deref() == Some(variant) && canonical_match(of, &link.error_type)
            })
    }

    /// What the first rule for this cause says: the chain is walked outermost first, and for each
    /// error the rules in order.
    pub fn first_match<'a, T>(rules: &'a [(Self, T)], cause: &Cause) -> Option<&'a T> {
        let hit = cause
            .chain()
            .find_map(|link| rules.iter().find(|(pattern, _)| pattern.matches(link)));
        hit.map(|(_, says)| says)
    }
}

impl fmt::Display for ErrorPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
