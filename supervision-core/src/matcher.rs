//! One rule of a `Match` strategy: for this error type, that strategy.

use std::{any::type_name, error::Error};

use serde::{Deserialize, Serialize};

use crate::{error_link::ErrorVariants, error_type::canonical, strategy::SupervisionStrategy};

/// A rule: failures of `error_type` are handled by `strategy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisionMatcher {
    /// The type's name, compared as [`matches`](crate::matches) tells; `panic`, `stall` and `exit`
    /// are types too. `DatabaseError.Timeout` names one variant of an enum; the supervisor has to
    /// [know its variants](crate::KnownErrors::with_variants).
    pub error_type: String,
    /// What happens then.
    pub strategy: Box<SupervisionStrategy>,
}

impl SupervisionMatcher {
    /// A rule for errors whose type's name matches `error_type`.
    pub fn new(error_type: impl Into<String>, strategy: SupervisionStrategy) -> Self {
        Self {
            error_type: error_type.into(),
            strategy: Box::new(strategy),
        }
    }

    /// A rule for the type `E`.
    ///
    /// The rule holds only the type's name. To have a *boxed* `E` recognised as well, the
    /// supervisor must know the type, see [`KnownErrors::with`](crate::KnownErrors::with).
    pub fn on<E: Error + 'static>(strategy: SupervisionStrategy) -> Self {
        Self::new(canonical(type_name::<E>()), strategy)
    }

    /// A rule for one variant of the enum `E`.
    ///
    /// As with [`on`](Self::on) the rule holds only names. To have the variants told apart, the
    /// supervisor must know them, see
    /// [`KnownErrors::with_variants`](crate::KnownErrors::with_variants).
    pub fn on_variant<E: Error + ErrorVariants + 'static>(
        variant: &str,
        strategy: SupervisionStrategy,
    ) -> Self {
        let error_type = canonical(type_name::<E>());
        Self::new(format!("{error_type}.{variant}"), strategy)
    }
}
