//! The sliding window against an independent reading of Erlang's `supervisor.erl`.

use std::time::Duration;

use supervision_core::{
    Budgets, Cause, Decision, Failure, Policy, RestartReason, RestartWindow, StopReason, Timestamp,
    decide,
};

use crate::{
    property::cases,
    rng::Rng,
    strategies::{SECOND, restart_after},
};

/// `add_restart/1` of `supervisor.erl`, word for word: a list of instants, newest first, filtered
/// anew at each failure. Time is signed, as Erlang's is, so nothing saturates.
#[derive(Default)]
struct AddRestart {
    restarts: Vec<i128>,
}

impl AddRestart {
    fn add_restart(&mut self, now: i128, intensity: usize, period: i128) -> bool {
        let threshold = now - period;
        let earlier = self.restarts.iter().copied();
        let kept = earlier.take_while(|restart| *restart >= threshold);
        self.restarts = std::iter::once(now).chain(kept).collect();
        self.restarts.len() <= intensity
    }

    /// Whether a failure at `now` would find an instant exactly `age` old.
    fn holds_one_of_age(&self, now: i128, age: i128) -> bool {
        self.restarts.contains(&(now - age))
    }
}

/// Failures of one actor, in the order in which they are reported.
#[derive(Debug)]
struct Schedule {
    max: usize,
    window: u64,
    times: Vec<u64>,
}

/// What was seen; a run that saw too little proves nothing.
#[derive(Debug, Default)]
struct Seen {
    schedules: u64,
    allowed: u64,
    refused: u64,
    at_the_border: u64,
    one_past_the_border: u64,
    backwards: u64,
}

impl Schedule {
    /// A schedule whose steps cluster around the window's length and its fractions.
    fn random(rng: &mut Rng) -> Self {
        let window = rng.pick(&[1, 2, 3, 10, 1_000, 1_000_000_000, 60_000_000_000]);
        let max = match rng.below(10) {
            0 => 0,
            1 => usize::MAX,
            small => small as usize - 1,
        };
        let share = window / (max as u64).max(1);
        let steps = [0, 0, 1, window - 1, window, window + 1, share, share + 1];
        let unsteady = rng.below(4) == 0;
        let mut now = rng.pick(&[0, window - 1, window, window + 1, 7 * window]);
        let length = 1 + rng.below(24);
        let times = (0..length).map(|_| {
            now = match rng.below(8) {
                0 if unsteady => now.saturating_sub(rng.below(window + 2)),
                1 => now + rng.below(2 * window + 1),
                _ => now + rng.pick(&steps),
            };
            now
        });
        let times = times.collect();
        Self { max, window, times }
    }

    /// Runs the window, the whole `decide` and the oracle side by side.
    fn check(&self, seen: &mut Seen) {
        let window = Duration::from_nanos(self.window);
        let delay = Duration::from_millis(5);
        let policy = Policy::new(restart_after(self.max, window, delay)).expect("valid");
        let cause = Cause::panic("boom");
        let (mut budgets, mut charged) = (Budgets::default(), RestartWindow::default());
        let mut oracle = AddRestart::default();
        let (mut latest, period) = (0, i128::from(self.window));
        for &time in &self.times {
            seen.backwards += u64::from(i128::from(time) < latest);
            latest = latest.max(i128::from(time));
            seen.at_the_border += u64::from(oracle.holds_one_of_age(latest, period));
            seen.one_past_the_border += u64::from(oracle.holds_one_of_age(latest, period + 1));
            let allowed = oracle.add_restart(latest, self.max, period);
            let now = Timestamp::from_nanos(time);

            let got = charged.charge(now, self.max, window);
            assert_eq!(got, allowed, "charge at {time} of {self:?}");
            self.check_memory(&charged, &oracle, latest);
            let decision = decide(&mut budgets, &policy, &Failure::of(&cause), now, 0);
            assert_eq!(decision, expected(allowed, delay), "at {time} of {self:?}");
            *(if allowed {
                &mut seen.allowed
            } else {
                &mut seen.refused
            }) += 1;
        }
        seen.schedules += 1;
    }

    fn check_memory(&self, charged: &RestartWindow, oracle: &AddRestart, now: i128) {
        if self.max == 0 || self.max == usize::MAX {
            assert!(charged.is_empty(), "nothing needs keeping: {self:?}");
            return;
        }
        let bound = self.max + 1;
        assert!(charged.len() <= bound, "{} kept of {self:?}", charged.len());
        let now = Timestamp::from_nanos(now.try_into().expect("it came from a u64"));
        let counted = charged.count(now, Duration::from_nanos(self.window));
        assert_eq!(counted, oracle.restarts.len().min(bound), "{self:?}");
    }
}

fn expected(allowed: bool, delay: Duration) -> Decision {
    if allowed {
        Decision::Restart {
            after: delay,
            reason: RestartReason::Policy,
        }
    } else {
        Decision::Stop {
            reason: StopReason::Exhausted,
        }
    }
}

#[test]
fn random_schedules_agree_with_add_restart() {
    let cases = cases(100_000);
    let mut seen = Seen::default();
    for seed in 0..cases {
        Schedule::random(&mut Rng::seeded(seed)).check(&mut seen);
    }
    assert_eq!(seen.schedules, cases);
    for count in [
        seen.allowed,
        seen.refused,
        seen.at_the_border,
        seen.one_past_the_border,
    ] {
        assert!(count > cases, "more than one in each schedule: {seen:?}");
    }
    assert!(seen.backwards > cases / 10, "{seen:?}");
}

