//! An engine that is gone for a while, and a store without a leader.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::join_all};
use supervision_cluster::engine::{
    Engine, EngineError, Expected, Refusal, RequestError, Ttl, WatchEvent, WriteError,
    in_process::{Chance, Faults, InProcess, Options},
};

use super::{everything, key, millis, subject, virtually};
use crate::contract::{bytes, create, next, next_change};

/// Keeps an entry of its own for so many rounds of a second; returns how often it could not tell.
async fn keep(engine: Arc<dyn Engine>, name: String, rounds: u32) -> u32 {
    let (mut expected, mut unknown) = (Expected::Absent, 0);
    for round in 0..rounds {
        let value = bytes(&round.to_string());
        match engine
            .write(&key(&name), value, expected, Ttl::from_secs(3_600))
            .await
        {
            Ok(revision) => expected = Expected::Revision(revision),
            Err(WriteError::Unknown) => unknown += 1,
            Err(other) => panic!("{other}"),
        }
        millis(1_000).await;
    }
    unknown
}

#[test]
fn ten_minutes_without_the_engine_pass_in_no_time_and_everybody_recovers() {
    let begun = Instant::now();
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let nodes = (0..50).map(|n| {
            let name = format!("n{n}");
            tokio::spawn(keep(engine.connect(&name), name, 260))
        });
        let nodes: Vec<_> = nodes.collect();
        millis(10_500).await;
        engine.begin_outage();
        millis(600_000).await;
        engine.end_outage();
        for unknown in join_all(nodes).await {
            // 11 rounds before it; each of those within takes a second and the timeout.
            assert_eq!(unknown.unwrap(), 200);
        }
        assert!(engine.now().as_nanos() > 650_000_000_000);
        assert_eq!(engine.stats().committed, 50 * 60);
    });
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn in_an_outage_nothing_is_answered_and_watches_are_interrupted() {
    virtually(async {
        let faults = Faults {
            false_denial: Chance::percent(50),
            ..Faults::default()
        };
        let engine = InProcess::new(Options::seeded(2).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut watch = b.watch(&everything(), None).await.unwrap();
        let mut served = b.serve(&subject("s")).await.unwrap();
        assert_eq!(next_change(&mut watch).await, "caught up");
        create(&a, &key("k"), "1").await;
        engine.begin_outage();
        assert_eq!(next_change(&mut watch).await, "k=1");
        assert_eq!(next(&mut watch).await, WatchEvent::Interrupted);
        assert_eq!(a.get(&key("k")).await, Err(EngineError::Timeout));
        let (mut timed_out, mut disconnected) = (0, 0);
        for _ in 0..100 {
            let asked = a.request(&subject("s"), bytes("?"), Duration::from_millis(10));
            match asked.await {
                Err(RequestError::Timeout) => timed_out += 1,
                Err(RequestError::Disconnected) => disconnected += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(timed_out > 30 && disconnected > 30);
        for n in 0..100 {
            // Said to be fine, and nobody knows.
            assert_eq!(
                a.publish(&subject("s"), bytes(&n.to_string())).await,
                Ok(())
            );
        }
        assert!(served.next().now_or_never().is_none());
        engine.end_outage();
        let late = served.take_until(millis(1)).count().await as u64;
        assert!((30..70).contains(&late), "{late}");
        assert_eq!(engine.stats_of("a").held_in_outage, late);
        assert!(a.get(&key("k")).await.unwrap().is_some());
    });
}

#[test]
fn entries_expire_in_an_outage_and_it_is_told_after_it() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(2));
        let a = engine.connect("a");
        let written = a.write(&key("k"), bytes("1"), Expected::Absent, Ttl::from_secs(5));
        let revision = written.await.unwrap();
        engine.begin_outage();
        millis(10_000).await;
        engine.end_outage();
        let mut watch = a.watch(&everything(), Some(revision.next())).await.unwrap();
        assert_eq!(next_change(&mut watch).await, "?k");
    });
}

#[test]
fn without_a_leader_the_store_refuses_or_is_silent_and_messages_go_on() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(2));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = b.serve(&subject("s")).await.unwrap();
        let watches = (0..40).map(|_| b.watch(&everything(), None));
        let watches = join_all(watches).await;
        engine.lose_leader();
        let (mut refused, mut unknown) = (0, 0);
        for n in 0..100 {
            match a
                .write(&key(&n.to_string()), bytes(""), Expected::Absent, None)
                .await
            {
                Err(WriteError::Refused(Refusal::Unavailable)) => refused += 1,
                Err(WriteError::Unknown) => unknown += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(refused > 30 && unknown > 30);
        assert_eq!(engine.stats_of("a").met_no_leader, 100);
        a.publish(&subject("s"), bytes("m")).await.unwrap();
        assert_eq!(served.next().await.unwrap().payload, bytes("m"));
        engine.find_leader();
        create(&a, &key("k"), "1").await;
        let (mut interrupted, mut going_on) = (0, 0);
        for watch in watches {
            let mut watch = watch.unwrap();
            match next(&mut watch).await {
                // While it was catching up with nothing.
                WatchEvent::Interrupted => interrupted += 1,
                WatchEvent::CaughtUp => {
                    assert_eq!(next_change(&mut watch).await, "k=1");
                    going_on += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(interrupted > 5 && going_on > 5, "{interrupted} {going_on}");
    });
}
