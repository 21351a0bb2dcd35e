//! Random schedules on real groups of real actors, on virtual time: rules that always hold, and a model
//! that foretells every step.
//!
//! `SUPERVISION_CASES` sets how many schedules are tried. One that fails is printed and kept in
//! `group_schedules/seeds.txt`; those in there are tried first.

mod model;
mod plan;
mod rules;
mod troupe;

use std::{
    any::Any,
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use self::{
    model::foretell,
    plan::Plan,
    troupe::{Outcome, Seen, What, perform},
};
use crate::quiet::on_virtual_time;

const KEPT: &str = include_str!("group_schedules/seeds.txt");
const KEPT_AT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/group_schedules/seeds.txt"
);

/// Orders to try.
const ORDERS: u64 = 64;

/// Schedules to try: `SUPERVISION_CASES` if set, else `default`.
fn cases(default: u64) -> u64 {
    match std::env::var("SUPERVISION_CASES") {
        Ok(text) => text.parse().expect("SUPERVISION_CASES must be a number"),
        Err(_) => default,
    }
}

fn kept() -> impl Iterator<Item = u64> {
    let lines = KEPT.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.trim().parse().expect("a seed on each line"))
}

#[expect(
    clippy::print_stderr,
    reason = "a schedule that fails is named at once"
)]
fn keep(seed: u64, why: &(dyn Any + Send)) {
    let why = why.downcast_ref::<String>().map_or("", String::as_str);
    eprintln!("schedule {seed} fails: {why}");
    if kept().any(|known| known == seed) {
        return;
    }
    let file = OpenOptions::new().append(true).open(KEPT_AT);
    let written = file.and_then(|mut file| writeln!(file, "{seed}"));
    if let Err(error) = written {
        eprintln!("and cannot be kept: {error}");
    }
}

/// Tries one schedule; tells what was seen, and whether it was foretold in the first order.
fn outcome_of(seed: u64) -> (Outcome, bool) {
    let plan = Arc::new(Plan::of(seed));
    let outcome = on_virtual_time(perform(&plan));
    rules::check(&plan, &outcome);
    // What can be done at the same instant may be done in any order: one of them must be what was seen.
    let differs = |order| compare(&plan, &outcome, &foretell(&plan, order)).err();
    let first = differs(0);
    let at_once = first.is_none();
    if let Some(first) = first
        && (1..ORDERS).all(|order| differs(order).is_some())
    {
        panic!("{first}");
    }
    (outcome, at_once)
}

/// Compares what was seen with what is foretold of every group and of every actor.
///
/// # Errors
/// The first difference, in words.
fn compare(plan: &Plan, seen: &Outcome, foretold: &Outcome) -> Result<(), String> {
    // A life's end and the record of a decision about another one may come in any order.
    for group in 0..plan.groups.len() {
        compare_steps(seen, foretold, |step| {
            plan.group_of(&step.who) == group && !matches!(step.what, What::Decided(..))
        })?;
    }
    for (name, ..) in plan.actors() {
        compare_steps(seen, foretold, |step| step.who == name)?;
    }
    let rest = |outcome: &Outcome| {
        let Outcome {
            seen: _,
            answers,
            at_rest,
            end,
            ended_at,
        } = outcome;
        format!("{answers:?}\n{at_rest:?}\n{end:?} at {ended_at}")
    };
    let (seen, foretold) = (rest(seen), rest(foretold));
    if seen == foretold {
        return Ok(());
    }
    Err(format!("seen\n{seen}\nforetold\n{foretold}"))
}

fn compare_steps(
    seen: &Outcome,
    foretold: &Outcome,
    counts: impl Fn(&Seen) -> bool,
) -> Result<(), String> {
    let steps = |outcome: &Outcome| {
        let steps = outcome.seen.iter().filter(|seen| counts(seen));
        steps.map(|seen| format!("{seen:?}")).collect::<Vec<_>>()
    };
    let (seen, foretold) = (steps(seen), steps(foretold));
    let longer = seen.len().max(foretold.len());
    let Some(at) = (0..longer).find(|at| seen.get(*at) != foretold.get(*at)) else {
        return Ok(());
    };
    Err(format!(
        "after\n{}\nseen     {:?}\nforetold {:?}",
        seen[at.saturating_sub(8)..at].join("\n"),
        seen.get(at),
        foretold.get(at)
    ))
}

#[test]
fn whatever_happens_to_a_tree_the_rules_hold_and_a_model_foretells_it() {
    let cases = cases(1_000);
    let mut counts = BTreeMap::new();
    let mut failed = Vec::new();
    let mut reordered = 0;
    for seed in kept().chain(0..cases) {
        match catch_unwind(AssertUnwindSafe(|| outcome_of(seed))) {
            Ok((outcome, at_once)) => {
                rules::count(&outcome, &mut counts);
                reordered += u64::from(!at_once);
            }
            Err(why) => {
                keep(seed, &*why);
                failed.push(seed);
                if failed.len() == 3 {
                    break;
                }
            }
        }
    }
    assert_eq!(failed, [0; 0], "these schedules fail");
    rules::assert_enough(&counts, cases);
    // To try many orders must not become the way to pass.
    assert!(reordered <= 5 + cases / 200, "{reordered} of {cases}");
}
