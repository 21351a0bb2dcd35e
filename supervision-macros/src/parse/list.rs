//! Comma-separated lists that go on after an error, so that one mistake does not hide the next.

use proc_macro2::TokenTree;
use syn::{
    Ident, Result, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
};

use crate::errors::Errors;

/// Reads items until the input ends; of an item that fails, the rest up to the next comma is
/// skipped.
pub(super) fn each(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream<'_>, &mut Errors) -> Result<()>,
) {
    while !input.is_empty() {
        match item(input, errors) {
            Err(error) => errors.push(error),
            Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
            Ok(()) => errors.push(input.error("expected `,`")),
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            let _skipped: Result<TokenTree> = input.parse();
        }
        let _comma: Result<Token![,]> = input.parse();
    }
}

/// The items of all attributes called `name`, as if they stood in one.
pub(super) fn attributes(
    name: &str,
    attributes: &[syn::Attribute],
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream<'_>, &mut Errors) -> Result<()>,
) {
    for attribute in attributes.iter().filter(|a| a.path().is_ident(name)) {
        let Ok(list) = attribute.meta.require_list() else {
            let message = format_args!("expected parentheses: `#[{name}(..)]`");
            errors.push(syn::Error::new_spanned(&attribute.meta, message));
            continue;
        };
        let none_before = errors.is_empty();
        let parser = |input: ParseStream<'_>| {
            each(input, errors, &mut item);
            Ok(())
        };
        let parsed = parser.parse2(list.tokens.clone());
        // An item that failed inside parentheses leaves tokens there; that is no error of its own.
        if let (Err(error), true, true) = (parsed, none_before, errors.is_empty()) {
            errors.push(error);
        }
    }
}

/// A word, which may be a keyword of Rust; `wanted` says what it could be.
pub(super) fn word(input: ParseStream<'_>, wanted: &str) -> Result<Ident> {
    if input.peek(Ident::peek_any) {
        input.call(Ident::parse_any)
    } else {
        Err(input.error(format_args!("expected {wanted}")))
    }
}

/// Fills a slot that may be filled once.
pub(super) fn once<T>(slot: &mut Option<T>, value: T, key: &Ident, errors: &mut Errors) {
    if slot.is_some() {
        errors.at(
            key.span(),
            format_args!("`{key}` is said twice; leave one out"),
        );
    } else {
        *slot = Some(value);
    }
}
