//! Messages under faults: rates, order, what those who are slow lose.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use supervision_cluster::engine::{
    RequestError,
    in_process::{Chance, Faults, InProcess, LinkFaults, Options, Span},
};

use super::{millis, subject, virtually};
use crate::contract::bytes;

const SENT: u64 = 20_000;

/// Sends numbers from a to b under faults of the link; returns what arrived, in order.
async fn sent_over(link: LinkFaults) -> (Vec<u64>, InProcess) {
    let mut faults = Faults::default();
    faults.links.insert(("a".into(), "b".into()), link);
    let engine = InProcess::new(Options::seeded(3).faults(faults));
    let (a, b) = (engine.connect("a"), engine.connect("b"));
    let served = b.serve(&subject("s")).await.unwrap();
    for n in 0..SENT {
        a.publish(&subject("s"), bytes(&n.to_string()))
            .await
            .unwrap();
        if n % 10 == 0 {
            millis(1).await;
        }
    }
    millis(10_000).await;
    engine.crash("b");
    let arrived = served.take_until(millis(1)).collect::<Vec<_>>().await;
    assert!(arrived.is_empty(), "a crash loses what was not taken");
    let served = engine.connect("b").serve(&subject("s")).await.unwrap();
    for n in 0..SENT {
        a.publish(&subject("s"), bytes(&n.to_string()))
            .await
            .unwrap();
        if n % 10 == 0 {
            millis(1).await;
        }
    }
    let arrived = served.take_until(millis(10_000)).collect::<Vec<_>>().await;
    let arrived = arrived.into_iter();
    let arrived = arrived.map(|told| std::str::from_utf8(&told.payload).unwrap().parse().unwrap());
    (arrived.collect(), engine)
}

fn assert_near(count: u64, expected: u64) {
    let most_off = expected / 10;
    assert!(
        count.abs_diff(expected) <= most_off,
        "{count} instead of {expected}"
    );
}

#[test]
fn as_many_messages_are_lost_as_is_likely() {
    let link = LinkFaults {
        loss: Chance::percent(20),
        ..LinkFaults::default()
    };
    let (arrived, engine) = virtually(sent_over(link));
    assert_near(arrived.len() as u64, SENT * 8 / 10);
    assert!(arrived.is_sorted_by(|a, b| a < b));
    let stats = engine.stats_of("a");
    assert_near(stats.lost, 2 * SENT / 5);
}

#[test]
fn as_many_messages_come_twice_as_is_likely() {
    let link = LinkFaults {
        duplicate: Chance::percent(20),
        delay: Span::millis(1, 5),
        ..LinkFaults::default()
    };
    let (arrived, engine) = virtually(sent_over(link));
    assert_near(arrived.len() as u64, SENT * 12 / 10);
    let mut once = arrived.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len() as u64, SENT, "none was lost");
    assert_near(engine.stats_of("a").duplicated, 2 * SENT / 5);
}

#[test]
fn messages_overtake_each_other_only_where_they_may() {
    let mut link = LinkFaults {
        delay: Span::millis(0, 50),
        ..LinkFaults::default()
    };
    let (arrived, engine) = virtually(sent_over(link));
    assert_eq!(arrived, (0..SENT).collect::<Vec<_>>());
    assert!(engine.stats_of("a").delayed > SENT);

    link.reorder = Chance::percent(10);
    link.reorder_by = Span::millis(10, 100);
    let (arrived, engine) = virtually(sent_over(link));
    let overtaken = arrived.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64;
    assert!(overtaken > SENT / 20, "{overtaken}");
    assert_near(engine.stats_of("a").reordered, 2 * SENT / 10);
    let mut sorted = arrived;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..SENT).collect::<Vec<_>>());
}

#[test]
fn requests_and_replies_are_lost_as_often_as_is_likely() {
    virtually(async {
        let mut faults = Faults::default();
        faults.every_link.loss = Chance::percent(10);
        faults.every_link.duplicate = Chance::percent(10);
        let engine = InProcess::new(Options::seeded(4).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = b.serve(&subject("s")).await.unwrap();
        tokio::spawn(async move {
            while let Some(request) = served.next().await {
                let responder = request.responder.unwrap();
                responder.respond(request.payload).await.unwrap();
            }
        });
        let (mut answered, mut timed_out) = (0, 0);
        for n in 0..5_000 {
            let wait = Duration::from_millis(10);
            match a.request(&subject("s"), bytes(&n.to_string()), wait).await {
                Ok(reply) => {
                    assert_eq!(reply, bytes(&n.to_string()), "a reply went astray");
                    answered += 1;
                }
                Err(RequestError::Timeout) => timed_out += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert_near(answered, 4_090);
        let stats = engine.stats();
        assert_eq!((stats.requests, stats.unanswered), (5_000, timed_out));
        assert!(stats.delivered > 4_500 && stats.replies == stats.delivered);
    });
}

#[test]
fn messages_keep_their_order_when_faults_end() {
    virtually(async {
        let mut faults = Faults::default();
        faults.every_link.delay = Span::millis(100, 100);
        let engine = InProcess::new(Options::seeded(4).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = b.serve(&subject("s")).await.unwrap();
        a.publish(&subject("s"), bytes("first")).await.unwrap();
        engine.set_faults(Faults::default());
        a.publish(&subject("s"), bytes("second")).await.unwrap();
        for told in ["first", "second"] {
            assert_eq!(served.next().await.unwrap().payload, bytes(told));
        }
    });
}

#[test]
fn whoever_takes_messages_too_slowly_loses_the_newest() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(4).capacity(3));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = b.serve(&subject("s")).await.unwrap();
        for n in 0..5 {
            a.publish(&subject("s"), bytes(&n.to_string()))
                .await
                .unwrap();
        }
        for n in 0..3 {
            assert_eq!(served.next().await.unwrap().payload, bytes(&n.to_string()));
        }
        assert!(served.next().now_or_never().is_none());
        assert_eq!(engine.stats_of("b").overflowed, 2);
    });
}

#[test]
fn a_request_that_takes_long_does_not_hold_back_the_word_that_nobody_serves() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.link.delay = Span::millis(30, 30);
        let engine = InProcess::new(Options::seeded(4).faults(faults));
        let begun = tokio::time::Instant::now();
        let asked = engine
            .connect("a")
            .request(&subject("s"), bytes("?"), Duration::from_secs(1))
            .await;
        assert_eq!(asked, Err(RequestError::NoResponders));
        assert_eq!(begun.elapsed().as_millis(), 60);
    });
}
