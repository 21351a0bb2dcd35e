//! Who owns what, and what moves.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use supervision_core::{
    NodeId, PlacementStrategy, Timestamp,
    placement::{ClusterView, Move, OwnedActor, RebalancePolicy, rebalance},
};

use super::world::{KIND, World, index};
use crate::figures::Figures;

/// How many standard deviations the fullest node may be above its share. One node in 10^7 is.
const DEVIATIONS: f64 = 5.5;

type Owners<'a> = Vec<&'a NodeId>;

fn counts<'a>(owners: impl Iterator<Item = &'a NodeId>) -> BTreeMap<&'a NodeId, u64> {
    let mut counts = BTreeMap::new();
    owners.for_each(|owner| *counts.entry(owner).or_default() += 1);
    counts
}

/// The owners of all paths by rendezvous; the index must live as long.
macro_rules! owners {
    ($index:expr, $world:expr) => {{
        let owners: Owners<'_> = $world
            .paths
            .iter()
            .filter_map(|path| $index.owner(path))
            .collect();
        owners
    }};
}

/// Balance with all nodes; then the fullest one is lost.
pub(super) fn balance_and_loss(world: &World, figures: &mut Figures) {
    let index_of_all = index(&world.view);
    let before = owners!(index_of_all, world);
    let per_node = counts(before.iter().copied());
    let nodes = world.view.nodes.len();
    let mean = world.paths.len() as f64 / nodes as f64;
    let (lost, share) = match per_node.iter().max_by_key(|(_, count)| **count) {
        Some((lost, share)) => ((*lost).clone(), *share),
        None => return figures.fall_short("nothing was placed"),
    };
    let least = if per_node.len() < nodes {
        0
    } else {
        per_node.values().copied().min().unwrap_or(0)
    };
    figures.require_at_least("nodes", nodes as u64, 2);
    figures.require_at_least("placed", before.len() as u64, world.paths.len() as u64);
    figures.note("balance_max_to_mean", rounded(share as f64 / mean));
    figures.note("balance_min_to_mean", rounded(least as f64 / mean));
    if share as f64 > mean + DEVIATIONS * mean.sqrt() + 1.0 {
        figures.fall_short(format!("a node has {share} actors, the mean is {mean:.0}"));
    }
    let mut view = world.view.clone();
    view.nodes.remove(&lost);
    let survivors = index(&view);
    let after = owners!(survivors, world);
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before != after);
    let moved = changed.clone().count() as u64;
    let claims = counts(changed.map(|(_, after)| *after));
    figures.note("lost_share", share);
    figures.note("moves_at_loss", moved);
    figures.note(
        "claims_by_survivor_mean",
        rounded(moved as f64 / view.nodes.len() as f64),
    );
    figures.note(
        "claims_by_survivor_max",
        claims.values().copied().max().unwrap_or(0),
    );
    figures.note("survivors_that_claim", claims.len());
    if moved != share || claims.contains_key(&lost) {
        figures.fall_short(format!(
            "a node with {share} actors was lost, and {moved} moved"
        ));
    }
    // What a survivor does then: its rank for each lost path.
    if let Some(survivor) = view.nodes.keys().next() {
        let lost_paths = world
            .paths
            .iter()
            .zip(&before)
            .filter(|(_, owner)| **owner == &lost);
        let begun = Instant::now();
        let ranks = lost_paths.filter_map(|(path, _)| survivors.rank(path, survivor));
        let first = ranks.filter(|rank| *rank == 0).count() as u64;
        figures.note(
            "ranks_of_one_survivor_ms",
            rounded(begun.elapsed().as_secs_f64() * 1e3),
        );
        if first != claims.get(survivor).copied().unwrap_or(0) {
            figures.fall_short("ranks and owners differ");
        }
    }
}

