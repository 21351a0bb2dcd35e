//! Which rule a failure meets: names, source chains, erased errors.

use std::{
    any::type_name,
    borrow::Cow,
    error::Error,
    io,
    sync::{PoisonError, mpsc},
    time::Duration,
};

use supervision_core::{
    Cause, ErrorPattern, InvalidErrorPattern, KnownErrors, SupervisionMatcher, SupervisionStrategy,
    canonical, matches,
};

use crate::{
    decide::Subject,
    strategies::{SECOND, matching, restart_after},
};

/// Errors as an application defines them.
mod app {
    pub(crate) mod db {
        #[derive(Debug, thiserror::Error)]
        #[error("database: {0}")]
        pub(crate) struct DatabaseError(#[source] pub(crate) super::net::TimeoutError);
    }

    pub(crate) mod net {
        #[derive(Debug, thiserror::Error)]
        #[error("timeout")]
        pub(crate) struct TimeoutError(#[source] pub(crate) std::io::Error);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("request")]
    pub(crate) struct RequestError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);
}

use app::{RequestError, db::DatabaseError, net::TimeoutError};

fn database_error() -> DatabaseError {
    DatabaseError(TimeoutError(io::Error::other("reset")))
}

fn known() -> KnownErrors {
    KnownErrors::standard()
        .with::<DatabaseError>()
        .with::<TimeoutError>()
}

fn names(cause: &Cause) -> Vec<&str> {
    cause.chain().map(|link| &*link.error_type).collect()
}

/// A strategy whose delay tells which rule was taken: the first is 1 s, the default is 0.
fn telling<const N: usize>(patterns: [&str; N]) -> SupervisionStrategy {
    let mut number = 0;
    let rules = patterns.map(|pattern| {
        number += 1;
        (pattern, restart_after(usize::MAX, SECOND, SECOND * number))
    });
    matching(rules, restart_after(usize::MAX, SECOND, Duration::ZERO))
}

fn rule_taken(strategy: SupervisionStrategy, cause: &Cause) -> u64 {
    let decision = Subject::under(strategy).fails(cause, 0);
    decision.delay().expect("all rules restart").as_secs()
}

#[test]
fn the_chain_of_an_error_is_named_outermost_first() {
    let cause = Cause::of(&database_error(), &known());
    let expected = [
        type_name::<DatabaseError>(),
        type_name::<TimeoutError>(),
        "std::io::Error",
    ];
    assert_eq!(names(&cause), expected);
    assert_eq!(cause.error_type(), expected[0]);
    assert_eq!(cause.message(), "database: timeout");
}

#[test]
fn an_outer_error_is_matched_before_its_source_whatever_the_rules_order() {
    let cause = Cause::of(&database_error(), &known());
    assert_eq!(
        rule_taken(
            telling(["std::io::Error", "TimeoutError", "DatabaseError"]),
            &cause
        ),
        3
    );
    assert_eq!(
        rule_taken(telling(["std::io::Error", "TimeoutError"]), &cause),
        2
    );
    assert_eq!(rule_taken(telling(["std::io::Error"]), &cause), 1);
    assert_eq!(rule_taken(telling(["fmt::Error"]), &cause), 0);
}

#[test]
fn of_rules_that_fit_the_same_error_the_first_wins() {
    let cause = Cause::of(&database_error(), &known());
    let patterns = [
        "db::DatabaseError",
        "DatabaseError",
        "app::db::DatabaseError",
    ];
    assert_eq!(rule_taken(telling(patterns), &cause), 1);
}

#[test]
fn a_nested_match_looks_at_the_whole_chain_again() {
    let cause = Cause::of(&database_error(), &known());
    let inner = telling(["fmt::Error", "DatabaseError"]);
    let outer = matching([("std::io::Error", inner)], SupervisionStrategy::Stop);
    assert_eq!(rule_taken(outer, &cause), 2);
}

#[test]
fn a_nested_match_without_a_hit_takes_its_own_default() {
    let cause = Cause::of(&database_error(), &known());
    let rules = [
        ("DatabaseError", telling(["fmt::Error"])),
        ("std::io::Error", SupervisionStrategy::Stop),
    ];
    assert_eq!(
        rule_taken(matching(rules, SupervisionStrategy::Stop), &cause),
        0
    );
    let in_default = matching(
        [("Nothing", SupervisionStrategy::Stop)],
        telling(["TimeoutError"]),
    );
    assert_eq!(rule_taken(in_default, &cause), 1);
}

#[test]
fn panics_stalls_and_exits_are_types() {
    let patterns = ["panic", "stall"];
    assert_eq!(rule_taken(telling(patterns), &Cause::panic("x")), 1);
    assert_eq!(rule_taken(telling(patterns), &Cause::stall("x")), 2);
    assert_eq!(
        rule_taken(telling(["anic", "DatabaseError"]), &Cause::panic("x")),
        0
    );
}

#[test]
fn std_errors_are_matched_by_the_path_people_write() {
    fn by<E: 'static>(pattern: &str) -> bool {
        matches(pattern, type_name::<E>()) && matches(pattern, canonical(type_name::<E>()))
    }
    assert!(by::<io::Error>("std::io::Error"));
    assert!(by::<io::Error>("io::Error"));
    assert!(by::<std::char::ParseCharError>("std::char::ParseCharError"));
    assert!(by::<std::env::VarError>("std::env::VarError"));
    assert!(by::<std::time::SystemTimeError>(
        "std::time::SystemTimeError"
    ));
    assert!(by::<std::alloc::LayoutError>("std::alloc::LayoutError"));
    assert!(by::<std::array::TryFromSliceError>(
        "std::array::TryFromSliceError"
    ));
    assert!(by::<std::ffi::FromBytesWithNulError>(
        "std::ffi::FromBytesWithNulError"
    ));
    assert!(by::<std::ffi::NulError>("std::ffi::NulError"));
    assert!(by::<std::thread::AccessError>("std::thread::AccessError"));
    assert!(by::<std::collections::TryReserveError>(
        "std::collections::TryReserveError"
    ));
    assert!(by::<mpsc::RecvTimeoutError>(
        "std::sync::mpsc::RecvTimeoutError"
    ));
    assert!(by::<PoisonError<u8>>("std::sync::PoisonError"));
    assert!(by::<mpsc::SendError<Vec<u8>>>("std::sync::mpsc::SendError"));
    assert!(!by::<io::Error>("std::fmt::Error"));
    assert!(!by::<io::Error>("std::Error"), "a path that does not exist");
    assert!(!by::<io::Error>("my::io::Error"));
    assert!(!by::<io::Error>("std:io:Error"));
}

#[test]
fn a_rule_spelled_as_type_name_spells_it_matches_too() {
    let cause = Cause::of(&io::Error::other("x"), &known());
    assert_eq!(cause.error_type(), "std::io::Error");
    assert_eq!(rule_taken(telling([type_name::<io::Error>()]), &cause), 1);
    let boxed: Box<dyn Error> = "x".parse::<f64>().expect_err("no number").into();
    let cause = Cause::erased(&*boxed, &known());
    assert_eq!(
        rule_taken(telling([type_name::<std::num::ParseFloatError>()]), &cause),
        1
    );
    for (private, public) in [
        ("std::io::error::Error", "std::io::Error"),
        ("serde_json::error::Error", "serde_json::Error"),
        (
            "tokio::runtime::task::error::JoinError",
            "tokio::task::JoinError",
        ),
        ("actix::address::MailboxError", "actix::MailboxError"),
    ] {
        for (pattern, name) in [(private, public), (public, private), (private, private)] {
            assert!(matches(pattern, name), "{pattern} on {name}");
        }
    }
}

#[test]
fn a_failure_that_is_only_named_is_named_canonically() {
    let cause = Cause::named("serde_json::error::Error", "x");
    assert_eq!(cause.error_type(), "serde_json::Error");
    let owned = Cause::named(String::from("serde_json::error::Error"), "x");
    assert_eq!(owned.error_type(), "serde_json::Error");
    assert_eq!(Cause::named("app::Mine", "x").error_type(), "app::Mine");
}

#[test]
fn generic_arguments_are_ignored_unless_the_rule_has_some() {
    let name = "std::sync::poison::PoisonError<app::Guard<u8>>";
    assert!(matches("PoisonError", name));
    assert!(matches("std::sync::PoisonError", name));
    assert!(matches("std::sync::PoisonError<app::Guard<u8>>", name));
    assert!(matches("PoisonError<app::Guard<u8>>", name));
    assert!(!matches("PoisonError<u8>", name));
    assert!(!matches("Guard<u8>>", name));
    assert!(!matches("Guard", name));
    assert!(matches("SendError", "chan::SendError<fn(u8) -> u8>"));
}

/// `type_name` puts the enclosing impl, with its arguments, in front of a type made in a function.
#[test]
fn a_type_made_inside_a_generic_function_is_known_by_its_own_name() {
    struct Holder<T>(T);
    trait Named {
        fn name(&self) -> &'static str;
    }
    impl<T> Named for Holder<T> {
        fn name(&self) -> &'static str {
            struct Local<U>(U);
            let _ = Local(0).0;
            type_name::<Local<u8>>()
        }
    }
    impl<T> Holder<T> {
        fn inherent(&self) -> &'static str {
            struct Local<U>(U);
            let _ = (Local(0).0, &self.0);
            type_name::<Local<u8>>()
        }
    }
    for name in [Holder(1).name(), Holder(1).inherent()] {
        assert!(matches("Local", name), "{name}");
        assert!(matches("Local<u8>", name), "{name}");
        assert!(!matches("Local<u16>", name), "{name}");
        assert!(!matches("Holder", name), "{name}");
    }
}

