//! The limiter of restarts against an oracle that remembers every restart, and the rules it keeps.

use std::time::Duration;

use allocation_counter::measure;
use proptest::{collection::vec, prelude::*};
use supervision_core::{MAX_COUNTED, MAX_DELAY, RestartLimiter, RestartRate, Timestamp};

use crate::{
    property::{cases, check},
    rng::Rng,
    strategies::SECOND,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn rate(restarts: usize, per: Duration) -> RestartRate {
    RestartRate::new(restarts, per).expect("valid")
}

fn waits(limiter: &mut RestartLimiter, now: Timestamp, count: usize) -> Vec<u128> {
    let wait = |_| limiter.admit(now, 0).as_millis();
    (0..count).map(wait).collect()
}

/// Remembers every restart and looks for the first instant that breaks no rule, straight from the
/// definition: of any `n` restarts in a row the last comes at least `n - burst` intervals after the
/// first, and none overtakes.
struct Oracle {
    interval: i128,
    burst: i128,
    given: Vec<i128>,
}

impl Oracle {
    fn of(rate: RestartRate) -> Self {
        let nanos = |d: Duration| d.as_nanos() as i128;
        let restarts = rate.restarts() as i128;
        Self {
            interval: (nanos(rate.per()) + restarts - 1) / restarts,
            burst: rate.burst() as i128,
            given: Vec::new(),
        }
    }

    /// Whether every token is there at `now`: each restart has had its interval, one after the other.
    fn is_quiet(&self, now: i128) -> bool {
        let behind = |(at, given): (usize, &i128)| {
            let taken = (self.given.len() - at) as i128;
            given + taken * self.interval <= now
        };
        self.given.iter().enumerate().all(behind)
    }

    fn first_instant(&self, now: i128) -> i128 {
        let rules = self.given.iter().enumerate().map(|(at, given)| {
            let in_a_row = (self.given.len() - at + 1) as i128;
            given + (in_a_row - self.burst).max(0) * self.interval
        });
        rules.fold(now, i128::max)
    }
}

/// How many of `given` lie in the fullest window that is half-open and of this length.
fn fullest(given: &[u64], length: Duration) -> usize {
    let length = length.as_nanos() as u64;
    let in_window = |(from, start): (usize, &u64)| {
        let rest = given[from..].iter();
        rest.take_while(|at| **at - start < length).count()
    };
    given.iter().enumerate().map(in_window).max().unwrap_or(0)
}

fn rates() -> impl Strategy<Value = RestartRate> {
    let per = prop_oneof![1_u64..1_000, 1_000_u64..10_000_000_000];
    let spread = prop_oneof![Just(0), 0_u64..100, 0_u64..3_000_000_000];
    let fields = (1_usize..40, per, 1_usize..12, spread);
    fields.prop_map(|(restarts, per, burst, spread)| {
        let made = rate(restarts, Duration::from_nanos(per)).with_burst(burst);
        let made = made.and_then(|rate| rate.with_spread(Duration::from_nanos(spread)));
        made.expect("valid")
    })
}

/// How long after the one before somebody asks: at once, soon, or after a quiet time.
fn gaps(rate: RestartRate) -> impl Strategy<Value = u64> {
    let interval = rate.interval().as_nanos() as u64;
    prop_oneof![
        5 => Just(0),
        3 => 0..interval.saturating_mul(2).max(1),
        1 => 0..interval.saturating_mul(30).max(1),
    ]
}

fn asked() -> impl Strategy<Value = (RestartRate, Vec<(u64, u64)>)> {
    rates().prop_flat_map(|rate| {
        let asks = vec((gaps(rate), any::<u64>()), 1..120);
        (Just(rate), asks)
    })
}

#[test]
fn every_restart_is_given_the_first_instant_that_breaks_no_rule() {
    check(cases(2_000) as u32, asked(), |(rate, asks)| {
        let mut limiter = RestartLimiter::new(rate);
        let mut oracle = Oracle::of(rate);
        let mut now = 5_000_000_000_u64;
        for (gap, entropy) in asks {
            now += gap;
            let at = Timestamp::from_nanos(now);
            let backlog = limiter.backlog(at).as_nanos() as i128;
            let given = i128::from(now) + limiter.admit(at, entropy).as_nanos() as i128;
            let first = oracle.first_instant(i128::from(now));
            prop_assert_eq!(backlog, first - i128::from(now));
            if oracle.is_quiet(i128::from(now)) {
                let latest = first + rate.spread().as_nanos() as i128;
                let in_time = given == first || (first..latest).contains(&given);
                prop_assert!(in_time, "{given} not in {first}..{latest}");
            } else {
                prop_assert_eq!(given, first);
            }
            oracle.given.push(given);
        }
        Ok(())
    });
}

#[test]
fn no_window_holds_more_than_its_rate_and_the_burst_and_nobody_is_overtaken() {
    check(cases(2_000) as u32, asked(), |(rate, asks)| {
        let mut limiter = RestartLimiter::new(rate);
        let mut now = 0;
        let mut given = Vec::new();
        for (gap, entropy) in asks {
            now += gap;
            let ahead = given.iter().filter(|at| **at >= now).count() as u128;
            let wait = limiter
                .admit(Timestamp::from_nanos(now), entropy)
                .as_nanos();
            let longest = (ahead + 1) * rate.interval().as_nanos() + rate.spread().as_nanos();
            prop_assert!(wait <= longest, "{wait} ns, {ahead} ahead");
            given.push(now + wait as u64);
        }
        prop_assert!(given.is_sorted(), "{given:?}");
        let most = rate.restarts() + rate.burst() - 1;
        prop_assert!(fullest(&given, rate.per()) <= most);
        for intervals in 1..5_u32 {
            let window = rate.interval() * intervals;
            let most = rate.burst() + intervals as usize - 1;
            prop_assert!(fullest(&given, window) <= most);
        }
        Ok(())
    });
}

#[test]
fn a_clock_that_runs_backwards_lets_nobody_through_early() {
    let mut rng = Rng::seeded(7);
    for _ in 0..cases(500) {
        let rate = rate(1 + rng.below(20) as usize, SECOND);
        let mut limiter = RestartLimiter::new(rate);
        let mut given = Vec::new();
        for _ in 0..200 {
            let now = rng.below(5_000_000_000);
            let wait = limiter.admit(Timestamp::from_nanos(now), rng.bits());
            given.push(now + wait.as_nanos() as u64);
        }
        assert!(given.is_sorted());
        assert!(fullest(&given, SECOND) <= rate.restarts());
    }
}

#[test]
fn restarts_that_come_at_once_are_spaced_evenly_after_the_burst() {
    let burst = rate(100, SECOND).with_burst(3).expect("valid");
    let mut limiter = RestartLimiter::new(burst);
    let now = Timestamp::from_secs(9);
    assert_eq!(waits(&mut limiter, now, 6), [0, 0, 0, 10, 20, 30]);
    assert_eq!(limiter.backlog(now), ms(40));
}

#[test]
fn restarts_that_come_more_slowly_than_the_rate_do_not_wait() {
    let mut limiter = RestartLimiter::new(rate(10, SECOND));
    for tick in 0..1_000 {
        let now = Timestamp::from_nanos(tick * 100_000_000);
        assert_eq!(limiter.admit(now, tick), Duration::ZERO, "{tick}");
    }
}

#[test]
fn a_rate_that_does_not_divide_its_time_is_rounded_down() {
    assert_eq!(
        rate(3, SECOND).interval(),
        Duration::from_nanos(333_333_334)
    );
    assert_eq!(rate(7, Duration::from_nanos(3)).interval().as_nanos(), 1);
    let mut limiter = RestartLimiter::new(rate(3, SECOND));
    let given: Vec<_> = (0..100)
        .map(|_| limiter.admit(Timestamp::default(), 0).as_nanos() as u64)
        .collect();
    assert_eq!(fullest(&given, SECOND), 3);
}

#[test]
fn the_first_after_a_quiet_time_waits_a_part_of_the_spread_and_the_others_queue_behind_it() {
    let spread = rate(10, SECOND).with_spread(SECOND).expect("valid");
    let now = Timestamp::from_secs(3);
    let first = |entropy| RestartLimiter::new(spread).admit(now, entropy);
    assert_eq!(first(0), Duration::ZERO);
    assert_eq!(first(1 << 63), ms(500));
    assert_eq!(first(u64::MAX), SECOND - Duration::from_nanos(1));

    let mut limiter = RestartLimiter::new(spread);
    assert_eq!(limiter.admit(now, 1 << 62), ms(250));
    assert_eq!(limiter.admit(now, u64::MAX), ms(350), "in the queue");
    let later = Timestamp::from_secs(4);
    assert_eq!(limiter.admit(later, 1 << 63), ms(500), "quiet again");
}

#[test]
fn the_spread_is_even() {
    let spread = rate(1, SECOND).with_spread(SECOND).expect("valid");
    let mut rng = Rng::seeded(3);
    let mut tenths = [0_u32; 10];
    for _ in 0..20_000 {
        let wait = RestartLimiter::new(spread).admit(Timestamp::default(), rng.bits());
        tenths[(wait.as_nanos() / 100_000_000) as usize] += 1;
    }
    assert!(
        tenths.iter().all(|n| (1_800..2_200).contains(n)),
        "{tenths:?}"
    );
}

#[test]
fn a_limiter_of_any_length_of_queue_takes_no_memory_beside_itself() {
    let largest = rate(MAX_COUNTED, MAX_DELAY)
        .with_burst(MAX_COUNTED)
        .expect("valid");
    assert!(size_of::<RestartLimiter>() <= 80);
    let cost = measure(|| {
        let mut limiter = RestartLimiter::new(largest);
        let mut longest = Duration::ZERO;
        for _ in 0..100_000 {
            longest = longest.max(limiter.admit(Timestamp::from_secs(1), 5));
        }
        assert_eq!(longest, Duration::ZERO, "all within the burst");
    });
    assert_eq!(cost.count_total, 0);
}

#[test]
fn the_largest_values_overflow_nowhere() {
    let slowest = rate(1, MAX_DELAY).with_spread(MAX_DELAY).expect("valid");
    let slowest = [1, 2, MAX_COUNTED].map(|burst| slowest.with_burst(burst).expect("valid"));
    for rate in slowest {
        for now in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let mut limiter = RestartLimiter::new(rate);
            let mut last = 0;
            for _ in 0..2_000 {
                let wait = limiter
                    .admit(Timestamp::from_nanos(now), u64::MAX)
                    .as_nanos();
                assert!(wait >= last && wait <= u128::from(u64::MAX - now));
                last = wait;
            }
        }
    }
}

