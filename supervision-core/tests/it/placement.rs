//! What each placement does, by example.

use supervision_core::{
    LabelRule, NodeId, PlacementStrategy,
    placement::{
        ClusterView, Cursor, NodeState, NodeView, Placement, PlacementError, PlacementRequest,
        claim_rank, place,
    },
};

use crate::{
    placement_world::{KIND, PATH, cluster, weight},
    strategies::node,
};

fn placed(strategy: &PlacementStrategy, view: &ClusterView) -> Result<Placement, PlacementError> {
    let request = PlacementRequest::start(PATH, KIND);
    place(strategy, view, &request, &mut Cursor::default(), 0)
}

fn chosen(strategy: &PlacementStrategy, view: &ClusterView) -> NodeId {
    placed(strategy, view).expect("a node is eligible").node
}

fn rule(text: &str) -> LabelRule {
    text.parse().expect("valid")
}

fn zoned(zones: &[&str]) -> ClusterView {
    cluster(zones.len(), |at, node| node.with_label("zone", zones[at]))
}

#[test]
fn round_robin_goes_round_and_nodes_that_come_and_go_do_not_disturb_it() {
    let mut view = cluster(3, |_, node| node);
    let mut cursor = Cursor::default();
    let mut next = |view: &ClusterView| {
        let request = PlacementRequest::start(PATH, KIND);
        place(
            &PlacementStrategy::RoundRobin,
            view,
            &request,
            &mut cursor,
            0,
        )
        .expect("eligible")
        .node
    };
    let round: Vec<_> = (0..4).map(|_| next(&view)).collect();
    assert_eq!(round, [node(0), node(1), node(2), node(0)]);
    view.nodes.remove(&node(0));
    assert_eq!(next(&view), node(1));
    view.nodes.insert(node(0), NodeView::new([KIND]));
    view.nodes.remove(&node(1));
    assert_eq!(next(&view), node(2));
    assert_eq!(next(&view), node(0));
}

#[test]
fn random_takes_each_node_equally_often_for_even_entropy() {
    let view = cluster(4, |_, node| node);
    let request = PlacementRequest::start(PATH, KIND);
    let chosen = |entropy| {
        let placed = place(
            &PlacementStrategy::Random,
            &view,
            &request,
            &mut Cursor::default(),
            entropy,
        );
        placed.expect("eligible").node
    };
    for at in 0..4 {
        let quarter = (u64::MAX / 4 + 1) * at;
        assert_eq!(chosen(quarter), node(at as usize));
        assert_eq!(chosen(quarter + (u64::MAX / 4)), node(at as usize));
    }
}

#[test]
fn the_least_loaded_is_the_one_that_carries_least_for_its_weight() {
    let loads = [(10, 1), (18, 2), (28, 3)];
    let view = cluster(3, |at, node| {
        node.with_load(loads[at].0).with_weight(weight(loads[at].1))
    });
    assert_eq!(chosen(&PlacementStrategy::LeastLoaded, &view), node(1));
}

#[test]
fn between_equal_loads_the_number_of_actors_decides() {
    let view = cluster(3, |at, mut node| {
        node.owned.insert("other".to_owned(), [5, 3, 4][at]);
        node
    });
    assert_eq!(chosen(&PlacementStrategy::LeastLoaded, &view), node(1));
}

#[test]
fn many_who_find_all_nodes_idle_do_not_all_choose_one() {
    let view = cluster(10, |_, node| node);
    let mut met = std::collections::BTreeSet::new();
    for number in 0..200 {
        let path = format!("/user/{number}");
        let request = PlacementRequest::start(&path, KIND);
        let placed = place(
            &PlacementStrategy::LeastLoaded,
            &view,
            &request,
            &mut Cursor::default(),
            0,
        );
        met.insert(placed.expect("eligible").node);
    }
    assert_eq!(met.len(), 10);
}

#[test]
fn redundant_is_a_rendezvous_with_stand_bys_that_take_over_in_order() {
    let mut view = cluster(6, |_, node| node);
    let strategy = PlacementStrategy::Redundant { replicas: 3 };
    let placement = placed(&strategy, &view).expect("eligible");
    assert_eq!(
        placement.node,
        chosen(&PlacementStrategy::Rendezvous, &view)
    );
    assert_eq!(placement.standbys.len(), 2);
    view.nodes
        .get_mut(&placement.node)
        .expect("it is there")
        .state = NodeState::Dead;
    let request = PlacementRequest::relocation(PATH, KIND, &placement.node);
    for (rank, standby) in placement.standbys.iter().enumerate() {
        assert_eq!(claim_rank(&strategy, &view, &request, standby), Some(rank));
    }
    let next = placed(&strategy, &view).expect("eligible");
    assert_eq!(next.node, placement.standbys[0]);
    assert_eq!(next.standbys[0], placement.standbys[1]);
}