/// A node comes: it takes its share and nothing else moves.
pub(super) fn join(world: &World, figures: &mut Figures) {
    let (view, new) = world.grown("join");
    let (old, grown) = (index(&world.view), index(&view));
    let (before, after) = (owners!(old, world), owners!(grown, world));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
    let share = world.paths.len() as f64 / view.nodes.len() as f64;
    figures.note("moves_at_join", changed.len());
    figures.note(
        "moves_at_join_to_share",
        rounded(changed.len() as f64 / share),
    );
    if changed.iter().any(|(_, to)| **to != &new) {
        figures.fall_short("a node came, and an actor moved to another one");
    }
    if (changed.len() as f64 - share).abs() > DEVIATIONS * share.sqrt() + 1.0 {
        figures.fall_short(format!(
            "{} moved to the new node, its share is {share:.0}",
            changed.len()
        ));
    }
}

/// Weights 1 to 4: the actors of all nodes of a weight together.
pub(super) fn weights(world: &World, figures: &mut Figures) {
    let view = world.weighted();
    let index = index(&view);
    let owners = owners!(index, world);
    let total: f64 = view
        .nodes
        .values()
        .map(|node| f64::from(node.weight.get()))
        .sum();
    let mut worst: f64 = 0.0;
    for weight in 1..=4u16 {
        let of_weight = |id: &NodeId| view.nodes[id].weight.get() == weight;
        let found = owners.iter().filter(|owner| of_weight(owner)).count() as f64;
        let nodes = view.nodes.keys().filter(|id| of_weight(id)).count() as f64;
        let share = owners.len() as f64 * nodes * f64::from(weight) / total;
        if share > 0.0 {
            worst = worst.max((found / share - 1.0).abs());
            let accepted = DEVIATIONS * share.sqrt() + 0.001 * share + 1.0;
            if (found - share).abs() > accepted {
                figures.fall_short(format!(
                    "weight {weight}: {found} actors, the share is {share:.0}"
                ));
            }
        }
    }
    figures.note("weights_worst_deviation", (worst * 1e5).round() / 1e5);
}

/// A node comes, and the rebalancer is asked what to do: by owner, and by load.
pub(super) fn rebalancing(world: &World, figures: &mut Figures) {
    let (view, _) = world.grown("join");
    let old = index(&world.view);
    let owners = owners!(old, world);
    let by_turns: Owners<'_> = world
        .view
        .nodes
        .keys()
        .cycle()
        .take(world.paths.len())
        .collect();
    for (name, placement, nodes) in [
        ("owner", PlacementStrategy::Rendezvous, owners),
        ("load", PlacementStrategy::LeastLoaded, by_turns),
    ] {
        let (moves, time) = proposed(world, &view, &placement, &nodes, figures);
        figures.note(&format!("rebalance_{name}_moves"), moves);
        figures.note(
            &format!("rebalance_{name}_seconds"),
            rounded(time.as_secs_f64()),
        );
    }
}

fn proposed(
    world: &World,
    view: &ClusterView,
    placement: &PlacementStrategy,
    nodes: &[&NodeId],
    figures: &mut Figures,
) -> (usize, Duration) {
    let actor = |node| OwnedActor {
        node,
        kind: KIND,
        placement,
        group: None,
        cost: 1,
        pinned: false,
        last_move: None,
    };
    let paths = world.paths.iter().map(String::as_str);
    let mut owned: BTreeMap<_, _> = paths.zip(nodes.iter().map(|node| actor(*node))).collect();
    // Enough for the share of one node, twice over.
    let enough = (2 * nodes.len() / view.nodes.len() + 10).min(1_000_000);
    let policy = RebalancePolicy::default()
        .with_max_moves(enough)
        .unwrap_or_default();
    let now = Timestamp::from_secs(0);
    let begun = Instant::now();
    let moves = rebalance(view, &owned, &policy, now);
    let time = begun.elapsed();
    for Move { path, to, .. } in &moves {
        if let (Some(actor), Some((id, _))) =
            (owned.get_mut(path.as_str()), view.nodes.get_key_value(to))
        {
            actor.node = id;
        }
    }
    // With fewer the new node's share may be none.
    let must_move = nodes.len() >= 20 * view.nodes.len();
    if (must_move && moves.is_empty()) || moves.len() >= enough {
        figures.fall_short(format!("{} moves for one node that came", moves.len()));
    }
    if !rebalance(view, &owned, &policy, now).is_empty() {
        figures.fall_short("a second call moves more");
    }
    (moves.len(), time)
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
