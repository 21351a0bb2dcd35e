//! The same plan carried out by a model: pure groups of the core, driven by an event queue, and actors
//! of which nothing is known but when they start, fail and stop. It shares no code with the adapter.

mod outside;

pub(crate) use self::outside::foretell;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use supervision_actix::{Decision, StopReason};
use supervision_core::{
    Cause, Timestamp,
    group::{
        ChildId, Command, DelayToken, EndReason, Exit, Group, GroupSpec, Incarnation, Input,
        Request, RequestError, RequestId, Shutdown, Verdict,
    },
};

use super::{
    plan::{Member, Plan, Start, Stop},
    troupe::{Answer, Seen, What, in_words},
};
use crate::quiet::MEANT;

/// Something that is done at once, in the order in which it was said: what tasks tell each other.
enum Task {
    Feed(usize, Input),
    /// The actor is ordered to begin this life.
    Begin(String, Incarnation),
    /// The actor is ordered to stop, and whether it is started again.
    Stop(String, Incarnation, Shutdown, bool),
    /// The actor goes on with its start, once others have had this many turns.
    GoOn(String, Incarnation, usize),
    StartGroup(usize, Incarnation),
    StopGroup(usize, Incarnation, Shutdown, bool),
    ResumeGroup(usize, Incarnation),
}

/// Who does something.
#[derive(PartialEq, Eq)]
enum Whose<'a> {
    Group(usize),
    Actor(&'a str),
}

impl Task {
    fn whose(&self) -> Whose<'_> {
        match self {
            Self::Feed(group, _)
            | Self::StartGroup(group, _)
            | Self::StopGroup(group, ..)
            | Self::ResumeGroup(group, _) => Whose::Group(*group),
            Self::Begin(name, _) | Self::Stop(name, ..) | Self::GoOn(name, ..) => {
                Whose::Actor(name)
            }
        }
    }
}

/// Something that is due later.
enum Tick {
    Started(String, usize),
    StartPanics(String, usize),
    Stopped(String, usize),
    Kill(String, usize),
    KillGroup(usize, Incarnation),
    Elapsed(usize, usize, DelayToken),
}

/// What an actor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Down,
    Ordered,
    Starting,
    Up,
    /// It failed and is sound.
    Suspended,
    /// It was resumed in its start.
    Resuming,
    Stopping,
}

struct ModelActor {
    group: usize,
    number: usize,
    life: Option<Incarnation>,
    part: Part,
    /// Whether it was ordered to stop. Orders that come together are taken together.
    is_stopping: bool,
    /// Whether the start of this life is finished.
    has_started: bool,
    /// What was decided about the failure it is suspended for.
    decision: Option<Decision>,
    /// Whether the next life recovers from a failure of its own.
    recovers: bool,
    /// Whether this one does.
    recovering: bool,
}

struct ModelGroup {
    machine: Option<Group>,
    spec: GroupSpec,
    members: Vec<Member>,
    lives: usize,
    parent: Option<usize>,
    life: Option<Incarnation>,
    is_stopping: bool,
    is_restarting: bool,
    is_killing: bool,
    asked_about: Option<Incarnation>,
    requests: BTreeMap<u64, Request>,
}

/// A plan being carried out.
pub(crate) struct Model {
    plan: Arc<Plan>,
    now: u64,
    groups: Vec<ModelGroup>,
    actors: BTreeMap<String, ModelActor>,
    tasks: VecDeque<Task>,
    /// In which order tasks that can be done at the same instant are done: at random, or as they came.
    order: Option<Rng>,
    ticks: BTreeMap<(u64, usize), Tick>,
    said: usize,
    seen: Vec<Seen>,
    answers: BTreeMap<usize, Answer>,
    end: Option<(EndReason, u64)>,
}

impl Model {
    fn see(&mut self, who: &str, what: What) {
        let (at, who) = (self.now, who.to_owned());
        self.seen.push(Seen { at, who, what });
    }

    fn later(&mut self, time: u64, tick: Tick) {
        self.said += 1;
        self.ticks.insert((self.now + time, self.said), tick);
    }

    fn actor(&mut self, name: &str) -> &mut ModelActor {
        self.actors.get_mut(name).expect("an actor")
    }

    /// Does all that is due now.
    fn settle(&mut self) {
        while let Some(task) = self.next_task() {
            match task {
                Task::Feed(group, input) => self.feed(group, input),
                Task::Begin(name, life) => self.begin(&name, life),
                Task::Stop(name, life, shutdown, restarts) => {
                    self.stop(&name, life, shutdown, restarts);
                }
                Task::GoOn(name, life, turns) => self.go_on(&name, life, turns),
                Task::StartGroup(group, life) => self.start_group(group, life),
                Task::StopGroup(group, life, shutdown, restarts) => {
                    self.stop_group(group, life, shutdown, restarts);
                }
                Task::ResumeGroup(group, life) => self.resume_group(group, life),
            }
        }
    }