#[test]
fn redundant_with_fewer_nodes_than_replicas_has_fewer_stand_bys() {
    let strategy = PlacementStrategy::Redundant { replicas: 3 };
    let standbys = |count| {
        let placed = placed(&strategy, &cluster(count, |_, node| node));
        placed.map(|placement| placement.standbys.len())
    };
    assert_eq!((standbys(2), standbys(1)), (Ok(1), Ok(0)));
    assert!(standbys(0).is_err());
}

#[test]
fn redundant_spread_over_zones_stands_by_in_other_zones_first() {
    let view = zoned(&["a", "a", "a", "b", "c"]);
    let strategy = PlacementStrategy::Redundant { replicas: 5 }.spread_over("zone");
    let placement = placed(&strategy, &view).expect("eligible");
    let zone = |id: &NodeId| view.nodes[id].labels["zone"].clone();
    let mut first = vec![zone(&placement.node)];
    first.extend(placement.standbys[..2].iter().map(zone));
    first.sort();
    assert_eq!(first, ["a", "b", "c"]);
    assert_eq!(placement.standbys.len(), 4);
}

#[test]
fn the_first_of_a_group_goes_by_the_fallback_and_the_others_follow_it() {
    let mut view = cluster(4, |_, node| node);
    let strategy = PlacementStrategy::LocalAffinity {
        group: "session-7".to_owned(),
        fallback: Box::new(PlacementStrategy::Node(node(2))),
    };
    assert!(strategy.groups().into_iter().eq(["session-7"]));
    assert_eq!(chosen(&strategy, &view), node(2));
    let groups = |view: &mut ClusterView, at, count| {
        let node = view.nodes.get_mut(&node(at)).expect("it is there");
        node.groups.insert("session-7".to_owned(), count);
    };
    groups(&mut view, 1, 2);
    groups(&mut view, 3, 5);
    assert_eq!(chosen(&strategy, &view), node(3));
    view.nodes.get_mut(&node(3)).expect("it is there").state = NodeState::Draining;
    assert_eq!(chosen(&strategy, &view), node(1));
}

#[test]
fn an_actor_counts_in_every_group_its_placement_names_but_not_in_those_of_a_fallback() {
    let spread = |group: &str, among| PlacementStrategy::Spread {
        label: "zone".to_owned(),
        group: Some(group.to_owned()),
        max_skew: 1,
        among: Box::new(among),
    };
    let near = PlacementStrategy::LocalAffinity {
        group: "near".to_owned(),
        fallback: Box::new(spread("not-this", PlacementStrategy::Random)),
    };
    let strategy = spread("outer", spread("inner", near));
    assert!(strategy.groups().into_iter().eq(["inner", "near", "outer"]));
    assert!(
        PlacementStrategy::Random
            .spread_over("zone")
            .groups()
            .is_empty()
    );
}

#[test]
fn a_lost_group_gathers_on_one_node_again() {
    let mut view = cluster(8, |_, node| node);
    let strategy = PlacementStrategy::LocalAffinity {
        group: "g".to_owned(),
        fallback: Box::new(PlacementStrategy::Random),
    };
    let source = node(0);
    view.nodes
        .get_mut(&source)
        .expect("it is there")
        .groups
        .insert("g".to_owned(), 9);
    let first = |view: &ClusterView, path: &str| {
        let request = PlacementRequest::relocation(path, KIND, &source);
        let is_first = |id: &&NodeId| claim_rank(&strategy, view, &request, id) == Some(0);
        view.nodes
            .keys()
            .find(is_first)
            .cloned()
            .expect("somebody is first")
    };
    let gathers = first(&view, "/a");
    assert!((0..50).all(|number| first(&view, &format!("/{number}")) == gathers));
    // Members that survived elsewhere draw the others to them.
    let there = (1..8)
        .map(node)
        .find(|id| *id != gathers)
        .expect("another one");
    view.nodes
        .get_mut(&there)
        .expect("it is there")
        .groups
        .insert("g".to_owned(), 1);
    assert_eq!(first(&view, "/a"), there);
}

#[test]
fn labels_are_asked_for_by_value_or_by_being_there() {
    let view = cluster(4, |at, node| match at {
        0 => node.with_label("disk", "hdd"),
        1 => node.with_label("disk", "ssd"),
        2 => node.with_label("disk", "ssd").with_label("gpu", ""),
        _ => node,
    });
    let wants = |rules: &[&str]| {
        let rules = rules.iter().map(|text| rule(text));
        placed(&PlacementStrategy::RoundRobin.on_nodes_with(rules), &view)
    };
    assert_eq!(wants(&["disk"]).expect("eligible").node, node(0));
    assert_eq!(wants(&["disk=ssd"]).expect("eligible").node, node(1));
    assert_eq!(wants(&["disk=ssd", "gpu"]).expect("eligible").node, node(2));
    let error = wants(&["gpu=a100"]).expect_err("none has it");
    assert_eq!(error.to_string(), "no eligible node: 4 without the labels");
}

