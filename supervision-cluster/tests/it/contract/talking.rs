//! Messages: requests, replies, publishing.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, future::join};
use supervision_cluster::engine::{PublishError, RequestError};

use super::{Pair, bytes, list};

const WAIT: Duration = Duration::from_secs(5);

list! {
    a_request_is_answered
    a_node_answers_itself
    nobody_answers_what_nobody_serves
    nobody_answers_once_serving_has_ended
    a_request_that_is_not_answered_times_out
    of_two_who_serve_both_are_asked
    a_published_message_wants_no_reply
    messages_of_one_sender_keep_their_order
    a_payload_that_is_too_long_is_not_sent
    a_reply_that_is_too_long_is_not_sent
}

async fn a_request_is_answered(pair: Pair) {
    let subject = pair.subject("s");
    let mut served = pair.b.serve(&subject).await.unwrap();
    for n in 0..10 {
        let asked = pair.a.request(&subject, bytes(&n.to_string()), WAIT);
        let answer = async {
            let request = served.next().await.unwrap();
            let reply = format!("re {}", String::from_utf8_lossy(&request.payload));
            request.responder.unwrap().respond(bytes(&reply)).await
        };
        let (reply, answered) = join(asked, answer).await;
        assert_eq!((reply, answered), (Ok(bytes(&format!("re {n}"))), Ok(())));
    }
}

async fn a_node_answers_itself(pair: Pair) {
    let subject = pair.subject("s");
    let mut served = pair.a.serve(&subject).await.unwrap();
    let asked = pair.a.request(&subject, bytes("?"), WAIT);
    let answer = async {
        let responder = served.next().await.unwrap().responder.unwrap();
        responder.respond(bytes("!")).await
    };
    assert_eq!(join(asked, answer).await, (Ok(bytes("!")), Ok(())));
}

async fn nobody_answers_what_nobody_serves(pair: Pair) {
    let asked = pair.a.request(&pair.subject("s"), bytes("?"), WAIT).await;
    assert_eq!(asked, Err(RequestError::NoResponders));
}

async fn nobody_answers_once_serving_has_ended(pair: Pair) {
    let subject = pair.subject("s");
    let served = pair.b.serve(&subject).await.unwrap();
    drop(served);
    for _ in 0..50 {
        let asked = pair
            .a
            .request(&subject, bytes("?"), Duration::from_millis(100));
        if asked.await == Err(RequestError::NoResponders) {
            return;
        }
    }
    panic!("the subject went on being served");
}

async fn a_request_that_is_not_answered_times_out(pair: Pair) {
    let subject = pair.subject("s");
    let mut served = pair.b.serve(&subject).await.unwrap();
    let asked = pair
        .a
        .request(&subject, bytes("?"), Duration::from_millis(50));
    assert_eq!(asked.await, Err(RequestError::Timeout));
    // It was delivered all the same, and a late reply goes nowhere.
    let responder = served.next().await.unwrap().responder.unwrap();
    assert_eq!(responder.respond(bytes("!")).await, Ok(()));
}

async fn of_two_who_serve_both_are_asked(pair: Pair) {
    let subject = pair.subject("s");
    let mut one = pair.a.serve(&subject).await.unwrap();
    let mut other = pair.b.serve(&subject).await.unwrap();
    let asked = pair.a.request(&subject, bytes("?"), WAIT);
    let answer = async {
        let (one, other) = join(one.next(), other.next()).await;
        let (one, other) = (
            one.unwrap().responder.unwrap(),
            other.unwrap().responder.unwrap(),
        );
        one.respond(bytes("one")).await.unwrap();
        // Whichever comes first counts; the second one does no harm.
        other.respond(bytes("other")).await.unwrap();
    };
    let (reply, ()) = join(asked, answer).await;
    assert!([bytes("one"), bytes("other")].contains(&reply.unwrap()));
}

async fn a_published_message_wants_no_reply(pair: Pair) {
    let subject = pair.subject("s");
    // Nobody gets this one.
    pair.a.publish(&subject, bytes("early")).await.unwrap();
    let mut served = pair.b.serve(&subject).await.unwrap();
    let asked = pair.a.request(&subject, bytes("?"), WAIT);
    let answer = async {
        let responder = served.next().await.unwrap().responder.unwrap();
        responder.respond(bytes("!")).await.unwrap();
    };
    // Its reply proves that the subscription has reached the server.
    join(asked, answer).await.0.unwrap();
    pair.a.publish(&subject, bytes("p")).await.unwrap();
    let told = served.next().await.unwrap();
    assert!(told.responder.is_none() && told.payload == bytes("p"));
    assert!(served.next().now_or_never().is_none());
}

async fn messages_of_one_sender_keep_their_order(pair: Pair) {
    let subject = pair.subject("s");
    let mut served = pair.b.serve(&subject).await.unwrap();
    let asked = pair.a.request(&subject, bytes("first"), WAIT);
    let answer = async {
        let first = served.next().await.unwrap();
        first.responder.unwrap().respond(bytes("!")).await.unwrap();
    };
    join(asked, answer).await.0.unwrap();
    for n in 0..500 {
        pair.a
            .publish(&subject, bytes(&n.to_string()))
            .await
            .unwrap();
    }
    for n in 0..500 {
        assert_eq!(served.next().await.unwrap().payload, bytes(&n.to_string()));
    }
}

async fn a_payload_that_is_too_long_is_not_sent(pair: Pair) {
    let (subject, max) = (pair.subject("s"), pair.a.max_payload());
    let mut served = pair.b.serve(&subject).await.unwrap();
    let (size, payload) = (max + 1, vec![0; max + 1]);
    let asked = pair.a.request(&subject, payload.clone().into(), WAIT).await;
    assert_eq!(asked, Err(RequestError::TooLarge { size, max }));
    let published = pair.a.publish(&subject, payload.into()).await;
    assert_eq!(published, Err(PublishError::TooLarge { size, max }));
    assert!(served.next().now_or_never().is_none());
}

async fn a_reply_that_is_too_long_is_not_sent(pair: Pair) {
    let (subject, max) = (pair.subject("s"), pair.a.max_payload());
    let mut served = pair.b.serve(&subject).await.unwrap();
    let asked = pair
        .a
        .request(&subject, bytes("?"), Duration::from_millis(300));
    let answer = async {
        let responder = served.next().await.unwrap().responder.unwrap();
        responder.respond(vec![0; max + 1].into()).await
    };
    let size = max + 1;
    let refused = Err(PublishError::TooLarge { size, max });
    assert_eq!(
        join(asked, answer).await,
        (Err(RequestError::Timeout), refused)
    );
}