/// Every schedule of six failures at most four nanoseconds apart, windows up to three, limits up
/// to three.
#[test]
fn every_short_schedule_agrees_with_add_restart() {
    const STEPS: u64 = 5;
    const LENGTH: u32 = 6;
    let mut seen = Seen::default();
    for code in 0..STEPS.pow(LENGTH) {
        let steps = (0..LENGTH).map(|digit| code / STEPS.pow(digit) % STEPS);
        let times = steps.scan(0, |now, step| {
            *now += step;
            Some(*now)
        });
        let times: Vec<_> = times.collect();
        for (max, window) in [(1, 1), (1, 3), (2, 2), (3, 1), (3, 3)] {
            let times = times.clone();
            Schedule { max, window, times }.check(&mut seen);
        }
    }
    assert_eq!(seen.schedules, 5 * STEPS.pow(LENGTH));
    assert!(seen.allowed > 0 && seen.refused > 0 && seen.at_the_border > 0);
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

#[test]
fn a_failure_exactly_as_old_as_the_window_still_counts() {
    let mut window = RestartWindow::default();
    assert!(window.charge(at(0), 1, SECOND));
    assert!(!window.charge(at(1_000_000_000), 1, SECOND));
}

#[test]
fn a_failure_one_nanosecond_older_than_the_window_is_forgotten() {
    let mut window = RestartWindow::default();
    assert!(window.charge(at(0), 1, SECOND));
    assert!(window.charge(at(1_000_000_001), 1, SECOND));
    assert_eq!(window.len(), 1);
}

#[test]
fn a_refused_failure_counts_too() {
    let mut window = RestartWindow::default();
    assert!(window.charge(at(0), 1, SECOND));
    assert!(!window.charge(at(900_000_000), 1, SECOND));
    assert!(!window.charge(at(1_800_000_000), 1, SECOND));
    assert!(window.charge(at(2_800_000_001), 1, SECOND));
}

#[test]
fn a_limit_of_zero_never_allows_and_keeps_nothing() {
    let mut window = RestartWindow::default();
    for time in 0..100 {
        assert!(!window.charge(at(time * 10_000_000_000), 0, SECOND));
    }
    assert!(window.is_empty());
}

#[test]
fn no_limit_always_allows_and_keeps_nothing() {
    let mut window = RestartWindow::default();
    for time in 0..1_000 {
        assert!(window.charge(at(time / 10), usize::MAX, SECOND));
    }
    assert!(window.is_empty());
}

#[test]
fn a_window_longer_than_the_time_since_the_start_holds_everything() {
    for window in [Duration::from_secs(3_600), Duration::MAX] {
        let mut charged = RestartWindow::default();
        assert!(charged.charge(at(0), 2, window));
        assert!(charged.charge(at(1), 2, window));
        assert!(!charged.charge(at(u64::from(u32::MAX)), 2, window));
    }
}

#[test]
fn the_last_instant_that_can_be_told_is_counted_like_any_other() {
    let mut window = RestartWindow::default();
    assert!(window.charge(at(u64::MAX), 2, SECOND));
    assert!(window.charge(Timestamp::after_start(Duration::MAX), 2, SECOND));
    assert!(!window.charge(Timestamp::from_secs(u64::MAX), 2, SECOND));
}

#[test]
fn failures_while_time_stands_still_are_all_counted() {
    let mut window = RestartWindow::default();
    let allowed = (0..10).filter(|_| window.charge(at(5), 3, SECOND)).count();
    assert_eq!(allowed, 3);
    assert_eq!(window.len(), 4);
}

#[test]
fn time_that_runs_backwards_is_taken_as_standing_still() {
    let mut window = RestartWindow::default();
    assert!(window.charge(at(10_000_000_000), 2, SECOND));
    assert!(window.charge(at(3), 2, SECOND));
    assert_eq!(window.count(at(10_000_000_000), SECOND), 2);
    assert!(!window.charge(at(11_000_000_000), 2, SECOND));
    assert!(window.charge(at(12_000_000_001), 2, SECOND));
}

#[test]
fn no_more_than_the_limit_and_one_instant_are_kept_under_a_storm() {
    let mut window = RestartWindow::default();
    for time in 0..10_000 {
        window.charge(at(time), 7, SECOND);
        assert!(window.len() <= 8);
    }
    window.charge(at(10_001), 2, SECOND);
    assert!(
        window.len() <= 3,
        "a lowered limit frees what it does not need"
    );
}

#[test]
fn a_tumbling_windows_border_lets_nothing_extra_through() {
    let mut window = RestartWindow::default();
    let late = (0..3).filter(|_| window.charge(at(999_999_999), 3, SECOND));
    assert_eq!(late.count(), 3);
    let early = (0..3).filter(|_| window.charge(at(1_000_000_000), 3, SECOND));
    assert_eq!(early.count(), 0);
}

#[test]
fn a_slow_flapper_never_uses_its_budget_up() {
    let mut window = RestartWindow::default();
    let allowed = (0..1_000).filter(|n| window.charge(at(n * 600_000_000), 2, SECOND));
    assert_eq!(allowed.count(), 1_000);
}
