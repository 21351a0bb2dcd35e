//! The real clock.

use std::time::{Duration, Instant};

use supervision_cluster::clock::{BootClock, Clock};

#[test]
fn the_real_clock_never_goes_back_and_goes_as_fast_as_others() {
    let clock = BootClock::new();
    let (begun, instant) = (clock.now(), Instant::now());
    let mut last = begun;
    while instant.elapsed() < Duration::from_millis(20) {
        let now = clock.now();
        assert!(now >= last);
        last = now;
    }
    // Read after the other clock, so at least as much has passed.
    let passed = Duration::from_nanos(clock.now().as_nanos() - begun.as_nanos());
    assert!(passed >= Duration::from_millis(19), "{passed:?}");
    // An upper bound would only measure how busy the machine is.
}

#[tokio::test]
async fn a_real_sleep_is_never_early() {
    let clock = BootClock::new();
    let at = clock.now().saturating_add(Duration::from_millis(7));
    clock.sleep_until(at).await;
    assert!(clock.now() >= at);
    clock.sleep_until(at).await;
}
