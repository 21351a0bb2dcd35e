//! What one placement costs.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use supervision_core::{
    NodeId, PlacementStrategy,
    placement::{ClusterView, Cursor, PlacementRequest, claim_rank, place},
};

use super::world::{KIND, World, index};
use crate::figures::Figures;

/// The most that one placement by rendezvous may cost over 1,000 nodes that are indexed.
const LIMIT_NS: f64 = 1_000.0;
const BATCHES: usize = 15;

/// With an index, and from the view alone.
pub(super) fn of_each_strategy(world: &World, figures: &mut Figures) {
    let paths = &world.paths[..world.paths.len().min(2_000)];
    let equal = index(&world.view);
    let begun = Instant::now();
    let _ = black_box(index(&world.view));
    figures.note("index_us", begun.elapsed().as_micros() as u64);
    let owner = nanoseconds(paths, |path| {
        equal.owner(path).map(NodeId::as_str).map(str::len)
    });
    figures.note("indexed_rendezvous_ns", owner.round());
    let limit = LIMIT_NS * (world.view.nodes.len() as f64 / 1_000.0).max(0.1);
    if owner > limit {
        figures.fall_short(format!(
            "a placement by rendezvous costs {owner:.0} ns, over {limit:.0}"
        ));
    }
    let weighted = index(&world.weighted());
    let owner = nanoseconds(paths, |path| {
        weighted.owner(path).map(NodeId::as_str).map(str::len)
    });
    figures.note("indexed_rendezvous_four_weights_ns", owner.round());
    if let Some(node) = world.view.nodes.keys().next() {
        let rank = nanoseconds(paths, |path| equal.rank(path, node));
        figures.note("indexed_rank_ns", rank.round());
        let plain = PlacementStrategy::Rendezvous;
        let rank = nanoseconds(&paths[..paths.len().min(50)], |path| {
            let request = PlacementRequest::start(path, KIND);
            claim_rank(&plain, &world.view, &request, node)
        });
        figures.note("claim_rank_ns", rank.round());
        figures.note(
            "place_ns",
            Value::Object(by_strategy(&world.view, paths, node)),
        );
    }
}

fn by_strategy(view: &ClusterView, paths: &[String], node: &NodeId) -> Map<String, Value> {
    let near = PlacementStrategy::LocalAffinity {
        group: "g".to_owned(),
        fallback: Box::new(PlacementStrategy::Random),
    };
    let strategies = [
        ("round_robin", PlacementStrategy::RoundRobin),
        ("random", PlacementStrategy::Random),
        ("least_loaded", PlacementStrategy::LeastLoaded),
        ("node", PlacementStrategy::Node(node.clone())),
        ("rendezvous", PlacementStrategy::Rendezvous),
        ("redundant", PlacementStrategy::Redundant { replicas: 3 }),
        ("local_affinity", near),
        ("spread", PlacementStrategy::Rendezvous.spread_over("zone")),
    ];
    let mut cursor = Cursor::default();
    let paths = &paths[..paths.len().min(50)];
    let mut cost = |strategy: &PlacementStrategy| {
        nanoseconds(paths, |path| {
            let request = PlacementRequest::start(path, KIND);
            let entropy = path.len() as u64;
            place(strategy, view, &request, &mut cursor, entropy).is_ok()
        })
    };
    let figure = |(name, strategy): (&str, _)| (name.to_owned(), cost(&strategy).round().into());
    strategies.into_iter().map(figure).collect()
}

/// Of one call; the best of several batches, which is the one that was disturbed least.
fn nanoseconds<T>(paths: &[String], mut call: impl FnMut(&str) -> T) -> f64 {
    let mut batch = || {
        let begun = Instant::now();
        for path in paths {
            black_box(call(black_box(path)));
        }
        begun.elapsed()
    };
    let best = (0..BATCHES).map(|_| batch()).min().unwrap_or(Duration::MAX);
    best.as_nanos() as f64 / paths.len().max(1) as f64
}
