//! Keys, prefixes and subjects: what is taken, and that encoding loses nothing.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use supervision_cluster::engine::{InvalidName, Key, MAX_NAME, Prefix, Subject, Ttl};

/// Texts with everything in them that could be mistaken for something else.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9/_-]{0,8}",
        "[=.0-9a-fA-F>* ]{0,8}",
        "\\PC{0,6}",
        any::<String>().prop_map(|text| text.chars().take(8).collect()),
    ]
}

fn allowed(name: &str) -> bool {
    let one = |c: char| c.is_ascii_alphanumeric() || "-/_=.".contains(c);
    name.chars().all(one) && name.split('.').all(|part| !part.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_key_of_any_texts_has_allowed_characters_and_gives_them_back(parts in vec(part(), 1..5)) {
        prop_assume!(!parts[0].starts_with("_kv"));
        let key = Key::of(parts.iter().map(String::as_str)).unwrap();
        prop_assert!(allowed(key.as_str()), "{key}");
        prop_assert_eq!(key.parts().unwrap(), parts);
    }

    #[test]
    fn different_texts_are_different_keys(a in vec(part(), 1..4), b in vec(part(), 1..4)) {
        let key = |parts: &[String]| Subject::of(parts.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(a == b, key(&a) == key(&b));
    }

    #[test]
    fn a_written_key_is_taken_if_its_characters_are_allowed(name in "[-/_=.a-cA ]{0,6}") {
        prop_assume!(!name.starts_with("_kv"));
        prop_assert_eq!(Key::new(&name).is_ok(), allowed(&name));
        // What comes back as parts is what went in, or nothing does.
        if let Some(parts) = Key::new(&name).ok().and_then(|key| key.parts()) {
            let again = Key::of(parts.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(again.as_str(), name);
        }
    }

    #[test]
    fn a_prefix_contains_what_begins_with_its_parts(a in vec("[ab]{1,2}", 0..3), b in vec("[ab]{1,2}", 1..4)) {
        let prefix = Prefix::of(a.iter().map(String::as_str)).unwrap();
        let key = Key::of(b.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(prefix.contains(&key), b.len() > a.len() && b.starts_with(&a));
    }
}

#[test]
fn a_key_has_at_most_the_length_that_is_allowed() {
    assert!(Key::new(&"a".repeat(MAX_NAME)).is_ok());
    let length = MAX_NAME + 1;
    let refused = Key::new(&"a".repeat(length));
    assert_eq!(refused, Err(InvalidName::TooLong { length }));
}

#[test]
fn names_that_the_server_or_its_client_keep_are_refused() {
    assert_eq!(
        Key::new("_kv.x"),
        Err(InvalidName::Reserved { prefix: "_kv" })
    );
    assert!(Key::of(["_kvx"]).is_err());
    assert!(Key::new("a._kv").is_ok());
    assert!(Subject::new("_INBOX.x").is_err());
    assert!(Subject::new("_kv").is_ok());
}

#[test]
fn wildcards_spaces_and_control_characters_are_refused() {
    for name in ["a.*", "a.>", "a b", "a\r\nPUB", "a\0", "é", "$JS.API"] {
        let refused = Subject::new(name);
        assert!(
            matches!(refused, Err(InvalidName::BadCharacter { .. })),
            "{name}"
        );
    }
    for name in ["", ".", ".a", "a.", "a..b"] {
        let refused = Key::new(name);
        assert!(
            matches!(refused, Err(InvalidName::EmptyPart { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_key_that_comes_as_json_is_checked() {
    let key: Key = serde_json::from_str("\"lease.a\"").unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), "\"lease.a\"");
    assert!(serde_json::from_str::<Key>("\"lease..a\"").is_err());
}

#[test]
fn a_lifetime_is_whole_seconds_rounded_up() {
    let seconds = |of| Ttl::at_least(of).as_duration().as_secs();
    assert_eq!(seconds(Duration::ZERO), 1);
    assert_eq!(seconds(Duration::from_millis(2_001)), 3);
    assert_eq!(seconds(Duration::from_secs(2)), 2);
    assert_eq!(seconds(Duration::MAX), u64::from(u32::MAX));
    assert_eq!(Ttl::from_secs(0), None);
}
