//! The truth table in the documentation of `decide`, read as the test: each cell is tried.

use std::time::Duration;

use supervision_core::{
    Budgets, Cause, CauseKind, Decision, EscalationReason, Failure, PlacementStrategy, Policy,
    RestartReason, RestartType, StopReason, SupervisionStrategy, Timestamp, decide,
};

use crate::strategies::{SECOND, ladder, relocate, restart};

const TABLE: &str = include_str!("../../src/truth_table.md");

const KINDS: [CauseKind; 4] = [
    CauseKind::Error,
    CauseKind::Panic,
    CauseKind::Stall,
    CauseKind::Exit,
];
const RESTART_TYPES: [RestartType; 3] = [
    RestartType::Permanent,
    RestartType::Transient,
    RestartType::Temporary,
];

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().replace('`', ""))
        .collect()
}

/// The strategy a row is about, and budgets in the state the row speaks of.
fn row(name: &str) -> (Policy, Budgets) {
    let never = restart(0, SECOND);
    let strategy = match name.trim_end_matches(", used up") {
        "Stop" => SupervisionStrategy::Stop,
        "Escalate" => SupervisionStrategy::Escalate,
        "Resume" => SupervisionStrategy::Resume,
        "Restart" => restart(1, SECOND),
        "Relocate" => relocate(1),
        "Ladder: Restart, used up; Relocate" => ladder([never, relocate(1)]),
        "Ladder: Restart, used up; Resume" => ladder([never, SupervisionStrategy::Resume]),
        other => panic!("the table has a strategy this test does not know: {other}"),
    };
    let policy = Policy::new(strategy).expect("valid");
    let mut budgets = Budgets::default();
    if name.ends_with(", used up") {
        let lost = Cause::panic("boom");
        let mut answered = || {
            let now = Timestamp::default();
            let decision = decide(&mut budgets, &policy, &Failure::of(&lost), now, 0);
            decision.delay().is_some()
        };
        assert!((0..10).any(|_| !answered()), "{name} is never used up");
    }
    (policy, budgets)
}

/// The column that speaks of this failure.
fn column(failure: &Failure<'_>) -> &'static str {
    match (
        failure.cause.kind(),
        failure.restart_type,
        failure.resumable,
    ) {
        (CauseKind::Exit, RestartType::Permanent, _) => "ended by itself, permanent",
        (CauseKind::Exit, _, _) => "ended by itself, not permanent",
        (_, RestartType::Temporary, true) => "temporary failed, value sound",
        (_, RestartType::Temporary, false) => "temporary failed, value lost",
        (_, _, true) => "failed, value sound",
        (_, _, false) => "failed, value lost",
    }
}

fn meaning(cell: &str, has_parent: bool) -> Decision {
    let stop = |reason| Decision::Stop { reason };
    let after = Duration::ZERO;
    match cell {
        "Resume" => Decision::Resume,
        "Restart (Policy)" => Decision::Restart {
            after,
            reason: RestartReason::Policy,
        },
        "Restart (NotResumable)" => Decision::Restart {
            after,
            reason: RestartReason::NotResumable,
        },
        "Relocate" => Decision::Relocate {
            placement: PlacementStrategy::RoundRobin,
            after,
        },
        "Stop (Policy)" => stop(StopReason::Policy),
        "Stop (Finished)" => stop(StopReason::Finished),
        "Stop (Temporary)" => stop(StopReason::Temporary),
        "Escalate (Policy)" => Decision::Escalate {
            reason: EscalationReason::Policy,
        },
        "exhausted" if has_parent => Decision::Escalate {
            reason: EscalationReason::Exhausted,
        },
        "exhausted" => stop(StopReason::Exhausted),
        other => panic!("the table has a decision this test does not know: {other}"),
    }
}

fn cause(kind: CauseKind) -> Cause {
    match kind {
        CauseKind::Error => Cause::named("app::Error", "no"),
        CauseKind::Panic => Cause::panic("boom"),
        CauseKind::Stall => Cause::stall("late"),
        CauseKind::Exit => Cause::exit("done"),
    }
}

/// Every failure there is, as far as the table tells them apart.
fn every_failure(try_it: &mut dyn FnMut(Failure<'_>)) {
    for kind in KINDS {
        let cause = cause(kind);
        for restart_type in RESTART_TYPES {
            for (resumable, has_parent) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let failure = Failure::of(&cause)
                    .with_restart_type(restart_type)
                    .with_resumable(resumable)
                    .with_parent(has_parent);
                try_it(failure);
            }
        }
    }
}

#[test]
fn each_cell_of_the_documented_truth_table_is_what_decide_does() {
    let mut lines = TABLE.lines();
    let head = cells(lines.next().expect("a head"));
    assert_eq!(head.len(), 7);
    let rows: Vec<_> = lines.skip(1).map(cells).collect();
    assert_eq!(rows.len(), 10);
    let (mut tried, mut reached) = (0, std::collections::BTreeSet::new());
    for (number, row_cells) in rows.iter().enumerate() {
        every_failure(&mut |failure| {
            let column = column(&failure);
            let at = head.iter().position(|name| name == column);
            let at = at.expect("the table has this column");
            let (policy, mut budgets) = row(&row_cells[0]);
            let decision = decide(&mut budgets, &policy, &failure, Timestamp::default(), 0);
            let expected = meaning(&row_cells[at], failure.has_parent);
            assert_eq!(
                decision, expected,
                "{} / {column}: {failure:?}",
                row_cells[0]
            );
            tried += 1;
            reached.insert((number, at));
        });
    }
    assert_eq!(tried, 10 * 4 * 3 * 2 * 2);
    assert_eq!(reached.len(), 10 * 6, "every cell must have been tried");
}
