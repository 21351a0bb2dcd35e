//! Strategies as bytes: what is written is read again, and what is nonsense is refused by name.

use std::{cell::Cell, time::Duration};

use proptest::prelude::*;
use supervision_core::{
    Backoff, FailureInfo, MAX_COUNTED, MAX_DELAY, MAX_DEPTH, MAX_ERROR_TYPE, MAX_LEAVES, NodeId,
    Policy, Rule, SupervisionMatcher, SupervisionStrategy,
};

use crate::{
    property::check,
    strategies::{Choices, SECOND, ladder, matching, relocate, restart, restart_after, valid},
};

const NANOSECOND: Duration = Duration::from_nanos(1);

pub(crate) fn json(strategy: &SupervisionStrategy) -> String {
    serde_json::to_string(strategy).expect("writes")
}

pub(crate) fn postcard(strategy: &SupervisionStrategy) -> Vec<u8> {
    postcard::to_stdvec(strategy).expect("writes")
}

pub(crate) fn from_json(text: &str) -> Result<SupervisionStrategy, serde_json::Error> {
    serde_json::from_str(text)
}

pub(crate) fn from_postcard(bytes: &[u8]) -> Result<SupervisionStrategy, postcard::Error> {
    postcard::from_bytes(bytes)
}

fn durations(longest: Duration) -> BoxedStrategy<Duration> {
    let longest = longest.as_secs() - 1;
    prop_oneof![
        4 => (0..1_000_000_000_000u64).prop_map(Duration::from_nanos),
        2 => (0..longest, 0..1_000_000_000u32).prop_map(|(s, n)| Duration::new(s, n)),
        1 => Just(NANOSECOND),
        1 => Just(SECOND),
    ]
    .boxed()
}

pub(crate) fn wide() -> Choices {
    let windows = durations(Duration::from_secs(u64::MAX / 1_000_000_000));
    Choices {
        windows: windows.prop_map(|window| window.max(NANOSECOND)).boxed(),
        delays: durations(MAX_DELAY),
        error_types: "[a-zA-Z_é][a-z0-9_]{0,8}(::[A-Z][A-Za-z]{0,8}){0,3}(<u8>)?".boxed(),
    }
}

#[test]
fn every_valid_strategy_survives_json_and_postcard() {
    let [matches, ladders] = [const { Cell::new(0) }; 2];
    check(3_000, valid(&wide()), |strategy| {
        let policy = Policy::new(strategy.clone()).expect("valid");
        prop_assert_eq!(policy.strategy(), &strategy);
        prop_assert_eq!(&from_json(&json(&strategy)).expect("reads"), &strategy);
        prop_assert_eq!(
            &from_postcard(&postcard(&strategy)).expect("reads"),
            &strategy
        );
        let text = json(&strategy);
        matches.set(matches.get() + u32::from(text.contains("\"Match\"")));
        ladders.set(ladders.get() + u32::from(text.contains("\"Ladder\"")));
        Ok(())
    });
    assert!(
        matches.get() > 300 && ladders.get() > 300,
        "{matches:?} {ladders:?}"
    );
}

#[test]
fn every_duration_survives_as_text() {
    check(5_000, any::<Duration>(), |window| {
        let strategy = restart(1, window.max(NANOSECOND));
        prop_assert_eq!(&from_json(&json(&strategy)).expect("reads"), &strategy);
        Ok(())
    });
    for window in [NANOSECOND, Duration::MAX] {
        assert_eq!(
            from_json(&json(&restart(1, window))).expect("reads"),
            restart(1, window)
        );
    }
}

/// A restart with this JSON as its window.
fn with_window(window: &str) -> Result<SupervisionStrategy, serde_json::Error> {
    from_json(&format!(
        r#"{{"Restart":{{"max_restarts":3,"window":{window},"delay":"100ms"}}}}"#
    ))
}

#[test]
fn durations_are_written_as_people_write_them() {
    let strategy = restart_after(3, Duration::from_secs(90), Duration::from_millis(100));
    let text = r#"{"Restart":{"max_restarts":3,"window":"1m 30s","delay":"100ms"}}"#;
    assert_eq!(json(&strategy), text);
}

#[test]
fn durations_are_read_in_both_forms() {
    let strategy = restart_after(3, Duration::from_secs(90), Duration::from_millis(100));
    for window in [
        r#""1m 30s""#,
        r#""90s""#,
        r#""1min 30sec""#,
        r#""90000ms""#,
        r#"{"secs":90,"nanos":0}"#,
        r#"{"nanos":0,"secs":90}"#,
        r#"{"secs":89,"nanos":1000000000}"#,
        "[90,0]",
    ] {
        assert_eq!(with_window(window).expect(window), strategy, "{window}");
    }
}

