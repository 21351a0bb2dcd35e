//! Single values: durations, counts, fractions, choices.

use std::time::Duration;

use syn::{Error, Lit, LitFloat, LitInt, Path, Result, Token, parse::ParseStream};

use super::list::word;
use crate::model::{Delay, Limit, RestartType, Spanned};

/// `"1m 30s"` as in configuration files, or one number with its unit, `30s`.
pub(super) fn duration(input: ParseStream<'_>) -> Result<Spanned<Duration>> {
    const WANTED: &str = "expected a duration such as `\"1m 30s\"`";
    if !input.peek(Lit) {
        return Err(input.error(WANTED));
    }
    let literal: Lit = input.parse()?;
    let span = literal.span();
    let text = match &literal {
        Lit::Str(text) => text.value(),
        Lit::Int(number) if number.suffix().is_empty() => {
            let message =
                format_args!("a duration needs a unit: write `\"{number}s\"` or `\"{number}ms\"`");
            return Err(Error::new(span, message));
        }
        Lit::Int(number) => format!("{}{}", number.base10_digits(), number.suffix()),
        _ => return Err(Error::new(span, WANTED)),
    };
    match humantime::parse_duration(&text) {
        Ok(value) => Ok(Spanned { value, span }),
        Err(error) => {
            let message = format_args!("not a duration: {error}; write it as in `\"1m 30s\"`");
            Err(Error::new(span, message))
        }
    }
}

/// A duration, or `"100ms"..="10s"`.
pub(super) fn delay(input: ParseStream<'_>) -> Result<Spanned<Delay>> {
    let min = duration(input)?;
    if input.peek(Token![..=]) {
        let _: Token![..=] = input.parse()?;
        let max = duration(input)?;
        let span = min.span.join(max.span).unwrap_or(max.span);
        let value = Delay::Growing { min, max };
        return Ok(Spanned { value, span });
    }
    if input.peek(Token![..]) {
        return Err(input.error("the longest delay is included: write `..=`"));
    }
    Ok(Spanned {
        value: Delay::Fixed(min.value),
        span: min.span,
    })
}

/// A whole number.
pub(super) fn count(input: ParseStream<'_>) -> Result<Spanned<usize>> {
    if !input.peek(LitInt) {
        return Err(input.error("expected a whole number such as `3`"));
    }
    let literal: LitInt = input.parse()?;
    let value = literal.base10_parse()?;
    let span = literal.span();
    Ok(Spanned { value, span })
}

/// A count, or `unlimited`.
pub(super) fn limit(input: ParseStream<'_>) -> Result<Spanned<Limit>> {
    const WANTED: &str = "a whole number such as `3`, or `unlimited`";
    if input.peek(LitInt) {
        let Spanned { value, span } = count(input)?;
        let value = Limit::Times(value);
        return Ok(Spanned { value, span });
    }
    let word = word(input, WANTED)?;
    if word != "unlimited" {
        return Err(Error::new(word.span(), format_args!("expected {WANTED}")));
    }
    Ok(Spanned {
        value: Limit::Unlimited,
        span: word.span(),
    })
}

/// A number that may have a fraction.
pub(super) fn number(input: ParseStream<'_>) -> Result<Spanned<f64>> {
    if input.peek(LitInt) {
        let literal: LitInt = input.parse()?;
        let value = literal.base10_parse()?;
        let span = literal.span();
        return Ok(Spanned { value, span });
    }
    if !input.peek(LitFloat) {
        return Err(input.error("expected a number such as `1.5`"));
    }
    let literal: LitFloat = input.parse()?;
    let value = literal.base10_parse()?;
    let span = literal.span();
    Ok(Spanned { value, span })
}

/// `permanent`, `transient` or `temporary`.
pub(super) fn restart_type(input: ParseStream<'_>) -> Result<RestartType> {
    const WANTED: &str = "`permanent`, `transient` or `temporary`";
    let word = word(input, WANTED)?;
    match word.to_string().as_str() {
        "permanent" => Ok(RestartType::Permanent),
        "transient" => Ok(RestartType::Transient),
        "temporary" => Ok(RestartType::Temporary),
        _ => Err(Error::new(word.span(), format_args!("expected {WANTED}"))),
    }
}

/// A path as in a `use`: `::a::b`, `crate::a`.
pub(super) fn module(input: ParseStream<'_>) -> Result<Path> {
    if input.peek(Lit) {
        return Err(input.error("write the path itself, without quotes"));
    }
    input.call(Path::parse_mod_style)
}
