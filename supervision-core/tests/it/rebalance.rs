//! The rebalancer, by example.

use std::{collections::BTreeMap, time::Duration};

use supervision_core::{
    LabelRule, NodeId, PlacementStrategy, Timestamp,
    placement::{
        ClusterView, Move, MoveReason, NodeState, NodeView, OwnedActor, RebalancePolicy,
        RendezvousIndex, rebalance,
    },
};

use crate::{
    placement_world::{KIND, cluster, weight},
    strategies::node,
};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_000);

/// Actors of a test, and where they are.
pub(crate) struct Cast {
    placement: PlacementStrategy,
    pub(crate) actors: BTreeMap<String, Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) node: NodeId,
    pub(crate) cost: u32,
    pub(crate) pinned: bool,
    pub(crate) last_move: Option<Timestamp>,
}

impl Cast {
    /// `counts[i]` actors of cost 1 on the node `i`.
    fn on(placement: PlacementStrategy, counts: &[usize]) -> Self {
        let nodes = counts.iter().enumerate();
        let each = nodes.flat_map(|(at, count)| std::iter::repeat_n(node(at), *count));
        let part = |(number, node)| {
            let part = Part {
                node,
                cost: 1,
                pinned: false,
                last_move: None,
            };
            (format!("/user/{number:04}"), part)
        };
        Self {
            placement,
            actors: each.enumerate().map(part).collect(),
        }
    }

    fn proposed(&self, view: &ClusterView, policy: &RebalancePolicy) -> Vec<Move> {
        let owned = |part: &'_ Part| (part.cost, part.pinned, part.last_move);
        let owned: BTreeMap<&str, OwnedActor<'_>> = self
            .actors
            .iter()
            .map(|(path, part)| {
                let (cost, pinned, last_move) = owned(part);
                let actor = OwnedActor {
                    node: &part.node,
                    kind: KIND,
                    placement: &self.placement,
                    group: None,
                    cost,
                    pinned,
                    last_move,
                };
                (path.as_str(), actor)
            })
            .collect();
        rebalance(view, &owned, policy, NOW)
    }

    /// Carries the moves out, and checks that a second call has nothing to add.
    fn settle(&mut self, view: &ClusterView, policy: &RebalancePolicy) -> Vec<Move> {
        let moves = self.proposed(view, policy);
        for Move { path, from, to, .. } in &moves {
            let part = self.actors.get_mut(path).expect("a known path");
            assert_eq!(part.node, *from);
            part.node = to.clone();
        }
        assert_eq!(
            self.proposed(view, policy),
            [],
            "a second call adds nothing"
        );
        moves
    }

    fn counts(&self, nodes: usize) -> Vec<usize> {
        let count = |at| {
            self.actors
                .values()
                .filter(|part| part.node == node(at))
                .count()
        };
        (0..nodes).map(count).collect()
    }
}

fn policy() -> RebalancePolicy {
    RebalancePolicy::default()
}

fn reasons(moves: &[Move]) -> BTreeMap<MoveReason, usize> {
    let mut reasons = BTreeMap::new();
    moves
        .iter()
        .for_each(|one| *reasons.entry(one.reason).or_default() += 1);
    reasons
}

#[test]
fn loads_within_the_tolerance_move_nothing() {
    let view = cluster(3, |_, node| node);
    let cast = Cast::on(PlacementStrategy::LeastLoaded, &[110, 100, 90]);
    assert_eq!(cast.proposed(&view, &policy()), []);
}

#[test]
fn an_overloaded_node_gives_no_more_than_it_has_too_much() {
    let view = cluster(4, |_, node| node);
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[100, 40, 40, 40]);
    let moves = cast.settle(&view, &policy());
    assert!(
        moves
            .iter()
            .all(|one| one.from == node(0) && one.reason == MoveReason::Load)
    );
    assert!((40..=45).contains(&moves.len()), "{}", moves.len());
}

#[test]
fn an_empty_node_is_filled_though_no_other_one_is_overloaded() {
    let view = cluster(10, |_, node| node);
    let mut counts = [50; 10];
    counts[9] = 0;
    let mut cast = Cast::on(PlacementStrategy::RoundRobin, &counts);
    let moves = cast.settle(&view, &policy());
    assert!(moves.iter().all(|one| one.to == node(9)));
    let counts = cast.counts(10);
    assert!(counts[9] >= 40 && moves.len() == counts[9], "{counts:?}");
}