#[test]
fn a_typed_rule_needs_no_string() {
    let rule = SupervisionMatcher::on::<DatabaseError>(restart_after(1, SECOND, SECOND));
    let io_rule = SupervisionMatcher::on::<io::Error>(restart_after(1, SECOND, SECOND * 2));
    assert_eq!(io_rule.error_type, "std::io::Error");
    let strategy = SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Stop),
        matchers: vec![io_rule, rule],
    };
    let cause = Cause::of(&database_error(), &known());
    assert_eq!(rule_taken(strategy.clone(), &cause), 1);
    let cause = Cause::of(&TimeoutError(io::Error::other("x")), &known());
    assert_eq!(rule_taken(strategy, &cause), 2);
}

#[test]
fn an_erased_error_is_recovered_by_the_types_that_are_known() {
    let boxed: Box<dyn Error + Send> = Box::new(database_error());
    let cause = Cause::erased(&*boxed, &known());
    assert_eq!(cause, Cause::of(&database_error(), &known()));
    let boxed: Box<dyn Error + Send + Sync> = Box::new(io::Error::other("x"));
    assert_eq!(
        Cause::erased(&*boxed, &KnownErrors::standard()).error_type(),
        "std::io::Error"
    );
}

#[test]
fn an_erased_error_that_nothing_fits_is_a_dyn_error() {
    let boxed: Box<dyn Error + Send> = Box::new(database_error());
    let cause = Cause::erased(&*boxed, &KnownErrors::standard());
    assert_eq!(names(&cause), ["dyn Error", "dyn Error", "std::io::Error"]);
    assert_eq!(cause.message(), "database: timeout", "its message is kept");
    assert_eq!(
        Cause::erased(&*boxed, &KnownErrors::none()).error_type(),
        "dyn Error"
    );
    assert_eq!(rule_taken(telling(["dyn Error"]), &cause), 1);
}

