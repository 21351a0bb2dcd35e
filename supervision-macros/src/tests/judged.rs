//! What is refused, and that one mistake does not hide another. The messages in full, and where
//! they point, are in `tests/ui/fail`.

use super::{path_errors, read};

/// The beginnings of what is wrong with an attribute.
#[track_caller]
fn assert_refused<const N: usize>(attribute: &str, expected: [&str; N]) {
    let (_, errors) = read(attribute);
    let fits = |(error, start): (&String, &str)| error.starts_with(start);
    assert!(
        errors.len() == N && errors.iter().zip(expected).all(fits),
        "{attribute}: {errors:#?}"
    );
}

#[test]
fn a_mistake_in_an_item_leaves_the_next_item_readable() {
    assert_refused(
        "on(A => stpo), histroy = 1, on(B => restart(mx = 1, within = 0)), nonsense",
        [
            "unknown strategy `stpo`",
            "unknown key `histroy`",
            "unknown key `mx`",
            "a duration needs a unit",
            "unknown key `nonsense`",
        ],
    );
}

#[test]
fn what_was_read_is_judged_although_something_else_was_not() {
    assert_refused(
        "nonsense, strategy = stop then restart(max = 0)",
        [
            "unknown key `nonsense`",
            "0 restarts",
            "never reached: `stop`",
        ],
    );
}

#[test]
fn a_missing_part_is_not_reported_where_a_part_was_refused() {
    assert_refused(
        "strategy = relocate(rondom, max = 1)",
        ["unknown placement `rondom`"],
    );
    assert_refused(
        "strategy = relocate(random, max = x)",
        ["expected a whole number"],
    );
    assert_refused(
        "strategy = relocate(random, random)",
        ["`relocate` takes one placement"],
    );
}

#[test]
fn a_rule_must_be_able_to_match() {
    assert_refused("on(A => stop), on(::A => stop)", ["`A` has a rule already"]);
    assert_refused(
        "on(A<B> => stop), on(A < B > => stop)",
        ["`A<B>` has a rule already"],
    );
    assert_refused("on(A => stop), on(A.B => stop)", ["`A.B` is never reached"]);
    assert_refused("on(A.B => stop), on(A.C => stop), on(A => stop)", []);
    assert_refused("on(a::E => stop), on(b::E => stop), on(E => stop)", []);
}

#[test]
fn limits_are_allowed_up_to_themselves() {
    assert_refused("strategy = restart(max = 1_000_000, delay = \"365d\")", []);
    assert_refused("strategy = restart(max = 1_000_001)", ["at most 1000000"]);
    assert_refused(
        "strategy = restart(delay = \"365d 1ns\")",
        ["a delay must not be longer"],
    );
    assert_refused(
        "strategy = relocate(random, max = 1, delay = \"366d\")",
        ["a delay must not be longer"],
    );
    assert_refused(
        "strategy = restart(delay = 1s..=1s, factor = 1, jitter = 1)",
        [],
    );
    assert_refused(
        "strategy = restart(delay = 1s..=1s, jitter = 1.01)",
        ["jitter must be"],
    );
}

#[test]
fn a_stall_deadline_is_longer_than_zero_and_at_most_a_year() {
    assert_refused("stall = 1ns", []);
    assert_refused("stall = \"365d\"", []);
    assert_refused("stall = 0s", ["a stall deadline must be longer"]);
    assert_refused("stall = \"365d 1ns\"", ["a stall deadline must be"]);
    assert_refused("stall = 5", ["a duration needs a unit"]);
    assert_refused("stall_deadline = 5s", ["write `stall = \"5s\"`"]);
}

#[test]
fn a_path_is_held_against_the_type_it_is_for() {
    let long = "x".repeat(1_024);
    let fixed = |path: &str| path_errors(&format!("#[actor(path = {path:?})] struct A;"));
    assert_eq!(fixed(&long), [""; 0]);
    assert_eq!(fixed(&format!("{long}x")).len(), 1);
    assert_eq!(fixed("a\nb").len(), 1);
    let fields = "#[actor(path = \"{a}{0}{b}\")] struct A { a: u8 }";
    assert_eq!(
        path_errors(fields),
        [
            "no field `0`: the struct has `a`",
            "no field `b`: the struct has `a`"
        ]
    );
    assert_eq!(
        path_errors("#[actor(path = \"{1}\")] struct A(u8, u8);"),
        [""; 0]
    );
    assert_eq!(
        path_errors("#[actor(path = \"{0}\")] struct A;"),
        ["no field `0`: the struct has none"]
    );
}
