//! What was measured, as it is written to a file and read from it; medians and ratios.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{bench::machine::Machine, figures::Failed};

/// A run.
#[derive(Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) machine: Machine,
    /// By package; Erlang's among them.
    pub(super) versions: BTreeMap<String, String>,
    pub(super) quick: bool,
    /// Measurements of a case that is not expensive.
    pub(super) rounds: u64,
    /// Seconds a measurement may take.
    pub(super) limit: u64,
    pub(super) rows: Vec<Row>,
}

/// One case in one place.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) what: String,
    pub(super) unit: String,
    /// `same` or `other`.
    pub(super) place: String,
    pub(super) ops: u64,
    /// By peer.
    pub(super) cells: BTreeMap<String, Cell>,
}

/// One peer's measurements of it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Cell {
    /// By round; figures have names, the main one is `value`. Empty if it was killed.
    pub(super) runs: Vec<BTreeMap<String, f64>>,
    /// Why there is nothing to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cannot: Option<String>,
    /// It was killed after this many seconds, in some round or, if it never got further, in the first
    /// and not tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) over_limit: Option<u64>,
    /// It did not do what it claims to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) broken: Option<String>,
}

impl Results {
    pub(super) fn read(path: &Path) -> Result<Self, Failed> {
        let unreadable = |error| Failed::because(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Ok(serde_json::from_str(&text)?)
    }

    pub(super) fn row(&self, case: &str, place: &str) -> Option<&Row> {
        let found = |row: &&Row| row.case == case && row.place == place;
        self.rows.iter().find(found)
    }

    /// Measurements that broke their claim.
    pub(super) fn broken(&self) -> Vec<String> {
        let cells = self
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().map(move |(peer, cell)| (row, peer, cell)));
        let broken = cells.filter_map(|(row, peer, cell)| {
            let problem = cell.broken.as_ref()?;
            Some(format!("{}@{} {peer}: {problem}", row.case, row.place))
        });
        broken.collect()
    }

    pub(super) fn measurements(&self) -> u64 {
        let cells = self.rows.iter().flat_map(|row| row.cells.values());
        cells.map(|cell| cell.all("value").len() as u64).sum()
    }
}

impl Row {
    /// Others than this library can be measured.
    pub(super) fn has_peers(&self) -> bool {
        !["decide", "resume"]
            .iter()
            .any(|part| self.case.starts_with(part))
    }

    pub(super) fn median(&self, peer: &str) -> Option<f64> {
        self.cells.get(peer)?.median("value")
    }

    /// The median of the ratios of one peer's figures to another's, round by round, so that a
    /// machine that slows down meanwhile slows both.
    pub(super) fn ratio(&self, peer: &str, to: &str) -> Option<f64> {
        let (these, those) = (self.cells.get(peer)?, self.cells.get(to)?);
        median(
            pairs(these, those)
                .map(|(this, that)| this / that)
                .collect(),
        )
    }

    /// The median of the differences, round by round.
    pub(super) fn difference(&self, peer: &str, to: &str) -> Option<f64> {
        let (these, those) = (self.cells.get(peer)?, self.cells.get(to)?);
        median(
            pairs(these, those)
                .map(|(this, that)| this - that)
                .collect(),
        )
    }
}

/// The main figures of the rounds that both have.
pub(super) fn pairs(these: &Cell, those: &Cell) -> impl Iterator<Item = (f64, f64)> {
    let pairs = these.runs.iter().zip(&those.runs);
    pairs.filter_map(|(this, that)| Some((*this.get("value")?, *that.get("value")?)))
}

impl Cell {
    /// Nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            runs,
            cannot,
            over_limit,
            broken,
        } = self;
        runs.is_empty() && cannot.is_none() && over_limit.is_none() && broken.is_none()
    }

    /// It ended within its limit at least once.
    pub(super) fn has_figures(&self) -> bool {
        !self.all("value").is_empty()
    }

    /// The median of a figure.
    pub(super) fn median(&self, figure: &str) -> Option<f64> {
        median(self.all(figure))
    }

    /// A figure in all rounds.
    pub(super) fn all(&self, figure: &str) -> Vec<f64> {
        let figures = self.runs.iter().filter_map(|run| run.get(figure));
        figures.copied().collect()
    }
}

/// With three digits behind the point.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// `None` of no values.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(values: &[f64]) -> Cell {
        let run = |value: &f64| BTreeMap::from([("value".to_owned(), *value)]);
        Cell {
            runs: values.iter().map(run).collect(),
            ..Cell::default()
        }
    }

    #[test]
    fn a_median_is_the_middle_one_or_the_mean_of_the_two() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_round_in_which_one_was_killed_is_no_pair() {
        let mut killed = cell(&[1.0, 2.0, 3.0]);
        killed.runs[1].clear();
        let all = cell(&[10.0, 20.0, 30.0]);
        let found: Vec<_> = pairs(&killed, &all).collect();
        assert_eq!(found, [(1.0, 10.0), (3.0, 30.0)]);
        assert_eq!(killed.median("value"), Some(2.0));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let row = Row {
            case: String::new(),
            what: String::new(),
            unit: String::new(),
            place: String::new(),
            ops: 1,
            cells: BTreeMap::from([
                // The machine was ten times slower in the second round.
                ("a".to_owned(), cell(&[2.0, 20.0, 2.0])),
                ("b".to_owned(), cell(&[1.0, 10.0])),
            ]),
        };
        assert_eq!(row.ratio("a", "b"), Some(2.0));
        assert_eq!(row.difference("a", "b"), Some(5.5));
        assert_eq!(row.ratio("a", "nobody"), None);
    }
}
