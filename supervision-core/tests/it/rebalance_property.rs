//! The rebalancer on random clusters: it ends, keeps its bounds, and never takes a step back.

use std::{cell::Cell, collections::BTreeMap};

use proptest::{collection::vec, prelude::*, sample::Index};
use supervision_core::{
    NodeId, PlacementStrategy, Timestamp,
    placement::{
        ClusterView, Move, NodeState, OwnedActor, PlacementRequest, RebalancePolicy,
        RendezvousIndex, rebalance,
    },
};

use crate::{
    placement_world::{KIND, allowed, any_view, cluster, demands, weight},
    property::{cases, check},
    rebalance::NOW,
    strategies::{node, placements},
};

#[derive(Clone, Debug)]
struct Actor {
    node: NodeId,
    kind: &'static str,
    placement: PlacementStrategy,
    group: Option<&'static str>,
    cost: u32,
    pinned: bool,
    last_move: Option<Timestamp>,
}

type World = (ClusterView, BTreeMap<String, Actor>);

fn proposed(view: &ClusterView, actors: &BTreeMap<String, Actor>, max: usize) -> Vec<Move> {
    let owned = actors.iter().map(|(path, actor)| {
        let owned = OwnedActor {
            node: &actor.node,
            kind: actor.kind,
            placement: &actor.placement,
            group: actor.group,
            cost: actor.cost,
            pinned: actor.pinned,
            last_move: actor.last_move,
        };
        (path.as_str(), owned)
    });
    let policy = RebalancePolicy::default()
        .with_max_moves(max)
        .expect("valid");
    rebalance(view, &owned.collect(), &policy, NOW)
}

const ALL: usize = 1_000_000;

/// Carries out the moves; tells whether they were what a cluster could carry out.
fn carry_out(actors: &mut BTreeMap<String, Actor>, moves: &[Move]) -> Result<(), TestCaseError> {
    prop_assert!(
        moves.is_sorted_by(|a, b| a.path < b.path),
        "by path, none twice"
    );
    for Move { path, from, to, .. } in moves {
        let actor = actors.get_mut(path).expect("a known path");
        prop_assert_eq!(&actor.node, from);
        prop_assert!(from != to && !actor.pinned, "{path} from {from} to {to}");
        actor.node = to.clone();
    }
    Ok(())
}

/// Actors with any of up to four placements, on any node.
fn any_world(placements: BoxedStrategy<PlacementStrategy>) -> impl Strategy<Value = World> {
    let costs = prop_oneof![4 => Just(1u32), 3 => 0..20u32, 1 => Just(u32::MAX)];
    let group = prop_oneof![3 => Just(None), 1 => Just(Some("g")), 1 => Just(Some("h"))];
    let kind = prop_oneof![4 => Just(KIND), 1 => Just("other")];
    let last_move = proptest::option::weighted(0.1, Just(NOW));
    let actor = (
        0..9usize,
        kind,
        any::<Index>(),
        group,
        costs,
        prop::bool::weighted(0.1),
        last_move,
    );
    (any_view(), vec(placements, 1..4), vec(actor, 0..60)).prop_map(|(view, placements, actors)| {
        let actor = |(number, it): (usize, (usize, _, Index, _, u32, bool, _))| {
            let (at, kind, placement, group, cost, pinned, last_move) = it;
            let actor = Actor {
                node: node(at),
                kind,
                placement: placement.get(&placements).clone(),
                group,
                cost,
                pinned,
                last_move,
            };
            (format!("/user/{number:03}"), actor)
        };
        (view, actors.into_iter().enumerate().map(actor).collect())
    })
}

fn number() -> u32 {
    u32::try_from(cases(600)).expect("a number of cases")
}

#[test]
fn a_second_call_on_the_result_has_nothing_to_add() {
    let moved = Cell::new(0);
    check(number(), any_world(placements()), |(view, mut actors)| {
        let moves = proposed(&view, &actors, ALL);
        moved.set(moved.get() + moves.len());
        carry_out(&mut actors, &moves)?;
        prop_assert_eq!(proposed(&view, &actors, ALL), []);
        // Nor has it when those that have moved rest.
        for one in &moves {
            actors.get_mut(&one.path).expect("known").last_move = Some(NOW);
        }
        prop_assert_eq!(proposed(&view, &actors, ALL), []);
        Ok(())
    });
    assert!(moved.get() > 2 * number() as usize, "{}", moved.get());
}

