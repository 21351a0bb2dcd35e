//! A plan carried out by real groups of real actors on virtual time, and what is seen of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    Factory,
    group::{ChildProps, ChildStatus, EndReason, GroupEnd, GroupHandle, GroupProps, RequestError},
    prelude::*,
};
use supervision_core::group::Request;
use tokio::time::{Instant, sleep_until};

use super::plan::{Cue, Event, Member, Plan, REST, Start, Stop};
use crate::{probe::Meant, quiet::MEANT};

/// Something that was seen of an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: u64,
    pub(crate) who: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A life begins, or its factory panics.
    Made(usize),
    /// It is over.
    Gone(usize),
    /// Its `before_restart` is called, with a failure or without.
    Before(usize, bool),
    /// Its `after_restart` is called, with a failure or without.
    After(usize, bool),
    /// A failure of this text was decided on.
    Decided(String, Decision),
}

/// An answer to a request. Where a start panicked is left out: the model knows no places.
pub(crate) type Answer = Result<(), String>;

pub(crate) fn in_words(answer: Result<(), RequestError>) -> Answer {
    answer.map_err(|error| error.to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    ShutDown,
    AutoShutdown,
    Exhausted,
    Escalated,
    StartFailed,
}

/// Why a group ended, because of which child, and what it failed with.
pub(crate) fn told(reason: &EndReason) -> (Ending, Option<(String, String)>) {
    let (ending, child, cause) = match reason {
        EndReason::Shutdown => return (Ending::ShutDown, None),
        EndReason::AutoShutdown { child } => (Ending::AutoShutdown, child, ""),
        EndReason::Exhausted { child, cause } => (Ending::Exhausted, child, cause.message()),
        EndReason::Escalated { child, cause } => (Ending::Escalated, child, cause.message()),
        EndReason::StartFailed { child, cause } => (Ending::StartFailed, child, cause.message()),
    };
    (ending, Some((child.to_string(), cause.to_owned())))
}

/// All that was seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seen: Vec<Seen>,
    /// The answers to the requests, by their place among the events.
    pub(crate) answers: BTreeMap<usize, Answer>,
    /// The children of each group when nothing has happened for long.
    pub(crate) at_rest: Vec<Vec<(String, ChildStatus)>>,
    /// Why the root ended.
    pub(crate) end: (Ending, Option<(String, String)>),
    /// When the root ended.
    pub(crate) ended_at: u64,
}

/// What the actors of one plan have in common.
pub(crate) struct Troupe {
    plan: Arc<Plan>,
    begun: Instant,
    seen: Mutex<Vec<Seen>>,
}

impl Troupe {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).expect("a short time")
    }

    fn see(&self, who: &str, what: What) {
        let (at, who) = (self.now(), who.to_owned());
        self.seen.lock().unwrap().push(Seen { at, who, what });
    }

    fn group(self: &Arc<Self>, index: usize) -> GroupProps {
        let planned = &self.plan.groups[index];
        let spec = &planned.spec;
        let props = GroupProps::new(&planned.path, spec.group, spec.strategy.clone())
            .auto_shutdown(spec.auto_shutdown);
        let children = spec.children.iter().zip(&planned.members);
        children.fold(props, |props, (spec, member)| {
            let mut child = match member {
                Member::Actor(name) => ChildProps::actor(name, self.actor(name)),
                Member::Group(inner) => ChildProps::group(&spec.id, self.group(*inner)),
            };
            child = child
                .with_restart_type(spec.restart_type)
                .with_shutdown(spec.shutdown);
            if spec.significant {
                child = child.significant();
            }
            props.child(match &spec.strategy {
                Some(own) => child.with_strategy(own.clone()),
                None => child,
            })
        })
    }

    fn actor(
        self: &Arc<Self>,
        name: &str,
    ) -> ActorProps<Trouper, impl Factory<Trouper> + Send + use<>> {
        let (troupe, name) = (self.clone(), name.to_owned());
        let (watching, watched) = (self.clone(), name.clone());
        let mut number = 0;
        ActorProps::from_factory(move || {
            number += 1;
            Trouper::make(&troupe, &name, number)
        })
        .with_observer(move |event| {
            if let SupervisionEvent::Failed {
                failure, decision, ..
            } = event
            {
                let what = What::Decided(failure.error.clone(), decision.clone());
                watching.see(&watched, what);
            }
        })
    }
}

struct Trouper {
    troupe: Arc<Troupe>,
    name: String,
    number: usize,
    /// Whether it takes its time to stop: not before its start is finished.
    is_up: bool,
    may_stop: bool,
    was_asked: bool,
}

impl Trouper {
    fn make(troupe: &Arc<Troupe>, name: &str, number: usize) -> Self {
        troupe.see(name, What::Made(number));
        if troupe.plan.start_of(name, number) == Start::NotMade {
            troupe.see(name, What::Gone(number));
            panic!("{MEANT}: not made");
        }
        Self {
            troupe: troupe.clone(),
            name: name.to_owned(),
            number,
            is_up: false,
            may_stop: false,
            was_asked: false,
        }
    }

    fn stop_plan(&self) -> Stop {
        self.troupe.plan.stop_of(&self.name, self.number)
    }
}