#[test]
fn what_is_no_duration_is_refused() {
    for window in [
        r#""soon""#,
        r#""""#,
        r#""-1s""#,
        r#""1e99s""#,
        r#""99999999999999999999999s""#,
        "90",
        "1.5",
        "null",
        "true",
        "[90]",
        "[90,0,0]",
        r#"{"secs":90}"#,
        r#"{"secs":-1,"nanos":0}"#,
        r#"{"secs":90,"nanos":0,"days":1}"#,
        r#"{"secs":18446744073709551615,"nanos":1000000000}"#,
    ] {
        let problem = with_window(window).expect_err(window).to_string();
        assert!(problem.len() < 300, "{problem}");
    }
    let long = format!("\"{}\"", "é".repeat(100_000));
    let problem = with_window(&long).expect_err("no duration").to_string();
    assert!(problem.len() < 300, "hostile text is not echoed at length");
}

/// Strategies that break one rule each: the field, the rule, the strategy.
fn invalid() -> Vec<(&'static str, Rule, SupervisionStrategy)> {
    let zero = || restart(3, Duration::ZERO);
    let late = || restart_after(3, SECOND, MAX_DELAY + NANOSECOND);
    let late_move = SupervisionStrategy::Relocate {
        placement: supervision_core::PlacementStrategy::Random,
        max_relocations: 1,
        delay: Duration::MAX,
    };
    let backoff = Backoff::new(SECOND, SECOND).expect("valid");
    let with_backoff = crate::strategies::with_backoff;
    let unlimited = restart(usize::MAX, SECOND);
    let stop = || SupervisionStrategy::Stop;
    let too_many = MAX_COUNTED + 1;
    let deep = matching(
        [("A", stop()), ("B", matching([("C", late())], stop()))],
        stop(),
    );
    vec![
        ("window", Rule::NotZero, zero()),
        (
            "window",
            Rule::NotZero,
            with_backoff(3, Duration::ZERO, backoff.clone()),
        ),
        ("delay", Rule::DelayTooLong, late()),
        ("delay", Rule::DelayTooLong, late_move),
        (
            "max_restarts",
            Rule::CountTooLarge,
            restart(too_many, SECOND),
        ),
        (
            "max_restarts",
            Rule::CountTooLarge,
            restart(usize::MAX - 1, SECOND),
        ),
        (
            "max_restarts",
            Rule::CountTooLarge,
            with_backoff(too_many, SECOND, backoff),
        ),
        ("max_relocations", Rule::CountTooLarge, relocate(too_many)),
        ("rungs", Rule::NoRungs, ladder([])),
        (
            "rungs[1]",
            Rule::NestedRung,
            ladder([relocate(1), ladder([stop()])]),
        ),
        ("rungs[0]", Rule::NestedRung, ladder([matching([], stop())])),
        ("rungs[1]", Rule::UnreachableRung, ladder([stop(), stop()])),
        (
            "rungs[2]",
            Rule::UnreachableRung,
            ladder([relocate(1), unlimited, stop()]),
        ),
        (
            "rungs[1]",
            Rule::UnreachableRung,
            ladder([SupervisionStrategy::Resume, relocate(1)]),
        ),
        (
            "rungs[1]",
            Rule::UnreachableRung,
            ladder([SupervisionStrategy::Escalate, relocate(1)]),
        ),
        (
            "rungs[1].window",
            Rule::NotZero,
            ladder([relocate(1), zero()]),
        ),
        ("default.window", Rule::NotZero, matching([], zero())),
        ("name", Rule::Name, stop().named("")),
        ("name", Rule::Name, stop().named("a\nb")),
        (
            "rungs[0].name",
            Rule::Name,
            ladder([stop().named("x".repeat(256))]),
        ),
        ("strategy", Rule::NamedHolds, stop().named("a").named("b")),
        ("strategy", Rule::NamedHolds, ladder([stop()]).named("a")),
        (
            "rungs[0].strategy",
            Rule::NamedHolds,
            ladder([matching([], stop()).named("a")]),
        ),
        (
            "rungs[1].name",
            Rule::DuplicateName,
            ladder([relocate(1).named("a"), stop().named("a")]),
        ),
        (
            "default.name",
            Rule::DuplicateName,
            matching([("A", stop().named("a"))], stop().named("a")),
        ),
        (
            "rungs[1]",
            Rule::UnreachableRung,
            ladder([stop().named("a"), stop()]),
        ),
        (
            "rungs[0].strategy.window",
            Rule::NotZero,
            ladder([zero().named("a")]),
        ),
        ("default.rungs", Rule::NoRungs, matching([], ladder([]))),
        (
            "matchers[1].strategy.matchers[0].strategy.delay",
            Rule::DelayTooLong,
            deep,
        ),
    ]
}

