//! Placement on random clusters, held against the naive oracle.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::subsequence};
use supervision_core::{
    NodeId, PlacementStrategy,
    placement::{
        ClusterView, Cursor, Placement, PlacementError, PlacementRequest, RendezvousIndex,
        claim_rank, place,
    },
};

use crate::{
    placement_world::{KIND, allowed, any_view, comes_before, demands, members, open},
    property::{cases, check},
    strategies::{node, placements},
};

#[derive(Clone, Debug)]
struct Asked {
    view: ClusterView,
    strategy: PlacementStrategy,
    path: String,
    source: Option<NodeId>,
    avoid: Vec<NodeId>,
    last: Option<NodeId>,
    entropy: u64,
}

impl Asked {
    fn request(&self) -> PlacementRequest<'_> {
        PlacementRequest {
            source: self.source.as_ref(),
            ..PlacementRequest::start(&self.path, KIND).avoiding(&self.avoid)
        }
    }

    /// A cursor that has chosen `last` before.
    fn cursor(&self) -> Cursor {
        let text = serde_json::json!({ "last": self.last });
        serde_json::from_value(text).expect("a cursor")
    }

    fn answer(&self) -> (Result<Placement, PlacementError>, Cursor) {
        let mut cursor = self.cursor();
        let placed = place(
            &self.strategy,
            &self.view,
            &self.request(),
            &mut cursor,
            self.entropy,
        );
        (placed, cursor)
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let nodes: Vec<NodeId> = (0..8).map(node).collect();
    let maybe = proptest::option::weighted(0.5, (0..8usize).prop_map(node));
    (
        any_view(),
        placements(),
        "/user/[a-z]{1,8}",
        maybe.clone(),
        subsequence(nodes, 0..3),
        maybe,
        any::<u64>(),
    )
        .prop_map(
            |(view, strategy, path, source, avoid, last, entropy)| Asked {
                view,
                strategy,
                path,
                source,
                avoid,
                last,
                entropy,
            },
        )
}

fn number() -> u32 {
    u32::try_from(cases(1_500)).expect("a number of cases")
}

