//! Derives for supervised actors: the whole supervision of an actor in one attribute, checked while
//! it compiles.
//!
//! `supervision-actix` re-exports everything here under its default feature `macros`, so one
//! `use supervision_actix::prelude::*` brings the traits and the derives of the same names.
//!
//! ```
//! use actix::prelude::*;
//! use supervision_actix::prelude::*;
//!
//! #[derive(Debug, thiserror::Error, ErrorVariants)]
//! enum DatabaseError {
//!     #[error("timeout")]
//!     Timeout,
//!     #[error("refused")]
//!     Refused,
//! }
//!
//! #[derive(Clone, DistributedActor, SupervisedDistributedActor)]
//! #[actor(path = "/user/{id}")]
//! #[supervision(
//!     on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
//!     on(DatabaseError.Timeout => restart(max = 5, within = "1m", delay = "100ms"..="10s")),
//!     on(DatabaseError => stop),
//!     on(panic => restart(max = 3, within = "30s") then relocate(least_loaded, max = 2) then escalate),
//!     default = restart(max = 3, within = "60s", delay = "100ms"),
//!     restart_type = permanent,
//!     history = 20,
//!     stall = "5s",
//!     before_restart = Self::flush,
//! )]
//! struct MyActor {
//!     id: u32,
//! }
//!
//! impl MyActor {
//!     fn flush(&mut self, _: &mut Context<Self>, _: Option<FailureInfo>) {}
//! }
//!
//! impl Actor for MyActor {
//!     type Context = Context<Self>;
//! }
//!
//! let actor = MyActor { id: 7 };
//! assert_eq!(actor.actor_path(), "/user/7");
//! assert_eq!(actor.supervision_strategy().validate(), Ok(()));
//! assert_eq!(MyActor::stall_deadline(), Some(std::time::Duration::from_secs(5)));
//! ```
//!
//! # The grammar
//!
//! ```text
//! actor       := "#[actor(" [ actor-item { "," actor-item } [","] ] ")]"
//! actor-item  := "path" "=" STRING
//!              | "crate" "=" PATH
//!
//! supervision := "#[supervision(" [ item { "," item } [","] ] ")]"
//! item        := "strategy" "=" ladder
//!              | "on" "(" pattern "=>" ladder ")"
//!              | "default" "=" ladder
//!              | "known" "(" known { "," known } ")"
//!              | "restart_type" "=" ( "permanent" | "transient" | "temporary" )
//!              | "history" "=" INTEGER
//!              | "stall" "=" duration
//!              | hook "=" PATH
//!              | "crate" "=" PATH
//! hook        := "before_restart" | "after_restart" | "before_relocate" | "after_relocate"
//! pattern     := "panic" | "stall" | "exit" | TYPE | PATH "." VARIANT
//! known       := TYPE [ "." "*" ]
//!
//! ladder      := strategy { "then" strategy }
//! strategy    := "stop" | "escalate" | "resume"
//!              | "restart" [ "(" restart-arg { "," restart-arg } ")" ]
//!              | "relocate" "(" placement { "," relocate-arg } ")"
//! restart-arg := "max" "=" limit                                 default 3
//!              | "within" "=" duration                           default "60s"
//!              | "delay" "=" ( duration | duration "..=" duration )  default "100ms"
//!              | "factor" "=" NUMBER                             default 2, growing delays only
//!              | "jitter" "=" NUMBER                             default 0.2, growing delays only
//!              | "reset_after" "=" duration                      default the longest delay, at least "1s"
//! relocate-arg:= "max" "=" limit                                 must be said
//!              | "delay" "=" duration                            default "100ms"
//! placement   := "round_robin" | "random" | "least_loaded" | "rendezvous"
//!              | "redundant" "(" INTEGER ")" | "node" "(" STRING ")"
//! limit       := INTEGER | "unlimited"
//! duration    := STRING, as in "1m 30s"  |  a number with its unit, as in 30s
//! ```
//!
//! Several attributes of one name read like one. Everything but durations, paths of actors and
//! names of nodes is tokens: an editor completes, renames and jumps to types, variants and
//! functions as anywhere else.
//!
//! ## `#[actor(..)]`, read by `DistributedActor`
//!
//! | item | meaning |
//! |---|---|
//! | `path = "/user/my-actor"` | the path, the same for every value |
//! | `path = "/user/{id}/{0}"` | with fields of the struct, by name or position, as their `Display` shows them; `{{` and `}}` are braces |
//! | `crate = path` | as below |
//!
//! ## `#[supervision(..)]`, read by `SupervisedDistributedActor`
//!
//! | item | becomes | if it is left out |
//! |---|---|---|
//! | `strategy = ..` | `supervision_strategy()`, the same for every failure | the trait's default |
//! | `on(.. => ..)`, `default = ..` | `supervision_strategy()`, a `Match` of the rules in this order | `default`: `SupervisionStrategy::default()` |
//! | types of rules, `known(..)` | `error_types()`, so that they are recognised in a box and as sources | knows only the standard ones |
//! | `restart_type = ..` | `restart_type()` | `transient` |
//! | `history = ..` | `history_capacity()` | 100 |
//! | `stall = ..` | `stall_deadline()`: not being able to handle a message for longer is a failure, of type `stall` | nothing is watched |
//! | `before_restart = f` and its like | the hook calls `f(self, ctx, failure)`, and those of relocation `f(self, ctx, node, failure)` | the hook does nothing |
//! | `crate = path` | the runtime is `path` and not `::supervision_actix`, for crates that renamed or re-export it | |
//!
//! `ActorProps` setters go before all of these.
//!
//! A **rule** is for an error type, and that is a type in scope, resolved by the compiler: a typo is
//! an error where it stands. `panic`, `stall` and `exit` are failures that are no errors; a type
//! that happens to be called so is written `self::panic`. Of several rules that fit, the first wins.
//!
//! A **variant** is written after a dot, `DatabaseError.Timeout`, which cannot be taken for a type
//! (`DatabaseError::Timeout` could, and `DatabaseError#Timeout` is no Rust since the 2021 edition).
//! The enum has to derive [`ErrorVariants`]; its rule goes above the one for the whole enum. A
//! policy in a configuration file spells it the same way, as `"error_type": "DatabaseError.Timeout"`;
//! where no rule here names a variant, `known(DatabaseError.*)` makes them known for such a policy.
//! A variant's name is its identifier, so renaming it changes the policies that name it.
//!
//! A **ladder** is joined by `then`: a failure goes to the first rung whose budget allows it.
//!
//! A **delay** with `..=` grows from failure to failure, doubling unless `factor` says otherwise.
//!
//! # What is refused
//!
//! All that can be seen in the tokens is reported in one build, each mistake where it stands and
//! with what would be right: unknown keys and words, what is said twice, rules and rungs that are
//! never reached, windows of zero, limits of zero or beyond the runtime's, durations without a
//! unit, growth without growing delays, fields that do not exist. What only the compiler can know
//! (types, variants, functions and their arguments) it says itself, at the same places.
//!
//! A codec for snapshots has no runtime yet; `snapshot = ..` is refused with that answer.
//!
//! What is *not* seen: that two types are one under two names (`io::Error` and `std::io::Error`);
//! the second rule is then never reached, as in a `Match` written by hand.
//!
//! # The expansion
//!
//! One `impl` per derive, marked `#[automatically_derived]`, that names everything by its full path;
//! it asks for nothing in scope, allows nothing that is forbidden, and is the code one would write:
//! `SupervisionMatcher::on::<T>(..)` for a rule and `KnownErrors::none().with::<T>()` for its type.
//! Generic actors get `where Self: DistributedActor` (for a path: `Self: Actor`), and what of their
//! rules and fields depends on a parameter is bounded by `Error` or `Display`; bounds of the struct
//! itself are taken over.
//!
//! # What it costs to compile
//!
//! A crate of one actor, built without incremental compilation on two busy cores, medians of 31:
//! 132 ms with nothing derived, 170 ms with both derives and three strategies, 172 ms with the same
//! written by hand. So a derive costs what its code would cost, some 40 ms with both traits, and
//! the expansion itself cannot be seen. Once per clean build this crate takes 1.4 s itself (of some
//! 25 s for `supervision-actix` with all it depends on); `syn` is there for others already.
//!
//! ```text
//! cargo test -p supervision-macros --test cost -- --ignored --nocapture
//! cargo build -p supervision-actix --timings
//! ```
mod errors;
mod model;

