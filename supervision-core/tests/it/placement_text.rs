//! Placements as text and bytes: what is written is read again, and nonsense is refused by name.

use std::cell::RefCell;

use proptest::prelude::*;

use supervision_core::{
    InvalidPlacement, LabelRule, PlacementRule, PlacementStrategy, Policy, Rule,
    SupervisionStrategy,
    placement::{
        MAX_LABEL, MAX_LABELS, MAX_PLACEMENT_DEPTH, MAX_REPLICAS, RebalancePolicy,
        RebalancePolicyError,
    },
};

use crate::{
    property::check,
    strategies::{node, placements},
};

fn from_json(text: &str) -> Result<PlacementStrategy, serde_json::Error> {
    serde_json::from_str(text)
}

fn from_postcard(bytes: &[u8]) -> Result<PlacementStrategy, postcard::Error> {
    postcard::from_bytes(bytes)
}

fn near(group: &str, fallback: PlacementStrategy) -> PlacementStrategy {
    PlacementStrategy::LocalAffinity {
        group: group.to_owned(),
        fallback: Box::new(fallback),
    }
}

fn spread(label: &str, group: Option<&str>, max_skew: u64) -> PlacementStrategy {
    PlacementStrategy::Spread {
        label: label.to_owned(),
        group: group.map(str::to_owned),
        max_skew,
        among: Box::new(PlacementStrategy::Random),
    }
}

#[test]
fn every_valid_placement_survives_json_and_postcard() {
    let longest = RefCell::new(0);
    check(1_000, placements(), |strategy| {
        prop_assert_eq!(strategy.validate(), Ok(()));
        let text = serde_json::to_string(&strategy).expect("writes");
        prop_assert_eq!(&from_json(&text).expect("reads"), &strategy);
        let bytes = postcard::to_stdvec(&strategy).expect("writes");
        prop_assert_eq!(&from_postcard(&bytes).expect("reads"), &strategy);
        let length = text.len().max(*longest.borrow());
        longest.replace(length);
        Ok(())
    });
    assert!(longest.into_inner() > 100, "nested ones are among them");
}

