//! Figures as people read them: in the terminal and in Markdown.

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use crate::bench::{
    peers::PEERS,
    results::{Cell, Results, Row},
};

/// All rows and all peers that were measured; two lines to a cell, the ratio to bare actix below.
pub(super) fn terminal(results: &Results) -> Table {
    let peers = measured(results, None);
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let titles = peers.iter().map(|(_, title)| (*title).to_owned());
    let first = ["case".to_owned(), "place".to_owned()];
    table.set_header(first.into_iter().chain(titles));
    for row in &results.rows {
        let cells = peers.iter().map(|(peer, _)| match row.ratio(peer, "bare") {
            Some(ratio) if *peer != "bare" => format!("{}\n{ratio:.2}", shown(row, peer)),
            _ => shown(row, peer),
        });
        let first = [row.case.clone(), row.place.clone()];
        table.add_row(first.into_iter().chain(cells));
    }
    table
}

/// The rows of one place, in Markdown: a line for each case, a column for each peer. Ratios to bare
/// actix stand in brackets.
pub(super) fn markdown(
    results: &Results,
    place: &str,
    only: Option<&[&str]>,
    cases: Option<&[&str]>,
) -> String {
    let peers: Vec<_> = measured(results, Some(place))
        .into_iter()
        .filter(|(name, _)| only.is_none_or(|only| only.contains(name)))
        .collect();
    let titles: Vec<_> = peers.iter().map(|(_, title)| *title).collect();
    let mut lines = vec![format!("| | {} |", titles.join(" | "))];
    lines.push(format!("|---|{}", "---:|".repeat(peers.len())));
    for row in results.rows.iter().filter(|row| row.place == place) {
        if cases.is_some_and(|cases| !cases.contains(&row.case.as_str())) {
            continue;
        }
        let cells = peers.iter().map(|(peer, _)| match row.ratio(peer, "bare") {
            Some(ratio) if *peer != "bare" => format!("{} ({ratio:.2})", shown(row, peer)),
            _ => shown(row, peer),
        });
        let cells: Vec<_> = cells.collect();
        lines.push(format!("| {} | {} |", row.what, cells.join(" | ")));
    }
    lines.join("\n")
}

/// Those with a figure or a limit in some row of this place, or of any.
fn measured(results: &Results, place: Option<&str>) -> Vec<(&'static str, &'static str)> {
    let in_place = |row: &&Row| place.is_none_or(|place| row.place == place);
    let has = |peer: &str| {
        let cells = results
            .rows
            .iter()
            .filter(in_place)
            .filter_map(|row| row.cells.get(peer));
        cells
            .into_iter()
            .any(|cell| !cell.runs.is_empty() || cell.over_limit.is_some())
    };
    let peers = PEERS.iter().filter(|peer| has(peer.name));
    peers.map(|peer| (peer.name, peer.title)).collect()
}

/// One peer's figure in a row.
pub(super) fn shown(row: &Row, peer: &str) -> String {
    let Some(cell) = row.cells.get(peer) else {
        return "-".to_owned();
    };
    if let Some(seconds) = cell.over_limit {
        return format!("> {seconds} s");
    }
    if cell.broken.is_some() {
        return "broken".to_owned();
    }
    match (cell.median("value"), cell.median("p99")) {
        (None, _) => "-".to_owned(),
        (Some(value), Some(p99)) => {
            format!(
                "{}, p99 {}",
                with_unit(value, &row.unit),
                with_unit(p99, &row.unit)
            )
        }
        (Some(value), None) => format!("{}{}", with_unit(value, &row.unit), further(cell)),
    }
}

/// The further figures of a million idle actors.
fn further(cell: &Cell) -> String {
    let seconds = |name| {
        cell.median(name)
            .map(|seconds: f64| format!("{seconds:.1} s"))
    };
    match [seconds("start_s"), seconds("answer_s"), seconds("stop_s")] {
        [Some(start), Some(answer), Some(stop)] => {
            format!(", started in {start}, asked in {answer}, stopped in {stop}")
        }
        _ => String::new(),
    }
}

/// A value in the unit that suits its size.
pub(super) fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ns" => time(value),
        "ms" => time(value * 1e6),
        "messages" => thousands(value),
        unit => format!("{} {unit}", thousands(value)),
    }
}

fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "us"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    match value {
        v if v < 10.0 => format!("{v:.2} {unit}"),
        v if v < 100.0 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_in_the_unit_that_suits_them() {
        assert_eq!(with_unit(38.71, "ns"), "38.7 ns");
        assert_eq!(with_unit(4_404.0, "ns"), "4.40 us");
        assert_eq!(with_unit(1_850.0, "ms"), "1.85 s");
        assert_eq!(with_unit(14_704.2, "B"), "14,704 B");
        assert_eq!(with_unit(-120.0, "B"), "-120 B");
        assert_eq!(with_unit(1_000.0, "messages"), "1,000");
    }
}
