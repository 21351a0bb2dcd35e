//! Delays that grow: their bounds, their growth, and when a row of them ends.

use std::time::Duration;

use proptest::prelude::*;
use supervision_core::{
    Backoff, BackoffError, Decision, Failure, MAX_DELAY, PlacementStrategy, SupervisionStrategy,
    Timestamp, decide,
};

use crate::{
    decide::{EXHAUSTED, Subject, panic},
    property::check,
    strategies::{SECOND, backoffs, ladder, relocate, with_backoff},
};

const MS: Duration = Duration::from_millis(1);
/// Entropy in the middle: a jitter of nothing.
const MIDDLE: u64 = 1 << 63;

fn any_backoff() -> BoxedStrategy<Backoff> {
    let nanos = prop_oneof![1..1_000_000_000u64, 1..MAX_DELAY.as_nanos() as u64];
    backoffs(nanos.prop_map(Duration::from_nanos).boxed())
}

fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..64u32, 1 => any::<u32>(), 1 => Just(u32::MAX)]
}

fn doubling(jitter: f64) -> Backoff {
    let backoff = Backoff::new(100 * MS, 10 * SECOND).and_then(|b| b.with_jitter(jitter));
    backoff.expect("valid")
}

#[test]
fn no_delay_is_ever_above_the_maximum() {
    check(
        20_000,
        (any_backoff(), attempts(), any::<u64>()),
        |(backoff, n, entropy)| {
            prop_assert!(backoff.delay(n, entropy) <= backoff.max());
            Ok(())
        },
    );
}

#[test]
fn the_extremes_of_entropy_and_attempts_stay_below_the_maximum() {
    let full = doubling(1.0).with_factor(f64::MAX).expect("valid");
    let slow = doubling(1.0)
        .with_factor(1.0 + f64::EPSILON)
        .expect("valid");
    for backoff in [full.clone(), slow, doubling(1.0), doubling(0.0)] {
        for attempt in [0, 1, 2, 31, 32, 1_023, 1_024, u32::MAX - 1, u32::MAX] {
            for entropy in [0, 1, MIDDLE - 1, MIDDLE, u64::MAX] {
                assert!(backoff.delay(attempt, entropy) <= 10 * SECOND);
            }
        }
    }
    assert_eq!(full.delay(u32::MAX, MIDDLE), 10 * SECOND);
    assert_eq!(doubling(0.0).delay(u32::MAX, 0), 10 * SECOND);
}

#[test]
fn without_jitter_delays_never_shrink() {
    check(
        5_000,
        (any_backoff(), attempts(), any::<[u64; 2]>()),
        |(backoff, n, [a, b])| {
            let backoff = backoff.with_jitter(0.0).expect("valid");
            prop_assert!(backoff.delay(n, a) <= backoff.delay(n.saturating_add(1), b));
            Ok(())
        },
    );
}

#[test]
fn jitter_stays_within_its_share_of_the_plain_delay() {
    let cases = (any_backoff(), 0..10u32, any::<u64>());
    check(10_000, cases, |(backoff, n, entropy)| {
        let plain = backoff.clone().with_jitter(0.0).expect("valid").delay(n, 0);
        let (low, high) = (backoff.delay(n, 0), backoff.delay(n, u64::MAX));
        let delay = backoff.delay(n, entropy);
        prop_assert!((low..=high).contains(&delay));
        if high < backoff.max() {
            prop_assert!(low <= plain && plain <= high.saturating_add_nanos(2));
        }
        Ok(())
    });
}

trait AddNanos {
    fn saturating_add_nanos(self, nanos: u64) -> Self;
}

impl AddNanos for Duration {
    fn saturating_add_nanos(self, nanos: u64) -> Self {
        self.saturating_add(Duration::from_nanos(nanos))
    }
}

