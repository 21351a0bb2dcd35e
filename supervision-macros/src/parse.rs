//! From tokens to the model: syntax only, no judgement about what it means.

mod actor;
mod list;
mod strategy;
mod values;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Error, Ident, LitStr, Path, Result, Token, Type, parenthesized, parse::ParseStream,
};

pub(crate) use self::actor::actor_path;
use self::{
    list::{attributes, each, once, word},
    strategy::ladder,
    values::{count, duration, module, restart_type},
};
use crate::{
    errors::Errors,
    model::{Hook, HookEvent, Kind, Known, Pattern, Rule, Spanned, Supervision},
};

const ITEMS: &str = "`strategy`, `on(..)`, `default`, `known(..)`, `restart_type`, `history`, \
     `stall`, `before_restart`, `after_restart`, `before_relocate`, `after_relocate` and `crate`";

/// Reads every `#[supervision(..)]` among `from`.
pub(crate) fn supervision(from: &[Attribute], errors: &mut Errors) -> Supervision {
    let mut read = Supervision::default();
    attributes("supervision", from, errors, |input, errors| {
        item(&mut read, input, errors)
    });
    read
}

/// Reads the one thing `#[error_variants(..)]` can say: `crate = path`.
pub(crate) fn error_variants(from: &[Attribute], errors: &mut Errors) -> Option<Path> {
    let mut runtime = None;
    attributes("error_variants", from, errors, |input, errors| {
        let key = word(input, "`crate = path`")?;
        if key != "crate" {
            let message = format_args!("unknown key `{key}`: expected `crate = path`");
            return Err(Error::new(key.span(), message));
        }
        let _: Token![=] = input.parse()?;
        once(&mut runtime, module(input)?, &key, errors);
        Ok(())
    });
    runtime
}

fn item(read: &mut Supervision, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
    let key = word(input, &format!("one of {ITEMS}"))?;
    let name = key.to_string();
    match name.as_str() {
        "on" => {
            read.rules.push(rule(&key, input, errors)?);
            return Ok(());
        }
        "known" => {
            let types;
            parenthesized!(types in input);
            each(&types, errors, |input, _| {
                read.known.push(known(input)?);
                Ok(())
            });
            return Ok(());
        }
        _ => {}
    }
    if let Some(problem) = not_an_item(&name) {
        return Err(Error::new(key.span(), problem));
    }
    if !input.peek(Token![=]) {
        let message = format_args!("expected `{name} = ..`");
        return Err(Error::new(key.span(), message));
    }
    let _: Token![=] = input.parse()?;
    match name.as_str() {
        "strategy" => once(
            &mut read.strategy,
            at(&key, ladder(input, errors)?),
            &key,
            errors,
        ),
        "default" => once(
            &mut read.default,
            at(&key, ladder(input, errors)?),
            &key,
            errors,
        ),
        "restart_type" => once(&mut read.restart_type, restart_type(input)?, &key, errors),
        "history" => once(&mut read.history, count(input)?.value, &key, errors),
        "stall" => once(&mut read.stall, duration(input)?, &key, errors),
        "crate" => once(&mut read.runtime, module(input)?, &key, errors),
        _ => {
            if let Some(event) = HookEvent::of(&name) {
                hook(event, &mut read.hooks, function(input)?, &key, errors);
            }
        }
    }
    Ok(())
}

/// A key that is none, and what to write.
fn not_an_item(name: &str) -> Option<String> {
    let known = [
        "strategy",
        "default",
        "restart_type",
        "history",
        "stall",
        "crate",
    ];
    if known.contains(&name) || HookEvent::of(name).is_some() {
        return None;
    }
    Some(match name {
        "stall_deadline" => "write `stall = \"5s\"`".to_owned(),
        "snapshot" | "codec" => {
            format!("`{name}` is not supported yet: no state moves between nodes in this version")
        }
        "path" => "the path belongs to the other derive: `#[actor(path = \"..\")]`".to_owned(),
        "restart" | "relocate" | "stop" | "escalate" | "resume" => {
            format!(
                "a strategy needs a place: `strategy = {name}`, or `default = {name}` beside rules"
            )
        }
        _ => format!("unknown key `{name}`: expected one of {ITEMS}"),
    })
}

fn at<T>(key: &Ident, from: Spanned<T>) -> Spanned<T> {
    Spanned {
        value: from.value,
        span: key.span(),
    }
}

