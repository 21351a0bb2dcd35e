//! Strategies: `restart(..)`, `relocate(..)`, `stop`, `escalate`, `resume`, joined by `then`.

use proc_macro2::Span;
use syn::{Error, Ident, LitStr, Result, Token, parenthesized, parse::ParseStream, token::Paren};

use super::{
    list::{each, once, word},
    values::{count, delay, duration, limit, number},
};
use crate::{
    errors::Errors,
    model::{Delay, Ladder, Limit, Placement, Relocate, Restart, Rung, Spanned},
};

const STRATEGIES: &str = "`restart`, `relocate(..)`, `stop`, `escalate` or `resume`";
const PLACEMENTS: &str =
    "`round_robin`, `random`, `least_loaded`, `rendezvous`, `redundant(3)` or `node(\"name\")`";

/// A strategy, or several joined by `then`.
pub(super) fn ladder(input: ParseStream<'_>, errors: &mut Errors) -> Result<Spanned<Ladder>> {
    let first = rung(input, errors)?;
    let span = first.span;
    let mut rungs = vec![first];
    while input.peek(syn::Ident) && input.fork().parse::<Ident>()? == "then" {
        let _: Ident = input.parse()?;
        rungs.push(rung(input, errors)?);
    }
    let value = Ladder { rungs };
    Ok(Spanned { value, span })
}

fn rung(input: ParseStream<'_>, errors: &mut Errors) -> Result<Spanned<Rung>> {
    let name = word(input, STRATEGIES)?;
    let span = name.span();
    let value = match name.to_string().as_str() {
        "restart" => Rung::Restart(restart(input, errors)?),
        "relocate" => Rung::Relocate(relocate(span, input, errors)?),
        "stop" => bare(&name, input, Rung::Stop)?,
        "escalate" => bare(&name, input, Rung::Escalate)?,
        "resume" => bare(&name, input, Rung::Resume)?,
        "ladder" => {
            let message = "join the rungs by `then`, as in `restart(max = 3) then escalate`";
            return Err(Error::new(span, message));
        }
        other => {
            let message = format_args!("unknown strategy `{other}`: expected {STRATEGIES}");
            return Err(Error::new(span, message));
        }
    };
    Ok(Spanned { value, span })
}

fn bare(name: &Ident, input: ParseStream<'_>, rung: Rung) -> Result<Rung> {
    if input.peek(Paren) {
        return Err(input.error(format_args!(
            "`{name}` takes nothing: leave out the parentheses"
        )));
    }
    Ok(rung)
}

fn restart(input: ParseStream<'_>, errors: &mut Errors) -> Result<Restart> {
    const KEYS: &str = "`max`, `within`, `delay`, `factor`, `jitter` and `reset_after`";
    let mut restart = Restart::default();
    if !input.peek(Paren) {
        return Ok(restart);
    }
    let arguments;
    parenthesized!(arguments in input);
    each(&arguments, errors, |input, errors| {
        let key = key(input, "restart", KEYS)?;
        match key.to_string().as_str() {
            "max" => once(&mut restart.max, limit(input)?, &key, errors),
            "within" => once(&mut restart.within, duration(input)?, &key, errors),
            "delay" => once(&mut restart.delay, delay(input)?, &key, errors),
            "factor" => once(&mut restart.factor, number(input)?, &key, errors),
            "jitter" => once(&mut restart.jitter, number(input)?, &key, errors),
            "reset_after" => once(&mut restart.reset_after, duration(input)?, &key, errors),
            _ => return Err(unknown(&key, "restart", KEYS)),
        }
        Ok(())
    });
    Ok(restart)
}

fn relocate(name: Span, input: ParseStream<'_>, errors: &mut Errors) -> Result<Relocate> {
    const KEYS: &str = "a placement, `max` and `delay`";
    const EXAMPLE: &str = "as in `relocate(round_robin, max = 3)`";
    if !input.peek(Paren) {
        let message = format_args!("`relocate` needs a placement and a limit, {EXAMPLE}");
        return Err(Error::new(name, message));
    }
    let arguments;
    parenthesized!(arguments in input);
    let (mut to, mut max, mut after) = (None, None, None);
    let before = errors.count();
    each(&arguments, errors, |input, errors| {
        if !input.peek2(Token![=]) {
            let at = input.span();
            if to.replace(placement(input)?).is_some() {
                return Err(Error::new(
                    at,
                    "`relocate` takes one placement; leave one out",
                ));
            }
            return Ok(());
        }
        let key = key(input, "relocate", KEYS)?;
        match key.to_string().as_str() {
            "max" => once(&mut max, limit(input)?, &key, errors),
            "delay" => once(&mut after, fixed(delay(input)?)?, &key, errors),
            _ => return Err(unknown(&key, "relocate", KEYS)),
        }
        Ok(())
    });
    if errors.count() == before && (to.is_none() || max.is_none()) {
        let missing = match (&to, &max) {
            (None, None) => "a placement and a limit",
            (None, _) => "a placement",
            _ => "a limit",
        };
        return Err(Error::new(
            name,
            format_args!("`relocate` needs {missing}, {EXAMPLE}"),
        ));
    }
    // Where something is still missing an error was found, and nothing is made of this value.
    Ok(Relocate {
        placement: to.unwrap_or(Placement::RoundRobin),
        max: max.unwrap_or(Spanned {
            value: Limit::Unlimited,
            span: name,
        }),
        delay: after,
    })
}

fn fixed(delay: Spanned<Delay>) -> Result<Spanned<std::time::Duration>> {
    match delay.value {
        Delay::Fixed(value) => Ok(Spanned {
            value,
            span: delay.span,
        }),
        Delay::Growing { .. } => Err(Error::new(
            delay.span,
            "only `restart` has delays that grow: write one duration",
        )),
    }
}

fn placement(input: ParseStream<'_>) -> Result<Placement> {
    let name = word(input, PLACEMENTS)?;
    Ok(match name.to_string().as_str() {
        "round_robin" => Placement::RoundRobin,
        "random" => Placement::Random,
        "least_loaded" => Placement::LeastLoaded,
        "rendezvous" => Placement::Rendezvous,
        "redundant" => {
            let argument;
            parenthesized!(argument in input);
            Placement::Redundant(count(&argument)?)
        }
        "node" => {
            let argument;
            parenthesized!(argument in input);
            let id: LitStr = argument.parse()?;
            let (value, span) = (id.value(), id.span());
            Placement::Node(Spanned { value, span })
        }
        other => {
            let message = format_args!("unknown placement `{other}`: expected {PLACEMENTS}");
            return Err(Error::new(name.span(), message));
        }
    })
}

/// `key =`.
fn key(input: ParseStream<'_>, of: &str, keys: &str) -> Result<Ident> {
    let key = word(input, &format!("one of the keys of `{of}`: {keys}"))?;
    if !input.peek(Token![=]) {
        return Err(Error::new(
            key.span(),
            format_args!("expected `{key} = ..`; `{of}` takes {keys}"),
        ));
    }
    let _: Token![=] = input.parse()?;
    Ok(key)
}

fn unknown(key: &Ident, of: &str, keys: &str) -> Error {
    let message = match key.to_string().as_str() {
        "window" => {
            "the window is called `within` here, as in `restart(max = 3, within = \"60s\")`"
                .to_owned()
        }
        other => format!("unknown key `{other}`: `{of}` takes {keys}"),
    };
    Error::new(key.span(), message)
}
