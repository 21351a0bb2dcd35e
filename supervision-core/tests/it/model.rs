//! Whole policies against a naive interpreter that reads the strategy itself: no slots, no windows,
//! only lists kept under the path of each leaf.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};
use supervision_core::{
    Backoff, Budgets, Cause, CauseKind, Decision, Failure, Policy, RestartReason, RestartType,
    StopReason, SupervisionStrategy, Timestamp, decide,
};

use crate::{
    property::{cases, check},
    strategies::{Choices, valid},
};

/// The kinds of error, in chains of which the model's failures come.
const NAMES: [&str; 5] = [
    "app::db::DatabaseError",
    "app::net::TimeoutError",
    "other::db::DatabaseError",
    "std::io::Error",
    "app::Error",
];
/// Rules to choose from: whole names, endings, and some that nothing has.
const PATTERNS: [&str; 10] = [
    "app::db::DatabaseError",
    "DatabaseError",
    "db::DatabaseError",
    "TimeoutError",
    "std::io::Error",
    "Error",
    "panic",
    "stall",
    "exit",
    "Nothing",
];

/// What the model makes of a failure: the answer, and the delays that would be right.
#[derive(Debug, PartialEq)]
enum Expected {
    Resume,
    Restart(RestartReason, Duration, Duration),
    Relocate(Duration),
    Stop(StopReason),
    Escalate { exhausted: bool },
}

#[derive(Default)]
struct Model {
    failures: BTreeMap<String, Vec<i128>>,
    relocations: BTreeMap<String, usize>,
    /// Restarts in a row, and when the row ends.
    rows: BTreeMap<String, (u32, i128)>,
    /// The leaf that gave the last delay, if it was a backoff.
    last_backoff: Option<(String, Backoff)>,
}

impl Model {
    fn decide(
        &mut self,
        strategy: &SupervisionStrategy,
        chain: &[String],
        failure: &Failure<'_>,
        now: i128,
    ) -> Expected {
        self.last_backoff = None;
        let ended = failure.cause.kind() == CauseKind::Exit;
        if ended && failure.restart_type != RestartType::Permanent {
            return Expected::Stop(StopReason::Finished);
        }
        let (path, chosen) = choose(strategy, chain, String::new());
        let rungs = match chosen {
            SupervisionStrategy::Ladder { rungs } => rungs.as_slice(),
            single => std::slice::from_ref(single),
        };
        for (at, rung) in rungs.iter().enumerate() {
            if let Some(answer) = self.rung(rung, format!("{path}@{at}"), failure, now) {
                return answer;
            }
        }
        if failure.has_parent {
            Expected::Escalate { exhausted: true }
        } else {
            Expected::Stop(StopReason::Exhausted)
        }
    }

    fn rung(
        &mut self,
        rung: &SupervisionStrategy,
        path: String,
        failure: &Failure<'_>,
        now: i128,
    ) -> Option<Expected> {
        let sound = failure.resumable && failure.cause.kind() != CauseKind::Exit;
        match rung {
            SupervisionStrategy::Stop => return Some(Expected::Stop(StopReason::Policy)),
            SupervisionStrategy::Escalate => return Some(Expected::Escalate { exhausted: false }),
            SupervisionStrategy::Resume if sound => return Some(Expected::Resume),
            _ if failure.restart_type == RestartType::Temporary => {
                return Some(Expected::Stop(StopReason::Temporary));
            }
            _ => {}
        }
        match rung {
            SupervisionStrategy::Resume => {
                let minute = Duration::from_secs(60);
                let reason = RestartReason::NotResumable;
                self.within(&path, 3, minute, now)
                    .then_some(Expected::Restart(reason, Duration::ZERO, Duration::ZERO))
            }
            SupervisionStrategy::Restart {
                max_restarts,
                window,
                delay,
            } => self
                .within(&path, *max_restarts, *window, now)
                .then_some(Expected::Restart(RestartReason::Policy, *delay, *delay)),
            SupervisionStrategy::RestartWithBackoff {
                max_restarts,
                window,
                backoff,
            } => {
                let allowed = self.within(&path, *max_restarts, *window, now);
                self.backoff(path, backoff, allowed, now)
            }
            SupervisionStrategy::Relocate {
                max_relocations,
                delay,
                ..
            } => {
                let used = self.relocations.entry(path).or_default();
                let allowed = *used < *max_relocations;
                *used += usize::from(allowed);
                allowed.then_some(Expected::Relocate(*delay))
            }
            other => unreachable!("not a rung: {other:?}"),
        }
    }

