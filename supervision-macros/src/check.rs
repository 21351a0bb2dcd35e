//! Judges the model: everything that would be refused at the start of an actor, or never be
//! reached, is an error here, with what would be right.

pub(crate) mod rungs;

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Data, Error, Fields, Index, Member};

use self::rungs::{MAX_DELAY, ladder};
use crate::{
    errors::Errors,
    model::{ActorPath, Kind, Known, Pattern, Piece, Rule, Spanned, Supervision},
};

/// Longest accepted actor path, in bytes.
pub(crate) const MAX_PATH: usize = 1_024;

/// Checks all of `#[supervision(..)]`.
pub(crate) fn supervision(read: &Supervision, errors: &mut Errors) {
    whole_or_rules(read, errors);
    reachable(&read.rules, errors);
    known_once(&read.known, errors);
    stall(read, errors);
    let strategies = read.rules.iter().map(|rule| &rule.strategy);
    let others = [&read.strategy, &read.default];
    let others = others.into_iter().flatten().map(|other| &other.value);
    for strategy in strategies.chain(others) {
        ladder(strategy, errors);
    }
}

fn whole_or_rules(read: &Supervision, errors: &mut Errors) {
    let rules = !read.rules.is_empty();
    match (&read.strategy, &read.default) {
        (Some(strategy), default) if rules || default.is_some() => {
            let message = "`strategy` is for every failure; beside `on(..)` write `default = ..`";
            errors.at(strategy.span, message);
        }
        (None, Some(default)) if !rules => {
            let message = "there is no `on(..)` to be the default of; write `strategy = ..`";
            errors.at(default.span, message);
        }
        _ => {}
    }
}

/// Every rule must be able to match: earlier rules win.
fn reachable(rules: &[Rule], errors: &mut Errors) {
    let mut earlier = HashSet::new();
    for Rule {
        pattern, written, ..
    } in rules
    {
        let name = pattern.to_string();
        if let Pattern::Variant(of, _) = pattern {
            let of = spelled(of);
            if earlier.contains(&of) {
                let message = format_args!(
                    "`{name}` is never reached: the rule for `{of}` above it takes every variant; \
                     put this one first"
                );
                errors.push(Error::new_spanned(written, message));
                continue;
            }
        }
        if !earlier.insert(name.clone()) {
            let message = format_args!("`{name}` has a rule already, which wins; leave one out");
            errors.push(Error::new_spanned(written, message));
        }
    }
}

fn known_once(known: &[Known], errors: &mut Errors) {
    let mut earlier = HashSet::new();
    for Known { of, .. } in known {
        let name = spelled(of);
        if !earlier.insert(name.clone()) {
            let message = format_args!("`{name}` is listed already; leave one out");
            errors.push(Error::new_spanned(of, message));
        }
    }
}

fn stall(read: &Supervision, errors: &mut Errors) {
    if let Some(stall) = &read.stall
        && (stall.value.is_zero() || stall.value > MAX_DELAY)
    {
        let message = "a stall deadline must be longer than zero and at most 365 days";
        errors.at(stall.span, message);
    }
}

/// Tokens as people write them.
pub(crate) fn spelled(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
    ] {
        text = text.replace(spaced, tight);
    }
    text.strip_prefix("::").unwrap_or(&text).to_owned()
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kind(Kind::Panic) => f.write_str("panic"),
            Self::Kind(Kind::Stall) => f.write_str("stall"),
            Self::Kind(Kind::Exit) => f.write_str("exit"),
            Self::Type(of) => f.write_str(&spelled(of)),
            Self::Variant(of, variant) => write!(f, "{}.{variant}", spelled(of)),
        }
    }
}

/// Checks all of `#[actor(..)]` against the type it stands on.
pub(crate) fn actor_path(read: &ActorPath, name: &Ident, data: &Data, errors: &mut Errors) {
    let Some(Spanned {
        value: pieces,
        span,
    }) = &read.template
    else {
        if errors.is_empty() {
            let message = "the actor's path is missing: `#[actor(path = \"/user/my-actor\")]`";
            errors.at(name.span(), message);
        }
        return;
    };
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Field(_) => String::new(),
    };
    let fixed: String = pieces.iter().map(text).collect();
    if pieces.is_empty() || fixed.len() > MAX_PATH || fixed.contains(char::is_control) {
        let message = format_args!(
            "not a path: it must hold 1 to {MAX_PATH} bytes and no control characters"
        );
        errors.at(*span, message);
    }
    for piece in pieces {
        if let Piece::Field(field) = piece {
            field_exists(field, data, *span, errors);
        }
    }
}

fn field_exists(field: &str, data: &Data, span: Span, errors: &mut Errors) {
    let Data::Struct(data) = data else {
        let message = format_args!("`{{{field}}}`: only a struct has fields to make a path of");
        errors.at(span, message);
        return;
    };
    let members = members(&data.fields);
    if members.iter().any(|member| member == field) {
        return;
    }
    let there = match members.as_slice() {
        [] => "the struct has none".to_owned(),
        members => format!("the struct has `{}`", members.join("`, `")),
    };
    errors.at(span, format_args!("no field `{field}`: {there}"));
}

fn members(fields: &Fields) -> Vec<String> {
    let spelled = |member: Member| match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(Index { index, .. }) => index.to_string(),
    };
    fields.members().map(spelled).collect()
}
