//! The parts of documents that are made from a run, so that no figure in them is written by hand.
//!
//! A part begins with `<!-- figures: NAME -->` and ends with `<!-- end of figures -->`.

use std::{collections::BTreeMap, fs};

use crate::{
    bench::{
        peers::{self, ERLANG, PEERS},
        results::Results,
        table::{self, Columns, ON_ACTIX, OTHERS},
        targets,
        targets::Verdict,
    },
    figures::Failed,
    workspace,
};

const END: &str = "<!-- end of figures -->";

/// Columns and lines of the README's table.
const SHORT: Columns = Columns {
    peers: &["bare", "lean", "dynamic", "kameo", "ractor", ERLANG],
    beside: "bare",
};
const SHORT_CASES: &[&str] = &[
    "tell",
    "ask",
    "spawn",
    "bytes",
    "restart-panic",
    "restart-error",
    "storm-100k-panic",
    "storm-100k-error",
    "queued-panic",
];

/// Writes all parts of all documents.
pub(super) fn write(results: &Results, verdicts: &[Verdict]) -> Result<(), Failed> {
    let root = workspace::root()?;
    let parts = BTreeMap::from([
        (
            "short",
            table::markdown(results, "same", SHORT, Some(SHORT_CASES)),
        ),
        ("run", run(results)),
        ("peers", versions(results)),
        ("targets", targets::markdown(verdicts)),
        ("missed", missed(verdicts)),
        (
            "same-actix",
            table::markdown(results, "same", ON_ACTIX, None),
        ),
        (
            "same-others",
            table::markdown(results, "same", OTHERS, None),
        ),
        (
            "other-actix",
            table::markdown(results, "other", ON_ACTIX, None),
        ),
        (
            "other-others",
            table::markdown(results, "other", OTHERS, None),
        ),
        ("ahead", ahead(results)),
        ("cannot", cannot(results)),
    ]);
    for document in ["README.md", "docs/benchmarks.md"] {
        let path = root.join(document);
        let text = fs::read_to_string(&path)?;
        let replaced = replace(&text, &parts)
            .map_err(|problem| Failed::because(format!("{document}: {problem}")))?;
        fs::write(&path, replaced)?;
    }
    Ok(())
}

/// Puts each part in its place.
fn replace(text: &str, parts: &BTreeMap<&str, String>) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, begun)) = rest.split_once("<!-- figures: ") {
        let (name, inside) = begun.split_once(" -->").ok_or("a part's name has no end")?;
        let (_, after) = inside
            .split_once(END)
            .ok_or(format!("part {name} has no end"))?;
        let part = parts.get(name).ok_or(format!("there is no part {name}"))?;
        written += &format!("{before}<!-- figures: {name} -->\n\n{part}\n\n{END}");
        rest = after;
    }
    Ok(written + rest)
}

fn run(results: &Results) -> String {
    let Results {
        machine,
        rounds,
        limit,
        quick,
        ..
    } = results;
    let kind = if *quick { "A quick run" } else { "A full run" };
    let cores = match machine.cores {
        1 => "one core".to_owned(),
        cores => format!("{cores} cores"),
    };
    let busy = if machine.load > 0.25 * machine.cores as f64 {
        " **It had other work to do meanwhile, so times are too long and ratios uncertain.**"
    } else {
        ""
    };
    format!(
        "{kind}: {rounds} rounds, at most {limit} s for a measurement, more \
         for 100,000 actors and for a million. {}, {cores}, {} GB; Linux {}; \
         {}. Load of the machine before the run: {:.2}.{busy}",
        machine.processor, machine.memory_gb, machine.kernel, machine.rustc, machine.load,
    )
}

fn versions(results: &Results) -> String {
    let mut lines = vec![
        "| | version | what is measured |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    for peer in PEERS {
        let package = if peer.name == ERLANG {
            ERLANG
        } else {
            peer.package
        };
        let version = results
            .versions
            .get(package)
            .map_or("not there", String::as_str);
        lines.push(format!("| {} | {version} | {} |", peer.title, peer.what));
    }
    if let Some(tokio) = results.versions.get("tokio") {
        lines.push(format!("| tokio, under all but Erlang | {tokio} | |"));
    }
    lines.join("\n")
}

