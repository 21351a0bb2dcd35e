//! Entries: comparing and swapping, deletions, lifetimes, scans.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use supervision_cluster::engine::{
    Engine, Expected, Key, Prefix, Refusal, Revision, Ttl, WriteError,
};

use super::{Pair, bytes, create, list, scan_all, update};

list! {
    a_key_is_created_once
    what_one_wrote_the_other_reads
    a_write_needs_the_last_revision
    revisions_grow_over_all_keys
    a_deleted_key_can_be_created_again
    a_deletion_needs_the_last_revision
    a_deletion_can_be_the_expected_change
    of_many_writes_at_once_one_succeeds
    increments_of_many_add_up
    an_entry_expires
    a_renewal_lengthens_a_life
    a_write_without_a_lifetime_makes_an_entry_last
    an_expired_key_can_be_created_again
    the_longest_value_is_taken_and_a_longer_one_refused
    an_empty_value_is_a_value
    a_scan_shows_what_is_below_its_prefix
    a_scan_of_many_pages_is_complete
    all_handles_tell_of_the_same_store
}

async fn a_key_is_created_once(pair: Pair) {
    let key = pair.key("k");
    assert_eq!(pair.a.get(&key).await, Ok(None));
    let first = create(&pair.a, &key, "a").await;
    let second = pair.b.write(&key, bytes("b"), Expected::Absent, None).await;
    let Err(WriteError::Conflict { actual }) = second else {
        panic!("{second:?}");
    };
    assert!(actual.is_none_or(|actual| actual == first));
    assert_eq!(pair.b.get(&key).await.unwrap().unwrap().value, bytes("a"));
}

async fn what_one_wrote_the_other_reads(pair: Pair) {
    let key = pair.key("k");
    let revision = create(&pair.a, &key, "a").await;
    let entry = pair.b.get(&key).await.unwrap().unwrap();
    assert_eq!(
        (entry.key, entry.value, entry.revision),
        (key, bytes("a"), revision)
    );
}

async fn a_write_needs_the_last_revision(pair: Pair) {
    let key = pair.key("k");
    let never = pair
        .b
        .write(&key, bytes("x"), Expected::Revision(Revision::new(1)), None);
    assert!(matches!(never.await, Err(WriteError::Conflict { .. })));
    let first = create(&pair.a, &key, "1").await;
    let second = update(&pair.b, &key, "2", first).await;
    let late = pair
        .a
        .write(&key, bytes("late"), Expected::Revision(first), None);
    assert!(matches!(late.await, Err(WriteError::Conflict { .. })));
    let early = pair.a.write(
        &key,
        bytes("early"),
        Expected::Revision(second.next()),
        None,
    );
    assert!(matches!(early.await, Err(WriteError::Conflict { .. })));
    assert_eq!(pair.a.get(&key).await.unwrap().unwrap().revision, second);
}

async fn revisions_grow_over_all_keys(pair: Pair) {
    let (one, other) = (pair.key("one"), pair.key("other"));
    let first = create(&pair.a, &one, "").await;
    let second = create(&pair.b, &other, "").await;
    let third = update(&pair.a, &one, "", first).await;
    let deleted = pair.b.delete(&other, second).await.unwrap();
    let again = create(&pair.a, &other, "").await;
    assert!(first < second && second < third && third < deleted && deleted < again);
}

async fn a_deleted_key_can_be_created_again(pair: Pair) {
    let key = pair.key("k");
    let first = create(&pair.a, &key, "1").await;
    pair.a.delete(&key, first).await.unwrap();
    assert_eq!(pair.b.get(&key).await, Ok(None));
    create(&pair.b, &key, "2").await;
    let stale = pair
        .a
        .write(&key, bytes("x"), Expected::Revision(first), None);
    assert!(matches!(stale.await, Err(WriteError::Conflict { .. })));
}

async fn a_deletion_needs_the_last_revision(pair: Pair) {
    let key = pair.key("k");
    let first = create(&pair.a, &key, "1").await;
    update(&pair.a, &key, "2", first).await;
    let stale = pair.b.delete(&key, first).await;
    assert!(
        matches!(stale, Err(WriteError::Conflict { .. })),
        "{stale:?}"
    );
    assert_eq!(pair.b.get(&key).await.unwrap().unwrap().value, bytes("2"));
}

async fn a_deletion_can_be_the_expected_change(pair: Pair) {
    let key = pair.key("k");
    let first = create(&pair.a, &key, "1").await;
    let deleted = pair.a.delete(&key, first).await.unwrap();
    let revived = update(&pair.b, &key, "2", deleted).await;
    assert!(revived > deleted);
    let again = pair
        .a
        .write(&key, bytes("3"), Expected::Revision(deleted), None);
    assert!(matches!(again.await, Err(WriteError::Conflict { .. })));
}

async fn of_many_writes_at_once_one_succeeds(pair: Pair) {
    for round in 0..20 {
        let key = pair.key(&format!("k{round}"));
        let first = create(&pair.a, &key, "").await;
        let attempts = (0..16).map(|writer| {
            let engine = if writer % 2 == 0 { &pair.a } else { &pair.b };
            let value = bytes(&format!("{writer}"));
            engine.write(&key, value, Expected::Revision(first), None)
        });
        let outcomes = join_all(attempts).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{outcomes:?}");
    }
}

