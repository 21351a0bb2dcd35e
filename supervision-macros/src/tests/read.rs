//! What the parser makes of tokens.

use super::{read, said};
use crate::model::{HookEvent, Pattern, RestartType};

/// The one strategy of an attribute that has nothing wrong.
fn strategy(text: &str) -> String {
    let (read, errors) = read(&format!("strategy = {text}"));
    assert_eq!(errors, [""; 0], "{text}");
    said(&read.strategy.expect("there is one").value)
}

#[test]
fn a_strategy_is_read_as_it_is_said() {
    for bare in ["stop", "escalate", "resume"] {
        assert_eq!(strategy(bare), bare);
    }
    assert_eq!(strategy("restart"), "restart()");
    assert_eq!(strategy("restart()"), "restart()");
    assert_eq!(
        strategy(r#"restart(delay = "100ms", max = 3, within = "1m 30s")"#),
        "restart(max 3, within 90s, delay 100ms)"
    );
    assert_eq!(
        strategy("restart(max = unlimited,)"),
        "restart(max unlimited)"
    );
}

#[test]
fn a_delay_can_be_a_range() {
    assert_eq!(
        strategy(r#"restart(delay = 1s..="1m", factor = 3, jitter = 0.5, reset_after = "2m")"#),
        "restart(delay 1s..=60s, factor 3, jitter 0.5, reset 120s)"
    );
}

#[test]
fn a_relocation_names_its_target_first_or_last() {
    let said = "relocate(round_robin, max 3, delay Some(200ms))";
    assert_eq!(
        strategy(r#"relocate(round_robin, max = 3, delay = "200ms")"#),
        said
    );
    assert_eq!(
        strategy(r#"relocate(max = 3, delay = "200ms", round_robin)"#),
        said
    );
    for (placement, read) in [
        ("random", "random"),
        ("least_loaded", "least_loaded"),
        ("rendezvous", "rendezvous"),
        ("redundant(3)", "redundant 3"),
        (r#"node("b")"#, "node b"),
    ] {
        assert_eq!(
            strategy(&format!("relocate({placement}, max = 1)")),
            format!("relocate({read}, max 1, delay None)")
        );
    }
}

#[test]
fn rungs_are_joined_by_then() {
    assert_eq!(
        strategy("restart(max = 1) then relocate(random, max = 2) then escalate"),
        "restart(max 1) then relocate(random, max 2, delay None) then escalate"
    );
}

#[test]
fn rules_keep_their_order_and_their_types() {
    let (read, errors) = read(
        "on(panic => stop), on(a::b::Error<u8, [u8; 2]>.Timeout => resume), \
         on(::std::io::Error => restart), on(stall => stop), on(exit => stop), default = escalate",
    );
    assert_eq!(errors, [""; 0]);
    let rules: Vec<_> = read
        .rules
        .iter()
        .map(|rule| rule.pattern.to_string())
        .collect();
    assert_eq!(
        rules,
        [
            "panic",
            "a::b::Error<u8, [u8; 2]>.Timeout",
            "std::io::Error",
            "stall",
            "exit"
        ]
    );
    assert!(matches!(read.rules[0].pattern, Pattern::Kind(_)));
    assert!(matches!(read.rules[1].pattern, Pattern::Variant(..)));
    assert!(matches!(read.rules[2].pattern, Pattern::Type(_)));
    assert_eq!(said(&read.default.expect("there is one").value), "escalate");
}

#[test]
fn a_longer_path_that_begins_like_a_kind_is_a_type() {
    let (read, errors) = read("on(panic::Error => stop), on(self::panic => stop)");
    assert_eq!(errors, [""; 0]);
    for rule in &read.rules {
        assert!(matches!(rule.pattern, Pattern::Type(_)), "{}", rule.pattern);
    }
}

#[test]
fn settings_and_hooks_are_read() {
    let (read, errors) = read(
        "restart_type = permanent, history = 1_000, crate = ::a::b, known(A, b::B<u8, u8>.*), \
         before_restart = Self::flush, after_relocate = a::f::<u8, u8>",
    );
    assert_eq!(errors, [""; 0]);
    assert_eq!(read.restart_type, Some(RestartType::Permanent));
    assert_eq!(read.history, Some(1_000));
    assert!(read.runtime.is_some());
    let known: Vec<_> = read.known.iter().map(|known| known.variants).collect();
    assert_eq!(known, [false, true]);
    let hooks: Vec<_> = read.hooks.iter().map(|hook| hook.event).collect();
    assert_eq!(hooks, [HookEvent::BeforeRestart, HookEvent::AfterRelocate]);
}

#[test]
fn nothing_said_is_nothing_read() {
    let (read, errors) = read("");
    assert_eq!(errors, [""; 0]);
    assert!(read.strategy.is_none() && read.default.is_none() && read.rules.is_empty());
    assert!(read.restart_type.is_none() && read.history.is_none() && read.hooks.is_empty());
}
