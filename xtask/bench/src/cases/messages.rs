//! Telling and asking an actor that does not fail.

use std::time::Instant;

use crate::peer::{Outcome, Peer, Place};

/// At most this many messages are on their way.
const IN_FLIGHT: u64 = 1_000;

/// Bursts, each followed by a question: that bounds what is on its way.
pub async fn tell<P: Peer>(place: Place, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let actor = peer.start(0).await;
    peer.ask(&actor).await;
    let begin = Instant::now();
    for _ in 0..ops / IN_FLIGHT {
        for _ in 0..IN_FLIGHT {
            peer.tell(&actor).await;
        }
        peer.ask(&actor).await;
    }
    let elapsed = begin.elapsed();
    assert_eq!(
        u64::from(peer.ask(&actor).await.count),
        ops,
        "all are handled"
    );
    Outcome::per_op(elapsed, ops)
}

/// The sender yields after each message, so each one wakes the actor.
pub async fn tell_one_per_wakeup<P: Peer>(place: Place, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let actor = peer.start(0).await;
    peer.ask(&actor).await;
    let begin = Instant::now();
    for _ in 0..ops {
        peer.tell(&actor).await;
        tokio::task::yield_now().await;
    }
    let elapsed = begin.elapsed();
    assert_eq!(
        u64::from(peer.ask(&actor).await.count),
        ops,
        "all are handled"
    );
    Outcome::per_op(elapsed, ops)
}

/// One question after the other.
pub async fn ask<P: Peer>(place: Place, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let actor = peer.start(0).await;
    peer.tell(&actor).await;
    peer.ask(&actor).await;
    let begin = Instant::now();
    for _ in 0..ops {
        assert_eq!(peer.ask(&actor).await.count, 1);
    }
    Outcome::per_op(begin.elapsed(), ops)
}
