//! An actor that does what a message tells it, and writes down what is called on it.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{Factory, FromFn, prelude::*};

use crate::quiet::MEANT;

type OnHook<R> = Mutex<Option<Box<dyn FnMut(u64, &mut Context<Probe>) -> R + Send>>>;

type OnDrop = Mutex<Option<Box<dyn FnMut(u64) + Send>>>;

/// What the incarnations of one probe have in common with the test.
#[derive(Default)]
pub(crate) struct World {
    log: Mutex<Vec<String>>,
    made: Mutex<u64>,
    pub(crate) on_started: OnHook<()>,
    pub(crate) on_stopping: OnHook<Running>,
    pub(crate) on_stopped: OnHook<()>,
    pub(crate) on_before_restart: OnHook<()>,
    pub(crate) on_after_restart: OnHook<()>,
    pub(crate) on_drop: OnDrop,
    pub(crate) strategy: Mutex<Option<SupervisionStrategy>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn log(&self, entry: impl fmt::Display) {
        self.log.lock().unwrap().push(entry.to_string());
    }

    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Values made so far.
    pub(crate) fn made(&self) -> u64 {
        *self.made.lock().unwrap()
    }
}

/// Sets a hook.
pub(crate) fn on<R>(
    slot: &OnHook<R>,
    hook: impl FnMut(u64, &mut Context<Probe>) -> R + Send + 'static,
) {
    *slot.lock().unwrap() = Some(Box::new(hook));
}

pub(crate) struct Probe {
    pub(crate) number: u64,
    pub(crate) world: Arc<World>,
}

impl Probe {
    pub(crate) fn make(world: &Arc<World>) -> Self {
        let mut made = world.made.lock().unwrap();
        *made += 1;
        Self {
            number: *made,
            world: world.clone(),
        }
    }

    fn call<R>(&self, slot: &OnHook<R>, ctx: &mut Context<Self>, name: &str) -> Option<R> {
        self.world.log(format_args!("{}:{name}", self.number));
        // Taken out, so that a panic in it does not poison the lock.
        let mut hook = slot.lock().unwrap().take()?;
        let result = hook(self.number, ctx);
        slot.lock().unwrap().get_or_insert(hook);
        Some(result)
    }
}

impl Actor for Probe {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.call(&self.world.on_started, ctx, "started");
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        self.call(&self.world.on_stopping, ctx, "stopping")
            .unwrap_or(Running::Stop)
    }

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.call(&self.world.on_stopped, ctx, "stopped");
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.world.log(format_args!("{}:drop", self.number));
        let hook = self.world.on_drop.lock().unwrap().take();
        if let Some(mut hook) = hook {
            hook(self.number);
            self.world.on_drop.lock().unwrap().get_or_insert(hook);
        }
    }
}

impl DistributedActor for Probe {
    fn actor_path(&self) -> String {
        "/user/probe".to_owned()
    }
}

impl SupervisedDistributedActor for Probe {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        self.world
            .strategy
            .lock()
            .unwrap()
            .clone()
            .unwrap_or_default()
    }

    fn before_restart(&mut self, ctx: &mut Context<Self>, _: Option<FailureInfo>) {
        self.call(&self.world.on_before_restart, ctx, "before_restart");
    }

    fn after_restart(&mut self, ctx: &mut Context<Self>, _: Option<FailureInfo>) {
        self.call(&self.world.on_after_restart, ctx, "after_restart");
    }
}

type Work = Box<dyn FnOnce(&mut Probe, &mut Context<Probe>) + Send>;

/// Has the probe do something. Answered with the value's number.
#[derive(Message)]
#[rtype(result = "u64")]
pub(crate) struct Do(Work);

impl Do {
    pub(crate) fn new(work: impl FnOnce(&mut Probe, &mut Context<Probe>) + Send + 'static) -> Self {
        Self(Box::new(work))
    }

    pub(crate) fn nothing() -> Self {
        Self::new(|_, _| {})
    }

    pub(crate) fn log(entry: impl fmt::Display) -> Self {
        let entry = entry.to_string();
        Self::new(move |this, _| this.world.log(format_args!("{}:{entry}", this.number)))
    }

    pub(crate) fn panic() -> Self {
        Self::new(|_, _| panic!("{MEANT}: told to"))
    }

    pub(crate) fn fail() -> Self {
        Self::new(|_, ctx| ctx.fail(Meant))
    }

    pub(crate) fn stop() -> Self {
        Self::new(|_, ctx| ctx.stop())
    }
}

impl Handler<Do> for Probe {
    type Result = u64;

    fn handle(&mut self, work: Do, ctx: &mut Context<Self>) -> u64 {
        (work.0)(self, ctx);
        self.number
    }
}

/// Ends a probe through its supervisor.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct End;

impl Handler<End> for SupervisorActor<Probe> {
    type Result = ();

    fn handle(&mut self, _: End, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// An error that is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meant;

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MEANT)
    }
}

impl std::error::Error for Meant {}

pub(crate) type ProbeProps<F> = ActorProps<Probe, F>;

/// Props of a probe that is restarted without a limit, at once.
pub(crate) fn props(world: &Arc<World>) -> ProbeProps<impl Factory<Probe> + Send + use<>> {
    typed_props(world).with_supervision(restart(usize::MAX, 0))
}

/// Props of a probe with the strategy of its world.
pub(crate) fn typed_props(
    world: &Arc<World>,
) -> ProbeProps<FromFn<impl FnMut() -> Probe + Send + use<>>> {
    let world = world.clone();
    ActorProps::from_factory(move || Probe::make(&world))
}

/// `max_restarts` in a minute, `delay` milliseconds after each failure.
pub(crate) fn restart(max_restarts: usize, delay: u64) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts,
        window: Duration::from_secs(60),
        delay: Duration::from_millis(delay),
    }
}

/// Lets everything that is due run, until `done`; `false` if it never is.
pub(crate) async fn eventually(mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..10_000 {
        if done() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// A second of paused time: all delays of a test are shorter.
pub(crate) async fn pass_a_second() {
    actix_rt::time::sleep(Duration::from_secs(1)).await;
}
