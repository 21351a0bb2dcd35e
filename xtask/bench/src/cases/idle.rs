//! A crowd of idle actors: started, each asked once, stopped.

use std::time::Instant;

use crate::{
    memory::resident,
    peer::{Live, Outcome, Peer, Place},
};

pub async fn idle<P: Peer>(place: Place, ops: u64) -> Outcome {
    let peer = P::open(place).await;
    let mut alive: Vec<P::Ref> = Vec::with_capacity(ops as usize);
    let before = resident();
    let begin = Instant::now();
    for index in 0..ops {
        alive.push(peer.start(index as u32).await);
    }
    let started = begin.elapsed();
    for actor in &alive {
        assert_eq!(peer.ask(actor).await.incarnation, 1);
    }
    let answered = begin.elapsed();
    let grown = resident().saturating_sub(before);
    assert_eq!(Live::count(), ops as i64, "all are alive");
    let stopping = Instant::now();
    peer.stop(alive).await;
    while Live::count() > 0 {
        tokio::task::yield_now().await;
    }
    Outcome::Figures(vec![
        (
            "value",
            grown as f64 / ops as f64 - size_of::<P::Ref>() as f64,
        ),
        ("start_s", started.as_secs_f64()),
        ("answer_s", (answered - started).as_secs_f64()),
        ("stop_s", stopping.elapsed().as_secs_f64()),
    ])
}
