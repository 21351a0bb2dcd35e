//! Describing errors that misbehave: endless chains, messages that fail or never end.

use std::{error::Error, fmt};

use supervision_core::{Cause, KnownErrors, MAX_CHAIN, MAX_MESSAGE};

/// An error whose chain of sources is as long as its number, or endless.
#[derive(Debug)]
struct Link(Option<Box<Link>>);

impl Link {
    fn chain(length: usize) -> Self {
        (1..length).fold(Self(None), |inner, _| Self(Some(Box::new(inner))))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("link")
    }
}

impl Error for Link {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|inner| inner as _)
    }
}

/// An error that is its own source.
#[derive(Debug)]
struct Circle;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("again")
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn a_long_or_circular_chain_is_cut() {
    let known = KnownErrors::none();
    for (length, kept) in [
        (1, 1),
        (MAX_CHAIN - 1, MAX_CHAIN - 1),
        (MAX_CHAIN, MAX_CHAIN),
    ] {
        assert_eq!(
            Cause::of(&Link::chain(length), &known).chain().count(),
            kept
        );
    }
    for length in [MAX_CHAIN + 1, 1_000] {
        assert_eq!(
            Cause::of(&Link::chain(length), &known).chain().count(),
            MAX_CHAIN
        );
    }
    assert_eq!(Cause::of(&Circle, &known).chain().count(), MAX_CHAIN);
    assert_eq!(Cause::erased(&Circle, &known).chain().count(), MAX_CHAIN);
}

/// An error whose `Display` fails, or never ends.
#[derive(Debug)]
struct Hostile {
    endless: bool,
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("before")?;
        if !self.endless {
            return Err(fmt::Error);
        }
        loop {
            f.write_str("é")?;
        }
    }
}

impl Error for Hostile {}

#[test]
fn a_display_that_fails_leaves_what_it_wrote_and_does_not_panic() {
    let cause = Cause::of(&Hostile { endless: false }, &KnownErrors::none());
    assert_eq!(cause.message(), "before");
}

#[test]
fn a_message_is_cut_at_a_bound_between_two_characters() {
    let endless = Cause::of(&Hostile { endless: true }, &KnownErrors::none());
    assert!(endless.message().starts_with("beforeéé"));
    let long = "é".repeat(MAX_MESSAGE);
    for cause in [
        endless,
        Cause::panic(long.clone()),
        Cause::panic(format!("a{long}")),
        Cause::stall(&long),
        Cause::exit(&long),
        Cause::named("A", &long),
    ] {
        let length = cause.message().len();
        assert!(
            (MAX_MESSAGE - 3..=MAX_MESSAGE).contains(&length),
            "{length}"
        );
        assert!(cause.message().ends_with('…'), "a cut message says so");
    }
    let fits = "x".repeat(MAX_MESSAGE);
    assert_eq!(Cause::panic(&fits).message(), fits);
}
