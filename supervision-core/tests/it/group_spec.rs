//! Specs of groups: what is refused and with which words, and how they are written.

use std::time::Duration;

use supervision_core::{
    MAX_DELAY, RestartType, Rule, SupervisionStrategy,
    group::{
        AutoShutdown, ChildSpec, Group, GroupRule, GroupSpec, GroupStrategy, InvalidGroup,
        MAX_CHILD_ID, Shutdown,
    },
};

fn refusal(spec: &GroupSpec) -> InvalidGroup {
    let refused = Group::new(spec.clone()).expect_err("refused");
    let text = serde_json::to_string(spec).expect("it is data");
    // What a constructor refuses, a configuration file is refused for too.
    let read = serde_json::from_str::<GroupSpec>(&text).expect_err("refused");
    assert!(read.to_string().contains(&refused.field), "{read}");
    refused
}

fn of(child: ChildSpec) -> GroupSpec {
    GroupSpec::default()
        .with_child(ChildSpec::new("first"))
        .with_child(child)
}

fn second() -> ChildSpec {
    ChildSpec::new("second")
}

fn no_window() -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts: 1,
        window: Duration::ZERO,
        delay: Duration::ZERO,
    }
}

#[test]
fn each_rule_refuses_and_names_the_field() {
    let timeout = |time| of(second().with_shutdown(Shutdown::Timeout(time)));
    let permanent = second().with_restart_type(RestartType::Permanent);
    let auto =
        of(permanent.with_significant(true)).with_auto_shutdown(AutoShutdown::AnySignificant);
    let long = "x".repeat(MAX_CHILD_ID + 1);
    let cases = [
        (of(ChildSpec::new("")), "id", GroupRule::Id),
        (of(ChildSpec::new("a\nb")), "id", GroupRule::Id),
        (of(ChildSpec::new(long)), "id", GroupRule::Id),
        (of(ChildSpec::new("first")), "id", GroupRule::DuplicateId),
        (timeout(Duration::ZERO), "shutdown", GroupRule::ZeroTimeout),
        (
            timeout(MAX_DELAY * 2),
            "shutdown",
            GroupRule::TimeoutTooLong,
        ),
        (
            of(second().with_significant(true)),
            "significant",
            GroupRule::SignificantWithoutShutdown,
        ),
        (auto, "significant", GroupRule::SignificantPermanent),
    ];
    for (spec, field, rule) in cases {
        let refused = refusal(&spec);
        assert_eq!(
            (refused.field, refused.rule),
            (format!("children[1].{field}"), rule)
        );
    }
}

#[test]
fn a_strategy_inside_is_refused_with_the_whole_path() {
    let no_rungs = SupervisionStrategy::Ladder { rungs: Vec::new() };
    let cases = [
        (
            of(second().with_strategy(no_window())),
            "children[1].strategy.window",
            Rule::NotZero,
        ),
        (
            of(second().with_strategy(no_rungs)),
            "children[1].strategy.rungs",
            Rule::NoRungs,
        ),
        (
            GroupSpec::new(GroupStrategy::OneForAll, no_window()),
            "strategy.window",
            Rule::NotZero,
        ),
    ];
    for (spec, field, rule) in cases {
        // Its own reading refuses it before the group's is reached, so only literals get here.
        let refused = Group::new(spec).expect_err("refused");
        assert_eq!(
            (refused.field.as_str(), refused.rule),
            (field, GroupRule::Strategy(rule))
        );
        let text = refused.to_string();
        assert!(
            text.starts_with(&format!("invalid group: {field} must")),
            "{text}"
        );
    }
}

#[test]
fn a_group_is_written_in_a_file_with_defaults_for_what_is_left_out() {
    let text = r#"{
        "group": "RestForOne",
        "strategy": {"Restart": {"max_restarts": 3, "window": "1m", "delay": "0s"}},
        "auto_shutdown": "AllSignificant",
        "children": [
            {"id": "database", "restart_type": "Permanent", "shutdown": {"Timeout": "30s"}},
            {"id": "cache", "shutdown": "Infinity", "strategy": "Resume"},
            {"id": "job", "restart_type": "Temporary", "shutdown": "Kill", "significant": true}
        ]
    }"#;
    let spec: GroupSpec = serde_json::from_str(text).expect("a valid group");
    let strategy = SupervisionStrategy::Restart {
        max_restarts: 3,
        window: Duration::from_secs(60),
        delay: Duration::ZERO,
    };
    let expected = GroupSpec::new(GroupStrategy::RestForOne, strategy)
        .with_auto_shutdown(AutoShutdown::AllSignificant)
        .with_child(
            ChildSpec::new("database")
                .with_restart_type(RestartType::Permanent)
                .with_shutdown(Shutdown::Timeout(Duration::from_secs(30))),
        )
        .with_child(
            ChildSpec::new("cache")
                .with_shutdown(Shutdown::Infinity)
                .with_strategy(SupervisionStrategy::Resume),
        )
        .with_child(
            ChildSpec::new("job")
                .with_restart_type(RestartType::Temporary)
                .with_shutdown(Shutdown::Kill)
                .with_significant(true),
        );
    assert_eq!(spec, expected);
    let written = serde_json::to_string(&spec).expect("it is data");
    assert_eq!(
        serde_json::from_str::<GroupSpec>(&written).expect("valid"),
        spec
    );
    let binary = postcard::to_stdvec(&spec).expect("it is data");
    assert_eq!(
        postcard::from_bytes::<GroupSpec>(&binary).expect("valid"),
        spec
    );
    let empty: GroupSpec = serde_json::from_str("{}").expect("an empty group");
    assert_eq!(empty, GroupSpec::default());
    assert!(serde_json::from_str::<GroupSpec>(r#"{"grop": "OneForAll"}"#).is_err());
}