async fn increments_of_many_add_up(pair: Pair) {
    let key = pair.key("sum");
    create(&pair.a, &key, "0").await;
    let count = async |engine: &Arc<dyn Engine>| {
        let mut done = 0;
        while done < 20 {
            let entry = engine.get(&key).await.unwrap().unwrap();
            let sum: u32 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
            let value = bytes(&(sum + 1).to_string());
            let expected = Expected::Revision(entry.revision);
            done += u32::from(engine.write(&key, value, expected, None).await.is_ok());
        }
    };
    futures_util::future::join(count(&pair.a), count(&pair.b)).await;
    assert_eq!(pair.a.get(&key).await.unwrap().unwrap().value, bytes("40"));
}

/// Waits until an entry is gone, but not forever.
async fn is_gone(pair: &Pair, key: &Key) -> bool {
    for _ in 0..80 {
        if pair.b.get(key).await.unwrap().is_none() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

async fn an_entry_expires(pair: Pair) {
    let key = pair.key("k");
    let ttl = Some(Ttl::SHORTEST);
    let written = pair.a.write(&key, bytes("1"), Expected::Absent, ttl);
    let revision = written.await.unwrap();
    assert_eq!(pair.b.get(&key).await.unwrap().unwrap().revision, revision);
    assert!(is_gone(&pair, &key).await);
    let late = pair
        .a
        .write(&key, bytes("2"), Expected::Revision(revision), ttl);
    assert!(matches!(late.await, Err(WriteError::Conflict { .. })));
}

async fn a_renewal_lengthens_a_life(pair: Pair) {
    let key = pair.key("k");
    let ttl = Ttl::from_secs(2);
    let mut revision = pair
        .a
        .write(&key, bytes("0"), Expected::Absent, ttl)
        .await
        .unwrap();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let renewed = pair
            .a
            .write(&key, bytes("r"), Expected::Revision(revision), ttl);
        revision = renewed.await.unwrap();
    }
    assert!(is_gone(&pair, &key).await);
}

async fn a_write_without_a_lifetime_makes_an_entry_last(pair: Pair) {
    let (lasting, other) = (pair.key("lasting"), pair.key("other"));
    let ttl = Some(Ttl::SHORTEST);
    let revision = pair
        .a
        .write(&lasting, bytes("1"), Expected::Absent, ttl)
        .await
        .unwrap();
    update(&pair.a, &lasting, "2", revision).await;
    pair.a
        .write(&other, bytes(""), Expected::Absent, Ttl::from_secs(3))
        .await
        .unwrap();
    assert!(is_gone(&pair, &other).await);
    assert_eq!(
        pair.b.get(&lasting).await.unwrap().unwrap().value,
        bytes("2")
    );
}

async fn an_expired_key_can_be_created_again(pair: Pair) {
    let key = pair.key("k");
    let ttl = Some(Ttl::SHORTEST);
    let first = pair
        .a
        .write(&key, bytes("1"), Expected::Absent, ttl)
        .await
        .unwrap();
    assert!(is_gone(&pair, &key).await);
    // The expiry took a revision of its own.
    assert!(create(&pair.b, &key, "2").await > first.next());
}

async fn the_longest_value_is_taken_and_a_longer_one_refused(pair: Pair) {
    let (key, max) = (pair.key("k"), pair.a.max_payload());
    let value = vec![b'x'; max + 1];
    let longest = value[..max].to_vec().into();
    let first = pair
        .a
        .write(&key, longest, Expected::Absent, None)
        .await
        .unwrap();
    let longer = pair
        .a
        .write(&key, value.into(), Expected::Revision(first), None)
        .await;
    let size = max + 1;
    assert_eq!(
        longer,
        Err(WriteError::Refused(Refusal::TooLarge { size, max }))
    );
    let read = pair.b.get(&key).await.unwrap().unwrap();
    assert_eq!((read.value.len(), read.revision), (max, first));
}

async fn an_empty_value_is_a_value(pair: Pair) {
    let key = pair.key("k");
    create(&pair.a, &key, "").await;
    assert_eq!(pair.b.get(&key).await.unwrap().unwrap().value, bytes(""));
}

async fn a_scan_shows_what_is_below_its_prefix(pair: Pair) {
    let root = pair.key("p");
    let below = |name: &str| Key::new(&format!("{root}{name}")).unwrap();
    for name in ["", ".a", ".a.b", ".b", "-x", "/x", "0", "=2e"] {
        create(&pair.a, &below(name), name).await;
    }
    let gone = create(&pair.a, &below(".c"), "").await;
    pair.a.delete(&below(".c"), gone).await.unwrap();
    let found = scan_all(&pair.b, &Prefix::below(root.clone())).await;
    let found: BTreeSet<_> = found.into_iter().map(|entry| entry.key).collect();
    assert_eq!(found, BTreeSet::from([".a", ".a.b", ".b"].map(below)));
    assert!(
        scan_all(&pair.b, &Prefix::below(pair.key("none")))
            .await
            .is_empty()
    );
}

async fn a_scan_of_many_pages_is_complete(pair: Pair) {
    let keys: Vec<_> = (0..2_500).map(|n| pair.key(&n.to_string())).collect();
    for some in keys.chunks(250) {
        let written = some.iter().map(|key| create(&pair.a, key, "x"));
        join_all(written).await;
    }
    let found = scan_all(&pair.b, &pair.prefix()).await;
    assert_eq!(found.len(), keys.len());
    let found: BTreeSet<_> = found.into_iter().map(|entry| entry.key).collect();
    assert_eq!(found, keys.into_iter().collect());
}

async fn all_handles_tell_of_the_same_store(pair: Pair) {
    assert_eq!(pair.a.incarnation(), pair.b.incarnation());
}