fn missed(verdicts: &[Verdict]) -> String {
    let missed: Vec<_> = verdicts
        .iter()
        .filter(|verdict| verdict.is_missed())
        .collect();
    let met = verdicts.iter().filter(|verdict| verdict.met).count();
    let mut lines = vec![format!(
        "Of {} targets {met} are met in this run.",
        verdicts.len()
    )];
    if !missed.is_empty() {
        lines.push(format!("Missed are {}:\n", missed.len()));
        lines.extend(missed.iter().map(|verdict| format!("- {verdict}")));
    }
    lines.join("\n")
}

/// Figures in which a peer that supervises is ahead of this library, by more than comes and goes.
fn ahead(results: &Results) -> String {
    const OURS: [&str; 2] = ["lean", "dynamic"];
    const NOT_PEERS: [&str; 6] = [
        "bare",
        "bare-catch",
        "lean",
        "dynamic",
        "supervisor",
        "deadline",
    ];
    const CLEARLY: f64 = 0.95;
    let mut lines = Vec::new();
    for row in &results.rows {
        // Of messages kept, more are better.
        let better = |ratio: f64| match row.unit.as_str() {
            "messages" => ratio > 1.0,
            _ => ratio < CLEARLY,
        };
        for peer in PEERS.iter().filter(|peer| !NOT_PEERS.contains(&peer.name)) {
            let ratios = OURS.iter().filter_map(|ours| {
                let ratio = row.ratio(peer.name, ours).filter(|ratio| better(*ratio))?;
                Some(format!("{ratio:.2} of {}", peers::titled(ours)))
            });
            let ratios: Vec<_> = ratios.collect();
            if !ratios.is_empty() {
                let (what, place) = (&row.what, &row.place);
                lines.push(format!(
                    "- {what}, {place} thread: {}, {}",
                    peer.title,
                    ratios.join(", ")
                ));
            }
        }
    }
    if lines.is_empty() {
        lines.push("- none".to_owned());
    }
    lines.join("\n")
}

/// The reasons for empty cells, each once; not of what is about one part of this library, nor of the
/// columns that are about a few cases anyway.
fn cannot(results: &Results) -> String {
    const OF_FEW: [&str; 2] = ["bare-catch", "kameo-bounded"];
    let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for row in results.rows.iter().filter(|row| row.has_peers()) {
        for peer in PEERS.iter().filter(|peer| !OF_FEW.contains(&peer.name)) {
            let Some(cell) = row.cells.get(peer.name) else {
                continue;
            };
            let killed = cell.over_limit.filter(|_| !cell.has_figures());
            let killed = killed.map(|_| "killed, it takes longer than its limit");
            if let Some(reason) = cell.cannot.as_deref().or(killed) {
                let peers = reasons.entry(reason).or_default();
                let cases = peers.entry(peer.title).or_default();
                if !cases.contains(&row.case.as_str()) {
                    cases.push(&row.case);
                }
            }
        }
    }
    let mut lines = Vec::new();
    for (reason, peers) in reasons {
        let peer = |(title, cases): (&str, Vec<&str>)| format!("{title} ({})", cases.join(", "));
        let peers: Vec<_> = peers.into_iter().map(peer).collect();
        lines.push(format!("- {}: {reason}.", peers.join("; ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let parts = BTreeMap::from([("a", "new".to_owned())]);
        let text = "before <!-- figures: a -->\nold\n<!-- end of figures --> after";
        let replaced = replace(text, &parts).expect("it has an end");
        let wanted = "before <!-- figures: a -->\n\nnew\n\n<!-- end of figures --> after";
        assert_eq!(replaced, wanted);
        assert_eq!(replace(&replaced, &parts).as_deref(), Ok(wanted));
    }

    #[test]
    fn a_part_without_an_end_or_of_an_unknown_name_is_refused() {
        let parts = BTreeMap::from([("a", "new".to_owned())]);
        assert!(replace("<!-- figures: a -->\nold", &parts).is_err());
        assert!(replace("<!-- figures: b -->\n<!-- end of figures -->", &parts).is_err());
    }
}