impl Actor for Trouper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let pass = |time| actix_rt::time::sleep(Duration::from_millis(time));
        match self.troupe.plan.start_of(&self.name, self.number) {
            Start::AtOnce => self.is_up = true,
            Start::Slow(time) => {
                let slow = pass(time).into_actor(self);
                ctx.wait(slow.map(|(), actor, _| actor.is_up = true));
            }
            Start::NotMade | Start::Panics => panic!("{MEANT}: no start"),
            Start::Fails => {
                ctx.fail(Meant);
                // Polled once the start is finished.
                let is_up = std::future::ready(()).into_actor(self);
                ctx.spawn(is_up.map(|(), actor, _| actor.is_up = true));
            }
            Start::SlowPanic(time) => {
                let slow = async move {
                    pass(time).await;
                    panic!("{MEANT}: no start");
                };
                ctx.wait(slow.into_actor(self));
            }
        }
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        if !self.is_up || self.may_stop {
            return Running::Stop;
        }
        let was_asked = std::mem::replace(&mut self.was_asked, true);
        match self.stop_plan() {
            Stop::AtOnce | Stop::Panics => Running::Stop,
            Stop::Slow(time) if !was_asked => {
                ctx.run_later(Duration::from_millis(time), |actor, ctx| {
                    actor.may_stop = true;
                    ctx.stop();
                });
                Running::Continue
            }
            Stop::Slow(_) | Stop::Never => Running::Continue,
        }
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        assert!(self.stop_plan() != Stop::Panics, "{MEANT}: in stopped");
    }
}

impl DistributedActor for Trouper {
    fn actor_path(&self) -> String {
        format!("/{}", self.name)
    }
}

impl SupervisedDistributedActor for Trouper {
    fn before_restart(&mut self, _: &mut Context<Self>, failure: Option<FailureInfo>) {
        self.troupe
            .see(&self.name, What::Before(self.number, failure.is_some()));
    }

    fn after_restart(&mut self, _: &mut Context<Self>, failure: Option<FailureInfo>) {
        self.troupe
            .see(&self.name, What::After(self.number, failure.is_some()));
    }
}

impl Drop for Trouper {
    fn drop(&mut self) {
        self.troupe.see(&self.name, What::Gone(self.number));
    }
}

/// Acts, if it is handled when it was meant to.
#[derive(Message)]
#[rtype(result = "()")]
struct Cued {
    at: u64,
    number: usize,
    cue: Cue,
}

impl Handler<Cued> for Trouper {
    type Result = ();

    fn handle(&mut self, Cued { at, number, cue }: Cued, ctx: &mut Context<Self>) {
        if self.troupe.now() != at {
            return;
        }
        match cue {
            Cue::Panic => panic!("{MEANT}: cue {number}"),
            Cue::Fail => {
                ctx.fail(Meant);
            }
            Cue::Die => {
                let dies = async move { panic!("{MEANT}: cue {number}") };
                ctx.spawn(dies.into_actor(self));
            }
            Cue::Stop => {
                self.may_stop = true;
                ctx.stop();
            }
        }
    }
}

/// Carries a plan out.
pub(crate) async fn perform(plan: &Arc<Plan>) -> Outcome {
    let troupe = Arc::new(Troupe {
        plan: plan.clone(),
        begun: Instant::now(),
        seen: Mutex::default(),
    });
    let root = troupe.group(0).start();
    let ended_at = ended(&troupe, &root);
    let handles: Vec<_> = (0..plan.groups.len())
        .map(|index| handle(&root, plan, index))
        .collect();
    let mut addresses = BTreeMap::new();
    for (name, group, _) in plan.actors() {
        let address = handles[group].actor::<Trouper>(&name);
        addresses.insert(name, address.expect("it is in its group"));
    }
    let answers = Arc::new(Mutex::new(BTreeMap::new()));
    for (number, (at, event)) in plan.events.iter().enumerate() {
        sleep_until(troupe.begun + Duration::from_millis(*at)).await;
        match event {
            Event::Cue(name, cue) => addresses[name].do_send(Cued {
                at: *at,
                number,
                cue: *cue,
            }),
            Event::Request(index, request) => {
                let (handle, request) = (handles[*index].clone(), request.clone());
                let answers = answers.clone();
                actix_rt::spawn(async move {
                    let answer = ask(&handle, request).await;
                    answers.lock().unwrap().insert(number, in_words(answer));
                });
            }
        }
    }
    sleep_until(troupe.begun + Duration::from_millis(REST)).await;
    let mut at_rest = Vec::new();
    for handle in &handles {
        let children = handle.children().await.into_iter();
        at_rest.push(
            children
                .map(|child| (child.id.to_string(), child.status))
                .collect(),
        );
    }
    let end = root.shutdown().await;
    let ended_at = ended_at.await.expect("it watches");
    let GroupEnd { reason, .. } = end;
    // Those who asked are told at the end of all.
    actix_rt::time::sleep(Duration::from_millis(1)).await;
    let seen = std::mem::take(&mut *troupe.seen.lock().unwrap());
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    Outcome {
        seen,
        answers,
        at_rest,
        end: told(&reason),
        ended_at,
    }
}

fn ended(troupe: &Arc<Troupe>, root: &GroupHandle) -> actix_rt::task::JoinHandle<u64> {
    let (troupe, root) = (troupe.clone(), root.clone());
    actix_rt::spawn(async move {
        root.ended().await;
        troupe.now()
    })
}

fn handle(root: &GroupHandle, plan: &Plan, index: usize) -> GroupHandle {
    if index == 0 {
        return root.clone();
    }
    let id = &plan.groups[index].path[1..];
    root.group(id).expect("a group of the root")
}

async fn ask(group: &GroupHandle, request: Request) -> Result<(), RequestError> {
    match request {
        Request::Terminate(id) => group.terminate(id.as_str()).await,
        Request::Restart(id) => group.restart(id.as_str()).await,
        Request::ChangeStrategy(strategy) => group.change_strategy(strategy).await,
        Request::ChangeChildStrategy(id, strategy) => {
            group.change_child_strategy(id.as_str(), strategy).await
        }
        Request::Add(_) | Request::Delete(_) => unreachable!("not planned"),
    }
}
