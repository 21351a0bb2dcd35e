//! The lock around the world, and the pump that lets things happen in time while nobody calls.
//!
//! Every call lets happen what is due before it does anything itself. The pump is a task on the runtime
//! of whoever first needs one, and there is none while nothing is to come. Should its runtime end, all
//! who follow something are woken and the first of them starts another.

use std::{
    mem,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future;
use supervision_core::Timestamp;
use tokio::{runtime::Handle, sync::Notify, time::Instant};

use super::{
    messages::{AskId, ServingId},
    options::Options,
    watches::WatchId,
    world::{After, World},
};

pub(super) struct Shared {
    start: Instant,
    world: Mutex<World>,
    /// Whatever nobody follows any more. Apart from the world, as it can be noticed inside its lock.
    dropped: Mutex<Vec<Dropped>>,
    any_dropped: AtomicBool,
    /// Something is to happen sooner than the pump believes.
    sooner: Arc<Notify>,
}

/// What nobody follows any more.
#[derive(Clone, Copy)]
pub(super) enum Dropped {
    Watch(WatchId),
    Serving(ServingId),
    Ask(AskId),
}

/// What has to be done for things to happen in time.
enum PumpNeeds {
    Nothing,
    Start,
    Nudge,
}

impl Shared {
    pub(super) fn new(options: Options) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            world: Mutex::new(World::new(options)),
            dropped: Mutex::default(),
            any_dropped: AtomicBool::new(false),
            sooner: Arc::new(Notify::new()),
        })
    }

    /// Time since the engine was made.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::after_start(self.start.elapsed())
    }

    /// Lets happen what is due, then acts.
    pub(super) fn with<T>(self: &Arc<Self>, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.caught_up();
        let value = act(&mut world);
        let after = mem::take(&mut world.after);
        let needs = world.pump_needs();
        drop(world);
        finish(after);
        match needs {
            PumpNeeds::Nothing => {}
            PumpNeeds::Nudge => self.sooner.notify_one(),
            PumpNeeds::Start => self.start_pump(),
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A tracer of the user's may have panicked; each step leaves the world whole.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn caught_up(&self) -> MutexGuard<'_, World> {
        let mut world = self.lock();
        // Read inside the lock, or two threads could see time go back.
        world.advance(self.now());
        if self.any_dropped.swap(false, Ordering::AcqRel) {
            for gone in mem::take(&mut *self.dropped()) {
                match gone {
                    Dropped::Watch(id) => world.end_watch(id),
                    Dropped::Serving(id) => world.end_serving(id),
                    Dropped::Ask(id) => world.end_ask(id),
                }
            }
        }
        world
    }

    fn dropped(&self) -> MutexGuard<'_, Vec<Dropped>> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_pump(self: &Arc<Self>) {
        let pump = Pump(Arc::downgrade(self));
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(pump.run(Arc::clone(&self.sooner)))),
            // Things will happen when somebody calls; whoever waits does so on a runtime.
            Err(_) => self.lock().pump = None,
        }
    }

    /// Lets happen what is due; says when the next thing is.
    fn turn(&self) -> Option<Instant> {
        let mut world = self.caught_up();
        let next = world.agenda.next();
        world.pump = next;
        let after = mem::take(&mut world.after);
        drop(world);
        finish(after);
        let next = std::time::Duration::from_nanos(next?.as_nanos());
        // Beyond what an Instant can hold nobody waits.
        self.start.checked_add(next)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.sooner.notify_one();
    }
}

fn finish(after: Vec<After>) {
    for act in after {
        match act {
            After::Wake(wake) => wake.notify_one(),
            After::Run(run) => run(),
        }
    }
}

impl World {
    fn pump_needs(&mut self) -> PumpNeeds {
        match (self.agenda.next(), self.pump) {
            (None, _) => PumpNeeds::Nothing,
            (Some(next), Some(until)) if until <= next => PumpNeeds::Nothing,
            (Some(next), until) => {
                self.pump = Some(next);
                match until {
                    Some(_) => PumpNeeds::Nudge,
                    None => PumpNeeds::Start,
                }
            }
        }
    }
}

/// The task that waits for the next thing to happen.
struct Pump(Weak<Shared>);

impl Pump {
    async fn run(self, sooner: Arc<Notify>) {
        // It holds nothing while it waits: an engine that nobody has any more ends.
        while let Some(next) = self.0.upgrade().and_then(|shared| shared.turn()) {
            let sleep = pin!(tokio::time::sleep_until(next));
            future::select(sleep, pin!(sooner.notified())).await;
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        let Some(shared) = self.0.upgrade() else {
            return;
        };
        let mut world = shared.lock();
        if world.pump.take().is_some() {
            // The runtime ended before the work: let another one take over.
            world.wake_watches();
            world.wake_serving();
            let after = mem::take(&mut world.after);
            drop(world);
            finish(after);
        }
    }
}

/// Tells the world, when dropped, that nobody follows something any more.
///
/// An answer on its way holds one inside of the world, which must not keep itself alive by that.
pub(super) struct Follower {
    pub(super) shared: Weak<Shared>,
    pub(super) what: Dropped,
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.dropped().push(self.what);
            shared.any_dropped.store(true, Ordering::Release);
        }
    }
}
