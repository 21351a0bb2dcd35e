//! From the message that fails to the answered ping, through what the user holds.

use std::time::{Duration, Instant};

use crate::peer::{Fail, How, Outcome, Peer, Place};

/// A peer that is slow by design, one restart in 10 ms, is measured with fewer of them.
const ENOUGH: Duration = Duration::from_millis(1_500);

pub async fn restart<P: Peer>(place: Place, how: How, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let actor = peer.start(0).await;
    assert_eq!(peer.ask(&actor).await.incarnation, 1);
    let mut times = Vec::with_capacity(ops as usize);
    let first = Instant::now();
    for failed in 1..=ops as u32 {
        if first.elapsed() > ENOUGH {
            break;
        }
        let begin = Instant::now();
        peer.fail(&actor, Fail::by(how)).await;
        let answer = peer.ask(&actor).await;
        times.push(begin.elapsed().as_nanos() as u64);
        assert_eq!(
            answer.incarnation,
            failed + 1,
            "one restart for one failure"
        );
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] as f64;
    Outcome::Figures(vec![("value", at(0.5)), ("p99", at(0.99))])
}
