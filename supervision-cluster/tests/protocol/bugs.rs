//! The walk finds every mistake that can be planted into the machines, and finds nothing without.

use std::time::Instant;

use supervision_cluster::protocol::Bug;

use crate::walk::{number, walk_all};

/// As many walks as are made in search of one mistake. In so many nothing is found without one: the
/// suite of walks makes more.
const EFFORT: u64 = 150_000;

#[test]
#[allow(clippy::print_stdout, reason = "the figures are the point of it")]
fn every_planted_mistake_is_found() {
    let effort = number("SUPERVISION_EFFORT", EFFORT);
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        let began = Instant::now();
        let tally = walk_all(1, effort, Some(bug), false);
        let seconds = began.elapsed().as_secs_f64();
        match tally.wrong.iter().next() {
            Some((what, (_, seed, _))) => {
                println!(
                    "{bug:?}: {seconds:.2} s, {} walks, seed {seed}: {what}",
                    tally.sums.walks
                );
            }
            None => missed.push(bug),
        }
        assert!(seconds < 60.0, "{bug:?} took {seconds} s");
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
