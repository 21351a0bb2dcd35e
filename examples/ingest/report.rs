//! What is printed at the end: tables for people, or one line of JSON for programs.

use std::{collections::BTreeMap, time::Duration};

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;
use supervision_actix::prelude::*;

use crate::{
    pipeline::Outcome,
    record::Refusal,
    tally::{Kind, name_of},
};

/// Lines of poison that are listed for people.
const POISON_SHOWN: usize = 12;

/// The whole result.
#[derive(Serialize)]
pub(crate) struct Report {
    suite: &'static str,
    ok: bool,
    seed: u64,
    lines_in: u64,
    lines_stored: u64,
    lines_refused: u64,
    lines_open: u64,
    cents_stored: u64,
    refused: BTreeMap<Refusal, u64>,
    /// At most 100 lines of the poison, with the panic.
    quarantined: BTreeMap<u64, String>,
    restarts: u64,
    failures: Vec<Failures>,
    problems: Vec<String>,
    seconds: f64,
    #[serde(skip)]
    records: Vec<FailureRecord>,
}

/// How often failures of one kind happened.
#[derive(Serialize)]
struct Failures {
    #[serde(flatten)]
    kind: Kind,
    times: u64,
}

impl Report {
    /// Puts a run and what is wrong with it together.
    pub(crate) fn new(seed: u64, took: Duration, outcome: Outcome, problems: Vec<String>) -> Self {
        let Outcome {
            finished,
            counts,
            cases,
            records,
        } = outcome;
        let (read, open, totals) = finished
            .map(|finished| (finished.read, finished.open, finished.totals))
            .unwrap_or_default();
        let failures = counts.failures.into_iter();
        Self {
            suite: "ingest",
            ok: problems.is_empty(),
            seed,
            lines_in: read,
            lines_stored: totals.stored,
            lines_refused: totals.refused(),
            lines_open: open,
            cents_stored: totals.cents,
            refused: totals.refused,
            quarantined: cases,
            restarts: counts.restarts,
            failures: failures
                .map(|(kind, times)| Failures { kind, times })
                .collect(),
            problems,
            seconds: (took.as_secs_f64() * 10.0).round() / 10.0,
            records,
        }
    }

    /// Whether all went well.
    pub(crate) fn is_ok(&self) -> bool {
        self.ok
    }

    /// One line of JSON.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// The tables, and the verdict as the last line.
    pub(crate) fn text(&self, history: usize) -> String {
        let mut parts = vec![self.lines_table().to_string()];
        if !self.refused.is_empty() {
            parts.push(self.refused_table().to_string());
        }
        if !self.quarantined.is_empty() {
            parts.push(self.poison_table().to_string());
        }
        if !self.failures.is_empty() {
            parts.push(self.failures_table().to_string());
        }
        if history > 0 && !self.records.is_empty() {
            let table = self.history_table(history);
            parts.push(format!("The latest failures:\n{table}"));
        }
        let problems = self.problems.iter();
        parts.extend(problems.map(|problem| format!("NOT ALL RIGHT: {problem}")));
        parts.push(format!("{} in {} s.", self.verdict(), self.seconds));
        parts.join("\n\n")
    }

    fn verdict(&self) -> String {
        let Self {
            lines_in,
            lines_stored,
            lines_refused,
            restarts,
            ..
        } = self;
        if self.ok {
            format!(
                "{lines_in} lines in = {lines_stored} stored + {lines_refused} refused, checked \
                 against the files; {restarts} restarts"
            )
        } else {
            format!("Not every line is accounted for; {restarts} restarts")
        }
    }

    fn lines_table(&self) -> Table {
        let mut table = table(&["lines in", "= stored", "+ refused", "+ unfinished"]);
        table.add_row([
            number(self.lines_in),
            number(self.lines_stored),
            number(self.lines_refused),
            number(self.lines_open),
        ]);
        table
    }

    fn refused_table(&self) -> Table {
        let mut table = table(&["refused because", "lines"]);
        for (reason, lines) in &self.refused {
            table.add_row([Cell::new(reason), number(*lines)]);
        }
        table
    }

    fn poison_table(&self) -> Table {
        let mut table = table(&["poison in line", "panic"]);
        for (line, panic) in self.quarantined.iter().take(POISON_SHOWN) {
            table.add_row([number(*line), Cell::new(shortened(panic))]);
        }
        if self.quarantined.len() > POISON_SHOWN {
            table.add_row(["...", "and more"]);
        }
        table
    }

    fn failures_table(&self) -> Table {
        let mut table = table(&["actor", "failed with", "decision", "times"]);
        for Failures { kind, times } in &self.failures {
            table.add_row([
                Cell::new(&kind.actor),
                Cell::new(&kind.cause),
                Cell::new(&kind.decision),
                number(*times),
            ]);
        }
        table
    }

    fn history_table(&self, history: usize) -> Table {
        let mut table = table(&["actor", "error", "decision", "outcome"]);
        let skipped = self.records.len().saturating_sub(history);
        for record in &self.records[skipped..] {
            table.add_row([
                Cell::new(&record.info.actor_path),
                Cell::new(shortened(&record.info.error)),
                Cell::new(decision(record)),
                Cell::new(format!("{:?}", record.outcome)),
            ]);
        }
        table
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    table
}

fn number(number: u64) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}

fn decision(record: &FailureRecord) -> String {
    match &record.decision {
        Some(decision) => match decision.delay() {
            Some(delay) if !delay.is_zero() => {
                format!("{} after {} ms", name_of(decision), delay.as_millis())
            }
            _ => name_of(decision).to_owned(),
        },
        None => "none: it had failed already".to_owned(),
    }
}

/// Errors can be long, tables cannot.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 42;
    if text.chars().count() <= LONGEST {
        text.to_owned()
    } else {
        text.chars().take(LONGEST).chain(['…']).collect()
    }
}
