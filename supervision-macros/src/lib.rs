//! Derives for supervised actors.

mod errors;
mod model;

mod check;
mod emit;
mod parse;
mod variants;

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::errors::Errors;

/// Derives `DistributedActor` from `#[actor(path = "..")]`.
#[proc_macro_derive(DistributedActor, attributes(actor))]
pub fn derive_distributed_actor(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    distributed(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `SupervisedDistributedActor` from `#[supervision(..)]`.
#[proc_macro_derive(SupervisedDistributedActor, attributes(supervision))]
pub fn derive_supervised_distributed_actor(
    input: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    supervised(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `ErrorVariants`: the variants of an error enum can have rules of their own.
#[proc_macro_derive(ErrorVariants, attributes(error_variants))]
pub fn derive_error_variants(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    variants::expand(&parse_macro_input!(input as DeriveInput)).into()
}

fn distributed(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let mut read = parse::actor_path(&input.attrs, &mut errors);
    check::actor_path(&read, &input.ident, &input.data, &mut errors);
    if !errors.is_empty() {
        read.template = None; // an impl all the same, or each use of it would be an error more
    }
    let expansion = emit::distributed(input, &read);
    with_errors(errors, expansion)
}

fn supervised(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let mut read = parse::supervision(&input.attrs, &mut errors);
    check::supervision(&read, &mut errors);
    if !errors.is_empty() {
        read = model::Supervision {
            runtime: read.runtime,
            ..Default::default()
        };
    }
    let expansion = emit::supervised(input, &read);
    with_errors(errors, expansion)
}

fn with_errors(errors: Errors, expansion: TokenStream) -> TokenStream {
    let mut tokens = errors.into_tokens();
    tokens.extend(expansion);
    tokens
}
