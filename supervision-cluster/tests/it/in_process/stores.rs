//! A store that is replaced by another one; the sizes and names of things.

use std::sync::Arc;

use futures_util::StreamExt;
use supervision_cluster::engine::{
    EngineError, Expected, Refusal, Revision, StoreIncarnation, Ttl, WatchEvent, WriteError,
    in_process::{Faults, InProcess, Options},
};

use super::{everything, key, millis, subject, traced, virtually};
use crate::contract::{bytes, create, next, scan_all};

#[test]
fn a_store_that_was_replaced_is_noticed_by_everybody() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let a = engine.connect("a");
        let ttl = Ttl::from_secs(5);
        let old = a
            .write(&key("k"), bytes("old"), Expected::Absent, ttl)
            .await
            .unwrap();
        let mut watch = a.watch(&everything(), Some(old.next())).await.unwrap();
        assert_eq!(next(&mut watch).await, WatchEvent::CaughtUp);
        let other = StoreIncarnation::new(1);
        assert_ne!(a.incarnation(), other);
        engine.replace_store(other);
        assert_eq!(next(&mut watch).await, WatchEvent::Interrupted);
        assert_eq!(a.get(&key("k")).await, Err(EngineError::Replaced));
        assert_eq!(
            a.watch(&everything(), None).await.err(),
            Some(EngineError::Replaced)
        );
        // The revision it knows exists in the new store, too.
        let b = engine.connect("b");
        assert_eq!(create(&b, &key("k"), "new").await, old);
        let stale = a
            .write(&key("k"), bytes("stale"), Expected::Revision(old), None)
            .await;
        assert_eq!(stale, Err(WriteError::Refused(Refusal::Replaced)));
        // The former entry's end is not the new one's.
        millis(10_000).await;
        assert_eq!(b.get(&key("k")).await.unwrap().unwrap().value, bytes("new"));
        assert_eq!(b.incarnation(), other);
        assert_eq!(engine.connect("a").incarnation(), other);
    });
}

#[test]
fn an_engine_that_nobody_has_any_more_is_gone_with_all_that_was_on_its_way() {
    let (options, trace) = traced(Options::seeded(1).faults(Faults::rough()));
    virtually(async {
        let engine = InProcess::new(options);
        for n in 0..20 {
            let node = engine.connect(&n.to_string());
            tokio::spawn(async move {
                let mut served = node.serve(&subject("s")).await.unwrap();
                loop {
                    let ttl = Ttl::from_secs(100);
                    let _ = node
                        .write(&key("k"), bytes(""), Expected::Absent, ttl)
                        .await;
                    let _ = node.watch(&everything(), None).await;
                    let _ = node.publish(&subject("s"), bytes("")).await;
                    let _ = served.next().await;
                }
            });
        }
        millis(1_005).await;
    });
    assert!(trace.lock().unwrap().len() > 1_000);
    assert_eq!(Arc::strong_count(&trace), 1, "its tracer is still there");
}

#[test]
fn stores_made_without_a_seed_are_different_ones() {
    let incarnation = |options| InProcess::new(options).connect("a").incarnation();
    assert_ne!(incarnation(Options::new()), incarnation(Options::new()));
    assert_eq!(
        incarnation(Options::seeded(1)),
        incarnation(Options::seeded(1))
    );
    assert_ne!(
        incarnation(Options::seeded(1)),
        incarnation(Options::seeded(2))
    );
}

#[test]
fn a_store_with_nothing_in_it_is_complete_to_the_beginning() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let a = engine.connect("a");
        let scan = a.scan(&everything()).await.unwrap();
        assert_eq!(scan.complete_to(), Revision::ZERO);
        assert_eq!(scan.count().await, 0);
        for from in [None, Some(Revision::ZERO), Some(Revision::new(1))] {
            let mut watch = a.watch(&everything(), from).await.unwrap();
            assert_eq!(next(&mut watch).await, WatchEvent::CaughtUp);
        }
        assert_eq!(engine.stats_of("nobody"), Default::default());
    });
}

#[test]
fn an_entry_written_while_a_scan_goes_on_is_shown_once_at_most() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let a = engine.connect("a");
        for n in 0..3_000 {
            create(&a, &key(&n.to_string()), "x").await;
        }
        let mut scan = a.scan(&everything()).await.unwrap();
        let mut keys = Vec::new();
        while let Some(entry) = scan.next().await {
            let entry = entry.unwrap();
            if keys.len() % 100 == 0 {
                // Each goes away and comes back under a new revision.
                let deleted = a.delete(&entry.key, entry.revision).await.unwrap();
                let expected = Expected::Revision(deleted);
                a.write(&entry.key, bytes("y"), expected, None)
                    .await
                    .unwrap();
            }
            keys.push(entry.key);
        }
        assert_eq!(keys.len(), 3_000);
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert_eq!(scan_all(&a, &everything()).await.len(), 3_000);
        // A page that is not full is the last one.
        assert_eq!(engine.stats().scan_pages, 6);
    });
}
