//! Figures as people read them: in the terminal and in Markdown.

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use crate::bench::{
    peers::{ERLANG, titled},
    results::{Cell, Results, Row},
};

/// Some peers, and whom they are compared with.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) peers: &'static [&'static str],
    pub(super) beside: &'static str,
}

/// Those whose actors are actix actors.
pub(super) const ON_ACTIX: Columns = Columns {
    peers: &[
        "bare",
        "bare-catch",
        "actix-supervisor",
        "lean",
        "dynamic",
        "supervisor",
        "deadline",
    ],
    beside: "bare",
};

/// All others.
pub(super) const OTHERS: Columns = Columns {
    peers: &[
        "lean",
        "kameo",
        "kameo-bounded",
        "ractor",
        "ractor-supervisor",
        "tokio-actors",
        ERLANG,
    ],
    beside: "lean",
};

/// All rows; the lines of a cell are the figure, what belongs to it, and the ratio.
pub(super) fn terminal(results: &Results, columns: Columns) -> Table {
    let peers = measured(results, None, columns);
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let titles = peers.iter().map(|peer| titled(peer).to_owned());
    let first = ["case".to_owned(), "thread".to_owned()];
    table.set_header(first.into_iter().chain(titles));
    for row in &results.rows {
        let cells = peers.iter().map(|peer| {
            let shown = shown(row, peer).replace(", ", "\n");
            match ratio(row, peer, columns) {
                Some(ratio) => format!("{shown}\nx {ratio:.2}"),
                None => shown,
            }
        });
        let first = [row.case.clone(), row.place.clone()];
        table.add_row(first.into_iter().chain(cells));
    }
    table
}

/// The rows of one place, in Markdown; ratios in brackets. Only the given cases, if any are.
pub(super) fn markdown(
    results: &Results,
    place: &str,
    columns: Columns,
    cases: Option<&[&str]>,
) -> String {
    let peers = measured(results, Some(place), columns);
    let titles: Vec<_> = peers.iter().map(|peer| titled(peer)).collect();
    let mut lines = vec![format!("| | {} |", titles.join(" | "))];
    lines.push(format!("|---|{}", "---:|".repeat(peers.len())));
    for row in results.rows.iter().filter(|row| row.place == place) {
        let cells = peers.iter().map(|peer| match ratio(row, peer, columns) {
            Some(ratio) => format!("{} ({ratio:.2})", shown(row, peer)),
            None => shown(row, peer),
        });
        let cells: Vec<_> = cells.collect();
        let wanted = cases.is_none_or(|cases| cases.contains(&row.case.as_str()));
        let mut compared = peers
            .iter()
            .zip(&cells)
            .filter(|(peer, _)| **peer != columns.beside);
        if wanted && compared.any(|(_, cell)| cell != EMPTY) {
            lines.push(format!("| {} | {} |", row.what, cells.join(" | ")));
        }
    }
    lines.join("\n")
}

/// `None` for whoever the others are compared with, and of messages kept.
fn ratio(row: &Row, peer: &str, columns: Columns) -> Option<f64> {
    let compared = peer != columns.beside && row.unit != "messages";
    row.ratio(peer, columns.beside).filter(|_| compared)
}

/// Those with a figure or a limit in some row of this place, or of any.
fn measured(results: &Results, place: Option<&str>, columns: Columns) -> Vec<&'static str> {
    let in_place = |row: &&Row| place.is_none_or(|place| row.place == place);
    let has = |peer: &&&str| {
        let rows = results.rows.iter().filter(in_place);
        let mut cells = rows.filter_map(|row| row.cells.get(**peer));
        cells.any(|cell| cell.has_figures() || cell.over_limit.is_some())
    };
    columns.peers.iter().filter(has).copied().collect()
}

const EMPTY: &str = "-";

/// One peer's figure in a row.
pub(super) fn shown(row: &Row, peer: &str) -> String {
    let Some(cell) = row.cells.get(peer) else {
        return EMPTY.to_owned();
    };
    let over = cell.over_limit.map(|seconds| format!("> {seconds} s"));
    if let Some(over) = over.as_ref().filter(|_| !cell.has_figures()) {
        return over.clone();
    }
    if cell.broken.is_some() {
        return "broken".to_owned();
    }
    let shown = match (cell.median("value"), cell.median("p99")) {
        (None, _) => EMPTY.to_owned(),
        (Some(value), Some(p99)) => {
            format!(
                "{}, p99 {}",
                with_unit(value, &row.unit),
                with_unit(p99, &row.unit)
            )
        }
        (Some(value), None) => format!("{}{}", with_unit(value, &row.unit), further(cell)),
    };
    // A median without its slowest rounds is not the whole truth.
    match over {
        Some(over) => format!("{shown}, once {over}"),
        None => shown,
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
