//! A reported failure answered by `Resume`, which makes exactly one event, with and without somebody
//! who is told of it. The difference is what the event costs where somebody listens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use supervision_actix::prelude::*;

use crate::{
    peer::{Fail, How, Outcome},
    probe::{Ask, FailNow, Probe},
};

pub async fn resume(observed: bool, ops: u64) -> Outcome {
    let told = Arc::new(AtomicU64::new(0));
    let mut props = ActorProps::plain("/bench/probe", || Probe::new(1))
        .with_supervision(SupervisionStrategy::Resume);
    if observed {
        let told = told.clone();
        props = props.with_observer(move |event| {
            told.fetch_add(
                u64::from(matches!(event, SupervisionEvent::Failed { .. })),
                Ordering::Relaxed,
            );
        });
    }
    let actor = props.start_actor();
    let begin = Instant::now();
    for _ in 0..ops {
        actor.do_send(FailNow {
            fail: Fail::by(How::Error),
            stops: false,
        });
        let said = actor.send(Ask).await.expect("an answer").0;
        assert_eq!(said.incarnation, 1, "the same value goes on");
    }
    let elapsed = begin.elapsed();
    assert_eq!(told.load(Ordering::Relaxed), if observed { ops } else { 0 });
    Outcome::per_op(elapsed, ops)
}