#[test]
fn a_spread_fills_the_emptiest_zone_until_the_skew_is_kept() {
    let mut view = zoned(&["a", "a", "b", "b", "c"]);
    let spread = |max_skew| PlacementStrategy::Spread {
        label: "zone".to_owned(),
        group: None,
        max_skew,
        among: Box::new(PlacementStrategy::Node(node(0))),
    };
    let own = |view: &mut ClusterView, counts: [u64; 5]| {
        for (node, count) in view.nodes.values_mut().zip(counts) {
            node.owned.insert(KIND.to_owned(), count);
        }
    };
    own(&mut view, [1, 1, 1, 0, 1]);
    let error = placed(&spread(1), &view).expect_err("zone a has two and would have three");
    assert_eq!(
        error.to_string(),
        "no eligible node: 2 where there are enough already, 3 not the named one"
    );
    assert_eq!(chosen(&spread(2), &view), node(0));
    own(&mut view, [1, 0, 1, 0, 1]);
    assert_eq!(chosen(&spread(1), &view), node(0));
}

#[test]
fn placing_one_after_the_other_keeps_the_skew_whatever_chooses_within() {
    for within in [
        PlacementStrategy::RoundRobin,
        PlacementStrategy::Random,
        PlacementStrategy::LeastLoaded,
        PlacementStrategy::Rendezvous,
    ] {
        let mut view = zoned(&["a", "a", "a", "a", "b", "c", "c"]);
        let strategy = within.clone().spread_over("zone");
        let mut cursor = Cursor::default();
        for number in 0..200u64 {
            let path = format!("/user/{number}");
            let request = PlacementRequest::start(&path, KIND);
            let entropy = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let placed = place(&strategy, &view, &request, &mut cursor, entropy).expect("eligible");
            let node = view.nodes.get_mut(&placed.node).expect("it is there");
            *node.owned.entry(KIND.to_owned()).or_default() += 1;
            let zone = |zone: &str| -> u64 {
                let nodes = view.nodes.values();
                nodes
                    .filter(|node| node.labels["zone"] == zone)
                    .map(NodeView::actors)
                    .sum()
            };
            let counts = ["a", "b", "c"].map(zone);
            let (most, fewest) = (counts.iter().max(), counts.iter().min());
            assert!(
                most.unwrap() - fewest.unwrap() <= 1,
                "{within:?}: {counts:?}"
            );
        }
    }
}

#[test]
fn a_zone_without_an_eligible_node_holds_nobody_back() {
    let mut view = zoned(&["a", "b"]);
    view.nodes
        .get_mut(&node(1))
        .expect("it is there")
        .owned
        .insert(KIND.to_owned(), 9);
    let strategy = PlacementStrategy::RoundRobin.spread_over("zone");
    let source = node(0);
    let request = PlacementRequest::relocation(PATH, KIND, &source);
    let placed = place(&strategy, &view, &request, &mut Cursor::default(), 0);
    assert_eq!(placed.expect("b is all there is").node, node(1));
}

#[test]
fn the_error_counts_each_node_by_its_first_reason() {
    let mut view = cluster(9, |at, node| match at {
        0 | 1 => node.with_state(NodeState::Dead),
        2 => node.with_state(NodeState::Joining),
        3 => node.with_state(NodeState::Draining),
        4 => NodeView::new(["printer"]),
        5 => node,
        _ => node.with_label("disk", "ssd"),
    });
    view.nodes
        .get_mut(&node(0))
        .expect("it is there")
        .kinds
        .clear();
    let (source, refused) = (node(6), [node(7), node(8), node(6)]);
    let request = PlacementRequest::relocation(PATH, KIND, &source).avoiding(&refused);
    let strategy = PlacementStrategy::Rendezvous.on_nodes_with([rule("disk")]);
    let error = place(&strategy, &view, &request, &mut Cursor::default(), 0);
    let error = error.expect_err("nobody is left");
    assert_eq!(
        error.to_string(),
        "no eligible node: 2 dead, 1 joining, 1 draining, 1 without the kind, \
         1 without the labels, 1 the source, 2 to be avoided"
    );
    let PlacementError::NoEligibleNode(excluded) = error else {
        panic!("{error}");
    };
    assert_eq!((excluded.total(), excluded.avoided), (9, 2));
    let empty = placed(&strategy, &ClusterView::default()).expect_err("no nodes");
    assert_eq!(empty.to_string(), "no eligible node: there are no nodes");
}

#[test]
fn a_literal_that_makes_no_sense_is_refused_and_claims_nothing() {
    let view = cluster(3, |_, node| node);
    let strategy = PlacementStrategy::Redundant { replicas: 0 };
    let error = placed(&strategy, &view).expect_err("no replicas");
    assert_eq!(
        error.to_string(),
        "invalid placement: replicas must be 1 to 64"
    );
    let request = PlacementRequest::start(PATH, KIND);
    assert_eq!(claim_rank(&strategy, &view, &request, &node(0)), None);
}