#[test]
fn a_node_of_twice_the_weight_carries_twice_the_load() {
    let view = cluster(2, |at, node| node.with_weight(weight([1, 2][at])));
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[90, 0]);
    cast.settle(&view, &policy());
    let counts = cast.counts(2);
    assert!((30..=34).contains(&counts[0]), "{counts:?}");
}

#[test]
fn what_cannot_be_divided_is_not_sent_to_and_fro() {
    let view = cluster(3, |_, node| node);
    for counts in [[2, 1, 1], [1, 0, 0], [1, 1, 0], [2, 2, 1]] {
        let cast = Cast::on(PlacementStrategy::LeastLoaded, &counts);
        assert_eq!(cast.proposed(&view, &policy()), [], "{counts:?}");
    }
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[3, 0, 0]);
    assert_eq!(cast.settle(&view, &policy()).len(), 2);
    assert_eq!(cast.counts(3), [1, 1, 1]);
}

#[test]
fn a_costly_actor_moves_when_that_leaves_both_nodes_better_off() {
    let view = cluster(2, |_, node| node);
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[2, 0]);
    cast.actors.values_mut().for_each(|part| part.cost = 1_000);
    assert_eq!(cast.settle(&view, &policy()).len(), 1);
    // 100 against 79, and the only one to move costs 20: that would only swap them.
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[2, 1]);
    for (part, cost) in cast.actors.values_mut().zip([80, 20, 79]) {
        part.cost = cost;
        part.pinned = cost != 20;
    }
    assert_eq!(cast.proposed(&view, &policy()), []);
}

#[test]
fn a_draining_node_is_left_at_once_and_by_all_but_the_pinned() {
    let view = cluster(3, |at, node| match at {
        0 => node.with_state(NodeState::Draining),
        _ => node,
    });
    for placement in [PlacementStrategy::Rendezvous, PlacementStrategy::Random] {
        let mut cast = Cast::on(placement, &[30, 0, 0]);
        for (at, part) in cast.actors.values_mut().enumerate() {
            part.pinned = at < 5;
            part.last_move = Some(NOW);
        }
        let moves = cast.settle(&view, &policy());
        assert_eq!(reasons(&moves), [(MoveReason::Evacuation, 25)].into());
        assert_eq!(cast.counts(3)[0], 5);
    }
}

#[test]
fn what_no_longer_fits_its_labels_or_kind_goes_where_it_does() {
    let view = cluster(4, |at, node| match at {
        0 => node,
        1 => NodeView::new(["printer"]).with_label("disk", "ssd"),
        _ => node.with_label("disk", "ssd"),
    });
    let rule: LabelRule = "disk=ssd".parse().expect("valid");
    let mut cast = Cast::on(
        PlacementStrategy::LeastLoaded.on_nodes_with([rule]),
        &[4, 4, 0, 0],
    );
    let moves = cast.settle(&view, &policy());
    assert_eq!(reasons(&moves), [(MoveReason::Constraint, 8)].into());
    assert_eq!(cast.counts(4), [0, 0, 4, 4]);
}

#[test]
fn what_has_a_named_node_goes_there_when_it_is_back_and_stays_while_it_is_not() {
    let mut view = cluster(3, |_, node| node);
    let mut cast = Cast::on(PlacementStrategy::Node(node(2)), &[3, 0, 1]);
    view.nodes.get_mut(&node(2)).expect("it is there").state = NodeState::Joining;
    assert_eq!(cast.proposed(&view, &policy()), []);
    view.nodes.get_mut(&node(2)).expect("it is there").state = NodeState::Alive;
    assert_eq!(cast.settle(&view, &policy()).len(), 3);
    assert_eq!(cast.counts(3), [0, 0, 4]);
}