mod check;
mod emit;
mod parse;
mod variants;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::errors::Errors;

/// Derives `DistributedActor` from `#[actor(path = "..")]`.
///
/// ```
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// #[derive(DistributedActor)]
/// #[actor(path = "/user/{id}")]
/// struct MyActor {
///     id: u32,
/// }
/// # impl Actor for MyActor { type Context = Context<Self>; }
/// assert_eq!(MyActor { id: 7 }.actor_path(), "/user/7");
/// ```
///
/// The [grammar](crate#the-grammar) is in the documentation of `supervision-macros`.
#[proc_macro_derive(DistributedActor, attributes(actor))]
pub fn derive_distributed_actor(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    distributed(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `SupervisedDistributedActor` from `#[supervision(..)]`.
///
/// ```
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// # #[derive(Debug, thiserror::Error)] #[error("gone")] struct DatabaseError;
/// #[derive(DistributedActor, SupervisedDistributedActor)]
/// #[actor(path = "/user/my-actor")]
/// #[supervision(
///     on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
///     on(DatabaseError => stop),
///     default = restart(max = 3, within = "60s") then escalate,
/// )]
/// struct MyActor;
/// # impl Actor for MyActor { type Context = Context<Self>; }
/// # assert_eq!(MyActor.supervision_strategy().validate(), Ok(()));
/// ```
///
/// The [grammar](crate#the-grammar) is in the documentation of `supervision-macros`.
#[proc_macro_derive(SupervisedDistributedActor, attributes(supervision))]
pub fn derive_supervised_distributed_actor(
    input: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    supervised(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `ErrorVariants`: the variants of an error enum can have rules of their own.
///
/// ```
/// # use supervision_actix::prelude::*;
/// #[derive(ErrorVariants)]
/// enum DatabaseError {
///     Timeout,
///     Refused { code: u16 },
/// }
/// assert_eq!(DatabaseError::Timeout.variant(), "Timeout");
/// assert_eq!(DatabaseError::Refused { code: 7 }.variant(), "Refused");
/// ```
///
/// `#[error_variants(crate = path)]` says where the trait is, if not in `::supervision_actix`;
/// `supervision_core` will do.
#[proc_macro_derive(ErrorVariants, attributes(error_variants))]
pub fn derive_error_variants(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    variants::expand(&parse_macro_input!(input as DeriveInput)).into()
}

fn distributed(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let mut read = parse::actor_path(&input.attrs, &mut errors);
    check::actor_path(&read, &input.ident, &input.data, &mut errors);
    if !errors.is_empty() {
        // There is an impl all the same, or each use of it would be one error more.
        read.template = None;
    }
    with_errors(errors, emit::distributed(input, &read))
}

fn supervised(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let mut read = parse::supervision(&input.attrs, &mut errors);
    check::supervision(&read, &mut errors);
    if !errors.is_empty() {
        read = model::Supervision {
            runtime: read.runtime,
            ..model::Supervision::default()
        };
    }
    with_errors(errors, emit::supervised(input, &read))
}

fn with_errors(errors: Errors, expansion: TokenStream) -> TokenStream {
    let mut tokens = errors.into_tokens();
    tokens.extend(expansion);
    tokens
}
