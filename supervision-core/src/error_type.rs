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
pub fn canonical(type_name: &'static str) -> &'static str {
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
///
/// Comparison is by the last path segments only: two types that end alike (`a::Error`, `b::Error`)
/// are told apart only by a longer pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    if pattern == name || ends_with_path(name, pattern) {
        return true;
    }
    let (name_path, pattern_path) = (without_arguments(name), pattern);
    if pattern_path.contains('<') {
        return false;
    }
    (name_path.len() != name.len() && ends_with_path(name_path, pattern_path))
        || same_std_type(pattern_path, name_path)
}

/// Whether `path` is `suffix` or ends with `::` and `suffix`.
fn ends_with_path(path: &str, suffix: &str) -> bool {
    match path.strip_suffix(suffix) {
        Some(rest) => rest.is_empty() || rest.ends_with("::"),
        None => false,
    }
}

/// `a::B<c::D>` without `<c::D>`.
fn without_arguments(name: &str) -> &str {
    match name.find('<') {
        // A name that starts with `<` is a qualified path; it has no shorter form.
        Some(at) if at > 0 => &name[..at],
        _ => name,
    }
}

fn is_std(root: &str) -> bool {
    matches!(root, "std" | "core" | "alloc")
}

/// Whether `pattern` could be the exported path of the standard library's type `name`: the last
/// segment is equal, and the pattern's modules occur in the name's modules in the same order.
fn same_std_type(pattern: &str, name: &str) -> bool {
    let mut modules = name.split("::");
    if !modules.next().is_some_and(is_std) {
        return false;
    }
    let Some((pattern_modules, pattern_type)) = pattern.rsplit_once("::") else {
        return false;
    };
    let Some((name_modules, name_type)) = name.rsplit_once("::") else {
        return false;
    };
    if pattern_type != name_type {
        return false;
    }
    let mut wanted = pattern_modules.split("::").peekable();
    if wanted.peek().is_some_and(|root| is_std(root)) {
        wanted.next();
    }
    let mut modules = name_modules.split("::").skip(1);
    wanted.all(|module| modules.any(|m| m == module))
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
