//! All actors fail at once; the time until all answer again.

use std::time::Instant;

use crate::peer::{Fail, How, Live, Outcome, Peer, Place};

pub async fn storm<P: Peer>(place: Place, how: How, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let mut actors = Vec::with_capacity(ops as usize);
    for index in 0..ops {
        let actor = peer.start(index as u32).await;
        assert_eq!(peer.ask(&actor).await.incarnation, 1);
        actors.push(actor);
    }
    let begin = Instant::now();
    for actor in &actors {
        peer.fail(actor, Fail::by(how)).await;
    }
    for actor in &actors {
        assert_eq!(
            peer.ask(actor).await.incarnation,
            2,
            "one restart for one failure"
        );
    }
    let elapsed = begin.elapsed();
    assert_eq!(Live::count(), ops as i64, "all are alive");
    Outcome::of(elapsed.as_secs_f64() * 1_000.0)
}
