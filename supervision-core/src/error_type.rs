//! Comparing the error type a rule names with the name of the type that failed.
//!
//! Rust has no stable, public name for a type: `std::any::type_name` spells the path where the
//! type is *defined* (`std::io::error::Error`), while people write the path where it is
//! *exported* (`std::io::Error`) or just its last part (`DatabaseError`). [`matches`] accepts all
//! three.

/// The type name of a panic.
pub const PANIC: &str = "panic";
/// The type name of something that did not finish by its deadline.
pub const STALL: &str = "stall";
/// The type name of something that ended by itself although it was to go on.
pub const EXIT: &str = "exit";

/// Types of well-known crates whose public path differs from the path they are defined at in a way
/// that the rule for the standard library does not cover: (defined at, exported as).
const EXPORTED_AS: &[(&str, &str)] = &[
    ("std::io::error::Error", "std::io::Error"),
    ("core::io::error::Error", "std::io::Error"),
    ("core::fmt::Error", "std::fmt::Error"),
    ("core::num::error::ParseIntError", "std::num::ParseIntError"),
    (
        "core::num::error::TryFromIntError",
        "std::num::TryFromIntError",
    ),
    (
        "core::num::dec2flt::ParseFloatError",
        "std::num::ParseFloatError",
    ),
    (
        "core::num::imp::dec2flt::ParseFloatError",
        "std::num::ParseFloatError",
    ),
    (
        "core::num::float_parse::ParseFloatError",
        "std::num::ParseFloatError",
    ),
    ("core::str::error::Utf8Error", "std::str::Utf8Error"),
    (
        "core::str::error::ParseBoolError",
        "std::str::ParseBoolError",
    ),
    ("alloc::string::FromUtf8Error", "std::string::FromUtf8Error"),
    (
        "core::net::parser::AddrParseError",
        "std::net::AddrParseError",
    ),
    ("serde_json::error::Error", "serde_json::Error"),
    ("actix::address::MailboxError", "actix::MailboxError"),
    (
        "tokio::runtime::task::error::JoinError",
        "tokio::task::JoinError",
    ),
    ("uuid::error::Error", "uuid::Error"),
];

/// The name under which a type is exported, for the well-known types whose `type_name` spells a
/// private path; every other name is returned as it is.
///
/// ```
/// # use supervision_core::canonical;
/// assert_eq!(canonical(std::any::type_name::<std::io::Error>()), "std::io::Error");
/// assert_eq!(canonical("app::db::DatabaseError"), "app::db::DatabaseError");
/// ```
pub fn canonical(type_name: &str) -> &str {
    let found = EXPORTED_AS
        .iter()
        .find(|(defined, _)| *defined == type_name);
    found.map_or(type_name, |(_, exported)| exported)
}

/// Whether the type called `name` is meant by `pattern`.
///
/// | rule | pattern | matches |
/// |---|---|---|
/// | equal | `app::db::DatabaseError` | `app::db::DatabaseError` |
/// | from the right, at `::` | `DatabaseError`, `db::DatabaseError` | `app::db::DatabaseError` |
/// | never inside a segment | `Error` | not `DatabaseError` |
/// | generic arguments are ignored unless the pattern has some | `SendError` | `chan::SendError<u8>` |
/// | `std`, `core` and `alloc` are one crate and their private modules do not count | `std::io::Error`, `io::Error` | `std::io::error::Error` |
/// | both are taken in their [`canonical`] form | `std::io::error::Error` | `std::io::Error` |
///
/// Comparison is by the last path segments only: two types that end alike (`a::Error`, `b::Error`)
/// are told apart only by a longer pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    canonical_match(canonical(pattern), canonical(name))
}

/// [`matches`] for names that are canonical already.
pub(crate) fn canonical_match(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let (pattern, wanted_arguments) = split_arguments(pattern);
    let (name, arguments) = split_arguments(name);
    (wanted_arguments.is_empty() || wanted_arguments == arguments)
        && (ends_with_path(name, pattern) || same_std_type(pattern, name))
}

/// `a::B.C` as the type `a::B` and its variant `C`. No path of a type holds a dot.
pub(crate) fn split_variant(pattern: &str) -> Option<(&str, &str)> {
    let (of, variant) = pattern.rsplit_once('.')?;
    let mut chars = variant.chars();
    let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let goes_on = chars.all(|c| c.is_alphanumeric() || c == '_');
    (starts && goes_on && !of.is_empty()).then_some((of, variant))
}