#[test]
fn bounded_calls_end_too_and_each_keeps_its_bound() {
    check(
        number() / 2,
        any_world(placements()),
        |(view, mut actors)| {
            for call in 0.. {
                let moves = proposed(&view, &actors, 3);
                prop_assert!(moves.len() <= 3);
                if moves.is_empty() {
                    break;
                }
                prop_assert!(call < 200, "it goes on and on");
                carry_out(&mut actors, &moves)?;
            }
            prop_assert_eq!(proposed(&view, &actors, ALL), []);
            Ok(())
        },
    );
}

#[test]
fn nobody_moves_to_a_node_that_may_not_have_it_or_stays_where_it_must_leave() {
    let left = Cell::new(0);
    check(number(), any_world(placements()), |(view, mut actors)| {
        let moves = proposed(&view, &actors, ALL);
        let home = |node: &NodeId| view.nodes.get(node).map(|node| node.state);
        let may_have = |path: &str, actor: &Actor| {
            let request = PlacementRequest::start(path, actor.kind);
            // An affinity is looked into only where nobody of its group is eligible.
            let mut demands = demands(&actor.placement, &view, &request);
            if let PlacementStrategy::LocalAffinity { .. } = actor.placement {
                demands.rules.clear();
                demands.spreads.clear();
            }
            allowed(&demands, &view, &request)
        };
        for one in &moves {
            let actor = &actors[&one.path];
            prop_assert!(may_have(&one.path, actor).contains(&one.to), "{one:?}");
            let rests = actor.last_move.is_some();
            let must = !may_have(&one.path, actor).contains(&one.from)
                || matches!(
                    one.reason,
                    supervision_core::placement::MoveReason::Constraint
                );
            prop_assert!(must || !rests, "{one:?} though it rests");
        }
        carry_out(&mut actors, &moves)?;
        for (path, actor) in &actors {
            if home(&actor.node) == Some(NodeState::Draining) && !actor.pinned {
                left.set(left.get() + 1);
                let request = PlacementRequest::relocation(path, actor.kind, &actor.node);
                let demands = demands(&actor.placement, &view, &request);
                let open = allowed(&demands, &view, &request);
                let named = match &demands.within {
                    // A spread may have no room where the named node is.
                    PlacementStrategy::Node(id) => open.contains(id) && demands.spreads.is_empty(),
                    PlacementStrategy::LocalAffinity { .. } => false,
                    _ => !open.is_empty(),
                };
                prop_assert!(!named, "{path} could leave for {open:?}");
            }
        }
        Ok(())
    });
    assert!(left.get() > 0, "some had nowhere to go");
}

