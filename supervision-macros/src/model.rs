//! What the attributes say, as data: made by `parse`, judged by `check`, written out by `emit`.
//!
//! Every value that can be refused carries the span it was written at. Nothing here is a token
//! except what only the compiler can resolve: types, paths and names.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path, Type};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// All of `#[supervision(..)]`.
#[derive(Default)]
pub(crate) struct Supervision {
    /// `crate = path`: where the runtime crate is found.
    pub(crate) runtime: Option<Path>,
    /// `strategy = ..`: the same for every failure.
    pub(crate) strategy: Option<Spanned<Ladder>>,
    /// `on(.. => ..)`, in order.
    pub(crate) rules: Vec<Rule>,
    /// `default = ..`: for failures that no rule matches.
    pub(crate) default: Option<Spanned<Ladder>>,
    /// `known(..)`: types to recognise that no rule names.
    pub(crate) known: Vec<Known>,
    /// `restart_type = ..`.
    pub(crate) restart_type: Option<RestartType>,
    /// `history = ..`.
    pub(crate) history: Option<usize>,
    /// `stall = ..`.
    pub(crate) stall: Option<Spanned<Duration>>,
    /// `before_restart = ..` and its like.
    pub(crate) hooks: Vec<Hook>,
}

/// One strategy, or several joined by `then`; never empty.
pub(crate) struct Ladder {
    pub(crate) rungs: Vec<Spanned<Rung>>,
}

/// A strategy that holds no other.
#[derive(Clone, Debug)]
pub(crate) enum Rung {
    Restart(Restart),
    Relocate(Relocate),
    Stop,
    Escalate,
    Resume,
}

/// `restart(..)`; what is not said has the runtime's default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restart {
    pub(crate) max: Option<Spanned<Limit>>,
    pub(crate) within: Option<Spanned<Duration>>,
    pub(crate) delay: Option<Spanned<Delay>>,
    pub(crate) factor: Option<Spanned<f64>>,
    pub(crate) jitter: Option<Spanned<f64>>,
    pub(crate) reset_after: Option<Spanned<Duration>>,
}

/// `relocate(..)`.
#[derive(Clone, Debug)]
pub(crate) struct Relocate {
    pub(crate) placement: Placement,
    pub(crate) max: Spanned<Limit>,
    pub(crate) delay: Option<Spanned<Duration>>,
}

/// A count that may have no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Times(usize),
    Unlimited,
}

/// `"100ms"`, or `"100ms"..="10s"` for delays that grow.
#[derive(Clone, Debug)]
pub(crate) enum Delay {
    Fixed(Duration),
    Growing {
        min: Spanned<Duration>,
        max: Spanned<Duration>,
    },
}

/// Where a relocation goes.
#[derive(Clone, Debug)]
pub(crate) enum Placement {
    RoundRobin,
    Random,
    LeastLoaded,
    Rendezvous,
    Redundant(Spanned<usize>),
    Node(Spanned<String>),
}

/// `on(pattern => strategy)`.
pub(crate) struct Rule {
    pub(crate) pattern: Pattern,
    /// The pattern as it was written, to point at.
    pub(crate) written: TokenStream,
    pub(crate) strategy: Ladder,
}

/// What a rule is for.
pub(crate) enum Pattern {
    /// `panic`, `stall` or `exit`.
    Kind(Kind),
    /// A type of error.
    Type(Type),
    /// `Type.Variant`: one variant of an enum.
    Variant(Path, Ident),
}

/// A failure that is no error value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Panic,
    Stall,
    Exit,
}

/// An entry of `known(..)`; with its variants if written `Type.*`.
pub(crate) struct Known {
    pub(crate) of: Type,
    pub(crate) variants: bool,
}

/// `restart_type = ..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestartType {
    Permanent,
    Transient,
    Temporary,
}

/// A hook and the function that is called for it.
pub(crate) struct Hook {
    pub(crate) event: HookEvent,
    pub(crate) function: Path,
}

/// What hooks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookEvent {
    BeforeRestart,
    AfterRestart,
    BeforeRelocate,
    AfterRelocate,
}

/// All of `#[actor(..)]`.
#[derive(Default)]
pub(crate) struct ActorPath {
    /// `crate = path`.
    pub(crate) runtime: Option<Path>,
    /// `path = ".."`.
    pub(crate) template: Option<Spanned<Vec<Piece>>>,
}

/// A part of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it is.
    Text(String),
    /// `{name}`: the value of a field, by name or position.
    Field(String),
}