#[test]
fn only_actors_whose_owner_has_changed_move_and_only_to_the_node_that_came() {
    let old = cluster(9, |_, node| node);
    let new = cluster(10, |_, node| node);
    let mut cast = Cast::on(PlacementStrategy::Rendezvous, &[400]);
    let before = RendezvousIndex::new(&old, KIND, &PlacementStrategy::Rendezvous);
    for (path, part) in &mut cast.actors {
        part.node = before.owner(path).expect("there are nodes").clone();
    }
    assert_eq!(
        cast.proposed(&old, &policy()),
        [],
        "as uneven as chance has made it"
    );
    let moves = cast.settle(&new, &policy());
    assert_eq!(reasons(&moves), [(MoveReason::Owner, moves.len())].into());
    assert!(moves.iter().all(|one| one.to == node(9)));
    assert!((20..=60).contains(&moves.len()), "{}", moves.len());
}

#[test]
fn an_uneven_spread_is_levelled_from_the_fullest_zone_to_the_emptiest() {
    let zones = ["a", "a", "b", "c"];
    let view = cluster(4, |at, node| node.with_label("zone", zones[at]));
    for within in [
        PlacementStrategy::LeastLoaded,
        PlacementStrategy::Rendezvous,
    ] {
        let mut cast = Cast::on(within.spread_over("zone"), &[5, 5, 5, 0]);
        let moves = cast.settle(&view, &policy());
        let counts = cast.counts(4);
        assert_eq!([counts[0] + counts[1], counts[2], counts[3]], [5, 5, 5]);
        let changed = moves.iter().filter(|one| one.reason == MoveReason::Spread);
        assert_eq!(changed.count(), 5);
    }
}

#[test]
fn nodes_of_one_zone_share_its_load_without_touching_the_spread() {
    let zones = ["a", "a", "b"];
    let view = cluster(3, |at, node| node.with_label("zone", zones[at]));
    let mut cast = Cast::on(
        PlacementStrategy::LeastLoaded.spread_over("zone"),
        &[20, 0, 20],
    );
    let moves = cast.settle(&view, &policy());
    assert_eq!(reasons(&moves), [(MoveReason::Load, 10)].into());
    assert_eq!(cast.counts(3), [10, 10, 20]);
}

#[test]
fn an_actor_that_has_moved_rests_for_the_cooldown() {
    let view = cluster(2, |_, node| node);
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[20, 0]);
    let ago = |secs| Some(NOW.saturating_sub(Duration::from_secs(secs)));
    cast.actors
        .values_mut()
        .for_each(|part| part.last_move = ago(59));
    assert_eq!(cast.proposed(&view, &policy()), []);
    cast.actors
        .values_mut()
        .for_each(|part| part.last_move = ago(60));
    assert_eq!(cast.settle(&view, &policy()).len(), 10);
}

#[test]
fn what_one_call_may_not_do_the_next_one_goes_on_with() {
    let view = cluster(2, |_, node| node);
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[40, 0]);
    let few = policy().with_max_moves(6).expect("valid");
    let mut calls = 0;
    loop {
        let moves = cast.proposed(&view, &few);
        if moves.is_empty() {
            break;
        }
        calls += 1;
        assert!(moves.len() <= 6 && calls < 10);
        for one in moves {
            cast.actors.get_mut(&one.path).expect("known").node = one.to;
        }
    }
    let counts = cast.counts(2);
    assert!(counts[0] - counts[1] <= 4, "{counts:?}");
    assert!(calls >= 3);
    let none = policy().with_max_moves(0).expect("valid");
    let cast = Cast::on(PlacementStrategy::LeastLoaded, &[40, 0]);
    assert_eq!(cast.proposed(&view, &none), []);
}

#[test]
fn actors_of_dead_and_unknown_nodes_are_left_to_those_who_claim_them() {
    let view = cluster(3, |at, node| match at {
        0 => node.with_state(NodeState::Dead),
        1 => node.with_state(NodeState::Joining),
        _ => node,
    });
    let mut cast = Cast::on(PlacementStrategy::LeastLoaded, &[5, 5, 1]);
    cast.actors.get_mut("/user/0003").expect("known").node = node(77);
    assert_eq!(cast.proposed(&view, &policy()), []);
}

#[test]
fn an_invalid_placement_is_left_alone() {
    let view = cluster(2, |at, node| match at {
        0 => node.with_state(NodeState::Draining),
        _ => node,
    });
    let cast = Cast::on(PlacementStrategy::Redundant { replicas: 0 }, &[5, 0]);
    assert_eq!(cast.proposed(&view, &policy()), []);
}
