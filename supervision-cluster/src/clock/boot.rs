//! The real clock: `CLOCK_BOOTTIME` where there is one.

use std::time::Duration;

use futures_util::future::BoxFuture;
use supervision_core::Timestamp;

use super::Clock;

/// The longest sleep without a look at the clock.
///
/// The timers of the runtime stop while the machine is suspended. A sleep in pieces is late by at most
/// this much after it wakes up, instead of by the length of the suspend.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The time since the machine was booted, that of its suspends included.
///
/// On Linux and Android it is `CLOCK_BOOTTIME`, read without a system call in some 25 ns. Other
/// systems have no such clock behind a safe interface: there it is [`std::time::Instant`], which on
/// macOS stops during a suspend. A lease counted by it may then be believed in for as long as the
/// machine slept; others took over meanwhile, and it is the epoch on each write that refuses the
/// sleeper's effects. Let such machines not suspend.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootClock(());

impl BootClock {
    /// The clock of this machine. All of them tell the same time.
    pub const fn new() -> Self {
        Self(())
    }
}

impl Clock for BootClock {
    fn now(&self) -> Timestamp {
        read()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = at.as_nanos().saturating_sub(read().as_nanos());
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_nanos(left).min(LONGEST_SLEEP)).await;
            }
        })
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn read() -> Timestamp {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    Timestamp::from_secs(seconds).saturating_add(Duration::from_nanos(nanos))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn read() -> Timestamp {
    use std::{sync::OnceLock, time::Instant};

    static START: OnceLock<Instant> = OnceLock::new();
    Timestamp::after_start(START.get_or_init(Instant::now).elapsed())
}
