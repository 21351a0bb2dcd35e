//! Strategies for tests: short constructors, and a generator of every valid shape.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use supervision_core::{
    Backoff, LabelRule, MAX_COUNTED, NodeId, PlacementStrategy, SupervisionMatcher,
    SupervisionStrategy,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn restart(max_restarts: usize, window: Duration) -> SupervisionStrategy {
    restart_after(max_restarts, window, Duration::ZERO)
}

pub(crate) fn restart_after(
    max_restarts: usize,
    window: Duration,
    delay: Duration,
) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts,
        window,
        delay,
    }
}

pub(crate) fn with_backoff(
    max_restarts: usize,
    window: Duration,
    backoff: Backoff,
) -> SupervisionStrategy {
    SupervisionStrategy::RestartWithBackoff {
        max_restarts,
        window,
        backoff,
    }
}

pub(crate) fn relocate(max_relocations: usize) -> SupervisionStrategy {
    SupervisionStrategy::Relocate {
        placement: PlacementStrategy::RoundRobin,
        max_relocations,
        delay: Duration::ZERO,
    }
}

pub(crate) fn ladder(rungs: impl Into<Vec<SupervisionStrategy>>) -> SupervisionStrategy {
    SupervisionStrategy::Ladder {
        rungs: rungs.into(),
    }
}

/// A `Match`: rules of (error type, strategy), then the default.
pub(crate) fn matching<const N: usize>(
    rules: [(&str, SupervisionStrategy); N],
    default: SupervisionStrategy,
) -> SupervisionStrategy {
    let rule = |(error_type, strategy)| SupervisionMatcher::new(error_type, strategy);
    SupervisionStrategy::Match {
        default: Box::new(default),
        matchers: rules.into_iter().map(rule).collect(),
    }
}

/// What the generator chooses from.
#[derive(Clone)]
pub(crate) struct Choices {
    pub(crate) windows: BoxedStrategy<Duration>,
    pub(crate) delays: BoxedStrategy<Duration>,
    pub(crate) error_types: BoxedStrategy<String>,
}

/// Every valid shape: leaves, ladders of leaves, and up to three levels of `Match` around them.
pub(crate) fn valid(choices: &Choices) -> impl Strategy<Value = SupervisionStrategy> + use<> {
    let error_types = choices.error_types.clone();
    let flat = prop_oneof![3 => leaves(choices), 1 => ladders(choices)];
    flat.prop_recursive(3, 24, 4, move |inner| {
        let rule = (error_types.clone(), inner.clone())
            .prop_map(|(error_type, strategy)| SupervisionMatcher::new(error_type, strategy));
        (inner, vec(rule, 0..4)).prop_map(|(default, matchers)| SupervisionStrategy::Match {
            default: Box::new(default),
            matchers,
        })
    })
}

fn leaves(choices: &Choices) -> BoxedStrategy<SupervisionStrategy> {
    let unlimited = bounded(choices, Just(usize::MAX).boxed());
    prop_oneof![
        6 => bounded(choices, counts()),
        1 => unlimited,
        2 => always_applies(),
    ]
    .boxed()
}

fn always_applies() -> BoxedStrategy<SupervisionStrategy> {
    prop_oneof![
        2 => Just(SupervisionStrategy::Resume),
        1 => Just(SupervisionStrategy::Stop),
        1 => Just(SupervisionStrategy::Escalate),
    ]
    .boxed()
}

/// Strategies that a budget bounds.
fn bounded(choices: &Choices, counts: BoxedStrategy<usize>) -> BoxedStrategy<SupervisionStrategy> {
    let (windows, delays) = (choices.windows.clone(), choices.delays.clone());
    let restart = (counts.clone(), windows.clone(), delays.clone())
        .prop_map(|(max, window, delay)| restart_after(max, window, delay));
    let backoff = (counts.clone(), windows, backoffs(delays.clone()))
        .prop_map(|(max, window, backoff)| with_backoff(max, window, backoff));
    let relocate = (placements(), counts, delays).prop_map(|(placement, max, delay)| {
        SupervisionStrategy::Relocate {
            placement,
            max_relocations: max,
            delay,
        }
    });
    prop_oneof![restart, backoff, relocate].boxed()
}

fn ladders(choices: &Choices) -> BoxedStrategy<SupervisionStrategy> {
    let lower = vec(bounded(choices, counts()), 0..4);
    (lower, leaves(choices))
        .prop_map(|(mut rungs, last)| {
            rungs.push(last);
            ladder(rungs)
        })
        .boxed()
}

fn counts() -> BoxedStrategy<usize> {
    prop_oneof![8 => 0..6usize, 1 => Just(MAX_COUNTED)].boxed()
}

/// Every valid placement over the nodes, labels and groups of [`crate::placement_world`].
pub(crate) fn placements() -> BoxedStrategy<PlacementStrategy> {
    let label = prop_oneof![8 => Just("zone"), 4 => Just("disk"), 1 => Just("no-such-label")];
    let group = prop_oneof![Just("g"), Just("h")].prop_map(str::to_owned);
    let rule = prop_oneof![Just("zone"), Just("zone=a"), Just("disk=ssd"), Just("gpu=")]
        .prop_map(|text| text.parse::<LabelRule>().expect("valid"));
    let plain = prop_oneof![
        2 => Just(PlacementStrategy::RoundRobin),
        1 => Just(PlacementStrategy::Random),
        2 => Just(PlacementStrategy::LeastLoaded),
        1 => (0..8usize).prop_map(|at| PlacementStrategy::Node(node(at))),
        2 => Just(PlacementStrategy::Rendezvous),
        1 => (1..5usize).prop_map(|replicas| PlacementStrategy::Redundant { replicas }),
    ];
    plain
        .prop_recursive(2, 4, 1, move |inner| {
            let near = (group.clone(), inner.clone()).prop_map(|(group, fallback)| {
                PlacementStrategy::LocalAffinity {
                    group,
                    fallback: Box::new(fallback),
                }
            });
            let labels = (vec(rule.clone(), 1..3), inner.clone())
                .prop_map(|(require, among)| among.on_nodes_with(require));
            let group = proptest::option::of(group.clone());
            let spread = (label.clone(), group, 1..3u64, inner).prop_map(
                |(label, group, max_skew, among)| PlacementStrategy::Spread {
                    label: label.to_owned(),
                    group,
                    max_skew,
                    among: Box::new(among),
                },
            );
            prop_oneof![1 => near, 1 => labels, 2 => spread]
        })
        .boxed()
}

/// The node with this number: `n0`, `n1`, ...
pub(crate) fn node(number: usize) -> NodeId {
    NodeId::new(format!("n{number}")).expect("a plain name")
}

/// Valid backoffs. Factors and jitters are multiples of 1/64, which every text form keeps exactly.
pub(crate) fn backoffs(delays: BoxedStrategy<Duration>) -> BoxedStrategy<Backoff> {
    let nanosecond = Duration::from_nanos(1);
    (
        delays.clone(),
        delays.clone(),
        64..256u32,
        0..=64u32,
        delays,
    )
        .prop_map(move |(a, b, factor, jitter, reset)| {
            Backoff::new(a.min(b).max(nanosecond), a.max(b).max(nanosecond))
                .and_then(|backoff| backoff.with_factor(f64::from(factor) / 64.0))
                .and_then(|backoff| backoff.with_jitter(f64::from(jitter) / 64.0))
                .and_then(|backoff| backoff.with_reset_after(reset.max(nanosecond)))
                .expect("made valid")
        })
        .boxed()
}
