//! Finding the type name of an error that was boxed: a list of types to try by downcast.

use std::{
    any::{TypeId, type_name},
    borrow::Cow,
    error::Error,
};

use crate::{error_link::ErrorVariants, error_type::canonical};

/// The name given to an erased error that no known type fits.
const UNKNOWN: &str = "dyn Error";

/// A type, and how to ask an error whether it is of that type.
#[derive(Clone, Copy)]
struct Probe {
    of: TypeId,
    ask: Ask,
    variant: Option<Ask>,
}

type Ask = fn(&(dyn Error + 'static)) -> Option<&'static str>;

/// Error types that can be recognised behind a `dyn Error`.
///
/// A `Box<dyn Error + Send>` has lost its type's name, yet rules match by that name. It can be
/// recovered only by asking the error, type by type, whether it is one of these.
/// [`KnownErrors::standard`] knows the standard library's errors; add your own with
/// [`with`](Self::with). Types are tried in the order in which they were added.
#[derive(Clone, Default)]
pub struct KnownErrors {
    probes: Vec<Probe>,
}

impl KnownErrors {
    /// Knows no type.
    pub fn none() -> Self {
        Self::default()
    }

    /// Knows the standard library's error types.
    pub fn standard() -> Self {
        Self::none()
            .with::<std::io::Error>()
            .with::<std::fmt::Error>()
            .with::<std::num::ParseIntError>()
            .with::<std::num::ParseFloatError>()
            .with::<std::num::TryFromIntError>()
            .with::<std::str::Utf8Error>()
            .with::<std::str::ParseBoolError>()
            .with::<std::string::FromUtf8Error>()
            .with::<std::string::FromUtf16Error>()
            .with::<std::char::ParseCharError>()
            .with::<std::char::CharTryFromError>()
            .with::<std::char::TryFromCharError>()
            .with::<std::char::DecodeUtf16Error>()
            .with::<std::net::AddrParseError>()
            .with::<std::env::VarError>()
            .with::<std::env::JoinPathsError>()
            .with::<std::time::SystemTimeError>()
            .with::<std::time::TryFromFloatSecsError>()
            .with::<std::array::TryFromSliceError>()
            .with::<std::collections::TryReserveError>()
            .with::<std::alloc::LayoutError>()
            .with::<std::cell::BorrowError>()
            .with::<std::cell::BorrowMutError>()
            .with::<std::ffi::NulError>()
            .with::<std::ffi::FromBytesWithNulError>()
            .with::<std::ffi::IntoStringError>()
            .with::<std::path::StripPrefixError>()
            .with::<std::sync::mpsc::RecvError>()
            .with::<std::sync::mpsc::RecvTimeoutError>()
            .with::<std::sync::mpsc::TryRecvError>()
            .with::<std::thread::AccessError>()
    }

    /// Adds a type; it is tried after those already known.
    #[must_use]
    pub fn with<E: Error + 'static>(mut self) -> Self {
        self.add::<E>();
        self
    }

    /// Adds a type in place. Adding a type twice has no effect.
    pub fn add<E: Error + 'static>(&mut self) {
        self.add_probe(Probe {
            of: TypeId::of::<E>(),
            ask: is::<E>,
            variant: None,
        });
    }

    /// Adds an enum together with its variants, so that a rule can be for one of them; it is tried
    /// after those already known. A type that is known without its variants is completed.
    #[must_use]
    pub fn with_variants<E: Error + ErrorVariants + 'static>(mut self) -> Self {
        self.add_probe(Probe {
            of: TypeId::of::<E>(),
            ask: is::<E>,
            variant: Some(|error| error.downcast_ref::<E>().map(E::variant)),
        });
        self
    }

    /// Adds all types of `other`, to be tried after those already known.
    pub fn extend(&mut self, other: &KnownErrors) {
        other.probes.iter().for_each(|probe| self.add_probe(*probe));
    }

    fn add_probe(&mut self, probe: Probe) {
        match self.probes.iter_mut().find(|known| known.of == probe.of) {
            Some(known) => known.variant = known.variant.or(probe.variant),
            None => self.probes.push(probe),
        }
    }

    /// Whether no type is known.
    pub fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    /// The canonical type name of `error`, or `dyn Error` if it is none of the known types.
    pub fn name_of(&self, error: &(dyn Error + 'static)) -> Cow<'static, str> {
        Cow::Borrowed(self.known_name(error).unwrap_or(UNKNOWN))
    }

    /// Whether `error` is of a known type.
    pub fn knows(&self, error: &(dyn Error + 'static)) -> bool {
        self.known_name(error).is_some()
    }

    fn known_name(&self, error: &(dyn Error + 'static)) -> Option<&'static str> {
        self.probes.iter().find_map(|probe| (probe.ask)(error))
    }

    /// The variant `error` is, if its type is known [with its variants](Self::with_variants).
    pub fn variant_of(&self, error: &(dyn Error + 'static)) -> Option<&'static str> {
        let mut asked = self.probes.iter().filter_map(|probe| probe.variant);
        asked.find_map(|variant| variant(error))
    }
}

fn is<E: Error + 'static>(error: &(dyn Error + 'static)) -> Option<&'static str> {
    error.is::<E>().then(|| canonical(type_name::<E>()))
}

impl std::fmt::Debug for KnownErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownErrors")
            .field("types", &self.probes.len())
            .finish()
    }
}
