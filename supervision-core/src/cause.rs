//! What went wrong, as data: an error with its source chain, a panic, a stall or an exit.

use std::{
    any::type_name,
    borrow::Cow,
    error::Error,
    fmt::{self, Write},
};

use serde::{Deserialize, Serialize};

use crate::{
    error_link::ErrorLink,
    error_type::{EXIT, PANIC, STALL, canonical},
    known_errors::KnownErrors,
};

/// Longest `source()` chain that is followed; a chain that is longer (or circular) is cut here.
pub const MAX_CHAIN: usize = 32;
/// Longest message that is kept, in bytes; of a longer one the start is kept, and a `…` after it.
/// Causes are kept in histories, so one failure must not bring any amount of text.
pub const MAX_MESSAGE: usize = 4_096;

/// The sort of a [`Cause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CauseKind {
    /// An error value was reported.
    Error,
    /// The code panicked.
    Panic,
    /// Something did not finish by its deadline.
    Stall,
    /// It ended by itself although it was to go on.
    Exit,
}

/// Why something failed: one or more links, outermost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    kind: CauseKind,
    outer: ErrorLink,
    sources: Vec<ErrorLink>,
    /// Not written: who keeps a cause for others keeps this beside it.
    #[serde(skip)]
    circumstances: Option<Box<Circumstances>>,
}

/// What is known of how it happened. Boxed: most errors happen without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Circumstances {
    location: Option<Box<str>>,
    message_type: Option<&'static str>,
}

impl Cause {
    /// Describes an error whose type the compiler knows; its sources are named by `known`.
    pub fn of<E: Error + 'static>(error: &E, known: &KnownErrors) -> Self {
        Self::from_error(error, Cow::Borrowed(canonical(type_name::<E>())), known)
    }

    /// Describes an error whose type was erased: its name is recovered by downcast against `known`
    /// and is `dyn Error` where nothing fits.
    pub fn erased(error: &(dyn Error + 'static), known: &KnownErrors) -> Self {
        Self::from_error(error, known.name_of(error), known)
    }

    fn from_error(
        error: &(dyn Error + 'static),
        error_type: Cow<'static, str>,
        known: &KnownErrors,
    ) -> Self {
        let outer = ErrorLink {
            error_type,
            message: what_it_says(error),
            variant: known.variant_of(error).map(Cow::Borrowed),
        };
        let sources =
            std::iter::successors(source_of(error, known), |error| source_of(*error, known))
                .take(MAX_CHAIN - 1)
                .map(|e| ErrorLink {
                    error_type: known.name_of(e),
                    message: what_it_says(e),
                    variant: known.variant_of(e).map(Cow::Borrowed),
                })
                .collect();
        Self {
            kind: CauseKind::Error,
            outer,
            sources,
            circumstances: None,
        }
    }

    /// A failure described by a type name and a message, without an error value.
    pub fn named(error_type: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let name = error_type.into();
        let canonical = canonical(&name);
        let name = if canonical == name {
            name
        } else {
            Cow::Owned(canonical.to_owned())
        };
        Self::single(CauseKind::Error, name, message.into())
    }

    /// A panic; `message` is its payload as text. Its type is [`PANIC`].
    pub fn panic(message: impl Into<String>) -> Self {
        Self::single(CauseKind::Panic, Cow::Borrowed(PANIC), message.into())
    }

    /// Something that did not finish by its deadline. Its type is [`STALL`].
    pub fn stall(message: impl Into<String>) -> Self {
        Self::single(CauseKind::Stall, Cow::Borrowed(STALL), message.into())
    }

    /// An actor, task or process that ended by itself. Its type is [`EXIT`].
    pub fn exit(message: impl Into<String>) -> Self {
        Self::single(CauseKind::Exit, Cow::Borrowed(EXIT), message.into())
    }

    fn single(kind: CauseKind, error_type: Cow<'static, str>, message: String) -> Self {
        Self {
            kind,
            outer: ErrorLink {
                error_type,
                message: shortened(message),
                variant: None,
            },
            sources: Vec::new(),
            circumstances: None,
        }
    }

    /// Sets where it happened, for a panic as `src/x.rs:12:5`. For people: it is never decided by, and
    /// it is left out where a cause is serialized.
    #[must_use]
    pub fn at(mut self, location: impl Into<Box<str>>) -> Self {
        self.circumstances.get_or_insert_default().location = Some(location.into());
        self
    }

    /// Where it happened, if that was [set](Self::at).
    pub fn location(&self) -> Option<&str> {
        self.circumstances.as_ref()?.location.as_deref()
    }

    /// Sets the type of the message whose handling failed, unless it is set. For people, as the
    /// [place](Self::at) is.
    #[must_use]
    pub fn handling(mut self, message_type: Option<&'static str>) -> Self {
        if let Some(message_type) = message_type {
            let circumstances = self.circumstances.get_or_insert_default();
            circumstances.message_type.get_or_insert(message_type);
        }
        self
    }

    /// The type of the message whose handling failed, if that was [set](Self::handling).
    pub fn message_type(&self) -> Option<&'static str> {
        self.circumstances.as_ref()?.message_type
    }

    /// The sort of this cause.
    pub fn kind(&self) -> CauseKind {
        self.kind
    }

    /// The outermost type's name.
    pub fn error_type(&self) -> &str {
        &self.outer.error_type
    }

    /// The outermost message.
    pub fn message(&self) -> &str {
        &self.outer.message
    }

    /// All links, outermost first; never empty.
    pub fn chain(&self) -> impl Iterator<Item = &ErrorLink> {
        std::iter::once(&self.outer).chain(&self.sources)
    }
}

/// What an error was caused by. `io::Error::other(e)` names as its source that of `e` and skips `e`
/// itself, which is what rules are written for; if `e` is of a known type it comes first. (A text
/// in there is of no type that anybody could name.)
fn source_of<'a>(
    error: &'a (dyn Error + 'static),
    known: &KnownErrors,
) -> Option<&'a (dyn Error + 'static)> {
    let io = error.downcast_ref::<std::io::Error>();
    match io.and_then(std::io::Error::get_ref) {
        Some(wrapped) if known.knows(wrapped) => Some(wrapped),
        _ => error.source(),
    }
}

/// An error's message. A `Display` that fails has said what it could: `to_string` would panic, and
/// a failing error must not fail its supervisor.
fn what_it_says(error: &dyn Error) -> String {
    let mut start = Start(String::new());
    let _ = write!(start, "{error}");
    shortened(start.0)
}

fn shortened(mut message: String) -> String {
    const MARK: char = '…';
    if message.len() > MAX_MESSAGE {
        let room = MAX_MESSAGE - MARK.len_utf8();
        let end = (0..=room).rev().find(|at| message.is_char_boundary(*at));
        message.truncate(end.unwrap_or(0));
        message.push(MARK);
        message.shrink_to_fit();
    }
    message
}

/// Takes text until it is longer than [`MAX_MESSAGE`], then fails, which ends most `Display`s.
struct Start(String);

impl fmt::Write for Start {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for char in part.chars() {
            if self.0.len() > MAX_MESSAGE {
                return Err(fmt::Error);
            }
            self.0.push(char);
        }
        Ok(())
    }
}
