//! Watches: what they begin with, what they go on with.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{FutureExt, StreamExt, TryStreamExt, future::join_all};
use supervision_cluster::engine::{Expected, Key, Prefix, Revision, Ttl, WatchEvent};

use super::{Pair, bytes, create, list, next, next_change, update};

list! {
    a_watch_tells_what_is_there_then_what_happens
    a_watch_from_a_revision_tells_that_and_what_follows
    a_watch_tells_nothing_from_outside_its_prefix
    a_watch_tells_an_expiry
    a_scan_and_a_watch_from_it_leave_nothing_out
    two_watches_do_not_take_from_each_other
    a_watch_that_begins_amid_changes_ends_with_the_last_values
}

async fn a_watch_tells_what_is_there_then_what_happens(pair: Pair) {
    let (one, two) = (pair.key("one"), pair.key("two"));
    let first = create(&pair.a, &one, "1").await;
    update(&pair.a, &one, "2", first).await;
    let gone = create(&pair.a, &two, "1").await;
    let deleted = pair.a.delete(&two, gone).await.unwrap();
    let mut watch = pair.b.watch(&pair.prefix(), None).await.unwrap();
    assert_eq!(next_change(&mut watch).await, "one=2");
    assert_eq!(next_change(&mut watch).await, "caught up");
    let second = update(&pair.a, &two, "3", deleted).await;
    let told = next(&mut watch).await;
    assert_eq!(
        (super::shown(&told).as_str(), told.revision()),
        ("two=3", Some(second))
    );
    let deleted = pair.b.delete(&two, second).await.unwrap();
    let told = next(&mut watch).await;
    assert_eq!(
        (super::shown(&told).as_str(), told.revision()),
        ("-two", Some(deleted))
    );
}

async fn a_watch_from_a_revision_tells_that_and_what_follows(pair: Pair) {
    create(&pair.a, &pair.key("one"), "1").await;
    let from = create(&pair.a, &pair.key("two"), "1").await;
    let gone = create(&pair.a, &pair.key("three"), "1").await;
    pair.a.delete(&pair.key("three"), gone).await.unwrap();
    let mut watch = pair.b.watch(&pair.prefix(), Some(from)).await.unwrap();
    for told in ["two=1", "-three", "caught up"] {
        assert_eq!(next_change(&mut watch).await, told);
    }
    let mut none = pair
        .b
        .watch(&pair.prefix(), Some(Revision::new(u64::MAX)))
        .await
        .unwrap();
    assert_eq!(next_change(&mut none).await, "caught up");
}

async fn a_watch_tells_nothing_from_outside_its_prefix(pair: Pair) {
    let inside = Prefix::below(pair.key("in"));
    let mut watch = pair.b.watch(&inside, None).await.unwrap();
    let named = |ending: &str| Key::new(&format!("{}{ending}", pair.key("in"))).unwrap();
    for ending in ["", "n.x", "-.x", "/x", "=2ex", ".x"] {
        create(&pair.a, &named(ending), "1").await;
    }
    assert_eq!(next_change(&mut watch).await, "caught up");
    assert_eq!(next_change(&mut watch).await, "x=1");
    assert!(watch.next().now_or_never().is_none());
}

async fn a_watch_tells_an_expiry(pair: Pair) {
    let key = pair.key("k");
    let ttl = Some(Ttl::SHORTEST);
    let mut watch = pair.b.watch(&pair.prefix(), None).await.unwrap();
    let written = pair
        .a
        .write(&key, bytes("1"), Expected::Absent, ttl)
        .await
        .unwrap();
    for told in ["caught up", "k=1"] {
        assert_eq!(next_change(&mut watch).await, told);
    }
    let WatchEvent::Expired {
        key: expired,
        revision,
    } = next(&mut watch).await
    else {
        panic!("not told that it expired");
    };
    assert!(expired == key && revision > written);
    let mut again = pair
        .b
        .watch(&pair.prefix(), Some(written.next()))
        .await
        .unwrap();
    assert_eq!(next_change(&mut again).await, "?k");
}

async fn a_scan_and_a_watch_from_it_leave_nothing_out(pair: Pair) {
    let keys: Vec<_> = (0..300).map(|n| pair.key(&n.to_string())).collect();
    join_all(keys.iter().map(|key| create(&pair.a, key, "old"))).await;
    let mut scan = pair.b.scan(&pair.prefix()).await.unwrap();
    let first = scan.try_next().await.unwrap().unwrap();
    let mut changed = Vec::new();
    for key in keys.iter().step_by(3) {
        let revision = pair.a.get(key).await.unwrap().unwrap().revision;
        changed.push((key.clone(), update(&pair.a, key, "new", revision).await));
    }
    let complete_to = scan.complete_to();
    let mut seen = BTreeMap::from([(first.key.clone(), first)]);
    while let Some(entry) = scan.try_next().await.unwrap() {
        seen.insert(entry.key.clone(), entry);
    }
    let from = Some(complete_to.next());
    let mut watch = pair.b.watch(&pair.prefix(), from).await.unwrap();
    loop {
        match next(&mut watch).await {
            WatchEvent::Put(entry) => _ = seen.insert(entry.key.clone(), entry),
            WatchEvent::CaughtUp => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen.len(), keys.len());
    assert!(
        changed
            .iter()
            .all(|(key, revision)| seen[key].revision == *revision)
    );
}

async fn two_watches_do_not_take_from_each_other(pair: Pair) {
    let mut one = pair.a.watch(&pair.prefix(), None).await.unwrap();
    let mut other = pair.a.watch(&pair.prefix(), None).await.unwrap();
    create(&pair.b, &pair.key("k"), "1").await;
    for watch in [&mut one, &mut other] {
        assert_eq!(next_change(watch).await, "caught up");
        assert_eq!(next_change(watch).await, "k=1");
    }
}

async fn a_watch_that_begins_amid_changes_ends_with_the_last_values(pair: Pair) {
    let key = pair.key("k");
    let last = pair.key("last");
    let write = async {
        let mut revision = create(&pair.a, &key, "0").await;
        for n in 1..=200 {
            revision = update(&pair.a, &key, &n.to_string(), revision).await;
            tokio::task::yield_now().await;
        }
        create(&pair.a, &last, "").await;
    };
    let read = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut watch = pair.b.watch(&pair.prefix(), None).await.unwrap();
        let (mut seen, mut told) = (Revision::ZERO, String::new());
        loop {
            let event = next(&mut watch).await;
            let Some(revision) = event.revision() else {
                continue;
            };
            assert!(revision > seen, "{event:?} after {seen}");
            seen = revision;
            match super::shown(&event) {
                end if end == "last=" => return told,
                other => told = other,
            }
        }
    };
    let ((), told) = futures_util::future::join(write, read).await;
    assert_eq!(told, "k=200");
}
