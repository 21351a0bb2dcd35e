//! Rules that hold whatever happens, checked on what was seen without a model; and that enough was seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use supervision_actix::{
    Decision, RestartType,
    group::{ChildStatus, RequestError, Shutdown},
};
use supervision_core::group::Request;

use super::{
    plan::{Event, Plan, REST, Stop},
    troupe::{Ending, Outcome, Seen, What},
};

pub(crate) fn check(plan: &Plan, outcome: &Outcome) {
    one_life_at_a_time(&outcome.seen);
    a_failure_is_decided_once(&outcome.seen);
    nobody_is_lost(plan, outcome);
    if outcome.ended_at >= REST {
        stops_in_reverse_order(plan, &outcome.seen);
        stops_in_time(plan, outcome);
    }
}

/// And none is left in the end.
fn one_life_at_a_time(seen: &[Seen]) {
    let mut lives = BTreeMap::<&str, usize>::new();
    let mut last = BTreeMap::<&str, usize>::new();
    for Seen { who, what, .. } in seen {
        let alive = lives.get(&**who).copied();
        match what {
            What::Made(number) => {
                assert_eq!(alive, None, "{who} {number} is made");
                let before = last.insert(who, *number).unwrap_or(0);
                assert_eq!(*number, before + 1, "of {who}");
                lives.insert(who, *number);
            }
            What::Gone(number) => assert_eq!(lives.remove(&**who), Some(*number), "of {who}"),
            What::Before(number, _) | What::After(number, _) => {
                assert_eq!(alive, Some(*number), "of {who}");
            }
            What::Decided(..) => {}
        }
    }
    assert_eq!(lives, BTreeMap::new(), "nobody is left");
}

fn a_failure_is_decided_once(seen: &[Seen]) {
    let mut decided = BTreeSet::new();
    for Seen { who, what, .. } in seen {
        if let What::Decided(failure, _) = what
            && failure.contains("cue")
        {
            assert!(decided.insert(failure), "{failure} of {who}");
        }
    }
}

/// A permanent child of a group that runs does so too, unless a request or a decision has ended it.
fn nobody_is_lost(plan: &Plan, outcome: &Outcome) {
    let decided = outcome.seen.iter().filter_map(|seen| match &seen.what {
        What::Decided(_, Decision::Stop { .. }) => Some(seen.who.as_str()),
        _ => None,
    });
    let asked = plan.events.iter().filter_map(|(_, event)| match event {
        Event::Request(_, Request::Terminate(id) | Request::Restart(id)) => Some(id.as_str()),
        _ => None,
    });
    let ended: BTreeSet<_> = decided.chain(asked).collect();
    let actors: BTreeSet<_> = plan.actors().into_iter().map(|(name, ..)| name).collect();
    for (group, at_rest) in plan.groups.iter().zip(&outcome.at_rest) {
        if at_rest.is_empty() {
            continue;
        }
        for child in &group.spec.children {
            if child.restart_type == RestartType::Permanent
                && actors.contains(&child.id)
                && !ended.contains(child.id.as_str())
            {
                let status = at_rest.iter().find(|(id, _)| *id == child.id);
                let status = status.map(|(_, status)| *status);
                assert_eq!(status, Some(ChildStatus::Running), "{}", child.id);
            }
        }
    }
}

/// The last shutdown ends everybody in the reverse of the order in which they start.
fn stops_in_reverse_order(plan: &Plan, seen: &[Seen]) {
    let actors = plan.actors();
    let rank = |who: &str| actors.iter().position(|(name, ..)| name == who);
    let gone = seen.iter().filter(|seen| seen.at >= REST);
    let gone = gone.filter(|seen| matches!(seen.what, What::Gone(_)));
    // Those of a group that is killed die together.
    let killed = |who: &str| {
        let (_, group, _) = actors
            .iter()
            .find(|(name, ..)| name == who)
            .expect("an actor");
        *group > 0 && {
            let id = &plan.groups[*group].path[1..];
            plan.shutdown_of(id) != Shutdown::Infinity
        }
    };
    let ranks: Vec<_> = gone
        .filter(|seen| !killed(&seen.who))
        .map(|seen| rank(&seen.who))
        .collect();
    assert!(ranks.is_sorted_by(|a, b| a > b), "{ranks:?}");
}

/// And takes no longer than all who are left may take together.
fn stops_in_time(plan: &Plan, outcome: &Outcome) {
    let gone = outcome.seen.iter().filter(|seen| seen.at >= REST);
    let patience = gone.filter_map(|seen| match seen.what {
        What::Gone(number) => Some(match plan.shutdown_of(&seen.who) {
            Shutdown::Timeout(timeout) => timeout,
            Shutdown::Kill => Duration::ZERO,
            Shutdown::Infinity => match plan.stop_of(&seen.who, number) {
                Stop::Slow(time) => Duration::from_millis(time),
                Stop::AtOnce | Stop::Panics | Stop::Never => Duration::ZERO,
            },
        }),
        _ => None,
    });
    let patience: Duration = patience.sum();
    let taken = Duration::from_millis(outcome.ended_at - REST);
    assert!(taken <= patience, "{taken:?} of {patience:?}");
}

/// Counts what was seen, so that a run in which nothing happens does not pass.
pub(crate) fn count(outcome: &Outcome, counts: &mut BTreeMap<&'static str, u64>) {
    let mut add = |what| *counts.entry(what).or_default() += 1;
    for seen in &outcome.seen {
        add(match &seen.what {
            What::Made(_) => "made",
            What::Gone(_) => "gone",
            What::Before(_, true) => "before_restart with a failure",
            What::Before(_, false) => "before_restart without",
            What::After(_, true) => "after_restart with a failure",
            What::After(_, false) => "after_restart without",
            What::Decided(_, decision) => match decision {
                Decision::Resume => "resume",
                Decision::Restart { .. } => "restart",
                Decision::Relocate { .. } => "relocate",
                Decision::Stop { .. } => "stop",
                Decision::Escalate { .. } => "escalate",
            },
        });
    }
    for answer in outcome.answers.values() {
        add(match answer {
            Ok(()) => "granted",
            Err(why) if *why == RequestError::Ending.to_string() => "ending",
            Err(_) => "refused",
        });
    }
    add(match outcome.end.0 {
        Ending::ShutDown => "shut down",
        Ending::AutoShutdown => "auto-shutdown",
        Ending::Exhausted => "gave up",
        Ending::Escalated => "escalated by the root",
        Ending::StartFailed => "start failed",
    });
}

/// Every kind of thing has happened often enough.
pub(crate) fn assert_enough(counts: &BTreeMap<&'static str, u64>, cases: u64) {
    assert_eq!(counts.len(), 19, "{counts:#?}");
    let rare = counts.iter().filter(|(_, count)| **count < cases / 60);
    assert_eq!(rare.count(), 0, "{counts:#?}");
}