#[test]
fn a_jitter_of_a_fifth_spreads_evenly_over_two_fifths() {
    let backoff = doubling(0.2);
    assert_eq!(backoff.delay(0, 0), 80 * MS);
    assert_eq!(backoff.delay(0, MIDDLE), 100 * MS);
    let longest = backoff.delay(0, u64::MAX);
    assert!(longest <= 120 * MS && longest > 119 * MS);
    let quarters = (0..1_000u64).map(|n| {
        let delay = backoff.delay(0, n * (u64::MAX / 1_000));
        ((delay - 80 * MS).as_nanos() / 10_000_000) as usize
    });
    let mut seen = [0; 4];
    quarters.for_each(|quarter| seen[quarter] += 1);
    assert!(
        seen.iter().all(|count| (245..=255).contains(count)),
        "{seen:?}"
    );
}

#[test]
fn delays_double_until_the_maximum() {
    let plain = doubling(0.0);
    let delays: Vec<_> = (0..9).map(|n| plain.delay(n, 0).as_millis()).collect();
    assert_eq!(
        delays,
        [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
    );
    let flat = plain.clone().with_factor(1.0).expect("valid");
    assert_eq!(flat.delay(u32::MAX, 0), 100 * MS);
    let thrice = plain.with_factor(3.0).expect("valid");
    assert_eq!(thrice.delay(3, 0), 2_700 * MS);
}

#[test]
fn a_backoff_that_makes_no_sense_is_refused() {
    let new = Backoff::new;
    assert_eq!(new(Duration::ZERO, SECOND), Err(BackoffError::ZeroMin));
    assert_eq!(new(SECOND, 999 * MS), Err(BackoffError::MaxBelowMin));
    let nanosecond = Duration::from_nanos(1);
    assert_eq!(
        new(SECOND, MAX_DELAY + nanosecond),
        Err(BackoffError::MaxTooLong)
    );
    assert!(new(MAX_DELAY, MAX_DELAY).is_ok());
    for factor in [0.0, 0.99, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(doubling(0.0).with_factor(factor), Err(BackoffError::Factor));
    }
    for jitter in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(doubling(0.0).with_jitter(jitter), Err(BackoffError::Jitter));
    }
    let zero = doubling(0.0).with_reset_after(Duration::ZERO);
    assert_eq!(zero, Err(BackoffError::ZeroReset));
}

#[test]
fn a_refusal_names_its_field_in_its_message() {
    let errors = [
        BackoffError::ZeroMin,
        BackoffError::MaxBelowMin,
        BackoffError::MaxTooLong,
        BackoffError::Factor,
        BackoffError::Jitter,
        BackoffError::ZeroReset,
    ];
    for error in errors {
        assert!(error.to_string().starts_with(error.field()), "{error}");
    }
}

/// Delays of 1, 2, 4 .. 64 s, starting anew after 10 quiet seconds.
fn seconds() -> Backoff {
    Backoff::new(SECOND, 64 * SECOND)
        .and_then(|backoff| backoff.with_jitter(0.0))
        .and_then(|backoff| backoff.with_reset_after(10 * SECOND))
        .expect("valid")
}

fn unlimited() -> Subject {
    Subject::under(with_backoff(usize::MAX, SECOND, seconds()))
}

fn delay(subject: &mut Subject, second: u64) -> u64 {
    let delay = subject.fails(&panic(), second).delay();
    delay.expect("restarts").as_secs()
}

#[test]
fn failures_in_a_row_wait_longer_and_longer() {
    let mut subject = unlimited();
    let delays: Vec<_> = (0..8).map(|_| delay(&mut subject, 0)).collect();
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 64]);
}

#[test]
fn a_row_ends_after_a_stable_period_since_the_restart_was_due() {
    let mut subject = unlimited();
    assert_eq!(delay(&mut subject, 0), 1);
    // Due at 1 s; stable from 11 s on.
    assert_eq!(delay(&mut subject, 10), 2);
    // Due at 12 s; stable from 22 s on.
    assert_eq!(delay(&mut subject, 22), 1);
    let mut same = unlimited();
    assert_eq!(delay(&mut same, 0), 1);
    assert_eq!(delay(&mut same, 11), 1);
}