#[test]
fn actors_placed_by_rendezvous_end_on_their_owners_and_no_other_moves() {
    let placement = Just(PlacementStrategy::Rendezvous).boxed();
    check(number(), any_world(placement), |(view, mut actors)| {
        let owner = |path: &str, actor: &Actor| {
            let index = RendezvousIndex::new(&view, actor.kind, &PlacementStrategy::Rendezvous);
            index.owner(path).cloned()
        };
        let moves = proposed(&view, &actors, ALL);
        for one in &moves {
            prop_assert_eq!(Some(one.to.clone()), owner(&one.path, &actors[&one.path]));
        }
        carry_out(&mut actors, &moves)?;
        for (path, actor) in &actors {
            let state = view.nodes.get(&actor.node).map(|node| node.state);
            let claimed = !matches!(state, Some(NodeState::Alive | NodeState::Draining));
            if let Some(owner) = owner(path, actor) {
                let stays = claimed || actor.pinned || actor.last_move.is_some();
                prop_assert!(stays || actor.node == owner, "{path}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_spread_ends_within_its_skew() {
    let zones = vec(0..4usize, 1..8);
    let actors = vec(any::<Index>(), 0..60);
    let within = prop_oneof![
        Just(PlacementStrategy::LeastLoaded),
        Just(PlacementStrategy::Rendezvous)
    ];
    check(
        number(),
        (zones, actors, within, 1..4u64),
        |(zones, actors, within, max_skew)| {
            let zone = |at: usize| format!("z{}", zones[at]);
            let view = cluster(zones.len(), |at, node| node.with_label("zone", zone(at)));
            let mut strategy = within.spread_over("zone");
            if let PlacementStrategy::Spread { max_skew: skew, .. } = &mut strategy {
                *skew = max_skew;
            }
            let mut actors = alike(&strategy, actors.iter().map(|at| at.index(zones.len())));
            let counts = |actors: &BTreeMap<String, Actor>| {
                let mut counts: BTreeMap<_, u64> =
                    (0..zones.len()).map(|at| (zone(at), 0)).collect();
                for actor in actors.values() {
                    *counts
                        .entry(view.nodes[&actor.node].labels["zone"].clone())
                        .or_default() += 1;
                }
                counts
            };
            let before = counts(&actors);
            let moves = proposed(&view, &actors, ALL);
            carry_out(&mut actors, &moves)?;
            let after = counts(&actors);
            let (most, least) = (after.values().max(), after.values().min());
            prop_assert!(most.unwrap() - least.unwrap() <= max_skew, "{after:?}");
            // As few change the zone as can be: those that the full ones have above where they end.
            let changed = moves.iter().filter(|one| {
                view.nodes[&one.from].labels["zone"] != view.nodes[&one.to].labels["zone"]
            });
            let needed: u64 = before
                .iter()
                .map(|(zone, n)| n.saturating_sub(after[zone]))
                .sum();
            prop_assert_eq!(changed.count() as u64, needed);
            Ok(())
        },
    );
}

fn alike(
    placement: &PlacementStrategy,
    nodes: impl Iterator<Item = usize>,
) -> BTreeMap<String, Actor> {
    let actor = |(number, at)| {
        let actor = Actor {
            node: node(at),
            kind: KIND,
            placement: placement.clone(),
            group: None,
            cost: 1,
            pinned: false,
            last_move: None,
        };
        (format!("/user/{number:04}"), actor)
    };
    nodes.enumerate().map(actor).collect()
}

fn loads(view: &ClusterView, actors: &BTreeMap<String, Actor>) -> BTreeMap<NodeId, f64> {
    let mut loads: BTreeMap<_, _> = view.nodes.keys().map(|id| (id.clone(), 0.0)).collect();
    for actor in actors.values() {
        *loads.entry(actor.node.clone()).or_default() += f64::from(actor.cost);
    }
    for (id, load) in &mut loads {
        *load /= f64::from(view.nodes[id].weight.get());
    }
    loads
}

fn mean(view: &ClusterView, actors: &BTreeMap<String, Actor>) -> f64 {
    let weights = view.nodes.values().map(|node| f64::from(node.weight.get()));
    actors
        .values()
        .map(|actor| f64::from(actor.cost))
        .sum::<f64>()
        / weights.sum::<f64>()
}

#[test]
fn loads_end_within_the_tolerance_by_as_few_moves_as_the_excess() {
    let counts = vec(
        (0..40usize, prop_oneof![2 => Just(1u16), 1 => 1..4u16]),
        1..8,
    );
    check(number(), counts, |nodes| {
        let view = cluster(nodes.len(), |at, node| {
            node.with_weight(weight(nodes[at].1))
        });
        let on = nodes
            .iter()
            .enumerate()
            .flat_map(|(at, (count, _))| [at].repeat(*count));
        let mut actors = alike(&PlacementStrategy::LeastLoaded, on);
        let (mean, before) = (mean(&view, &actors), loads(&view, &actors));
        let moves = proposed(&view, &actors, ALL);
        carry_out(&mut actors, &moves)?;
        let after = loads(&view, &actors);
        let (most, least) = (
            after.values().copied().fold(0.0, f64::max),
            after.values().copied().fold(f64::INFINITY, f64::min),
        );
        // One actor is as fine as it gets.
        prop_assert!(
            most - least <= (0.2 * mean).max(1.5),
            "{after:?}, mean {mean}"
        );
        let excess = |(id, load): (&NodeId, &f64)| {
            let above = (load - mean).max(0.0) * f64::from(view.nodes[id].weight.get());
            above.ceil()
        };
        let excess: f64 = before.iter().map(excess).sum();
        prop_assert!(
            moves.len() as f64 <= excess,
            "{} moves for {excess}",
            moves.len()
        );
        Ok(())
    });
}

#[test]
fn noise_within_the_tolerance_moves_nobody_who_has_settled() {
    let counts = vec(0..60usize, 2..6);
    let moved = Cell::new(0);
    check(
        number() / 4,
        (counts, vec(0..60u32, 300)),
        |(counts, noise)| {
            let view = cluster(counts.len(), |_, node| node);
            let on = counts
                .iter()
                .enumerate()
                .flat_map(|(at, count)| [at].repeat(*count));
            let mut actors = alike(&PlacementStrategy::LeastLoaded, on);
            actors.values_mut().for_each(|actor| actor.cost = 1_000);
            let moves = proposed(&view, &actors, ALL);
            carry_out(&mut actors, &moves)?;
            moved.set(moved.get() + moves.len());
            // Costs of 1,000 change by up to 3 % each way; one actor must be small beside the mean.
            for (actor, noise) in actors.values_mut().zip(noise.iter().cycle()) {
                actor.cost = 970 + noise;
            }
            let settled = !moves.is_empty() && mean(&view, &actors) > 15_000.0;
            if settled {
                prop_assert_eq!(proposed(&view, &actors, ALL), []);
            }
            Ok(())
        },
    );
    assert!(moved.get() > number() as usize, "{}", moved.get());
}
