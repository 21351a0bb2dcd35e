//! Hostile bytes: an error, never a panic, an overflow or a large allocation.

use std::cell::Cell;

use proptest::{collection::vec, prelude::*, sample::Index};
use supervision_core::{Cause, FailureInfo, MAX_DEPTH, Policy, SupervisionStrategy};

use crate::{
    property::check,
    serde::{from_json, from_postcard, json, nested, postcard, wide},
    strategies::{ladder, matching, valid},
};

#[test]
fn hostile_nesting_is_an_error_and_not_an_overflow() {
    let matcher = postcard(&matching([], SupervisionStrategy::Stop))[0];
    let rungs = postcard(&ladder([]))[0];
    let levels = 100_000;
    assert!(from_postcard(&vec![matcher; levels]).is_err());
    assert!(from_postcard(&[rungs, 1].repeat(levels)).is_err());
    assert!(from_json(&r#"{"Match":{"default":"#.repeat(levels)).is_err());
    assert!(from_json(&r#"{"Ladder":{"rungs":["#.repeat(levels)).is_err());
    let rule = r#"{"Match":{"matchers":[{"error_type":"A","strategy":"#;
    assert!(from_json(&rule.repeat(levels)).is_err());
    // What is refused half-way leaves the guard as it was.
    assert!(from_postcard(&postcard(&nested(MAX_DEPTH))).is_ok());
}

#[test]
fn a_hostile_length_makes_no_room_before_there_are_bytes() {
    let rungs = postcard(&ladder([]))[0];
    let claims = [
        rungs, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
    ];
    let mut refused = false;
    let cost = allocation_counter::measure(|| refused = from_postcard(&claims).is_err());
    assert!(refused);
    assert!(cost.bytes_max < 2 * 1_024 * 1_024, "{cost:?}");
}

#[test]
fn random_bytes_never_panic_and_what_they_give_is_valid() {
    let accepted = Cell::new(0u32);
    check(
        20_000,
        vec(prop_oneof![3 => 0..10u8, 1 => any::<u8>()], 0..64),
        |bytes| {
            if let Ok(strategy) = from_postcard(&bytes) {
                prop_assert!(Policy::new(strategy).is_ok());
                accepted.set(accepted.get() + 1);
            }
            let _ = postcard::from_bytes::<Cause>(&bytes);
            let _ = postcard::from_bytes::<FailureInfo>(&bytes);
            let _ = serde_json::from_slice::<SupervisionStrategy>(&bytes);
            Ok(())
        },
    );
    assert!(
        (100..19_900).contains(&accepted.get()),
        "both ways are tried: {accepted:?}"
    );
}

#[test]
fn altered_bytes_never_panic_and_what_they_give_is_valid() {
    let accepted = Cell::new(0u32);
    let alteration = vec((any::<Index>(), any::<u8>()), 1..4);
    check(
        3_000,
        (valid(&wide()), alteration),
        |(strategy, alteration)| {
            let alter = |mut bytes: Vec<u8>| {
                alteration
                    .iter()
                    .for_each(|(at, byte)| *at.get_mut(&mut bytes) = *byte);
                bytes
            };
            let read = [
                from_postcard(&alter(postcard(&strategy))).ok(),
                serde_json::from_slice(&alter(json(&strategy).into_bytes())).ok(),
            ];
            for strategy in read.into_iter().flatten() {
                prop_assert!(Policy::new(strategy).is_ok());
                accepted.set(accepted.get() + 1);
            }
            Ok(())
        },
    );
    assert!(
        (100..5_900).contains(&accepted.get()),
        "both ways are tried: {accepted:?}"
    );
}