    fn within(&mut self, path: &str, max: usize, window: Duration, now: i128) -> bool {
        let failures = self.failures.entry(path.to_owned()).or_default();
        failures.push(now);
        let threshold = now - nanos(window);
        failures.iter().filter(|at| **at >= threshold).count() <= max
    }

    fn backoff(
        &mut self,
        path: String,
        backoff: &Backoff,
        allowed: bool,
        now: i128,
    ) -> Option<Expected> {
        let row = self.rows.entry(path.clone()).or_insert((0, i128::MIN));
        if now >= row.1 {
            row.0 = 0;
        }
        if !allowed {
            // Nothing restarts, but something has failed: the row does not end before
            // `reset_after` has passed from here.
            row.1 = row.1.max(now + nanos(backoff.reset_after()));
            return None;
        }
        self.last_backoff = Some((path, backoff.clone()));
        let low = backoff.delay(row.0, 0);
        let high = backoff.delay(row.0, u64::MAX);
        row.0 += 1;
        Some(Expected::Restart(RestartReason::Policy, low, high))
    }

    /// Learns which delay was chosen within its range.
    fn delayed(&mut self, delay: Duration, now: i128) {
        if let Some((path, backoff)) = self.last_backoff.take() {
            let end = now + nanos(delay) + nanos(backoff.reset_after());
            self.rows.get_mut(&path).expect("it gave the delay").1 = end;
        }
    }
}

/// Follows the rules down to what is no `Match`: outermost error first, rules in order.
fn choose<'s>(
    strategy: &'s SupervisionStrategy,
    chain: &[String],
    path: String,
) -> (String, &'s SupervisionStrategy) {
    let SupervisionStrategy::Match { default, matchers } = strategy else {
        return (path, strategy);
    };
    for name in chain {
        for (at, rule) in matchers.iter().enumerate() {
            let (have, want): (Vec<_>, Vec<_>) = (
                name.split("::").collect(),
                rule.error_type.split("::").collect(),
            );
            if have.ends_with(&want) {
                return choose(&rule.strategy, chain, format!("{path}/{at}"));
            }
        }
    }
    choose(default, chain, format!("{path}/d"))
}

fn nanos(duration: Duration) -> i128 {
    duration.as_nanos().try_into().expect("fits")
}

fn agrees(expected: &Expected, decision: &Decision) -> bool {
    match (expected, decision) {
        (Expected::Resume, Decision::Resume) => true,
        (Expected::Restart(why, low, high), Decision::Restart { after, reason }) => {
            why == reason && (low..=high).contains(&after)
        }
        (Expected::Relocate(delay), Decision::Relocate { after, .. }) => delay == after,
        (Expected::Stop(why), Decision::Stop { reason }) => why == reason,
        (Expected::Escalate { exhausted }, Decision::Escalate { reason }) => {
            *exhausted == (*reason == supervision_core::EscalationReason::Exhausted)
        }
        _ => false,
    }
}

/// A cause with this chain; only `Deserialize` makes one without real errors.
fn cause_of(kind: CauseKind, chain: &[String]) -> Cause {
    let link = |name: &String| serde_json::json!({"error_type": name, "message": "m"});
    let value = serde_json::json!({
        "kind": kind,
        "outer": link(&chain[0]),
        "sources": chain[1..].iter().map(link).collect::<Vec<_>>(),
    });
    serde_json::from_value(value).expect("a cause")
}

