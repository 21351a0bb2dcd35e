//! Rules for one variant of an error enum.

use std::{error::Error, io, time::Duration};

use allocation_counter::measure;
use supervision_core::{
    Budgets, Cause, ErrorVariants, Failure, KnownErrors, Policy, SupervisionMatcher,
    SupervisionStrategy, Timestamp, decide,
};

use crate::{
    decide::Subject,
    strategies::{SECOND, matching, restart_after},
};

#[derive(Debug, thiserror::Error)]
enum DatabaseError {
    #[error("timeout")]
    Timeout,
    #[error("refused")]
    Refused(#[source] io::Error),
}

impl ErrorVariants for DatabaseError {
    fn variant(&self) -> &'static str {
        match self {
            Self::Timeout => "Timeout",
            Self::Refused(_) => "Refused",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("request")]
struct RequestError(#[source] DatabaseError);

fn known() -> KnownErrors {
    KnownErrors::standard().with_variants::<DatabaseError>()
}

/// The number of the rule that is taken, from 1; 0 is the default.
fn rule_taken<const N: usize>(patterns: [&str; N], cause: &Cause) -> u64 {
    let mut number = 0;
    let rules = patterns.map(|pattern| {
        number += 1;
        (pattern, restart_after(usize::MAX, SECOND, SECOND * number))
    });
    let strategy = matching(rules, restart_after(usize::MAX, SECOND, Duration::ZERO));
    let decision = Subject::under(strategy).fails(cause, 0);
    decision.delay().expect("all rules restart").as_secs()
}

fn refused() -> DatabaseError {
    DatabaseError::Refused(io::Error::other("x"))
}

#[test]
fn a_variant_has_a_rule_of_its_own() {
    let rules = ["DatabaseError.Timeout", "DatabaseError"];
    assert_eq!(
        rule_taken(rules, &Cause::of(&DatabaseError::Timeout, &known())),
        1
    );
    assert_eq!(rule_taken(rules, &Cause::of(&refused(), &known())), 2);
    let longer = ["variants::DatabaseError.Refused"];
    assert_eq!(rule_taken(longer, &Cause::of(&refused(), &known())), 1);
    assert_eq!(
        rule_taken(
            ["app::DatabaseError.Refused"],
            &Cause::of(&refused(), &known())
        ),
        0
    );
}

#[test]
fn a_boxed_variant_and_one_that_is_a_source_are_recognised() {
    let boxed: Box<dyn Error + Send> = Box::new(DatabaseError::Timeout);
    let rules = ["DatabaseError.Refused", "DatabaseError.Timeout"];
    assert_eq!(rule_taken(rules, &Cause::erased(&*boxed, &known())), 2);
    let outer = RequestError(DatabaseError::Timeout);
    assert_eq!(rule_taken(rules, &Cause::of(&outer, &known())), 2);
}

#[test]
fn variants_that_are_not_known_are_not_told_apart() {
    let rules = ["DatabaseError.Timeout", "DatabaseError"];
    let known = KnownErrors::none().with::<DatabaseError>();
    let cause = Cause::of(&DatabaseError::Timeout, &known);
    assert_eq!(rule_taken(rules, &cause), 2);
    let completed = known.with_variants::<DatabaseError>();
    let cause = Cause::of(&DatabaseError::Timeout, &completed);
    assert_eq!(rule_taken(rules, &cause), 1);
    let mut joined = KnownErrors::none().with::<DatabaseError>();
    joined.extend(&completed);
    let cause = Cause::of(&DatabaseError::Timeout, &joined);
    assert_eq!(rule_taken(rules, &cause), 1);
}

#[test]
fn a_typed_rule_for_a_variant_spells_its_type_in_full() {
    let stop = SupervisionStrategy::Stop;
    let rule = SupervisionMatcher::on_variant::<DatabaseError>("Timeout", stop);
    assert!(
        rule.error_type
            .ends_with("::variants::DatabaseError.Timeout")
    );
    let cause = Cause::of(&DatabaseError::Timeout, &known());
    assert_eq!(rule_taken([&rule.error_type], &cause), 1);
}

#[test]
fn a_name_with_a_dot_in_it_is_still_matched_as_a_whole() {
    let named = Cause::named("billing.Timeout", "x");
    assert_eq!(rule_taken(["billing.Timeout"], &named), 1);
    assert_eq!(rule_taken(["billing"], &named), 0);
    assert_eq!(rule_taken(["app::billing.Timeout"], &named), 0);
    let nested = Cause::named("app::billing.Timeout", "x");
    assert_eq!(rule_taken(["billing.Timeout"], &nested), 1);
}

#[test]
fn a_link_without_a_variant_is_written_as_it_always_was() {
    let cause = Cause::named("app::Mine", "gone");
    let text = serde_json::to_string(&cause).expect("writes");
    let before =
        r#"{"kind":"Error","outer":{"error_type":"app::Mine","message":"gone"},"sources":[]}"#;
    assert_eq!(text, before);
    let bytes = postcard::to_stdvec(&cause).expect("writes");
    let before = [b"\x00\x09app::Mine".as_slice(), b"\x04gone", b"\x00"].concat();
    assert_eq!(bytes, before);
}

#[test]
fn a_link_with_a_variant_survives_json_and_postcard() {
    let cause = Cause::of(&RequestError(refused()), &known().with::<RequestError>());
    let text = serde_json::to_string(&cause).expect("writes");
    assert!(text.contains(r#""variant":"Refused""#), "{text}");
    assert_eq!(serde_json::from_str::<Cause>(&text).expect("reads"), cause);
    let bytes = postcard::to_stdvec(&cause).expect("writes");
    assert_eq!(postcard::from_bytes::<Cause>(&bytes).expect("reads"), cause);
}

#[test]
fn deciding_about_a_variant_allocates_nothing() {
    let rules = [
        ("DatabaseError.Refused", SupervisionStrategy::Stop),
        ("DatabaseError.Timeout", SupervisionStrategy::Escalate),
    ];
    let policy = Policy::new(matching(rules, SupervisionStrategy::Resume)).expect("valid");
    let cause = Cause::of(&DatabaseError::Timeout, &known());
    let mut budgets = Budgets::default();
    let mut escalated = 0;
    let cost = measure(|| {
        for _ in 0..1_000 {
            let now = Timestamp::default();
            let decision = decide(&mut budgets, &policy, &Failure::of(&cause), now, 0);
            escalated += u32::from(matches!(
                decision,
                supervision_core::Decision::Escalate { .. }
            ));
        }
    });
    assert_eq!((escalated, cost.count_total), (1_000, 0));
}