/// Whether `path` is `suffix` or ends with `::` and `suffix`.
fn ends_with_path(path: &str, suffix: &str) -> bool {
    match path.strip_suffix(suffix) {
        Some(rest) => rest.is_empty() || rest.ends_with("::"),
        None => false,
    }
}

/// `a::B<c::D>` as `a::B` and `<c::D>`. Only arguments at the very end are split off: those before
/// are part of the path, as in `<a::B<_> as c::D>::method::Local`.
fn split_arguments(name: &str) -> (&str, &str) {
    let bytes = name.as_bytes();
    let mut open = 0;
    for (at, byte) in bytes.iter().enumerate().rev() {
        match byte {
            b'>' if at > 0 && bytes[at - 1] == b'-' => {} // the arrow of a function's type
            b'>' => open += 1,
            b'<' if open == 1 => return name.split_at(at),
            b'<' => open -= 1,
            _ if open == 0 => break,
            _ => {}
        }
    }
    (name, "")
}

/// What follows the crate in a path of the standard library.
fn inside_std(path: &str) -> Option<&str> {
    let crates = ["std::", "core::", "alloc::"];
    crates.iter().find_map(|root| path.strip_prefix(root))
}

/// `a::b::C` as `a::b` and `C`.
fn split_type(path: &str) -> Option<(&str, &str)> {
    let (modules, name) = path.rsplit_once(':')?;
    Some((modules.strip_suffix(':')?, name))
}

/// Whether `pattern` could be the exported path of the standard library's type `name`: the last
/// segment is equal, and the pattern's modules occur in the name's modules in the same order.
fn same_std_type(pattern: &str, name: &str) -> bool {
    let Some((modules, name)) = inside_std(name).and_then(split_type) else {
        return false;
    };
    let Some((wanted, pattern)) = split_type(inside_std(pattern).unwrap_or(pattern)) else {
        return false;
    };
    let mut modules = modules.split("::");
    pattern == name
        && wanted
            .split("::")
            .all(|module| modules.any(|m| m == module))
}

#[cfg(test)]
mod tests {
    use std::any::type_name;

    use super::*;

    #[test]
    fn a_public_std_path_matches_the_private_one() {
        assert!(matches("std::io::Error", type_name::<std::io::Error>()));
        assert!(matches("io::Error", type_name::<std::io::Error>()));
        assert!(matches(
            "std::num::ParseIntError",
            type_name::<std::num::ParseIntError>()
        ));
        assert!(matches(
            "std::num::ParseFloatError",
            type_name::<std::num::ParseFloatError>()
        ));
        assert!(matches("std::fmt::Error", type_name::<std::fmt::Error>()));
        assert!(matches("core::fmt::Error", type_name::<std::fmt::Error>()));
        assert!(matches(
            "std::string::FromUtf8Error",
            type_name::<std::string::FromUtf8Error>()
        ));
        assert!(matches(
            "std::net::AddrParseError",
            type_name::<std::net::AddrParseError>()
        ));
        assert!(matches(
            "std::sync::mpsc::RecvError",
            type_name::<std::sync::mpsc::RecvError>()
        ));
        assert!(matches(
            "std::sync::PoisonError",
            type_name::<std::sync::PoisonError<u8>>()
        ));
    }

    #[test]
    fn std_types_that_end_alike_stay_apart() {
        assert!(!matches("std::io::Error", type_name::<std::fmt::Error>()));
        assert!(!matches("std::fmt::Error", type_name::<std::io::Error>()));
        assert!(!matches("std::io::Error", "app::io::Error"));
        assert!(!matches("app::io::Error", type_name::<std::io::Error>()));
    }

    #[test]
    fn a_pattern_matches_whole_segments_from_the_right() {
        let name = "app::db::DatabaseError";
        for pattern in ["DatabaseError", "db::DatabaseError", name] {
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in [
            "Error",
            "b::DatabaseError",
            "app::DatabaseError",
            "db",
            "x::db::DatabaseError",
        ] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }

    #[test]
    fn generic_arguments_count_only_when_the_pattern_has_them() {
        let name = "chan::SendError<alloc::string::String>";
        assert!(matches("SendError", name));
        assert!(matches("chan::SendError", name));
        assert!(matches(name, name));
        assert!(!matches("SendError<u8>", name));
        assert!(!matches("String", name));
        assert!(!matches("string::String>", "x::string::String"));
    }

    #[test]
    fn canonical_names_are_matched_by_both_spellings() {
        for (defined, exported) in EXPORTED_AS {
            assert!(matches(exported, exported));
            assert_eq!(canonical(defined), *exported);
        }
        assert!(matches(
            "serde_json::Error",
            canonical("serde_json::error::Error")
        ));
    }
}
