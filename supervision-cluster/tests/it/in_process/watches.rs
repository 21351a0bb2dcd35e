//! Watches under faults: in order, nothing left out, whatever interrupts them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::join_all};
use supervision_cluster::engine::{
    Engine, EngineError, Expected, Key, Revision, Ttl, WatchEvent,
    in_process::{Chance, Faults, InProcess, Options},
};

use super::{everything, key, millis, virtually};
use crate::contract::{bytes, create, next, next_change, update};

/// What somebody learnt who watches, and watches again after each interruption.
#[derive(Default)]
struct Learnt {
    keys: BTreeMap<Key, WatchEvent>,
    last: Option<Revision>,
    events: u64,
    interruptions: u64,
}

async fn follow(engine: Arc<dyn Engine>, until: tokio::time::Instant) -> Learnt {
    let mut learnt = Learnt::default();
    loop {
        let from = learnt.last.map(Revision::next);
        let watch = engine.watch(&everything(), from);
        let Ok(watch) = tokio::time::timeout_at(until, watch).await else {
            return learnt;
        };
        let Ok(mut watch) = watch else {
            continue;
        };
        loop {
            let event = match tokio::time::timeout_at(until, watch.next()).await {
                Ok(event) => event.expect("a watch ended without a word"),
                Err(_) => return learnt,
            };
            learnt.events += 1;
            if event == WatchEvent::Interrupted {
                learnt.interruptions += 1;
                assert_eq!(watch.next().await, None);
                break;
            }
            if let Some(revision) = event.revision() {
                assert!(
                    learnt.last < Some(revision),
                    "{event:?} after {:?}",
                    learnt.last
                );
                learnt.last = Some(revision);
                learnt.keys.insert(key_of(&event), event);
            }
        }
    }
}

fn key_of(event: &WatchEvent) -> Key {
    match event {
        WatchEvent::Put(entry) => entry.key.clone(),
        WatchEvent::Deleted { key, .. } | WatchEvent::Expired { key, .. } => key.clone(),
        other => panic!("{other:?} has no key"),
    }
}

/// Writes, deletes and lets expire.
async fn change(engine: Arc<dyn Engine>, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    for n in 0..120 {
        let key = key(&rng.u8(0..20).to_string());
        let Ok(entry) = engine.get(&key).await else {
            continue;
        };
        let ttl = rng.bool().then_some(Ttl::SHORTEST);
        let expected = match &entry {
            Some(entry) if rng.u8(0..4) == 0 => {
                // What comes of it is told by the watch.
                let _ = engine.delete(&key, entry.revision).await;
                continue;
            }
            Some(entry) => Expected::Revision(entry.revision),
            None => Expected::Absent,
        };
        let _ = engine
            .write(&key, bytes(&format!("{seed} {n}")), expected, ttl)
            .await;
        millis(rng.u64(0..100)).await;
    }
}

#[test]
fn a_watch_begun_again_after_each_interruption_learns_every_last_change_in_order() {
    let (mut events, mut interruptions, mut expired) = (0, 0, 0);
    for seed in 0..15 {
        virtually(async {
            let mut faults = Faults::rough();
            faults.store.interrupt_watch = Chance::percent(5);
            let engine = InProcess::new(Options::seeded(seed).faults(faults));
            let until = tokio::time::Instant::now() + Duration::from_secs(120);
            let watchers = (0..3).map(|n| {
                let node = engine.connect(&format!("watcher{n}"));
                tokio::spawn(follow(node, until))
            });
            let watchers: Vec<_> = watchers.collect();
            let writers = (0..3).map(|n| change(engine.connect(&format!("n{n}")), n));
            join_all(writers).await;
            // Late commits and expiries come, and then it is quiet.
            millis(15_000).await;
            engine.set_faults(Faults::default());
            let learnt = join_all(watchers).await;
            let a = engine.connect("a");
            for learnt in learnt {
                let learnt = learnt.unwrap();
                events += learnt.events;
                interruptions += learnt.interruptions;
                assert!(!learnt.keys.is_empty());
                for n in 0..20 {
                    let there = a.get(&key(&n.to_string())).await.unwrap();
                    let told = learnt.keys.get(&key(&n.to_string()));
                    let told = told.filter(|event| matches!(event, WatchEvent::Put(_)));
                    assert_eq!(told.cloned(), there.map(WatchEvent::Put));
                }
            }
            expired += engine.stats().expired;
        });
    }
    assert!(
        events > 3_000 && interruptions > 200,
        "{events} {interruptions}"
    );
    assert!(expired > 100, "{expired}");
}