#[test]
fn a_type_known_at_compile_time_needs_no_list_but_its_sources_do() {
    let cause = Cause::of(&database_error(), &KnownErrors::none());
    let outer = type_name::<DatabaseError>();
    assert_eq!(names(&cause), [outer, "dyn Error", "dyn Error"]);
}

#[test]
fn a_boxed_source_is_recovered_as_well() {
    let error = RequestError(Box::new(database_error()));
    let cause = Cause::of(&error, &known());
    assert_eq!(cause.chain().count(), 4);
    assert_eq!(rule_taken(telling(["DatabaseError"]), &cause), 1);
}

#[test]
fn knowing_a_type_twice_is_knowing_it_once() {
    let count = |known: &KnownErrors| format!("{known:?}");
    let standard = KnownErrors::standard();
    assert_eq!(
        count(&standard.clone().with::<io::Error>()),
        count(&standard)
    );
    let mut twice = standard.clone();
    twice.extend(&standard);
    assert_eq!(count(&twice), count(&standard));
    let mut more = KnownErrors::none().with::<DatabaseError>();
    more.extend(&standard);
    assert_ne!(count(&more), count(&standard));
    assert_eq!(
        more.name_of(&io::Error::other("x")),
        Cow::Borrowed("std::io::Error")
    );
}

#[test]
fn an_error_inside_an_io_error_is_part_of_the_chain() {
    let parse = "x".parse::<i32>().expect_err("not a number");
    let error = std::io::Error::other(parse);
    let cause = Cause::of(&error, &KnownErrors::standard());
    let types: Vec<_> = cause.chain().map(|link| &*link.error_type).collect();
    assert_eq!(types, ["std::io::Error", "std::num::ParseIntError"]);
}

#[test]
fn patterns_of_ones_own_are_found_as_rules_are() {
    let rules =
        ["Outer.Timeout", "Inner", "panic"].map(|name| ErrorPattern::new(name).expect(name));
    let rules: Vec<_> = rules
        .into_iter()
        .zip(["variant", "inner", "panic"])
        .collect();
    let found = |cause: &Cause| ErrorPattern::first_match(&rules, cause).copied();
    assert_eq!(found(&Cause::named("app::Inner", "")), Some("inner"));
    assert_eq!(found(&Cause::named("app::Outer", "")), None, "no variant");
    assert_eq!(found(&Cause::panic("")), Some("panic"));
    assert_eq!(found(&Cause::stall("")), None);
    for nonsense in ["", " ", "a::", "::", "\n"] {
        let refused = ErrorPattern::new(nonsense).expect_err(nonsense);
        assert_eq!(refused, InvalidErrorPattern(nonsense.to_owned()));
    }
}