    /// The oldest task; or, in other orders than the first, the oldest one of anybody.
    fn next_task(&mut self) -> Option<Task> {
        if self.tasks.is_empty() {
            return None;
        }
        let chosen = match &mut self.order {
            None => 0,
            Some(rng) => rng.usize(..self.tasks.len()),
        };
        let whose = self.tasks[chosen].whose();
        let at = self.tasks.iter().position(|task| task.whose() == whose);
        self.tasks.remove(at.unwrap_or(chosen))
    }

    fn feed(&mut self, index: usize, input: Input) {
        let now = Timestamp::after_start(Duration::from_millis(self.now));
        let mut commands = Vec::new();
        if let Some(machine) = &mut self.groups[index].machine {
            machine.handle(input, now, 0);
            commands.extend(std::iter::from_fn(|| machine.poll_command()));
        }
        for command in commands {
            self.execute(index, command);
        }
    }

    fn tell(&mut self, group: usize, input: Input) {
        self.tasks.push_back(Task::Feed(group, input));
    }

    /// The group that is the child of this id, if it is one.
    fn inner(&self, group: usize, child: &ChildId) -> Option<usize> {
        let group = &self.groups[group];
        let children = group.spec.children.iter().zip(&group.members);
        let (_, member) = children
            .into_iter()
            .find(|(spec, _)| spec.id == child.as_str())?;
        match member {
            Member::Group(inner) => Some(*inner),
            Member::Actor(_) => None,
        }
    }

    fn execute(&mut self, index: usize, command: Command) {
        match command {
            Command::Start {
                child, incarnation, ..
            } => self.order_start(index, &child, incarnation),
            Command::Stop {
                child,
                incarnation,
                shutdown,
                restarts,
            } => {
                let group = &self.groups[index];
                let restarts = restarts || group.is_restarting;
                let shutdown = if group.is_killing {
                    Shutdown::Kill
                } else {
                    shutdown
                };
                match self.inner(index, &child) {
                    Some(inner) => self.tasks.push_back(Task::StopGroup(
                        inner,
                        incarnation,
                        shutdown,
                        restarts,
                    )),
                    None => self.order_stop(child.as_str(), incarnation, shutdown, restarts),
                }
            }
            Command::Resume { child, incarnation } => match self.inner(index, &child) {
                Some(inner) => self.tasks.push_back(Task::ResumeGroup(inner, incarnation)),
                None => self.resume(child.as_str(), incarnation),
            },
            Command::Delay { token, after } => {
                let lives = self.groups[index].lives;
                let after = u64::try_from(after.as_millis()).expect("a short time");
                self.later(after, Tick::Elapsed(index, lives, token));
            }
            Command::Escalate {
                incarnation, cause, ..
            } => self.escalate(index, incarnation, cause),
            Command::Decided {
                child,
                cause,
                decision,
            } => self.decided(index, &child, &cause, decision),
            Command::Ready => self.tell_parent(index, Input::Started),
            Command::Reply { request, answer } => self.reply(index, request, answer),
            Command::Done { reason } => self.done(index, reason),
        }
    }

    fn order_start(&mut self, index: usize, child: &ChildId, life: Incarnation) {
        if let Some(inner) = self.inner(index, child) {
            self.tasks.push_back(Task::StartGroup(inner, life));
            return;
        }
        let actor = self.actor(child.as_str());
        assert_eq!(actor.part, Part::Down, "one life at a time");
        actor.part = Part::Ordered;
        (actor.has_started, actor.is_stopping) = (false, false);
        actor.life = Some(life);
        actor.decision = None;
        actor.recovering = std::mem::take(&mut actor.recovers);
        let name = child.as_str().to_owned();
        self.tasks.push_back(Task::Begin(name, life));
    }

    fn tell_parent(&mut self, index: usize, news: impl FnOnce(Incarnation) -> Input) {
        let group = &self.groups[index];
        if let (Some(parent), Some(life)) = (group.parent, group.life) {
            self.tell(parent, news(life));
        }
    }

    fn escalate(&mut self, index: usize, about: Incarnation, cause: Cause) {
        self.groups[index].asked_about = Some(about);
        if self.groups[index].parent.is_none() {
            return self.tell(index, Input::Answered(about, Verdict::End));
        }
        self.tell_parent(index, |life| Input::Suspended(life, cause));
    }

