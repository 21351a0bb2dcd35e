//! Messages that wait in the mailbox while the one before them fails: how many are handled.

use crate::peer::{Fail, How, Outcome, Peer, Place, open_gate};

pub async fn queued<P: Peer>(place: Place, how: How, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let actor = peer.start(0).await;
    assert_eq!(peer.ask(&actor).await.incarnation, 1);
    // On another thread the handler would be done before the messages are there.
    let gated = place == Place::Other;
    // On the same thread the sender must not give way, as tokio has it do after 128 messages.
    let queue = async {
        peer.fail(&actor, Fail { how, gated }).await;
        for _ in 0..ops {
            peer.tell(&actor).await;
        }
    };
    tokio::task::unconstrained(queue).await;
    open_gate();
    let answer = peer.ask(&actor).await;
    assert_eq!(answer.incarnation, 2, "one restart for one failure");
    assert!(u64::from(answer.count) <= ops, "none is handled twice");
    Outcome::of(f64::from(answer.count))
}