#[test]
fn the_row_ends_to_the_nanosecond() {
    for (nanos, expected) in [(10_999_999_999, 2), (11_000_000_000, 1)] {
        let mut subject = unlimited();
        assert_eq!(delay(&mut subject, 0), 1);
        let (cause, now) = (panic(), Timestamp::from_nanos(nanos));
        let failure = Failure::of(&cause);
        let decision = decide(&mut subject.budgets, &subject.policy, &failure, now, 0);
        assert_eq!(decision.delay(), Some(expected * SECOND));
    }
}

#[test]
fn failures_that_a_higher_rung_answers_keep_the_row_going() {
    let first = with_backoff(2, 30 * SECOND, seconds());
    let mut subject = Subject::under(ladder([first, relocate(usize::MAX)]));
    assert_eq!(delay(&mut subject, 0), 1);
    assert_eq!(delay(&mut subject, 1), 2);
    for second in [10, 19, 28] {
        let decision = subject.fails(&panic(), second);
        assert!(
            matches!(decision, Decision::Relocate { .. }),
            "{second}: {decision:?}"
        );
    }
    // Never ten seconds without a failure, so the third restart waits longest.
    assert!(matches!(
        subject.fails(&panic(), 36),
        Decision::Relocate { .. }
    ));
    assert!(matches!(
        subject.fails(&panic(), 45),
        Decision::Relocate { .. }
    ));
    let calm = subject.fails(&panic(), 76);
    assert_eq!(
        calm.delay(),
        Some(SECOND),
        "after a stable period a new row begins"
    );

    let first = with_backoff(2, 5 * SECOND, seconds());
    let mut subject = Subject::under(ladder([first, relocate(usize::MAX)]));
    assert_eq!(delay(&mut subject, 0), 1);
    assert_eq!(delay(&mut subject, 1), 2);
    for second in [4, 6, 8, 10, 12] {
        let decision = subject.fails(&panic(), second);
        assert!(
            matches!(decision, Decision::Relocate { .. }),
            "{second}: {decision:?}"
        );
    }
    assert_eq!(
        delay(&mut subject, 16),
        4,
        "something failed 4 s ago: the row goes on"
    );
}

#[test]
fn an_exhausted_backoff_is_exhausted_like_any_other_restart() {
    let mut subject = Subject::under(with_backoff(2, 60 * SECOND, seconds()));
    assert_eq!(delay(&mut subject, 0), 1);
    assert_eq!(delay(&mut subject, 1), 2);
    assert_eq!(subject.fails(&panic(), 2), EXHAUSTED);
}

#[test]
fn a_reset_counts_when_nothing_failed_since_its_token() {
    let mut subject = unlimited();
    assert_eq!(delay(&mut subject, 0), 1);
    let token = subject.budgets.token();
    assert!(subject.budgets.reset_backoff(token));
    assert_eq!(delay(&mut subject, 1), 1);
}

#[test]
fn a_reset_that_comes_too_late_changes_nothing() {
    let mut subject = unlimited();
    assert_eq!(delay(&mut subject, 0), 1);
    let token = subject.budgets.token();
    assert_eq!(delay(&mut subject, 1), 2);
    assert!(!subject.budgets.reset_backoff(token));
    assert_eq!(delay(&mut subject, 2), 4);
}

#[test]
fn a_reset_leaves_the_window_as_it_is() {
    let mut subject = Subject::under(with_backoff(1, SECOND, seconds()));
    assert_eq!(delay(&mut subject, 0), 1);
    let token = subject.budgets.token();
    assert!(subject.budgets.reset_backoff(token));
    assert_eq!(subject.fails(&panic(), 0), EXHAUSTED);
}

#[test]
fn a_strategy_is_not_the_larger_for_the_one_with_a_backoff() {
    // Each actor has one, and few of them have a backoff.
    assert_eq!(size_of::<Backoff>(), size_of::<usize>());
    // The largest is the one that says most about its placement.
    let placement = size_of::<PlacementStrategy>();
    assert!(size_of::<SupervisionStrategy>() <= placement + 4 * size_of::<usize>());
}