    fn decided(&mut self, index: usize, child: &ChildId, cause: &Cause, decision: Decision) {
        let finished = StopReason::Finished;
        if self.inner(index, child).is_some() || decision == (Decision::Stop { reason: finished }) {
            return;
        }
        let actor = self.actor(child.as_str());
        actor.decision = Some(decision.clone());
        match decision {
            Decision::Restart { .. } | Decision::Relocate { .. } | Decision::Escalate { .. } => {
                actor.recovers = true;
            }
            Decision::Resume | Decision::Stop { .. } => {}
        }
        let text = cause.message().to_owned();
        self.see(child.as_str(), What::Decided(text, decision));
    }

    fn reply(&mut self, index: usize, id: RequestId, answer: Result<(), RequestError>) {
        let group = &mut self.groups[index];
        let request = group.requests.remove(&id.0).expect("it was asked");
        if answer.is_ok() {
            match request {
                Request::ChangeStrategy(strategy) => group.spec.strategy = strategy,
                Request::ChangeChildStrategy(child, strategy) => {
                    let mut children = group.spec.children.iter_mut();
                    let described = children.find(|spec| spec.id == child.as_str());
                    described.expect("it is described").strategy = strategy;
                }
                _ => {}
            }
        }
        let number = usize::try_from(id.0).expect("a small number");
        let before = self.answers.insert(number, in_words(answer));
        assert_eq!(before, None, "a request is answered once");
    }

    fn done(&mut self, index: usize, reason: EndReason) {
        let now = self.now;
        let group = &mut self.groups[index];
        group.machine = None;
        if group.parent.is_none() {
            assert_eq!(self.end, None, "it ends once");
            self.end = Some((reason, now));
            return;
        }
        let is_stopping = group.is_stopping;
        self.tell_parent(index, |life| match reason {
            _ if is_stopping => Input::Stopped(life),
            EndReason::Shutdown | EndReason::AutoShutdown { .. } => {
                Input::Exited(life, Exit::Shutdown)
            }
            EndReason::Exhausted { cause, .. } | EndReason::Escalated { cause, .. } => {
                Input::Exited(life, Exit::Failed(cause))
            }
            EndReason::StartFailed { cause, .. } => Input::StartFailed(life, cause),
        });
        self.groups[index].life = None;
    }

    fn start_root(&mut self) {
        self.start_machine(0);
    }

    fn start_group(&mut self, index: usize, life: Incarnation) {
        self.groups[index].life = Some(life);
        self.start_machine(index);
    }

    fn start_machine(&mut self, index: usize) {
        let group = &mut self.groups[index];
        group.lives += 1;
        (group.is_stopping, group.is_restarting, group.is_killing) = (false, false, false);
        let machine = Group::new(group.spec.clone()).expect("a valid group");
        group.machine = Some(machine.with_parent(group.parent.is_some()));
        self.feed(index, Input::Start);
    }

    fn stop_group(&mut self, index: usize, life: Incarnation, shutdown: Shutdown, restarts: bool) {
        let group = &mut self.groups[index];
        if group.life != Some(life) {
            return;
        }
        (group.is_stopping, group.is_restarting) = (true, restarts);
        match shutdown {
            Shutdown::Kill => self.kill_group(index),
            Shutdown::Timeout(time) => {
                let time = u64::try_from(time.as_millis()).expect("a short time");
                self.later(time, Tick::KillGroup(index, life));
            }
            Shutdown::Infinity => {}
        }
        self.feed(index, Input::ShutDown);
    }

    fn kill_group(&mut self, index: usize) {
        self.groups[index].is_killing = true;
        for member in self.groups[index].members.clone() {
            let Member::Actor(name) = member else {
                unreachable!("there are two levels")
            };
            // One that dies before the group has stopped it is told as gone all the same.
            if let Some(life) = self.actor(&name).life {
                self.order_stop(&name, life, Shutdown::Kill, false);
            }
        }
    }

    fn resume_group(&mut self, index: usize, life: Incarnation) {
        let group = &mut self.groups[index];
        if group.life == Some(life)
            && let Some(about) = group.asked_about.take()
        {
            self.feed(index, Input::Answered(about, Verdict::Resume));
        }
    }

