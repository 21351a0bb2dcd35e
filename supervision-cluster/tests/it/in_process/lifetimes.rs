//! When entries expire.

use std::time::Duration;

use supervision_cluster::engine::{
    Expected, Ttl, WatchEvent,
    in_process::{Faults, InProcess, Options},
};

use super::{everything, key, millis, virtually};
use crate::contract::{bytes, next, next_change};

/// How long entries of ten seconds live, in milliseconds.
async fn lives(faults: Faults) -> (Vec<u128>, InProcess) {
    let engine = InProcess::new(Options::seeded(5).faults(faults));
    let a = engine.connect("a");
    let mut watch = a.watch(&everything(), None).await.unwrap();
    assert_eq!(next(&mut watch).await, WatchEvent::CaughtUp);
    let mut lives = Vec::new();
    for n in 0..200 {
        let begun = tokio::time::Instant::now();
        let key = key(&n.to_string());
        let written = a.write(&key, bytes("x"), Expected::Absent, Ttl::from_secs(10));
        let revision = written.await.unwrap();
        assert!(matches!(next(&mut watch).await, WatchEvent::Put(_)));
        let expired = next(&mut watch).await;
        assert!(
            matches!(expired, WatchEvent::Expired { .. }) && expired.revision() > Some(revision)
        );
        assert_eq!(a.get(&key).await, Ok(None));
        lives.push(begun.elapsed().as_millis());
    }
    (lives, engine)
}

#[test]
fn an_entry_lives_exactly_as_long_as_it_is_to() {
    let (lives, engine) = virtually(lives(Faults::default()));
    assert!(lives.iter().all(|life| *life == 10_000), "{lives:?}");
    assert_eq!(engine.stats().expired, 200);
}

#[test]
fn under_faults_an_entry_expires_early_or_late_within_the_bounds() {
    let mut faults = Faults::default();
    faults.store.early_expiry = Duration::from_secs(3);
    faults.store.late_expiry = Duration::from_secs(5);
    let (lives, engine) = virtually(lives(faults));
    assert!(
        lives.iter().all(|life| (7_000..=15_001).contains(life)),
        "{lives:?}"
    );
    let early = lives.iter().filter(|life| **life < 9_000).count();
    let late = lives.iter().filter(|life| **life > 11_000).count();
    assert!(early > 40 && late > 40);
    let stats = engine.stats();
    assert!(stats.early_expiries + stats.late_expiries == 200 && stats.early_expiries > 60);
}

#[test]
fn an_expiry_that_was_set_before_a_renewal_does_not_happen() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(5));
        let a = engine.connect("a");
        let ttl = Ttl::from_secs(10);
        let first = a
            .write(&key("k"), bytes("1"), Expected::Absent, ttl)
            .await
            .unwrap();
        millis(9_999).await;
        let renewed = a.write(&key("k"), bytes("2"), Expected::Revision(first), ttl);
        renewed.await.unwrap();
        millis(9_999).await;
        assert!(a.get(&key("k")).await.unwrap().is_some());
        millis(1).await;
        assert_eq!(a.get(&key("k")).await, Ok(None));
        assert_eq!(engine.stats().expired, 1);
    });
}

#[test]
fn a_deletion_ends_a_life_for_good() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(5));
        let a = engine.connect("a");
        let ttl = Ttl::from_secs(10);
        let first = a
            .write(&key("k"), bytes("1"), Expected::Absent, ttl)
            .await
            .unwrap();
        let mut watch = a.watch(&everything(), Some(first.next())).await.unwrap();
        a.delete(&key("k"), first).await.unwrap();
        millis(60_000).await;
        assert_eq!(next_change(&mut watch).await, "caught up");
        assert_eq!(next_change(&mut watch).await, "-k");
        assert_eq!(engine.stats().expired, 0);
    });
}
