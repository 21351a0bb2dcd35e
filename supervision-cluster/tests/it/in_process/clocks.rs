//! Simulated clocks.

use std::time::Duration;

use proptest::prelude::*;
use supervision_cluster::clock::{Clock, InvalidRate, VirtualClock};
use supervision_core::Timestamp;

use super::{millis, virtually};

fn shown(clock: &VirtualClock) -> u64 {
    clock.now().as_nanos() / 1_000_000
}

#[test]
fn a_clock_goes_at_its_rate_and_keeps_what_it_has_shown() {
    virtually(async {
        let clock = VirtualClock::new();
        millis(1_000).await;
        assert_eq!(shown(&clock), 1_000);
        clock.set_rate(100_000).unwrap();
        millis(1_000).await;
        assert_eq!(shown(&clock), 2_100);
        clock.set_rate(-500_000).unwrap();
        millis(1_000).await;
        assert_eq!(shown(&clock), 2_600);
        clock.step_forward(Duration::from_secs(10));
        assert_eq!(shown(&clock), 12_600);
        let refused = clock.set_rate(500_001);
        assert_eq!(refused, Err(InvalidRate { ppm: 500_001 }));
        millis(1_000).await;
        assert_eq!(shown(&clock), 13_100);
    });
}

#[test]
fn a_sleep_follows_its_clock_through_changes_of_the_rate() {
    virtually(async {
        let clock = VirtualClock::new();
        let begun = tokio::time::Instant::now();
        let sleep = tokio::spawn(clock.sleep_until(Timestamp::from_secs(10)));
        millis(1_000).await;
        clock.set_rate(500_000).unwrap();
        sleep.await.unwrap();
        // One second at the true rate, nine at one and a half.
        assert_eq!(begun.elapsed(), Duration::from_secs(7));
        let sleep = tokio::spawn(clock.sleep_until(Timestamp::from_secs(100)));
        millis(1).await;
        clock.step_forward(Duration::from_secs(90));
        millis(1).await;
        assert!(sleep.is_finished());
    });
}

#[test]
fn a_paused_node_does_not_wake_and_its_clock_goes_on() {
    virtually(async {
        let clock = VirtualClock::new();
        let sleep = tokio::spawn(clock.sleep_until(Timestamp::from_secs(1)));
        millis(500).await;
        clock.pause();
        millis(5_000).await;
        assert!(!sleep.is_finished());
        assert_eq!(shown(&clock), 5_500);
        clock.resume();
        millis(1).await;
        assert!(sleep.is_finished());
        // One that is paused and resumed in time is not late.
        let sleep = tokio::spawn(clock.sleep_until(Timestamp::from_secs(7)));
        clock.pause();
        millis(500).await;
        clock.resume();
        sleep.await.unwrap();
        assert_eq!(shown(&clock), 7_000);
        clock.pause();
        let passed = tokio::time::timeout(Duration::from_secs(1), clock.sleep_until(clock.now()));
        assert!(passed.await.is_err(), "a stopped node sees nothing end");
    });
}

#[test]
fn a_sleep_beyond_all_time_does_not_end() {
    virtually(async {
        let clock = VirtualClock::new();
        let end = clock.sleep_until(Timestamp::from_nanos(u64::MAX));
        let ended = tokio::time::timeout(Duration::from_secs(86_400), end).await;
        assert!(ended.is_err());
    });
}

#[derive(Clone, Debug)]
enum Change {
    Rate(i32),
    Step(u64),
    Pass(u64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (-500_000..=500_000).prop_map(Change::Rate),
        (0_u64..10_000).prop_map(Change::Step),
        (0_u64..10_000).prop_map(Change::Pass),
    ];
    prop::collection::vec(change, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_sleep_ends_early_or_more_than_two_milliseconds_late(changes in changes(), until in 0_u64..60_000) {
        virtually(async {
            let clock = VirtualClock::new();
            let at = Timestamp::from_nanos(until * 1_000_000);
            let sleeper = clock.clone();
            let sleep = tokio::spawn(async move {
                sleeper.sleep_until(at).await;
                sleeper.now()
            });
            // Begins to sleep before anything changes.
            tokio::task::yield_now().await;
            let (mut last, mut stepped) = (clock.now(), Duration::ZERO);
            for change in changes {
                match change {
                    Change::Rate(ppm) => clock.set_rate(ppm).unwrap(),
                    Change::Step(by) => {
                        clock.step_forward(Duration::from_millis(by));
                        // A step may leap over the end.
                        stepped += Duration::from_millis(by);
                    }
                    Change::Pass(by) => millis(by).await,
                }
                let now = clock.now();
                assert!(now >= last, "the clock went back");
                last = now;
            }
            let woke = sleep.await.unwrap();
            let latest = at.saturating_add(stepped + Duration::from_millis(2));
            assert!(woke >= at && woke <= latest, "{woke:?} for {at:?}");
        });
    }
}