#[test]
fn every_placement_is_what_the_strategy_says() {
    let met = RefCell::new(BTreeMap::new());
    check(number(), asked(), |asked| {
        let (placed, cursor) = asked.answer();
        let demands = demands(&asked.strategy, &asked.view, &asked.request());
        let open = open(&demands, &asked.view, &asked.request());
        let expected = expected(&asked, &demands.within, &open);
        let name = format!("{:?}", demands.within);
        let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
        *met.borrow_mut().entry((name, placed.is_ok())).or_insert(0) += 1;
        match placed {
            Ok(placement) => {
                prop_assert!(open.contains(&placement.node), "{placement:?} of {open:?}");
                prop_assert!(
                    expected.contains(&placement.node),
                    "{placement:?}, not {expected:?}"
                );
                check_standbys(&asked, &placement)?;
                let turned = demands.within == PlacementStrategy::RoundRobin;
                let last = if turned {
                    Some(&placement.node)
                } else {
                    asked.last.as_ref()
                };
                prop_assert_eq!(cursor.last(), last);
            }
            Err(PlacementError::NoEligibleNode(excluded)) => {
                prop_assert!(expected.is_empty(), "{expected:?} were left");
                prop_assert_eq!(excluded.total(), asked.view.nodes.len(), "{}", excluded);
                prop_assert_eq!(cursor, asked.cursor());
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
        Ok(())
    });
    let met = met.into_inner();
    for name in [
        "RoundRobin",
        "Random",
        "LeastLoaded",
        "Node",
        "Rendezvous",
        "Redundant",
    ] {
        for found in [true, false] {
            assert!(
                met.contains_key(&(name.to_owned(), found)),
                "{name} {found}: {met:?}"
            );
        }
    }
    assert!(
        met.contains_key(&("LocalAffinity".to_owned(), true)),
        "{met:?}"
    );
}

/// The nodes that would all be right; one, but for what floating point cannot tell apart.
fn expected(asked: &Asked, within: &PlacementStrategy, open: &[NodeId]) -> Vec<NodeId> {
    let view = &asked.view;
    let first_of = |key: &str, among: &[NodeId]| -> Vec<NodeId> {
        let lot = |id: &NodeId| view.nodes[id].weight;
        let is_first = |id: &&NodeId| {
            let others = among.iter().filter(|other| other != id);
            let mut behind =
                others.map(|other| comes_before(key, (id, lot(id)), (other, lot(other))));
            behind.all(|before| before != Some(false))
        };
        among.iter().filter(is_first).cloned().collect()
    };
    match within {
        PlacementStrategy::RoundRobin => {
            let next = open.iter().find(|id| Some(*id) > asked.last.as_ref());
            next.or(open.first()).cloned().into_iter().collect()
        }
        PlacementStrategy::Random => {
            let slices = (1..=open.len() as u128)
                .filter(|at| u128::from(asked.entropy) < (at << 64).div_ceil(open.len() as u128));
            slices
                .min()
                .map(|at| open[at as usize - 1].clone())
                .into_iter()
                .collect()
        }
        PlacementStrategy::LeastLoaded => {
            let ratio = |id: &NodeId, of: u64| {
                // Exact: the least common denominator of all weights is not needed for u128.
                let all = open
                    .iter()
                    .map(|id| u128::from(view.nodes[id].weight.get()));
                let others: u128 = all.collect::<BTreeSet<_>>().into_iter().product();
                u128::from(of) % (1 << 40) * others / u128::from(view.nodes[id].weight.get())
            };
            let key = |id: &NodeId| {
                let node = &view.nodes[id];
                (
                    node.load == u64::MAX,
                    ratio(id, node.load),
                    ratio(id, node.actors()),
                )
            };
            if open
                .iter()
                .filter(|id| view.nodes[id].load == u64::MAX)
                .count()
                > 1
            {
                return open.to_vec();
            }
            let least = open.iter().map(key).min();
            let light = open.iter().filter(|id| Some(key(id)) == least);
            first_of(&asked.path, &light.cloned().collect::<Vec<_>>())
        }
        PlacementStrategy::Node(id) => open.iter().filter(|open| *open == id).cloned().collect(),
        PlacementStrategy::LocalAffinity { group, .. } => {
            let most = open.iter().map(|id| members(view, id, group)).max();
            let near = open
                .iter()
                .filter(|id| Some(members(view, id, group)) == most);
            first_of(group, &near.cloned().collect::<Vec<_>>())
        }
        _ => first_of(&asked.path, open),
    }
}

fn check_standbys(asked: &Asked, placement: &Placement) -> Result<(), TestCaseError> {
    let demands = demands(&asked.strategy, &asked.view, &asked.request());
    let PlacementStrategy::Redundant { replicas } = demands.within else {
        prop_assert!(placement.standbys.is_empty());
        return Ok(());
    };
    let allowed = allowed(&demands, &asked.view, &asked.request());
    let standbys: BTreeSet<_> = placement.standbys.iter().collect();
    prop_assert_eq!(placement.standbys.len(), allowed.len().min(replicas) - 1);
    prop_assert_eq!(standbys.len(), placement.standbys.len(), "no node twice");
    prop_assert!(!standbys.contains(&placement.node));
    prop_assert!(placement.standbys.iter().all(|id| allowed.contains(id)));
    // No combination of label values is used twice while there is one that was used less.
    let values = |id: &NodeId| -> Vec<String> {
        let labels = demands.spreads.iter().map(|(label, ..)| label);
        labels
            .map(|label| asked.view.nodes[id].labels[label].clone())
            .collect()
    };
    if !demands.spreads.is_empty() {
        let mut left: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        allowed
            .iter()
            .for_each(|id| *left.entry(values(id)).or_default() += 1);
        let mut used: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        for id in std::iter::once(&placement.node).chain(&placement.standbys) {
            let this = used.get(&values(id)).copied().unwrap_or(0);
            for (other, count) in &left {
                let that = used.get(other).copied().unwrap_or(0);
                prop_assert!(that >= this || *count == that, "{other:?} was due");
            }
            *used.entry(values(id)).or_default() += 1;
        }
    }
    Ok(())
}

#[test]
fn neither_the_source_nor_a_node_to_avoid_is_ever_chosen_or_stands_by() {
    check(number(), asked(), |asked| {
        if let (Ok(placement), _) = asked.answer() {
            let nodes = std::iter::once(&placement.node).chain(&placement.standbys);
            for chosen in nodes {
                prop_assert!(Some(chosen) != asked.source.as_ref());
                prop_assert!(!asked.avoid.contains(chosen));
            }
        }
        Ok(())
    });
}

#[test]
fn the_same_cluster_put_together_in_another_order_gives_the_same_answer() {
    check(number() / 4, asked(), |asked| {
        let mut other = asked.clone();
        other.view = ClusterView::default();
        for (id, node) in asked.view.nodes.iter().rev() {
            other.view.nodes.insert(id.clone(), node.clone());
        }
        prop_assert_eq!(asked.answer(), other.answer());
        let text = serde_json::to_string(&asked.view).expect("writes");
        other.view = serde_json::from_str(&text).expect("reads");
        prop_assert_eq!(asked.answer(), other.answer());
        Ok(())
    });
}

#[test]
fn survivors_have_ranks_without_gaps_and_the_first_is_who_would_be_chosen() {
    let ranked = Cell::new(0u64);
    check(number(), asked(), |asked| {
        let request = asked.request();
        let rank = |id: &NodeId| claim_rank(&asked.strategy, &asked.view, &request, id);
        let ranks: BTreeMap<_, _> = asked
            .view
            .nodes
            .keys()
            .filter_map(|id| Some((rank(id)?, id)))
            .collect();
        let claimants = asked
            .view
            .nodes
            .keys()
            .filter(|id| rank(id).is_some())
            .count();
        prop_assert_eq!(ranks.len(), claimants, "no rank twice");
        prop_assert!(ranks.keys().copied().eq(0..claimants), "{ranks:?}");
        prop_assert_eq!(rank(&NodeId::local()), None);
        ranked.set(ranked.get() + claimants as u64);
        if matches!(
            asked.strategy,
            PlacementStrategy::Rendezvous | PlacementStrategy::Redundant { .. }
        ) && let (Ok(placement), _) = asked.answer()
        {
            let order: Vec<_> = ranks.values().map(|id| (*id).clone()).collect();
            prop_assert_eq!(&order[0], &placement.node);
            prop_assert_eq!(
                &order[1..=placement.standbys.len()],
                &placement.standbys[..]
            );
        }
        if let PlacementStrategy::Node(id) = &asked.strategy {
            prop_assert!(ranks.values().all(|ranked| *ranked == id));
        }
        Ok(())
    });
    assert!(ranked.get() > u64::from(number()) / 2, "{}", ranked.get());
}

#[test]
fn the_index_answers_as_place_and_claim_rank_do() {
    let plain = PlacementStrategy::Rendezvous;
    check(
        number(),
        (any_view(), "/user/[a-z]{1,8}"),
        |(view, path)| {
            let index = RendezvousIndex::new(&view, KIND, &plain);
            let request = PlacementRequest::start(&path, KIND);
            let placed = place(&plain, &view, &request, &mut Cursor::default(), 0);
            prop_assert_eq!(index.owner(&path), placed.as_ref().ok().map(|it| &it.node));
            prop_assert_eq!(index.is_empty(), placed.is_err());
            let ranked = index.ranked(&path, usize::MAX);
            prop_assert_eq!(ranked.len(), index.len());
            prop_assert_eq!(&ranked[..ranked.len().min(2)], &index.ranked(&path, 2)[..]);
            for (at, id) in ranked.iter().enumerate() {
                prop_assert_eq!(index.rank(&path, id), Some(at));
            }
            for id in view.nodes.keys() {
                let claim = claim_rank(&plain, &view, &request, id);
                prop_assert_eq!(index.rank(&path, id), claim);
            }
            Ok(())
        },
    );
}
