//! One decision of a `Restart` whose window is full, so that every call counts and forgets.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use supervision_core::{
    Budgets, Cause, Failure, Policy, SupervisionStrategy, Timestamp, decide as core_decide,
};

use crate::peer::Outcome;

pub fn decide(ops: u64) -> Outcome {
    let strategy = SupervisionStrategy::Restart {
        max_restarts: 5,
        window: Duration::from_secs(60),
        delay: Duration::from_millis(100),
    };
    let policy = Policy::new(strategy).expect("a valid strategy");
    let (mut budgets, cause) = (Budgets::default(), Cause::panic("measured"));
    let failure = Failure::of(&cause);
    let begin = Instant::now();
    let mut restarts = 0;
    for second in 0..ops {
        let now = Timestamp::from_secs(second * 13);
        let decision = core_decide(&mut budgets, &policy, black_box(&failure), now, second);
        restarts += u64::from(decision.delay().is_some());
    }
    let elapsed = begin.elapsed();
    assert_eq!(restarts, ops);
    Outcome::per_op(elapsed, ops)
}
