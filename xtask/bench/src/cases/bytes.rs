//! Growth of the resident memory by actors that have answered once and are idle, with one reference
//! each held.

use crate::{
    memory::resident,
    peer::{Live, Outcome, Peer, Place},
};

pub async fn bytes<P: Peer>(place: Place, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let mut alive: Vec<P::Ref> = Vec::with_capacity(ops as usize);
    // What the first actors cause to be made is nobody's.
    let first = ops / 100;
    let mut before = 0;
    for index in 0..ops {
        if index == first {
            before = resident();
        }
        let actor = peer.start(index as u32).await;
        assert_eq!(peer.ask(&actor).await.incarnation, 1);
        alive.push(actor);
    }
    let grown = resident().saturating_sub(before);
    assert_eq!(Live::count(), ops as i64, "all are alive");
    let (counted, reference) = (ops - first, size_of::<P::Ref>() as f64);
    // The vector's pages are touched as it fills; they are not the actors'.
    Outcome::of(grown as f64 / counted as f64 - reference)
}
