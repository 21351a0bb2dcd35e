//! A node that is stopped, and one that is killed.

use std::time::Duration;

use futures_util::{StreamExt, future::join};
use supervision_cluster::{
    clock::Clock,
    engine::{
        EngineError, Expected, PublishError, Refusal, RequestError, WatchEvent, WriteError,
        in_process::{Faults, InProcess, Options, Span},
    },
};

use super::{everything, key, millis, subject, virtually};
use crate::contract::{bytes, create, next, next_change};

#[test]
fn nothing_is_delivered_to_a_paused_node_and_everything_once_it_goes_on() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut watch = b.watch(&everything(), None).await.unwrap();
        assert_eq!(next(&mut watch).await, WatchEvent::CaughtUp);
        let mut served = b.serve(&subject("s")).await.unwrap();
        let clock = engine.clock("b");
        let sleep = clock.sleep_until(clock.now().saturating_add(Duration::from_secs(1)));
        let sleep = tokio::spawn(sleep);
        millis(1).await;

        engine.pause("b");
        let before = clock.now();
        let read = tokio::spawn({
            let b = engine.connect("b");
            async move { b.get(&key("k")).await }
        });
        for n in 0..3 {
            create(&a, &key(&n.to_string()), "x").await;
            a.publish(&subject("s"), bytes(&n.to_string()))
                .await
                .unwrap();
        }
        let told = join(watch.next(), served.next());
        let told = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert!(told.is_err(), "{told:?}");
        assert!(!sleep.is_finished() && !read.is_finished());
        let passed = clock.now().as_nanos() - before.as_nanos();
        assert!(passed >= 60_000_000_000, "its clock goes on");

        engine.resume("b");
        millis(1).await;
        assert!(sleep.is_finished() && read.is_finished());
        assert_eq!(read.await.unwrap(), Ok(None));
        for n in 0..3 {
            assert_eq!(next_change(&mut watch).await, format!("{n}=x"));
            assert_eq!(served.next().await.unwrap().payload, bytes(&n.to_string()));
        }
        assert!(engine.stats_of("b").held >= 3);
    });
}

#[test]
fn a_paused_node_sends_only_once_it_goes_on() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = a.serve(&subject("s")).await.unwrap();
        engine.pause("b");
        let write = b.write(&key("k"), bytes("b"), Expected::Absent, None);
        let message = bytes("m");
        let publish = b.publish(&subject("s"), message.clone());
        let others = async {
            millis(5_000).await;
            assert_eq!(a.get(&key("k")).await, Ok(None));
            create(&a, &key("k"), "a").await;
            engine.resume("b");
            served.next().await.unwrap().payload
        };
        let ((written, published), received) = join(join(write, publish), others).await;
        // It acts late, and what it expected is no more.
        assert!(matches!(written, Err(WriteError::Conflict { .. })));
        assert_eq!((published, received), (Ok(()), message));
    });
}

#[test]
fn an_answer_that_comes_during_a_pause_is_read_after_it() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.link.delay = Span::millis(100, 100);
        faults.every_link.delay = Span::millis(100, 100);
        let engine = InProcess::new(Options::seeded(1).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = a.serve(&subject("s")).await.unwrap();
        let begun = tokio::time::Instant::now();
        let write = b.write(&key("k"), bytes("b"), Expected::Absent, None);
        let read = b.get(&key("other"));
        let ask = b.request(&subject("s"), bytes("?"), Duration::from_secs(2));
        let answer = async {
            let responder = served.next().await.unwrap().responder.unwrap();
            responder.respond(bytes("!")).await.unwrap();
        };
        let pause = async {
            millis(50).await;
            engine.pause("b");
            millis(10_000).await;
            assert!(
                a.get(&key("k")).await.unwrap().is_some(),
                "it was sent before the pause"
            );
            engine.resume("b");
        };
        let calls = join(join(write, read), join(ask, answer));
        let (((written, read), (asked, ())), ()) = join(calls, pause).await;
        assert!(begun.elapsed() >= Duration::from_secs(10));
        assert!(written.is_ok(), "the answer was there in time");
        assert_eq!((read, asked), (Ok(None), Ok(bytes("!"))));
    });
}

#[test]
fn a_node_that_crashed_gets_nothing_and_what_it_sent_still_arrives() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.link.delay = Span::millis(100, 100);
        let engine = InProcess::new(Options::seeded(1).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut watch = b.watch(&everything(), None).await.unwrap();
        let mut served = b.serve(&subject("s")).await.unwrap();
        let mut scan = b.scan(&everything()).await.unwrap();
        let write = b.write(&key("k"), bytes("b"), Expected::Absent, None);
        let crash = async {
            millis(50).await;
            a.publish(&subject("s"), bytes("lost")).await.unwrap();
            engine.pause("b");
            engine.crash("b");
        };
        let (written, ()) = join(write, crash).await;
        assert_eq!(written, Err(WriteError::Unknown), "not closed: it was sent");
        assert!(a.get(&key("k")).await.unwrap().is_some());
        assert_eq!(
            (watch.next().await, served.next().await.map(|_| ())),
            (None, None)
        );
        assert_eq!(scan.next().await, Some(Err(EngineError::Closed)));
        assert_eq!(b.get(&key("k")).await, Err(EngineError::Closed));
        let refused = b.write(&key("l"), bytes(""), Expected::Absent, None).await;
        assert_eq!(refused, Err(WriteError::Refused(Refusal::Closed)));
        assert_eq!(
            b.publish(&subject("s"), bytes("")).await,
            Err(PublishError::Closed)
        );
        let asked = b
            .request(&subject("s"), bytes(""), Duration::from_secs(1))
            .await;
        assert_eq!(asked, Err(RequestError::Closed));
        assert!(matches!(
            b.serve(&subject("s")).await,
            Err(EngineError::Closed)
        ));
        let asked = a
            .request(&subject("s"), bytes(""), Duration::from_secs(1))
            .await;
        assert_eq!(asked, Err(RequestError::NoResponders));

        let again = engine.connect("b");
        assert!(again.get(&key("k")).await.unwrap().is_some());
        assert_eq!(engine.stats_of("b").crashes, 1);
    });
}

#[test]
fn a_reply_of_a_node_that_crashed_is_not_sent() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let mut served = b.serve(&subject("s")).await.unwrap();
        let ask = a.request(&subject("s"), bytes("?"), Duration::from_secs(1));
        let answer = async {
            let responder = served.next().await.unwrap().responder.unwrap();
            engine.crash("b");
            responder.respond(bytes("!")).await
        };
        let (asked, answered) = join(ask, answer).await;
        assert_eq!(
            (asked, answered),
            (Err(RequestError::Timeout), Err(PublishError::Closed))
        );
    });
}