#[test]
fn a_placement_reads_as_one_would_write_it() {
    let text = r#"{"Spread":{"label":"zone","group":null,"max_skew":1,"among":{"Labels":{
        "require":["disk=ssd","gpu"],"among":{"Redundant":{"replicas":3}}}}}}"#;
    let rules = ["disk=ssd", "gpu"].map(|text| text.parse::<LabelRule>().expect("valid"));
    let expected = PlacementStrategy::Redundant { replicas: 3 }
        .on_nodes_with(rules)
        .spread_over("zone");
    assert_eq!(from_json(text).expect("reads"), expected);
    assert_eq!(
        from_json(r#""Rendezvous""#).expect("reads"),
        PlacementStrategy::Rendezvous
    );
    assert_eq!(
        from_json(r#"{"Node":"n3"}"#).expect("reads"),
        PlacementStrategy::Node(node(3))
    );
    assert!(from_json(r#"{"Redundant":{"replicas":3,"copies":3}}"#).is_err());
}

fn invalid() -> Vec<(&'static str, PlacementRule, PlacementStrategy)> {
    let random = || PlacementStrategy::Random;
    let rule = LabelRule::exists("gpu").expect("valid");
    let too_long = "x".repeat(256);
    vec![
        (
            "replicas",
            PlacementRule::Replicas,
            PlacementStrategy::Redundant { replicas: 0 },
        ),
        (
            "replicas",
            PlacementRule::Replicas,
            PlacementStrategy::Redundant {
                replicas: MAX_REPLICAS + 1,
            },
        ),
        (
            "require",
            PlacementRule::LabelCount,
            random().on_nodes_with([]),
        ),
        (
            "require",
            PlacementRule::LabelCount,
            random().on_nodes_with(vec![rule.clone(); MAX_LABELS + 1]),
        ),
        ("group", PlacementRule::GroupName, near("", random())),
        ("group", PlacementRule::GroupName, near("a\nb", random())),
        ("group", PlacementRule::GroupName, near(&too_long, random())),
        (
            "group",
            PlacementRule::GroupName,
            spread("zone", Some(""), 1),
        ),
        ("label", PlacementRule::LabelName, spread("", None, 1)),
        ("label", PlacementRule::LabelName, spread("a=b", None, 1)),
        ("label", PlacementRule::LabelName, spread("a b", None, 1)),
        (
            "label",
            PlacementRule::LabelName,
            spread(&too_long, None, 1),
        ),
        ("max_skew", PlacementRule::Skew, spread("zone", None, 0)),
        (
            "fallback.among.max_skew",
            PlacementRule::Skew,
            near("g", spread("zone", None, 0).on_nodes_with([rule])),
        ),
    ]
}

#[test]
fn nonsense_is_refused_by_validation_by_every_format_and_by_the_policy_it_is_part_of() {
    for (field, rule, strategy) in invalid() {
        let error = strategy.validate().expect_err(field);
        let InvalidPlacement {
            field: named,
            rule: broken,
            ..
        } = &error;
        assert_eq!((named.as_str(), *broken), (field, rule));
        let text = serde_json::to_string(&strategy).expect("writes");
        let said = from_json(&text).expect_err(field).to_string();
        assert!(said.contains(&error.to_string()), "{said} must say {error}");
        assert!(from_postcard(&postcard::to_stdvec(&strategy).expect("writes")).is_err());
        let whole = SupervisionStrategy::Ladder {
            rungs: vec![SupervisionStrategy::Relocate {
                placement: strategy,
                max_relocations: 1,
                delay: std::time::Duration::ZERO,
            }],
        };
        let text = serde_json::to_string(&whole).expect("writes");
        let error = Policy::new(whole).expect_err(field);
        assert_eq!(error.field, format!("rungs[0].placement.{field}"));
        assert_eq!(error.rule, Rule::Placement(rule));
        let said = serde_json::from_str::<SupervisionStrategy>(&text)
            .expect_err(field)
            .to_string();
        assert!(said.contains(&error.to_string()), "{said} must say {error}");
    }
}

fn nested(depth: usize) -> PlacementStrategy {
    (1..depth).fold(PlacementStrategy::Random, |inner, _| near("g", inner))
}

#[test]
fn nesting_is_bounded_and_hostile_nesting_is_no_overflow() {
    let deepest = nested(MAX_PLACEMENT_DEPTH);
    let bytes = postcard::to_stdvec(&deepest).expect("writes");
    assert_eq!(from_postcard(&bytes).expect("reads"), deepest);
    let deeper = nested(MAX_PLACEMENT_DEPTH + 1);
    assert_eq!(
        deeper.validate().expect_err("too deep").rule,
        PlacementRule::TooDeep
    );
    assert!(from_postcard(&postcard::to_stdvec(&deeper).expect("writes")).is_err());
    let one = &postcard::to_stdvec(&near("g", PlacementStrategy::Random)).expect("writes")[..3];
    assert!(from_postcard(&one.repeat(100_000)).is_err());
    // What is refused half-way leaves the guard as it was.
    assert_eq!(from_postcard(&bytes).expect("reads"), deepest);
    // A relocation deep in a strategy may still have the deepest placement.
    let relocation = SupervisionStrategy::Relocate {
        placement: deepest,
        max_relocations: 1,
        delay: std::time::Duration::ZERO,
    };
    let whole =
        (1..supervision_core::MAX_DEPTH).fold(relocation, |inner, _| SupervisionStrategy::Match {
            default: Box::new(inner),
            matchers: Vec::new(),
        });
    let bytes = postcard::to_stdvec(&whole).expect("writes");
    assert_eq!(
        postcard::from_bytes::<SupervisionStrategy>(&bytes).expect("reads"),
        whole
    );
}

#[test]
fn a_label_rule_is_a_key_or_a_key_with_a_value() {
    let longest = "x".repeat(MAX_LABEL);
    for text in [
        "gpu",
        "disk=ssd",
        "a=",
        "a=b=c",
        "a= b ",
        "zone=Süd",
        &longest,
    ] {
        let rule: LabelRule = text.parse().expect(text);
        assert_eq!(rule.to_string(), text);
        assert_eq!(
            serde_json::from_str::<LabelRule>(&format!("{text:?}")).expect(text),
            rule
        );
    }
    let too_long = "x".repeat(MAX_LABEL + 1);
    let long_value = format!("a={too_long}");
    for text in [
        "",
        "=",
        "=a",
        "a b",
        " a",
        "a\n",
        "a=\n",
        &too_long,
        &long_value,
    ] {
        let error = text.parse::<LabelRule>().expect_err(text).to_string();
        assert!(error.len() < 300, "{error}");
    }
    assert!(
        LabelRule::is("a=b", "c").is_err(),
        "it would be read as another rule"
    );
}

#[test]
fn a_rebalance_policy_that_exists_is_valid() {
    let policy = RebalancePolicy::default();
    let text = serde_json::to_string(&policy).expect("writes");
    assert_eq!(
        text,
        r#"{"max_moves":100,"tolerance_percent":20,"cooldown":"1m"}"#
    );
    let read = serde_json::from_str::<RebalancePolicy>;
    assert_eq!(read("{}").expect("reads"), policy);
    assert_eq!(read(&text).expect("reads"), policy);
    assert_eq!(
        policy.with_max_moves(1_000_001),
        Err(RebalancePolicyError::MaxMoves)
    );
    assert_eq!(
        policy.with_tolerance_percent(0),
        Err(RebalancePolicyError::Tolerance)
    );
    assert_eq!(
        policy.with_tolerance_percent(1_001),
        Err(RebalancePolicyError::Tolerance)
    );
    let forever = std::time::Duration::MAX;
    assert_eq!(
        policy.with_cooldown(forever),
        Err(RebalancePolicyError::Cooldown)
    );
    let said = read(r#"{"tolerance_percent":0}"#)
        .expect_err("zero")
        .to_string();
    assert!(
        said.contains("tolerance_percent must be 1 to 1000"),
        "{said}"
    );
    assert!(read(r#"{"tolerance":5}"#).is_err());
}