#[test]
fn a_rate_is_read_as_people_write_it_and_survives_json_and_postcard() {
    let short = r#"{"restarts": 100, "per": "1s"}"#;
    let read: RestartRate = serde_json::from_str(short).expect("reads");
    assert_eq!(read, rate(100, SECOND));
    let whole = r#"{"restarts":5,"per":"1m 30s","burst":10,"spread":"250ms"}"#;
    let read: RestartRate = serde_json::from_str(whole).expect("reads");
    let built = rate(5, SECOND * 90)
        .with_burst(10)
        .and_then(|r| r.with_spread(ms(250)));
    assert_eq!(read, built.expect("valid"));
    assert_eq!(serde_json::to_string(&read).expect("writes"), whole);
    let bytes = postcard::to_stdvec(&read).expect("writes");
    assert_eq!(
        postcard::from_bytes::<RestartRate>(&bytes).expect("reads"),
        read
    );
}

#[test]
fn a_nonsensical_rate_is_refused_by_name() {
    let too_long = MAX_DELAY + Duration::from_nanos(1);
    let good = rate(1, SECOND);
    for (made, field) in [
        (RestartRate::new(0, SECOND), "restarts"),
        (RestartRate::new(MAX_COUNTED + 1, SECOND), "restarts"),
        (RestartRate::new(1, Duration::ZERO), "per"),
        (RestartRate::new(1, too_long), "per"),
        (good.with_burst(0), "burst"),
        (good.with_burst(MAX_COUNTED + 1), "burst"),
        (good.with_spread(too_long), "spread"),
    ] {
        let refused = made.expect_err(field);
        assert_eq!(refused.field(), field);
        assert!(refused.to_string().starts_with(field), "{refused}");
    }
    for (text, says) in [
        (r#"{"restarts": 0, "per": "1s"}"#, "restarts must be 1 to"),
        (r#"{"restarts": 1, "per": "0s"}"#, "per must be longer"),
        (
            r#"{"restarts": 1, "per": "1s", "burst": 0}"#,
            "burst must be 1 to",
        ),
        (
            r#"{"restarts": 1, "per": "1s", "spread": "366days"}"#,
            "spread must not",
        ),
        (r#"{"restarts": 1}"#, "missing field"),
        (
            r#"{"restarts": 1, "per": "1s", "bursts": 2}"#,
            "unknown field",
        ),
        (r#"{"restarts": -1, "per": "1s"}"#, "invalid value"),
    ] {
        let refused = serde_json::from_str::<RestartRate>(text).expect_err(text);
        assert!(refused.to_string().contains(says), "{refused}");
    }
}
