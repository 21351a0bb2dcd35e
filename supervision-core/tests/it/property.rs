//! Running a property so that it cannot pass without having run.

use std::cell::Cell;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseResult, TestRunner},
};

/// Cases to run: `SUPERVISION_CASES` if set, else `default`.
pub(crate) fn cases(default: u64) -> u64 {
    match std::env::var("SUPERVISION_CASES") {
        Ok(text) => text.parse().expect("SUPERVISION_CASES must be a number"),
        Err(_) => default,
    }
}

/// Checks `property` on `cases` values and fails if any was left out.
pub(crate) fn check<S: Strategy>(
    cases: u32,
    values: S,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_time: 10_000,
        ..Config::default()
    };
    let passed = Cell::new(0);
    let outcome = TestRunner::new(config).run(&values, |value| {
        property(value)?;
        passed.set(passed.get() + 1);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert_eq!(passed.get(), cases, "every case must have run");
}
