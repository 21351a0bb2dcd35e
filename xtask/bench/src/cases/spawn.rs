//! Starting actors, each asked once; all stay alive.

use std::time::Instant;

use crate::peer::{Live, Outcome, Peer, Place};

pub async fn spawn<P: Peer>(place: Place, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let mut alive = Vec::with_capacity(ops as usize);
    let begin = Instant::now();
    for index in 0..ops {
        let actor = peer.start(index as u32).await;
        assert_eq!(peer.ask(&actor).await.incarnation, 1);
        alive.push(actor);
    }
    let elapsed = begin.elapsed();
    assert_eq!(Live::count(), ops as i64, "all are alive");
    Outcome::per_op(elapsed, ops)
}