fn causes() -> impl Strategy<Value = (Cause, Vec<String>)> {
    let name = proptest::sample::select(&NAMES[..]).prop_map(str::to_owned);
    let errors = vec(name, 1..4).prop_map(|chain| (CauseKind::Error, chain));
    let others = prop_oneof![
        Just((CauseKind::Panic, vec!["panic".to_owned()])),
        Just((CauseKind::Stall, vec!["stall".to_owned()])),
        Just((CauseKind::Exit, vec!["exit".to_owned()])),
    ];
    prop_oneof![3 => errors, 2 => others].prop_map(|(kind, chain)| (cause_of(kind, &chain), chain))
}

#[derive(Clone, Debug)]
struct Event {
    cause: Cause,
    chain: Vec<String>,
    restart_type: RestartType,
    resumable: bool,
    has_parent: bool,
    /// Time since the event before.
    step: u64,
    entropy: u64,
}

fn events() -> impl Strategy<Value = Event> {
    let restart_type = prop_oneof![
        2 => Just(RestartType::Permanent),
        3 => Just(RestartType::Transient),
        1 => Just(RestartType::Temporary),
    ];
    // The generated windows are 1, 2 and 10 ns, so these steps hit their borders often.
    let step = prop_oneof![12 => 0..12u64, 1 => Just(60_000_000_000u64), 1 => Just(60_000_000_001)];
    (
        causes(),
        restart_type,
        any::<[bool; 2]>(),
        step,
        any::<u64>(),
    )
        .prop_map(
            |((cause, chain), restart_type, [resumable, has_parent], step, entropy)| Event {
                cause,
                chain,
                restart_type,
                resumable,
                has_parent,
                step,
                entropy,
            },
        )
}

fn choices() -> Choices {
    let lengths = || proptest::sample::select(vec![1u64, 2, 10]).prop_map(Duration::from_nanos);
    Choices {
        windows: lengths().boxed(),
        delays: lengths().boxed(),
        error_types: proptest::sample::select(&PATTERNS[..])
            .prop_map(str::to_owned)
            .boxed(),
    }
}

#[test]
fn decide_agrees_with_a_naive_interpreter_on_every_kind_of_strategy() {
    let runs = cases(3_000).try_into().expect("a number of cases");
    let decided = [const { Cell::new(0u64) }; 5];
    let exhausted = Cell::new(0u64);
    check(
        runs,
        (valid(&choices()), vec(events(), 20..60)),
        |(strategy, events)| {
            let policy = Policy::new(strategy.clone()).expect("the generator makes valid ones");
            let (mut model, mut budgets, mut now) = (Model::default(), Budgets::default(), 0);
            for event in &events {
                now += event.step;
                let failure = Failure::of(&event.cause)
                    .with_restart_type(event.restart_type)
                    .with_resumable(event.resumable)
                    .with_parent(event.has_parent);
                let time = Timestamp::from_nanos(now);
                let expected = model.decide(&strategy, &event.chain, &failure, now.into());
                let decision = decide(&mut budgets, &policy, &failure, time, event.entropy);
                prop_assert!(
                    agrees(&expected, &decision),
                    "at {now}: {decision:?} instead of {expected:?} for {failure:?}"
                );
                if let Some(delay) = decision.delay() {
                    model.delayed(delay, now.into());
                }
                tally(&decided, &exhausted, &decision);
            }
            Ok(())
        },
    );
    let least = u64::from(runs);
    let counts: Vec<_> = decided.iter().map(Cell::get).collect();
    assert!(counts.iter().all(|count| *count > least), "{counts:?}");
    assert!(exhausted.get() > least, "{exhausted:?}");
}

fn tally(decided: &[Cell<u64>; 5], exhausted: &Cell<u64>, decision: &Decision) {
    let kind = match decision {
        Decision::Resume => 0,
        Decision::Restart { .. } => 1,
        Decision::Relocate { .. } => 2,
        Decision::Stop { reason } => {
            exhausted.set(exhausted.get() + u64::from(*reason == StopReason::Exhausted));
            3
        }
        Decision::Escalate { .. } => 4,
    };
    decided[kind].set(decided[kind].get() + 1);
}
