//! The rules a strategy keeps. They are the runtime's, known here a second time so that they can be
//! reported where they were broken; a test holds both against each other.

use std::time::Duration;

use crate::{
    errors::Errors,
    model::{Delay, Ladder, Limit, Placement, Relocate, Restart, Rung, Spanned},
};

/// Longest accepted delay: 365 days.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Largest count that is not `unlimited`.
pub(crate) const MAX_COUNTED: usize = 1_000_000;
/// Longest accepted name of a node, in bytes.
pub(crate) const MAX_NODE: usize = 255;

/// Most nodes of one actor.
pub(crate) const MAX_REPLICAS: usize = 64;

/// Checks each rung, and that each can be reached.
pub(super) fn ladder(ladder: &Ladder, errors: &mut Errors) {
    for rung in &ladder.rungs {
        match &rung.value {
            Rung::Restart(restart) => check_restart(restart, errors),
            Rung::Relocate(relocate) => check_relocate(relocate, errors),
            Rung::Stop | Rung::Escalate | Rung::Resume => {}
        }
    }
    for pair in ladder.rungs.windows(2) {
        if let [before, rung] = pair
            && let Some(before) = always_applies(&before.value)
        {
            let message = format_args!("never reached: {before} before it always applies");
            errors.at(rung.span, message);
        }
    }
}

fn always_applies(rung: &Rung) -> Option<&'static str> {
    let unlimited = |max: &Spanned<Limit>| max.value == Limit::Unlimited;
    match rung {
        Rung::Stop => Some("`stop`"),
        Rung::Escalate => Some("`escalate`"),
        Rung::Resume => Some("`resume`"),
        Rung::Restart(restart) => {
            let endless = restart.max.as_ref().is_some_and(unlimited);
            endless.then_some("the unlimited `restart`")
        }
        Rung::Relocate(relocate) => unlimited(&relocate.max).then_some("the unlimited `relocate`"),
    }
}

fn check_restart(restart: &Restart, errors: &mut Errors) {
    if let Some(max) = &restart.max {
        check_limit(max, "restarts", errors);
    }
    if let Some(within) = &restart.within {
        if within.value.is_zero() {
            errors.at(
                within.span,
                "a window must be longer than zero, as in `within = \"60s\"`",
            );
        } else if let Some(Limit::Unlimited) = restart.max.as_ref().map(|max| max.value) {
            errors.at(
                within.span,
                "without a limit nothing is counted: leave out `within`",
            );
        }
    }
    match restart.delay.as_ref().map(|delay| &delay.value) {
        Some(Delay::Growing { min, max }) => check_growing(min, max, errors),
        Some(Delay::Fixed(_)) | None => only_growing(restart, errors),
    }
    if let Some(Spanned {
        value: Delay::Fixed(value),
        span,
    }) = restart.delay
    {
        check_delay(&Spanned { value, span }, errors);
    }
    check_growth(restart, errors);
}

fn check_growing(min: &Spanned<Duration>, max: &Spanned<Duration>, errors: &mut Errors) {
    if min.value.is_zero() {
        let message = "the first delay must be longer than zero, or none could grow from it";
        errors.at(min.span, message);
    }
    if max.value < min.value {
        let message = "the longest delay must not be less than the first";
        errors.at(max.span, message);
    }
    check_delay(max, errors);
}

/// `factor`, `jitter` and `reset_after` say how delays grow, so they must.
fn only_growing(restart: &Restart, errors: &mut Errors) {
    let spans = [
        ("factor", restart.factor.as_ref().map(|value| value.span)),
        ("jitter", restart.jitter.as_ref().map(|value| value.span)),
        (
            "reset_after",
            restart.reset_after.as_ref().map(|value| value.span),
        ),
    ];
    for (key, span) in spans {
        if let Some(span) = span {
            let message = format_args!(
                "`{key}` is about delays that grow, as in `delay = \"100ms\"..=\"10s\"`"
            );
            errors.at(span, message);
        }
    }
}

fn check_growth(restart: &Restart, errors: &mut Errors) {
    if let Some(factor) = &restart.factor
        && !(factor.value.is_finite() && factor.value >= 1.0)
    {
        errors.at(
            factor.span,
            "a factor must be at least 1, as in `factor = 2`",
        );
    }
    if let Some(jitter) = &restart.jitter
        && !(0.0..=1.0).contains(&jitter.value)
    {
        errors.at(
            jitter.span,
            "jitter must be between 0 and 1, as in `jitter = 0.2`",
        );
    }
    if let Some(reset_after) = &restart.reset_after
        && reset_after.value.is_zero()
    {
        errors.at(reset_after.span, "`reset_after` must be longer than zero");
    }
}

fn check_relocate(relocate: &Relocate, errors: &mut Errors) {
    check_limit(&relocate.max, "relocations", errors);
    if let Some(delay) = &relocate.delay {
        check_delay(delay, errors);
    }
    if let Placement::Redundant(Spanned { value, span }) = &relocate.placement
        && !(1..=MAX_REPLICAS).contains(value)
    {
        errors.at(
            *span,
            format_args!("replicas must be 1 to {MAX_REPLICAS}, the owner included"),
        );
    }
    if let Placement::Node(Spanned { value: name, span }) = &relocate.placement {
        let bad_char = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > MAX_NODE || name.contains(bad_char) {
            let message = format_args!(
                "not a node's name: it must hold 1 to {MAX_NODE} bytes and no control characters \
                 or blanks"
            );
            errors.at(*span, message);
        }
    }
}

fn check_limit(max: &Spanned<Limit>, what: &str, errors: &mut Errors) {
    match max.value {
        Limit::Times(0) => {
            let message = format_args!("0 {what} are none: write `stop` or `escalate` instead");
            errors.at(max.span, message);
        }
        Limit::Times(times) if times > MAX_COUNTED => {
            let message = format_args!("at most {MAX_COUNTED} {what}, or `max = unlimited`");
            errors.at(max.span, message);
        }
        Limit::Times(_) | Limit::Unlimited => {}
    }
}

fn check_delay(delay: &Spanned<Duration>, errors: &mut Errors) {
    if delay.value > MAX_DELAY {
        errors.at(delay.span, "a delay must not be longer than 365 days");
    }
}
