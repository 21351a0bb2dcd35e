//! Nodes that are cut off from the store or from each other, in both directions and in one.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use supervision_cluster::engine::{
    EngineError, Expected, RequestError, WatchEvent, WriteError,
    in_process::{Chance, Faults, InProcess, Options, Place, Span},
};

use super::{everything, key, millis, subject, virtually};
use crate::contract::{bytes, create, next, next_change};

const WAIT: Duration = Duration::from_secs(1);

/// Answers everything until it is dropped.
fn echo(engine: &InProcess, node: &str) -> tokio::task::JoinHandle<()> {
    let node = engine.connect(node);
    tokio::spawn(async move {
        let mut served = node.serve(&subject("echo")).await.unwrap();
        while let Some(request) = served.next().await {
            if let Some(responder) = request.responder {
                let _ = responder.respond(request.payload).await;
            }
        }
    })
}

#[test]
fn a_node_cut_from_the_store_reads_and_writes_nothing_but_talks_to_nodes() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        echo(&engine, "b");
        millis(1).await;
        engine.cut(Place::Node("a"), Place::Store);
        let begun = tokio::time::Instant::now();
        assert_eq!(a.get(&key("k")).await, Err(EngineError::Timeout));
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        let written = a.write(&key("k"), bytes("a"), Expected::Absent, None);
        assert_eq!(written.await, Err(WriteError::Unknown));
        assert_eq!(
            a.scan(&everything()).await.err(),
            Some(EngineError::Timeout)
        );
        assert_eq!(
            a.watch(&everything(), None).await.err(),
            Some(EngineError::Timeout)
        );
        assert_eq!(
            a.request(&subject("echo"), bytes("?"), WAIT).await,
            Ok(bytes("?"))
        );
        // It never got there.
        create(&b, &key("k"), "b").await;
        engine.heal("a".into(), Place::Store);
        assert_eq!(a.get(&key("k")).await.unwrap().unwrap().value, bytes("b"));
        let stats = engine.stats_of("a");
        assert_eq!((stats.cut, stats.unknown, stats.timeouts), (4, 1, 3));
    });
}

#[test]
fn a_write_whose_answer_is_cut_off_has_happened() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        engine.cut_one_way(Place::Store, "a".into());
        let written = a.write(&key("k"), bytes("a"), Expected::Absent, None);
        assert_eq!(written.await, Err(WriteError::Unknown));
        assert_eq!(b.get(&key("k")).await.unwrap().unwrap().value, bytes("a"));
        assert_eq!(engine.stats_of("a").committed_unheard, 1);
    });
}

#[test]
fn nodes_cut_from_each_other_still_share_the_store() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let c = engine.connect("c");
        echo(&engine, "b");
        millis(1).await;
        engine.partition(&[&["a".into()], &["b".into(), "c".into()]]);
        let asked = a.request(&subject("echo"), bytes("?"), WAIT).await;
        assert_eq!(asked, Err(RequestError::Timeout));
        assert_eq!(
            c.request(&subject("echo"), bytes("c"), WAIT).await,
            Ok(bytes("c"))
        );
        create(&a, &key("k"), "a").await;
        assert!(b.get(&key("k")).await.unwrap().is_some());
        engine.heal_all();
        assert_eq!(
            a.request(&subject("echo"), bytes("a"), WAIT).await,
            Ok(bytes("a"))
        );
    });
}

#[test]
fn a_request_reaches_the_other_side_of_a_one_way_cut_and_its_reply_does_not_come_back() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        echo(&engine, "b");
        millis(1).await;
        engine.cut_one_way("b".into(), "a".into());
        let asked = a.request(&subject("echo"), bytes("?"), WAIT).await;
        assert_eq!(asked, Err(RequestError::Timeout));
        assert_eq!(
            (engine.stats_of("b").delivered, engine.stats_of("b").cut),
            (1, 1)
        );
        let other = engine.connect("a").serve(&subject("a")).await.unwrap();
        let asked = b.request(&subject("a"), bytes("?"), WAIT).await;
        assert_eq!(asked, Err(RequestError::Timeout));
        assert_eq!(other.take_until(millis(1)).count().await, 0);
    });
}

#[test]
fn what_is_on_its_way_when_a_cut_is_made_is_lost() {
    virtually(async {
        let mut faults = Faults::default();
        faults.every_link.delay = Span::millis(100, 100);
        let engine = InProcess::new(Options::seeded(1).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = b.serve(&subject("s")).await.unwrap();
        a.publish(&subject("s"), bytes("cut off")).await.unwrap();
        millis(50).await;
        engine.cut("a".into(), "b".into());
        millis(100).await;
        engine.heal("a".into(), "b".into());
        a.publish(&subject("s"), bytes("arrives")).await.unwrap();
        assert_eq!(served.next().await.unwrap().payload, bytes("arrives"));
    });
}

#[test]
fn a_partition_can_look_as_if_nobody_served() {
    virtually(async {
        let faults = Faults {
            false_denial: Chance::percent(50),
            ..Faults::default()
        };
        let engine = InProcess::new(Options::seeded(1).faults(faults));
        let a = engine.connect("a");
        echo(&engine, "b");
        millis(1).await;
        engine.cut("a".into(), "b".into());
        let mut denied = 0;
        for _ in 0..100 {
            match a.request(&subject("echo"), bytes("?"), WAIT).await {
                Err(RequestError::NoResponders) => denied += 1,
                other => assert_eq!(other, Err(RequestError::Timeout)),
            }
        }
        assert!((30..70).contains(&denied), "{denied}");
        assert_eq!(engine.stats_of("a").false_denials, denied);
    });
}

#[test]
fn a_watch_across_a_cut_is_interrupted_by_the_first_change_it_misses() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.notice = Span::millis(700, 700);
        let engine = InProcess::new(Options::seeded(1).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut watch = b.watch(&everything(), None).await.unwrap();
        assert_eq!(next(&mut watch).await, WatchEvent::CaughtUp);
        engine.cut("b".into(), Place::Store);
        millis(10_000).await;
        assert!(watch.next().now_or_never().is_none(), "nothing was missed");
        let missed = create(&a, &key("k"), "1").await;
        assert!(
            watch.next().now_or_never().is_none(),
            "it takes time to notice"
        );
        engine.heal_all();
        // What comes after a gap is not told.
        create(&a, &key("l"), "1").await;
        assert_eq!(next(&mut watch).await, WatchEvent::Interrupted);
        let mut again = b.watch(&everything(), Some(missed)).await.unwrap();
        for told in ["k=1", "l=1", "caught up"] {
            assert_eq!(next_change(&mut again).await, told);
        }
    });
}