fn assert_refused(field: &str, rule: Rule, strategy: &SupervisionStrategy) {
    let error = Policy::new(strategy.clone()).expect_err(field);
    assert_eq!((error.field.as_str(), error.rule), (field, rule));
    let said = error.to_string();
    assert!(said.contains(field), "{said}");
    let read = from_json(&json(strategy)).expect_err(field).to_string();
    assert!(read.contains(&said), "{read} must say {said}");
    assert!(from_postcard(&postcard(strategy)).is_err(), "{field}");
}

#[test]
fn nonsense_is_refused_by_the_constructor_and_by_every_format() {
    for (field, rule, strategy) in invalid() {
        assert_refused(field, rule, &strategy);
    }
}

#[test]
fn an_error_type_must_be_a_type_name() {
    let long = "x".repeat(MAX_ERROR_TYPE + 1);
    for name in [
        "", " ", " A", "A ", "::", "::A", "A::", "a::::B", "a:: ::B", "A\n", "a\u{0}b", "<u8>",
        &long,
    ] {
        let strategy = matching(
            [("A", SupervisionStrategy::Stop), (name, relocate(1))],
            relocate(1),
        );
        assert_refused("matchers[1].error_type", Rule::ErrorType, &strategy);
    }
    let longest = "x".repeat(MAX_ERROR_TYPE);
    for name in [
        "A",
        "std::io::Error",
        "SendError<(u8, String)>",
        "r#type",
        &longest,
    ] {
        let strategy = matching([(name, relocate(1))], relocate(1));
        assert!(Policy::new(strategy.clone()).is_ok(), "{name}");
        assert!(from_json(&json(&strategy)).is_ok(), "{name}");
    }
}

/// `depth` strategies, each inside the one before.
pub(crate) fn nested(depth: usize) -> SupervisionStrategy {
    (1..depth).fold(SupervisionStrategy::Stop, |inner, _| matching([], inner))
}

#[test]
fn nesting_is_bounded() {
    let deepest = nested(MAX_DEPTH);
    assert!(Policy::new(deepest.clone()).is_ok());
    assert_eq!(from_json(&json(&deepest)).expect("reads"), deepest);
    assert_eq!(from_postcard(&postcard(&deepest)).expect("reads"), deepest);
    let deeper = nested(MAX_DEPTH + 1);
    let error = Policy::new(deeper.clone()).expect_err("too deep");
    assert_eq!(error.rule, Rule::TooDeep);
    assert_eq!(error.field, vec!["default"; MAX_DEPTH].join("."));
    let said = from_json(&json(&deeper)).expect_err("too deep").to_string();
    assert!(said.contains("nested deeper than 16 levels"), "{said}");
    assert!(from_postcard(&postcard(&deeper)).is_err());
    // The guard is left behind in order: reading goes on as before.
    assert_eq!(from_postcard(&postcard(&deepest)).expect("reads"), deepest);
}

#[test]
fn the_number_of_leaves_is_bounded() {
    let wide = |leaves: usize| SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Stop),
        matchers: (1..leaves)
            .map(|n| SupervisionMatcher::new(format!("E{n}"), SupervisionStrategy::Stop))
            .collect(),
    };
    let widest = wide(MAX_LEAVES);
    assert!(Policy::new(widest.clone()).is_ok());
    assert_eq!(from_postcard(&postcard(&widest)).expect("reads"), widest);
    assert_refused("default", Rule::TooManyLeaves, &wide(MAX_LEAVES + 1));
}

