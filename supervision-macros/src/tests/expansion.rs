//! Expansions as text, held against `tests/expansion`. To write them anew after a change, set
//! `UPDATE_EXPANSIONS=1` and read the difference.

use std::{fs, path::PathBuf};

use super::input;
use crate::{distributed, supervised, variants};

#[track_caller]
fn assert_expands(name: &str, item: &str) {
    let item = input(item);
    let error_variants = matches!(item.data, syn::Data::Enum(_));
    let expansion = if error_variants {
        variants::expand(&item)
    } else {
        let mut both = distributed(&item);
        both.extend(supervised(&item));
        both
    };
    let file = syn::parse2(expansion).expect("an expansion is Rust");
    let text = prettyplease::unparse(&file);
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/expansion/{name}.txt"));
    if std::env::var_os("UPDATE_EXPANSIONS").is_some() {
        fs::write(&path, &text).expect("writes");
    }
    let expected = fs::read_to_string(&path).expect("there is a file for each expansion");
    assert!(
        text == expected,
        "{name} expands to\n{text}\nwhich was\n{expected}"
    );
}

#[test]
fn nothing_said_expands_to_almost_nothing() {
    assert_expands("nothing", r#"#[actor(path = "/user/a")] struct Worker;"#);
}

#[test]
fn the_policy_of_the_document_expands_to_itself() {
    assert_expands(
        "document",
        r#"
        #[actor(path = "/user/my-actor")]
        #[supervision(
            on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
            on(DatabaseError => stop),
            default = restart(max = 3, within = "60s", delay = "100ms"),
        )]
        struct MyActor;"#,
    );
}

#[test]
fn everything_expands_to_full_paths() {
    assert_expands(
        "everything",
        r#"
        #[actor(path = "/user/{id}/{id}", crate = my::runtime)]
        #[supervision(
            crate = my::runtime,
            on(db::Error<u8>.Timeout => restart(max = 5, delay = "50ms"..="2s", factor = 1.5)),
            on(db::Error<u8> => restart(max = unlimited, delay = "1ns")),
            on(panic => restart then relocate(node("b"), max = unlimited)),
            on(stall => resume),
            on(exit => escalate),
            known(std::fmt::Error, other::Error.*),
            restart_type = permanent,
            history = 20,
            stall = "1m 30s",
            before_restart = Self::flush,
            after_relocate = arrived,
        )]
        struct Worker { id: u8 }"#,
    );
}

#[test]
fn a_generic_actor_expands_to_bounds() {
    assert_expands(
        "generic",
        r#"
        #[actor(path = "/user/{name}/{id}")]
        #[supervision(on(Failed<T> => stop), on(std::io::Error => restart))]
        struct Worker<N: Clone, T = u8, const L: usize = 3> where T: Copy {
            name: Name<N>, id: u8, work: [T; L],
        }"#,
    );
}

#[test]
fn an_error_enum_expands_to_a_match() {
    assert_expands(
        "variants",
        "enum Failed<T> where T: Copy { Unit, Tuple(T), Struct { of: u8 }, r#Try }",
    );
}

#[test]
fn what_is_wrong_expands_to_errors_and_an_empty_impl() {
    assert_expands(
        "errors",
        r#"#[actor(path = "{x}")] #[supervision(on(panic => stpo), history = x)] struct Worker;"#,
    );
}
