//! A clock for simulations: it stands on tokio's time, which a test may pause, and can be wrong in the
//! ways clocks are.

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{self, BoxFuture};
use supervision_core::Timestamp;
use tokio::{sync::Notify, time::Instant};

use super::Clock;

const MILLION: u128 = 1_000_000;

/// A rate that no clock has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rate of {ppm} parts per million is not within {} of the true one",
    VirtualClock::MAX_PPM
)]
pub struct InvalidRate {
    /// The rate asked for.
    pub ppm: i32,
}

/// A clock of one simulated node: cheap to clone, every clone is the same clock.
///
/// It goes by tokio's time, so on a runtime that was started paused it is virtual. Its rate can be off
/// by up to [`MAX_PPM`](Self::MAX_PPM) and changed at any time, it can be stepped forward, and its node
/// can be paused the way `SIGSTOP` does it: [`now`](Clock::now) goes on, sleeps do not end before
/// [`resume`](Self::resume). Sleeps end up to a millisecond late, tokio's resolution.
#[derive(Clone)]
pub struct VirtualClock(Arc<Shared>);

struct Shared {
    start: Instant,
    course: Mutex<Course>,
    paused: AtomicBool,
    changed: Notify,
}

/// A straight piece of the clock's course.
#[derive(Clone, Copy)]
struct Course {
    /// True time since the start at which the piece begins.
    since: Duration,
    /// What the clock showed then.
    shown: Timestamp,
    ppm: i32,
}

impl Course {
    fn at(self, passed: Duration) -> Timestamp {
        let passed = passed.saturating_sub(self.since).as_nanos();
        let shown = passed * self.speed() / MILLION;
        let shown = u64::try_from(shown).unwrap_or(u64::MAX);
        self.shown.saturating_add(Duration::from_nanos(shown))
    }

    /// The true time since the start when the clock will show `at`.
    fn when(self, at: Timestamp) -> Duration {
        let left = at.as_nanos().saturating_sub(self.shown.as_nanos());
        let left = (u128::from(left) * MILLION).div_ceil(self.speed());
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX));
        self.since.saturating_add(left)
    }

    /// Parts per million of the true speed.
    fn speed(self) -> u128 {
        // The rate was checked: this is at least half of the true speed.
        u128::from(1_000_000_u32.saturating_add_signed(self.ppm))
    }
}

impl VirtualClock {
    /// The most a rate may be off, in parts per million: half as fast again, or half as fast.
    pub const MAX_PPM: i32 = 500_000;

    /// A clock that begins now, at zero, with the true rate.
    pub fn new() -> Self {
        Self::since(Instant::now())
    }

    /// A clock that showed zero at `start`.
    pub fn since(start: Instant) -> Self {
        let course = Course {
            since: Duration::ZERO,
            shown: Timestamp::default(),
            ppm: 0,
        };
        Self(Arc::new(Shared {
            start,
            course: Mutex::new(course),
            paused: AtomicBool::new(false),
            changed: Notify::new(),
        }))
    }

    /// Lets it go `ppm` parts per million too fast, or too slow if negative, from now on.
    ///
    /// # Errors
    /// [`InvalidRate`] beyond [`MAX_PPM`](Self::MAX_PPM); the rate stays as it was.
    pub fn set_rate(&self, ppm: i32) -> Result<(), InvalidRate> {
        if !(-Self::MAX_PPM..=Self::MAX_PPM).contains(&ppm) {
            return Err(InvalidRate { ppm });
        }
        self.change(|course| course.ppm = ppm);
        Ok(())
    }

    /// Sets it forward by `by`, as if it had been ahead by that much. It cannot go back.
    pub fn step_forward(&self, by: Duration) {
        self.change(|course| course.shown = course.shown.saturating_add(by));
    }

    /// Stops the node: its sleeps do not end until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.0.paused.store(true, Ordering::SeqCst);
    }

    /// Lets the node go on: sleeps that are over end now.
    pub fn resume(&self) {
        self.0.paused.store(false, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Whether its node is stopped.
    pub fn is_paused(&self) -> bool {
        self.0.paused.load(Ordering::SeqCst)
    }

    /// Ends when the node is not stopped.
    pub async fn resumed(&self) {
        while self.is_paused() {
            let mut changed = pin!(self.0.changed.notified());
            // Listen first, or a resume between the look and the wait is missed.
            changed.as_mut().enable();
            if self.is_paused() {
                changed.await;
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Course)) {
        let mut course = self.course();
        let passed = self.0.start.elapsed();
        course.shown = course.at(passed);
        course.since = passed.max(course.since);
        change(&mut course);
        drop(course);
        self.0.changed.notify_waiters();
    }

    fn course(&self) -> std::sync::MutexGuard<'_, Course> {
        // Nothing panics while it is held, and a course is valid at all times.
        self.0.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reach(self, at: Timestamp) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            changed.as_mut().enable();
            if self.is_paused() {
                changed.await;
            } else if self.now() >= at {
                return;
            } else {
                let when = self.course().when(at);
                match self.0.start.checked_add(when) {
                    Some(end) => {
                        let sleep = pin!(tokio::time::sleep_until(end));
                        future::select(changed, sleep).await;
                    }
                    None => changed.await,
                }
            }
        }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.course().at(self.0.start.elapsed())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(self.clone().reach(at))
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock")
            .field("now", &self.now())
            .field("ppm", &self.course().ppm)
            .field("paused", &self.is_paused())
            .finish()
    }
}