fn hook(event: HookEvent, hooks: &mut Vec<Hook>, function: Path, key: &Ident, errors: &mut Errors) {
    let mut slot = hooks.iter().any(|hook| hook.event == event).then_some(());
    once(&mut slot, (), key, errors);
    hooks.push(Hook { event, function });
}

/// `on(pattern => strategy)`, after the `on`.
fn rule(on: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> Result<Rule> {
    if !input.peek(syn::token::Paren) {
        let message = "expected a rule, as in `on(std::io::Error => stop)`";
        return Err(Error::new(on.span(), message));
    }
    let content;
    parenthesized!(content in input);
    let before = content.fork();
    let pattern = pattern(&content)?;
    let written = read_between(&before, &content);
    if content.peek(Token![|]) {
        let message = "one type for each rule, as each rule keeps a budget of its own: \
                       write another `on(..)`";
        return Err(content.error(message));
    }
    if !content.peek(Token![=>]) {
        return Err(content.error("expected `=>` and a strategy"));
    }
    let _: Token![=>] = content.parse()?;
    let strategy = ladder(&content, errors)?.value;
    if !content.is_empty() {
        return Err(content.error("expected the end of the rule, or `then` and a strategy"));
    }
    Ok(Rule {
        pattern,
        written,
        strategy,
    })
}

/// The tokens from where `from` stands to where `to` stands.
fn read_between(from: ParseStream<'_>, to: ParseStream<'_>) -> TokenStream {
    let mut read = TokenStream::new();
    while from.cursor() != to.cursor() {
        match from.parse::<TokenTree>() {
            Ok(token) => read.extend([token]),
            Err(_) => break,
        }
    }
    read
}

fn pattern(input: ParseStream<'_>) -> Result<Pattern> {
    if input.peek(LitStr) {
        let message = "write the type itself, without quotes, as in `std::io::Error`";
        return Err(input.error(message));
    }
    if input.peek(Token![_]) {
        return Err(input.error("write `default = ..` for everything else"));
    }
    let of: Type = input.parse()?;
    let path = match &of {
        Type::Path(path) if path.qself.is_none() => Some(&path.path),
        _ => None,
    };
    if let Some(kind) = path.and_then(Path::get_ident).and_then(Kind::of) {
        return Ok(Pattern::Kind(kind));
    }
    if input.peek(Token![#]) {
        return Err(input.error("a variant follows a dot, as in `DatabaseError.Timeout`"));
    }
    if !input.peek(Token![.]) {
        return Ok(Pattern::Type(of));
    }
    let _: Token![.] = input.parse()?;
    let Some(path) = path else {
        return Err(Error::new_spanned(
            &of,
            "only the variants of an enum can be named",
        ));
    };
    if input.peek(Token![*]) {
        return Err(input.error("every variant is the type itself: leave out `.*`"));
    }
    let variant: Ident = input.parse()?;
    Ok(Pattern::Variant(path.clone(), variant))
}

/// `Type`, or `Type.*` for the type and its variants.
fn known(input: ParseStream<'_>) -> Result<Known> {
    let of = input.parse()?;
    let variants = input.peek(Token![.]);
    if variants {
        let _: Token![.] = input.parse()?;
        let _: Token![*] = input.parse()?;
    }
    Ok(Known { of, variants })
}

/// The function of a hook: `flush`, `Self::flush`, `crate::hooks::flush::<8>`.
fn function(input: ParseStream<'_>) -> Result<Path> {
    if input.peek(syn::Lit) {
        return Err(input.error("write the function's name itself, without quotes"));
    }
    if input.peek(Token![|]) {
        let error = input.error("expected the name of a function, not a closure");
        let _: Token![|] = input.parse()?;
        while !input.is_empty() && !input.peek(Token![|]) {
            let _: TokenTree = input.parse()?; // the commas among its arguments end nothing
        }
        return Err(error);
    }
    input.parse()
}

impl Kind {
    fn of(name: &Ident) -> Option<Self> {
        match name.to_string().as_str() {
            "panic" => Some(Self::Panic),
            "stall" => Some(Self::Stall),
            "exit" => Some(Self::Exit),
            _ => None,
        }
    }
}

impl HookEvent {
    fn of(name: &str) -> Option<Self> {
        match name {
            "before_restart" => Some(Self::BeforeRestart),
            "after_restart" => Some(Self::AfterRestart),
            "before_relocate" => Some(Self::BeforeRelocate),
            "after_relocate" => Some(Self::AfterRelocate),
            _ => None,
        }
    }
}
