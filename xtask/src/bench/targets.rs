//! What this library means to reach, and whether a run has reached it.

use std::fmt;

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use crate::bench::{
    peers::titled,
    results::{Results, median, pairs},
    table::with_unit,
};

/// What is promised of one figure.
struct Target {
    text: &'static str,
    case: &'static str,
    places: &'static [&'static str],
    /// Which ways of starting.
    peers: &'static [&'static str],
    bound: Bound,
}

/// The promise itself.
enum Bound {
    /// The rate is at least this share of the other's, round by round.
    RateOf(&'static str, f64),
    /// The cost is at most this many times the other's, round by round.
    TimesThatOf(&'static str, f64),
    /// At most this much more than the other's, round by round.
    MoreThan(&'static str, f64),
    AtMost(f64),
    /// In every run.
    Always(f64),
    /// At most this many times the figure of another case, for each operation.
    LinearTo(&'static str, f64),
    /// It is done, and its figures are stated.
    Done,
}

const LEAN: &[&str] = &["lean", "dynamic"];
const OURS: &[&str] = &["lean", "dynamic", "supervisor"];
const SUPERVISOR: &[&str] = &["supervisor"];
const ONLY: &[&str] = &["lean"];
const SAME: &[&str] = &["same"];
const BOTH: &[&str] = &["same", "other"];

/// All targets, for runs on two cores beside the latest releases of the peers.
const TARGETS: &[Target] = &[
    Target {
        text: "tell in bursts, at least 0.95 of bare actix's rate",
        case: "tell",
        places: SAME,
        peers: LEAN,
        bound: Bound::RateOf("bare", 0.95),
    },
    Target {
        text: "ask, at least 0.95 of bare actix's rate",
        case: "ask",
        places: SAME,
        peers: LEAN,
        bound: Bound::RateOf("bare", 0.95),
    },
    Target {
        text: "tell, one message per wake-up, at least 0.90 of bare actix's rate",
        case: "tell-one-per-wakeup",
        places: SAME,
        peers: LEAN,
        bound: Bound::RateOf("bare", 0.90),
    },
    Target {
        text: "spawn and first answer, at least 0.80 of bare actix's rate",
        case: "spawn",
        places: SAME,
        peers: LEAN,
        bound: Bound::RateOf("bare", 0.80),
    },
    Target {
        text: "the same with the supervisor's address, at least 0.60",
        case: "spawn",
        places: SAME,
        peers: SUPERVISOR,
        bound: Bound::RateOf("bare", 0.60),
    },
    Target {
        text: "memory of an actor, at most bare actix's and 250 B",
        case: "bytes",
        places: SAME,
        peers: LEAN,
        bound: Bound::MoreThan("bare", 250.0),
    },
    Target {
        text: "the same with the supervisor's address, at most bare actix's and 700 B",
        case: "bytes",
        places: SAME,
        peers: SUPERVISOR,
        bound: Bound::MoreThan("bare", 700.0),
    },
    Target {
        text: "restart after a reported failure, at most a third of kameo's",
        case: "restart-error",
        places: SAME,
        peers: LEAN,
        bound: Bound::TimesThatOf("kameo", 1.0 / 3.0),
    },
    Target {
        text: "restart after a panic, at most 0.7 of kameo's",
        case: "restart-panic",
        places: SAME,
        peers: LEAN,
        bound: Bound::TimesThatOf("kameo", 0.7),
    },
    Target {
        text: "restart after a panic, at most 1.3 times the least that actix can do",
        case: "restart-panic",
        places: SAME,
        peers: LEAN,
        bound: Bound::TimesThatOf("bare-catch", 1.3),
    },
    Target {
        text: "storm of 100,000 by error, at most a quarter of kameo's",
        case: "storm-100k-error",
        places: SAME,
        peers: LEAN,
        bound: Bound::TimesThatOf("kameo", 0.25),
    },
    Target {
        text: "storm of 100,000 by panic, at most half of kameo's",
        case: "storm-100k-panic",
        places: SAME,
        peers: LEAN,
        bound: Bound::TimesThatOf("kameo", 0.5),
    },
    Target {
        text: "a storm by error of ten times as many takes at most 12.5 times as long",
        case: "storm-100k-error",
        places: SAME,
        peers: LEAN,
        bound: Bound::LinearTo("storm-10k-error", 1.25),
    },
    Target {
        text: "a storm by panic of ten times as many takes at most 12.5 times as long",
        case: "storm-100k-panic",
        places: SAME,
        peers: LEAN,
        bound: Bound::LinearTo("storm-10k-panic", 1.25),
    },
    Target {
        text: "queued messages kept behind a panic, 1,000 of 1,000 in every run",
        case: "queued-panic",
        places: BOTH,
        peers: OURS,
        bound: Bound::Always(1_000.0),
    },
    Target {
        text: "queued messages kept behind a reported failure, 1,000 of 1,000 in every run",
        case: "queued-error",
        places: BOTH,
        peers: OURS,
        bound: Bound::Always(1_000.0),
    },
    Target {
        text: "one decision, at most 50 ns",
        case: "decide",
        places: SAME,
        peers: ONLY,
        bound: Bound::AtMost(50.0),
    },
    // An event is made inside a failure that costs a hundred times as much: no clock sees it. The row
    // says so in every table.
    Target {
        text: "an event with no subscriber, at most 20 ns",
        case: "event-unobserved",
        places: SAME,
        peers: ONLY,
        bound: Bound::AtMost(20.0),
    },
    Target {
        text: "1,000,000 idle actors start, answer and stop",
        case: "idle-1m",
        places: SAME,
        peers: ONLY,
        bound: Bound::Done,
    },
];

/// A target, one way of starting and one place, judged.
pub(super) struct Verdict {
    pub(super) text: &'static str,
    pub(super) peer: &'static str,
    pub(super) place: &'static str,
    /// What was measured; `None` where that was not.
    pub(super) measured: Option<String>,
    pub(super) met: bool,
}

impl Verdict {
    pub(super) fn is_missed(&self) -> bool {
        self.measured.is_some() && !self.met
    }

    pub(super) fn word(&self) -> &'static str {
        match (&self.measured, self.met) {
            (None, _) => "not measured",
            (Some(_), true) => "met",
            (Some(_), false) => "MISSED",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measured = self.measured.as_deref().unwrap_or("not measured");
        let (text, peer, place) = (self.text, titled(self.peer), self.place);
        write!(f, "{text}: {measured} ({peer}, {place} thread)")
    }
}

/// Holds a run against all targets.
pub(super) fn judge(results: &Results) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for target in TARGETS {
        for place in target.places {
            for peer in target.peers {
                let judged = target.judge(results, peer, place);
                let (measured, met) = judged.map_or((None, false), |(m, met)| (Some(m), met));
                verdicts.push(Verdict {
                    text: target.text,
                    peer,
                    place,
                    measured,
                    met,
                });
            }
        }
    }
    verdicts
}

impl Target {
    /// What was measured, and whether that will do; `None` where it was not.
    fn judge(&self, results: &Results, peer: &str, place: &str) -> Option<(String, bool)> {
        let row = results.row(self.case, place)?;
        Some(match self.bound {
            Bound::RateOf(other, least) => {
                // Of costs, so the other's is above.
                let rate = row.ratio(other, peer)?;
                (format!("{rate:.2}"), rate >= least)
            }
            Bound::TimesThatOf(other, most) => {
                let ratio = row.ratio(peer, other)?;
                (format!("{ratio:.2}"), ratio <= most)
            }
            Bound::MoreThan(other, most) => {
                let more = row.difference(peer, other)?;
                (format!("{} more", with_unit(more, &row.unit)), more <= most)
            }
            Bound::AtMost(most) => {
                let value = row.median(peer)?;
                (with_unit(value, &row.unit), value <= most)
            }
            Bound::Always(wanted) => {
                let cell = row.cells.get(peer)?;
                let all = cell.all("value");
                let least = all.iter().copied().min_by(f64::total_cmp)?;
                let always = all.iter().all(|value| *value == wanted) && cell.broken.is_none();
                let least = with_unit(least, &row.unit);
                let measured = match all.len() {
                    1 => format!("{least} in one run"),
                    runs if always => format!("{least} in each of {runs} runs"),
                    runs => format!("{least} in the worst of {runs} runs"),
                };
                (measured, always)
            }
            Bound::LinearTo(smaller, most) => {
                let smaller = results.row(smaller, place)?;
                let pairs = pairs(row.cells.get(peer)?, smaller.cells.get(peer)?);
                let times = median(pairs.map(|(many, few)| many / few).collect())?;
                let each = times * smaller.ops as f64 / row.ops as f64;
                (format!("{times:.1} times"), each <= most)
            }
            Bound::Done => {
                let value = row.median(peer)?;
                (format!("done, {} each", with_unit(value, &row.unit)), true)
            }
        })
    }
}

/// A line for each verdict.
pub(super) fn terminal(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["target", "of", "thread", "measured", ""]);
    for verdict in verdicts {
        table.add_row([
            verdict.text,
            titled(verdict.peer),
            verdict.place,
            verdict.measured.as_deref().unwrap_or("-"),
            verdict.word(),
        ]);
    }
    table
}

/// The same in Markdown.
pub(super) fn markdown(verdicts: &[Verdict]) -> String {
    let mut lines = vec!["| target | of | thread | measured | |".to_owned()];
    lines.push("|---|---|---|---|---|".to_owned());
    for verdict in verdicts {
        let measured = verdict.measured.as_deref().unwrap_or("-");
        let (text, of, word) = (verdict.text, titled(verdict.peer), verdict.word());
        lines.push(format!(
            "| {text} | {of} | {} | {measured} | {word} |",
            verdict.place
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bench::{
        machine::Machine,
        results::{Cell, Row},
    };

    fn results(case: &str, values: &[(&str, &[f64])]) -> Results {
        let run = |value: &f64| BTreeMap::from([("value".to_owned(), *value)]);
        let cell = |values: &[f64]| Cell {
            runs: values.iter().map(run).collect(),
            ..Cell::default()
        };
        let row = Row {
            case: case.to_owned(),
            what: String::new(),
            unit: "B".to_owned(),
            place: "same".to_owned(),
            ops: 1,
            cells: values
                .iter()
                .map(|(peer, v)| ((*peer).to_owned(), cell(v)))
                .collect(),
        };
        Results {
            machine: Machine::here(),
            versions: BTreeMap::new(),
            quick: false,
            rounds: 1,
            limit: 1,
            rows: vec![row],
        }
    }

    fn words(results: &Results, peer: &str) -> Vec<&'static str> {
        let verdicts = judge(results).into_iter().filter(|v| v.measured.is_some());
        verdicts
            .filter(|v| v.peer == peer)
            .map(|v| v.word())
            .collect()
    }

    #[test]
    fn a_rate_is_the_other_way_round_than_a_cost() {
        let slower = results(
            "tell",
            &[("bare", &[90.0]), ("lean", &[100.0]), ("dynamic", &[94.0])],
        );
        assert_eq!(words(&slower, "lean"), ["MISSED"]);
        assert_eq!(words(&slower, "dynamic"), ["met"]);
    }

    #[test]
    fn one_lost_message_in_one_run_misses_the_target() {
        let kept = results("queued-panic", &[("lean", &[1_000.0, 1_000.0])]);
        assert_eq!(words(&kept, "lean"), ["met"]);
        let lost = results("queued-panic", &[("lean", &[1_000.0, 999.0, 1_000.0])]);
        assert_eq!(words(&lost, "lean"), ["MISSED"]);
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let nothing = results("ask", &[("bare", &[1.0])]);
        assert!(
            judge(&nothing)
                .iter()
                .all(|v| !v.is_missed() && v.word() == "not measured")
        );
    }

    #[test]
    fn memory_is_compared_by_the_difference() {
        let bytes = results(
            "bytes",
            &[
                ("bare", &[800.0]),
                ("lean", &[1_050.0]),
                ("supervisor", &[1_501.0]),
            ],
        );
        assert_eq!(words(&bytes, "lean"), ["met"]);
        assert_eq!(words(&bytes, "supervisor"), ["MISSED"]);
    }
}
