//! Actors for tests of groups: they write down what is called on them in one common log, and do what
//! a message tells them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    Factory,
    group::{ChildProps, GroupHandle, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    probe::{Meant, restart},
    quiet::MEANT,
};

type Hook = Box<dyn FnMut(&mut Player, &mut Context<Player>) + Send>;

/// What the players of one test have in common.
#[derive(Default)]
pub(crate) struct Stage {
    log: Mutex<Vec<String>>,
    hooks: Mutex<BTreeMap<(String, &'static str), Hook>>,
    alive: AtomicUsize,
}

impl Stage {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn log(&self, entry: impl fmt::Display) {
        self.log.lock().unwrap().push(entry.to_string());
    }

    /// What was called since the last time, in order.
    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// The same, as one text; without the drops, which follow every stop.
    pub(crate) fn story(&self) -> String {
        let log = self.take_log();
        let told = log.iter().filter(|entry| !entry.ends_with(":drop"));
        told.cloned().collect::<Vec<_>>().join(" ")
    }

    /// Values that have not been dropped.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    /// Has `hook` called where `place` is called on the player `name`.
    pub(crate) fn on(
        &self,
        name: &str,
        place: &'static str,
        hook: impl FnMut(&mut Player, &mut Context<Player>) + Send + 'static,
    ) {
        let key = (name.to_owned(), place);
        self.hooks.lock().unwrap().insert(key, Box::new(hook));
    }

    /// A child that plays here.
    pub(crate) fn child(self: &Arc<Self>, name: &str) -> ChildProps {
        ChildProps::actor(name, self.props(name))
    }

    pub(crate) fn props(
        self: &Arc<Self>,
        name: &str,
    ) -> ActorProps<Player, impl Factory<Player> + Send + use<>> {
        let (stage, name) = (self.clone(), name.to_owned());
        let mut number = 0;
        ActorProps::from_factory(move || {
            number += 1;
            Player::new(&stage, &name, number)
        })
    }

    /// A group of `a`, `b` and `c` that restarts without a limit, at once.
    pub(crate) fn trio(self: &Arc<Self>, strategy: GroupStrategy) -> GroupProps {
        let group = GroupProps::new("/trio", strategy, restart(usize::MAX, 0));
        ["a", "b", "c"]
            .into_iter()
            .fold(group, |group, name| group.child(self.child(name)))
    }
}

pub(crate) struct Player {
    pub(crate) name: String,
    pub(crate) number: usize,
    pub(crate) stage: Arc<Stage>,
    pub(crate) vetoes: bool,
}

impl Player {
    pub(crate) fn new(stage: &Arc<Stage>, name: &str, number: usize) -> Self {
        stage.alive.fetch_add(1, Ordering::SeqCst);
        let mut player = Self {
            name: name.to_owned(),
            number,
            stage: stage.clone(),
            vetoes: false,
        };
        player.hook("made", None);
        player
    }

    fn log(&self, what: impl fmt::Display) {
        self.stage
            .log(format_args!("{}{}:{what}", self.name, self.number));
    }

    fn hook(&mut self, place: &'static str, ctx: Option<&mut Context<Self>>) {
        let key = (self.name.clone(), place);
        // Taken out, so that a panic in it poisons no lock.
        let hook = self.stage.hooks.lock().unwrap().remove(&key);
        let Some(mut hook) = hook else { return };
        match ctx {
            Some(ctx) => hook(self, ctx),
            None => hook(self, &mut Context::new()),
        }
        let stage = self.stage.clone();
        stage.hooks.lock().unwrap().entry(key).or_insert(hook);
    }
}

impl Actor for Player {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.log("started");
        self.hook("started", Some(ctx));
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        self.hook("stopping", Some(ctx));
        if self.vetoes {
            Running::Continue
        } else {
            Running::Stop
        }
    }

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.log("stopped");
        self.hook("stopped", Some(ctx));
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stage.alive.fetch_sub(1, Ordering::SeqCst);
        self.log("drop");
        self.hook("drop", None);
    }
}

impl DistributedActor for Player {
    fn actor_path(&self) -> String {
        format!("/player/{}", self.name)
    }
}

impl SupervisedDistributedActor for Player {
    fn before_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        self.log(format_args!(
            "before{}",
            if failure.is_some() { "!" } else { "" }
        ));
        self.hook("before", Some(ctx));
    }

    fn after_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        self.log(format_args!(
            "after{}",
            if failure.is_some() { "!" } else { "" }
        ));
        self.hook("after", Some(ctx));
    }
}

type Work = Box<dyn FnOnce(&mut Player, &mut Context<Player>) + Send>;

/// Has a player do something. Answered with its number.
#[derive(Message)]
#[rtype(result = "usize")]
pub(crate) struct Act(Work);

impl Act {
    pub(crate) fn new(
        work: impl FnOnce(&mut Player, &mut Context<Player>) + Send + 'static,
    ) -> Self {
        Self(Box::new(work))
    }

    pub(crate) fn nothing() -> Self {
        Self::new(|_, _| {})
    }

    pub(crate) fn say(what: impl fmt::Display) -> Self {
        let what = what.to_string();
        Self::new(move |player, _| player.log(what))
    }

    pub(crate) fn panic() -> Self {
        Self::new(|_, _| panic!("{MEANT}: told to"))
    }

    pub(crate) fn fail() -> Self {
        Self::new(|_, ctx| ctx.fail(Meant))
    }

    /// Panics where no value survives.
    pub(crate) fn die() -> Self {
        Self::new(|player, ctx| {
            ctx.spawn(async { panic!("{MEANT}: died") }.into_actor(player));
        })
    }

    pub(crate) fn stop() -> Self {
        Self::new(|_, ctx| ctx.stop())
    }
}

impl Handler<Act> for Player {
    type Result = usize;

    fn handle(&mut self, act: Act, ctx: &mut Context<Self>) -> usize {
        (act.0)(self, ctx);
        self.number
    }
}

/// Ends a player through its supervisor.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct End;

impl Handler<End> for SupervisorActor<Player> {
    type Result = ();

    fn handle(&mut self, _: End, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// The address of a player.
pub(crate) fn player(group: &GroupHandle, name: &str) -> Addr<Player> {
    group.actor(name).expect("the player is in the group")
}

/// What the supervisor of a player remembers.
pub(crate) async fn records(group: &GroupHandle, name: &str) -> Vec<FailureRecord> {
    let supervisor = group.supervisor::<Player>(name).expect("a supervisor");
    let records = supervisor.send(GetFailureRecords::new()).await;
    records.expect("the supervisor answers")
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Lets paused time pass.
pub(crate) async fn pass(time: Duration) {
    actix_rt::time::sleep(time).await;
}