    /// An ordered life begins.
    fn begin(&mut self, name: &str, life: Incarnation) {
        let actor = self.actor(name);
        if actor.life != Some(life) || actor.part != Part::Ordered || actor.is_stopping {
            return;
        }
        actor.number += 1;
        actor.part = Part::Starting;
        let (number, group) = (actor.number, actor.group);
        self.see(name, What::Made(number));
        match self.plan.start_of(name, number) {
            Start::AtOnce => self.is_up(name),
            Start::Slow(time) => self.later(time, Tick::Started(name.to_owned(), number)),
            Start::NotMade => self.start_fails(name, "not made"),
            Start::Panics => self.start_fails(name, "no start"),
            Start::Fails => {
                self.actor(name).part = Part::Suspended;
                self.tell(group, Input::Suspended(life, Cause::named("Meant", MEANT)));
            }
            Start::SlowPanic(time) => {
                self.later(time, Tick::StartPanics(name.to_owned(), number));
            }
        }
    }

    fn is_up(&mut self, name: &str) {
        let actor = self.actor(name);
        let (number, recovering, group) = (actor.number, actor.recovering, actor.group);
        (actor.part, actor.has_started) = (Part::Up, true);
        if number > 1 {
            self.see(name, What::After(number, recovering));
        }
        let life = self.actor(name).life.expect("it lives");
        self.tell(group, Input::Started(life));
    }

    fn resume(&mut self, name: &str, life: Incarnation) {
        let actor = self.actor(name);
        (actor.recovers, actor.decision) = (false, None);
        if actor.has_started {
            actor.part = Part::Up;
        } else {
            actor.part = Part::Resuming;
            self.tasks.push_back(Task::GoOn(name.to_owned(), life, 1));
        }
    }

    fn go_on(&mut self, name: &str, life: Incarnation, turns: usize) {
        let actor = self.actor(name);
        if actor.life != Some(life) || actor.part != Part::Resuming || actor.is_stopping {
            return;
        }
        match turns {
            0 => self.is_up(name),
            left => self
                .tasks
                .push_back(Task::GoOn(name.to_owned(), life, left - 1)),
        }
    }

    /// A life is over; the group is told so.
    fn gone(&mut self, name: &str, news: impl FnOnce(Incarnation) -> Input) {
        let actor = self.actor(name);
        let (number, group) = (actor.number, actor.group);
        let (life, part) = (actor.life.take(), actor.part);
        actor.part = Part::Down;
        if part != Part::Ordered {
            self.see(name, What::Gone(number));
        }
        self.tell(group, news(life.expect("it lived")));
    }

    fn start_fails(&mut self, name: &str, why: &str) {
        let cause = Cause::panic(format!("{MEANT}: {why}"));
        self.gone(name, |life| Input::StartFailed(life, cause));
    }

    fn order_stop(&mut self, name: &str, life: Incarnation, shutdown: Shutdown, restarts: bool) {
        let actor = self.actor(name);
        if actor.life == Some(life) {
            actor.is_stopping = true;
            let stop = Task::Stop(name.to_owned(), life, shutdown, restarts);
            self.tasks.push_back(stop);
        }
    }

    fn stop(&mut self, name: &str, life: Incarnation, shutdown: Shutdown, restarts: bool) {
        let plan = self.plan.clone();
        let actor = self.actor(name);
        if actor.life != Some(life) {
            return;
        }
        let number = actor.number;
        let before = self
            .farewell(name, restarts)
            .filter(|_| shutdown != Shutdown::Kill);
        if let Some(has_failure) = before {
            self.see(name, What::Before(number, has_failure));
        }
        let takes_time = match plan.stop_of(name, number) {
            Stop::AtOnce | Stop::Panics => None,
            Stop::Slow(time) => Some(Some(time)),
            Stop::Never => Some(None),
        };
        match (self.actor(name).part, takes_time) {
            (Part::Up, Some(time)) if shutdown != Shutdown::Kill => {
                self.actor(name).part = Part::Stopping;
                if let Some(time) = time {
                    self.later(time, Tick::Stopped(name.to_owned(), number));
                }
                if let Shutdown::Timeout(time) = shutdown {
                    let time = u64::try_from(time.as_millis()).expect("a short time");
                    self.later(time, Tick::Kill(name.to_owned(), number));
                }
            }
            _ => self.gone(name, Input::Stopped),
        }
    }

    /// Whether `before_restart` is called on what is asked to stop, and then whether with a failure.
    fn farewell(&mut self, name: &str, restarts: bool) -> Option<bool> {
        let actor = self.actor(name);
        match (actor.part, &actor.decision) {
            (Part::Up, _) => restarts.then_some(false),
            (Part::Suspended, Some(Decision::Restart { .. } | Decision::Relocate { .. })) => {
                Some(true)
            }
            (Part::Suspended, Some(Decision::Escalate { .. })) => restarts.then_some(true),
            (Part::Suspended, None) => (restarts && actor.has_started).then_some(false),
            _ => None,
        }
    }
}