#[test]
fn unknown_and_missing_fields_are_refused_by_name() {
    let texts = [
        (
            r#"{"Restart":{"max_restarts":3,"window":"1s","delay":"0s","jitter":1}}"#,
            "jitter",
        ),
        (r#"{"Restart":{"max_restarts":3,"delay":"0s"}}"#, "window"),
        (
            r#"{"Restart":{"max_restarts":-3,"window":"1s","delay":"0s"}}"#,
            "-3",
        ),
        (
            r#"{"Match":{"default":"Stop","matchers":[],"otherwise":1}}"#,
            "otherwise",
        ),
        (
            r#"{"Match":{"default":"Stop","matchers":[{"error_type":"A","strategy":"Stop","x":1}]}}"#,
            "x",
        ),
        (r#"{"Ladder":{"rungs":["Stop"],"top":1}}"#, "top"),
        (
            r#"{"Relocate":{"placement":"Nowhere","max_relocations":1,"delay":"0s"}}"#,
            "Nowhere",
        ),
        (
            r#"{"Relocate":{"placement":{"Node":""},"max_relocations":1,"delay":"0s"}}"#,
            "node id",
        ),
        (r#""Reboot""#, "Reboot"),
    ];
    for (text, name) in texts {
        let said = from_json(text).expect_err(text).to_string();
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn a_nonsensical_backoff_is_refused_by_name() {
    let backoff = |changed: &str, value: &str| {
        let mut fields = serde_json::json!({
            "min": "1s", "max": "1m", "factor": 2.0, "jitter": 0.2, "reset_after": "1m"
        });
        fields[changed] = serde_json::from_str(value).expect("JSON");
        serde_json::from_value::<Backoff>(fields)
    };
    assert!(backoff("min", "\"2s\"").is_ok());
    for (field, value) in [
        ("min", "\"0s\""),
        ("max", "\"1ms\""),
        ("max", "\"366days\""),
        ("factor", "0.5"),
        ("factor", "-1"),
        ("jitter", "1.5"),
        ("jitter", "-0.1"),
        ("reset_after", "\"0s\""),
        ("cap", "1"),
    ] {
        let said = backoff(field, value).expect_err(value).to_string();
        assert!(said.contains(field), "{said}");
    }
}

#[test]
fn a_nonsensical_backoff_is_refused_in_bytes_too() {
    type Fields = (Duration, Duration, f64, f64, Duration);
    let read = |fields: Fields| {
        let bytes = postcard::to_stdvec(&fields).expect("writes");
        postcard::from_bytes::<Backoff>(&bytes)
    };
    let (min, max, factor, jitter, reset) = (SECOND, 2 * SECOND, 2.0, 0.2, SECOND);
    assert!(read((min, max, factor, jitter, reset)).is_ok());
    for bad in [
        (Duration::ZERO, max, factor, jitter, reset),
        (min, NANOSECOND, factor, jitter, reset),
        (min, Duration::MAX, factor, jitter, reset),
        (min, max, f64::NAN, jitter, reset),
        (min, max, f64::INFINITY, jitter, reset),
        (min, max, factor, f64::NAN, reset),
        (min, max, factor, 1.1, reset),
        (min, max, factor, jitter, Duration::ZERO),
    ] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_failures_record_keeps_the_seven_fields_of_the_seed() {
    let text = r#"{"actor_path":"/user/a","node_id":"local","time":1,"error":"e","error_type":"T","restart_count":2,"failure_id":"67e55044-10b1-426f-9247-bb680e5fe0c8"}"#;
    let info: FailureInfo = serde_json::from_str(text).expect("reads");
    assert_eq!(serde_json::to_string(&info).expect("writes"), text);
    let bytes = postcard::to_stdvec(&info).expect("writes");
    assert_eq!(
        postcard::from_bytes::<FailureInfo>(&bytes).expect("reads"),
        info
    );
}

#[test]
fn a_node_id_must_be_a_plain_name() {
    let long = "x".repeat(NodeId::MAX_LEN + 1);
    for name in ["", " ", "a b", "a\n", "\u{7f}", "\u{a0}", &long] {
        assert!(NodeId::new(name).is_err(), "{name:?}");
        let bytes = postcard::to_stdvec(name).expect("writes");
        assert!(postcard::from_bytes::<NodeId>(&bytes).is_err(), "{name:?}");
    }
    let longest = "x".repeat(NodeId::MAX_LEN);
    for name in ["a", "host-1.example:4222", "é", &longest] {
        assert_eq!(NodeId::new(name).expect(name).as_str(), name);
    }
    assert_eq!(NodeId::local().to_string(), "local");
}

#[test]
fn a_named_strategy_is_written_around_what_it_names() {
    let strategy = ladder([relocate(2).named("elsewhere"), SupervisionStrategy::Stop]);
    let text = r#"{"Ladder":{"rungs":[
        {"Named":{"name":"elsewhere","strategy":
            {"Relocate":{"placement":"RoundRobin","max_relocations":2,"delay":"0s"}}}},
        "Stop"]}}"#;
    assert_eq!(from_json(text).ok(), Some(strategy.clone()));
    assert_eq!(from_postcard(&postcard(&strategy)).ok(), Some(strategy));
}
