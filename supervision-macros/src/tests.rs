//! Tests of the steps: what is read, what is judged, what is written out.

mod expansion;
mod judged;
mod limits;
mod read;

use syn::DeriveInput;

use crate::{
    check,
    errors::Errors,
    model::{Delay, Ladder, Limit, Placement, Relocate, Restart, Rung, Spanned, Supervision},
    parse,
};

fn input(text: &str) -> DeriveInput {
    syn::parse_str(text).expect("an item")
}

/// What `#[supervision(..)]` says, and what is wrong with it.
fn read(attribute: &str) -> (Supervision, Vec<String>) {
    let input = input(&format!("#[supervision({attribute})] struct Worker;"));
    let mut errors = Errors::default();
    let read = parse::supervision(&input.attrs, &mut errors);
    check::supervision(&read, &mut errors);
    (read, errors.messages())
}

/// What is wrong with `#[actor(..)]` on an item.
fn path_errors(item: &str) -> Vec<String> {
    let input = input(item);
    let mut errors = Errors::default();
    let read = parse::actor_path(&input.attrs, &mut errors);
    check::actor_path(&read, &input.ident, &input.data, &mut errors);
    errors.messages()
}

/// A strategy in one line, with nothing left out.
fn said(ladder: &Ladder) -> String {
    let rungs = ladder.rungs.iter().map(|rung| match &rung.value {
        Rung::Restart(restart) => said_restart(restart),
        Rung::Relocate(relocate) => said_relocate(relocate),
        Rung::Stop => "stop".to_owned(),
        Rung::Escalate => "escalate".to_owned(),
        Rung::Resume => "resume".to_owned(),
    });
    rungs.collect::<Vec<_>>().join(" then ")
}

fn said_restart(restart: &Restart) -> String {
    let Restart {
        max,
        within,
        delay,
        factor,
        jitter,
        reset_after,
    } = restart;
    let delay = delay.as_ref().map(|delay| match &delay.value {
        Delay::Fixed(delay) => format!("{delay:?}"),
        Delay::Growing { min, max } => format!("{:?}..={:?}", min.value, max.value),
    });
    let parts = [
        max.as_ref().map(|max| format!("max {}", said_limit(max))),
        within
            .as_ref()
            .map(|within| format!("within {:?}", within.value)),
        delay.map(|delay| format!("delay {delay}")),
        factor
            .as_ref()
            .map(|factor| format!("factor {}", factor.value)),
        jitter
            .as_ref()
            .map(|jitter| format!("jitter {}", jitter.value)),
        reset_after
            .as_ref()
            .map(|reset| format!("reset {:?}", reset.value)),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("restart({})", parts.join(", "))
}

fn said_relocate(relocate: &Relocate) -> String {
    let placement = match &relocate.placement {
        Placement::RoundRobin => "round_robin".to_owned(),
        Placement::Random => "random".to_owned(),
        Placement::LeastLoaded => "least_loaded".to_owned(),
        Placement::Rendezvous => "rendezvous".to_owned(),
        Placement::Redundant(replicas) => format!("redundant {}", replicas.value),
        Placement::Node(name) => format!("node {}", name.value),
    };
    let max = said_limit(&relocate.max);
    let delay = relocate.delay.as_ref().map(|delay| delay.value);
    format!("relocate({placement}, max {max}, delay {delay:?})")
}

fn said_limit(max: &Spanned<Limit>) -> String {
    match max.value {
        Limit::Times(times) => times.to_string(),
        Limit::Unlimited => "unlimited".to_owned(),
    }
}