#[test]
fn a_watch_interrupted_while_it_catches_up_skips_nothing() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        // More than is looked at under one lock.
        for n in 0..5_000 {
            create(&a, &key(&n.to_string()), "x").await;
        }
        let mut watch = b.watch(&everything(), None).await.unwrap();
        let first = next(&mut watch).await;
        // This waits behind the rest, which will not be told any more.
        create(&a, &key("later"), "x").await;
        engine.interrupt_watches("b");
        let (mut seen, mut last) = (1, first.revision());
        loop {
            match next(&mut watch).await {
                WatchEvent::Interrupted => break,
                event => {
                    seen += 1;
                    assert!(event.revision() > last);
                    last = event.revision();
                }
            }
        }
        assert_eq!(seen, 1_024, "the rest of the page that was read");
        let mut watch = b
            .watch(&everything(), last.map(Revision::next))
            .await
            .unwrap();
        while next(&mut watch).await != WatchEvent::CaughtUp {
            seen += 1;
        }
        assert_eq!(seen, 5_001);
        assert!(watch.next().now_or_never().is_none());
    });
}

#[test]
fn a_watch_that_is_not_read_is_interrupted_when_there_is_no_more_room() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1).capacity(10));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut watch = b.watch(&everything(), None).await.unwrap();
        assert_eq!(next_change(&mut watch).await, "caught up");
        let mut revision = create(&a, &key("k"), "0").await;
        for n in 1..=20 {
            revision = update(&a, &key("k"), &n.to_string(), revision).await;
        }
        for n in 0..10 {
            assert_eq!(next_change(&mut watch).await, format!("k={n}"));
        }
        assert_eq!(next(&mut watch).await, WatchEvent::Interrupted);
        assert_eq!(watch.next().await, None);
        let mut again = b.watch(&everything(), Some(revision)).await.unwrap();
        assert_eq!(next_change(&mut again).await, "k=20");
    });
}

#[test]
fn a_watch_from_before_a_forgotten_deletion_is_refused_and_a_scan_helps() {
    virtually(async {
        let lifetime = Duration::from_secs(60);
        let engine = InProcess::new(Options::seeded(1).marker_lifetime(lifetime));
        let a = engine.connect("a");
        let kept = create(&a, &key("kept"), "1").await;
        let gone = create(&a, &key("gone"), "1").await;
        let deleted = a.delete(&key("gone"), gone).await.unwrap();
        millis(59_000).await;
        let mut watch = a.watch(&everything(), Some(gone)).await.unwrap();
        assert_eq!(next_change(&mut watch).await, "-gone");
        millis(2_000).await;
        let refused = a.watch(&everything(), Some(gone)).await;
        assert_eq!(refused.err(), Some(EngineError::Compacted { from: gone }));
        let scan = a.scan(&everything()).await.unwrap();
        assert_eq!(scan.complete_to(), deleted);
        let entries: Vec<_> = scan.collect().await;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].as_ref().unwrap().revision, kept);
        assert!(a.watch(&everything(), Some(deleted.next())).await.is_ok());
        // The key is as if it had never been, and the revision as if it never came back.
        let expected = Expected::Revision(deleted);
        assert!(
            a.write(&key("gone"), bytes("x"), expected, None)
                .await
                .is_err()
        );
        assert!(create(&a, &key("gone"), "2").await > deleted);
    });
}

#[test]
fn a_watch_that_nobody_follows_any_more_costs_nothing() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1).capacity(3));
        let a = engine.connect("a");
        drop(a.watch(&everything(), None).await.unwrap());
        for n in 0..10 {
            create(&a, &key(&n.to_string()), "x").await;
        }
        assert_eq!(engine.stats().interrupted_watches, 0);
    });
}
