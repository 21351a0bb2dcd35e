//! Rendezvous order: balance, shares by weight, and how few actors a node that comes or goes moves.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use supervision_core::{
    NodeId, PlacementStrategy,
    placement::{ClusterView, RendezvousIndex},
};

use crate::{
    placement_world::{KIND, cluster, weight},
    property::{cases, check},
    strategies::node,
};

fn index(view: &ClusterView) -> RendezvousIndex {
    RendezvousIndex::new(view, KIND, &PlacementStrategy::Rendezvous)
}

fn path(number: u64) -> String {
    format!("/user/counter/{number}")
}

fn owners(view: &ClusterView, paths: u64) -> Vec<NodeId> {
    let index = index(view);
    let owner = |number| index.owner(&path(number)).expect("there are nodes").clone();
    (0..paths).map(owner).collect()
}

/// The sum of squared deviations from the expected counts, each for its count: about as large as
/// there are nodes when paths fall at random.
fn chi_squared(view: &ClusterView, owners: &[NodeId]) -> f64 {
    let mut counts: BTreeMap<&NodeId, f64> = BTreeMap::new();
    owners
        .iter()
        .for_each(|owner| *counts.entry(owner).or_default() += 1.0);
    let weights = view.nodes.values().map(|node| f64::from(node.weight.get()));
    let total: f64 = weights.sum();
    let nodes = view.nodes.iter();
    let deviation = |(id, node): (&NodeId, &supervision_core::placement::NodeView)| {
        let expected = owners.len() as f64 * f64::from(node.weight.get()) / total;
        (counts.get(id).unwrap_or(&0.0) - expected).powi(2) / expected
    };
    nodes.map(deviation).sum()
}

#[test]
fn paths_fall_on_nodes_as_if_at_random() {
    for count in [2, 3, 10, 100, 1_000] {
        let view = cluster(count, |_, node| node);
        let chi = chi_squared(&view, &owners(&view, 60_000));
        let (mean, deviation) = (count as f64 - 1.0, (2.0 * count as f64).sqrt());
        assert!((chi - mean).abs() < 5.0 * deviation, "{count} nodes: {chi}");
    }
}

#[test]
fn paths_fall_on_nodes_in_proportion_to_their_weights() {
    let weights = [1, 2, 3, 5, 8, 13, 100];
    let view = cluster(weights.len(), |at, node| {
        node.with_weight(weight(weights[at]))
    });
    let chi = chi_squared(&view, &owners(&view, 60_000));
    assert!(chi < 30.0, "{chi}: 6 is the mean, with a deviation of 3.5");
    let view = cluster(200, |at, node| node.with_weight(weight(1 + at as u16 % 20)));
    let chi = chi_squared(&view, &owners(&view, 60_000));
    assert!(
        chi < 300.0,
        "{chi}: 199 is the mean, with a deviation of 20"
    );
}

#[test]
fn who_comes_second_is_as_random_as_who_comes_first() {
    let view = cluster(20, |_, node| node);
    let index = index(&view);
    let mut pairs: BTreeMap<(NodeId, NodeId), f64> = BTreeMap::new();
    for number in 0..60_000 {
        let path = path(number);
        let ranked = index.ranked(&path, 2);
        *pairs
            .entry((ranked[0].clone(), ranked[1].clone()))
            .or_default() += 1.0;
    }
    let expected = 60_000.0 / 380.0;
    let chi: f64 = pairs
        .values()
        .map(|n| (n - expected).powi(2) / expected)
        .sum();
    assert_eq!(pairs.len(), 380);
    assert!(
        (chi - 379.0).abs() < 150.0,
        "{chi}: 379 is the mean, with a deviation of 28"
    );
}

#[test]
fn a_node_that_goes_moves_only_its_own_actors_and_one_that_comes_takes_only_its_share() {
    let weights = vec(prop_oneof![3 => Just(1u16), 2 => 1..9u16], 2..40);
    let number = u32::try_from(cases(100)).expect("a number of cases");
    check(
        number,
        (weights, any::<prop::sample::Index>()),
        |(weights, gone)| {
            let all = cluster(weights.len(), |at, node| {
                node.with_weight(weight(weights[at]))
            });
            let gone = node(gone.index(weights.len()));
            let mut less = all.clone();
            less.nodes.remove(&gone);
            let (before, after) = (owners(&all, 2_000), owners(&less, 2_000));
            let mut moved = 0;
            for (with, without) in before.iter().zip(&after) {
                prop_assert_ne!(without, &gone);
                // Seen as a loss, only what it owned moves; seen as a join, everything moves to it.
                prop_assert!(with == without || *with == gone);
                moved += u64::from(with != without);
            }
            let total: f64 = weights.iter().map(|of| f64::from(*of)).sum();
            let share = 2_000.0 * f64::from(all.nodes[&gone].weight.get()) / total;
            let near = 6.0 * share.sqrt() + 6.0;
            prop_assert!(
                (moved as f64 - share).abs() < near,
                "{moved} moved, its share is {share}"
            );
            Ok(())
        },
    );
}

#[test]
fn a_heavier_weight_only_draws_actors_to_its_node() {
    let light = cluster(10, |at, node| node.with_weight(weight(1 + at as u16 % 3)));
    let mut heavy = light.clone();
    let grown = node(4);
    heavy.nodes.get_mut(&grown).expect("a node").weight = weight(7);
    let moved = owners(&light, 20_000)
        .into_iter()
        .zip(owners(&heavy, 20_000));
    let moved: Vec<_> = moved.filter(|(before, after)| before != after).collect();
    assert!(moved.len() > 1_000, "{}", moved.len());
    assert!(moved.iter().all(|(_, after)| *after == grown));
}
