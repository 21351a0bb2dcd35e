//! What happens to the model: the plan's events, and what was said to be due later.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use fastrand::Rng;
use supervision_actix::group::RequestError;
use supervision_core::{
    Cause,
    group::{ChildStatus, Exit, Input, Request, RequestId, Shutdown},
};

use super::{Model, ModelActor, ModelGroup, Part, Tick};
use crate::{
    group_schedules::{
        plan::{Cue, Event, Member, Plan, REST, Stop},
        troupe::{Outcome, in_words, told},
    },
    quiet::MEANT,
};

/// Carries a plan out; `order` chooses among the orders in which things may be done at the same instant.
pub(crate) fn foretell(plan: &Arc<Plan>, order: u64) -> Outcome {
    let mut model = Model::of(plan);
    model.order = (order > 0).then(|| Rng::with_seed(order));
    for (index, planned) in plan.groups.iter().enumerate() {
        for member in &planned.members {
            if let Member::Group(inner) = member {
                model.groups[*inner].parent = Some(index);
            }
        }
    }
    model.start_root();
    model.settle();
    for (number, (at, event)) in plan.events.iter().enumerate() {
        model.go_on_until(*at);
        match event {
            Event::Cue(name, cue) => model.cue(name, *cue, number),
            Event::Request(group, request) => model.ask(*group, request.clone(), number),
        }
        model.settle();
    }
    model.go_on_until(REST);
    let at_rest = model.groups.iter().map(children).collect();
    model.feed(0, Input::ShutDown);
    model.settle();
    model.go_on_until(u64::MAX);
    let (end, ended_at) = model.end.expect("it has ended");
    Outcome {
        seen: model.seen,
        answers: model.answers,
        at_rest,
        end: told(&end),
        ended_at,
    }
}

fn children(group: &ModelGroup) -> Vec<(String, ChildStatus)> {
    let children = group.machine.iter().flat_map(|machine| machine.children());
    let children = children.map(|(id, status)| (id.to_string(), status));
    children.collect()
}

impl Model {
    fn of(plan: &Arc<Plan>) -> Self {
        let groups = plan.groups.iter().map(|planned| ModelGroup {
            machine: None,
            spec: planned.spec.clone(),
            members: planned.members.clone(),
            lives: 0,
            parent: None,
            life: None,
            is_stopping: false,
            is_restarting: false,
            is_killing: false,
            asked_about: None,
            requests: BTreeMap::new(),
        });
        let actors = plan.actors().into_iter().map(|(name, group, _)| {
            let actor = ModelActor {
                group,
                number: 0,
                life: None,
                part: Part::Down,
                is_stopping: false,
                has_started: false,
                decision: None,
                recovers: false,
                recovering: false,
            };
            (name, actor)
        });
        Self {
            plan: plan.clone(),
            now: 0,
            groups: groups.collect(),
            actors: actors.collect(),
            tasks: VecDeque::new(),
            order: None,
            ticks: BTreeMap::new(),
            said: 0,
            seen: Vec::new(),
            answers: BTreeMap::new(),
            end: None,
        }
    }

    /// Lets time pass, and all happen that is due in it.
    fn go_on_until(&mut self, at: u64) {
        while let Some(due) = self.ticks.first_entry()
            && due.key().0 <= at
        {
            self.now = due.key().0;
            let tick = due.remove();
            self.ring(tick);
            // What is due at the same time is so before anybody has done anything.
            let next = self.ticks.first_key_value();
            if next.is_none_or(|((next, _), _)| *next > self.now) {
                self.settle();
            }
        }
        if at != u64::MAX {
            self.now = at;
        }
    }

    fn ring(&mut self, tick: Tick) {
        match tick {
            Tick::Started(name, number) if self.is_at(&name, number, Part::Starting) => {
                self.is_up(&name);
            }
            Tick::StartPanics(name, number) if self.is_at(&name, number, Part::Starting) => {
                self.start_fails(&name, "no start");
            }
            Tick::Stopped(name, number) | Tick::Kill(name, number)
                if self.is_at(&name, number, Part::Stopping) =>
            {
                self.gone(&name, Input::Stopped);
            }
            Tick::KillGroup(group, life) => self.stop_group(group, life, Shutdown::Kill, false),
            Tick::Elapsed(group, lives, token) if self.groups[group].lives == lives => {
                self.feed(group, Input::Elapsed(token));
            }
            Tick::Started(..)
            | Tick::StartPanics(..)
            | Tick::Stopped(..)
            | Tick::Kill(..)
            | Tick::Elapsed(..) => {}
        }
    }

    fn is_at(&mut self, name: &str, number: usize, part: Part) -> bool {
        let actor = self.actor(name);
        actor.number == number && actor.part == part
    }

    fn cue(&mut self, name: &str, cue: Cue, number: usize) {
        let plan = self.plan.clone();
        let actor = self.actor(name);
        match actor.part {
            Part::Up => {}
            // Whatever it does, it ends, and that is taken for the end that was ordered.
            Part::Stopping => return self.gone(name, Input::Stopped),
            _ => return,
        }
        let panics = Cause::panic(format!("{MEANT}: cue {number}"));
        match cue {
            Cue::Panic => self.suspend(name, panics),
            Cue::Fail => self.suspend(name, Cause::named("Meant", MEANT)),
            Cue::Die => self.gone(name, |life| Input::Exited(life, Exit::Failed(panics))),
            Cue::Stop if plan.stop_of(name, actor.number) == Stop::Panics => {
                let cause = Cause::panic(format!("{MEANT}: in stopped"));
                self.gone(name, |life| Input::Exited(life, Exit::Failed(cause)));
            }
            Cue::Stop => self.gone(name, |life| Input::Exited(life, Exit::Normal)),
        }
    }

    fn suspend(&mut self, name: &str, cause: Cause) {
        let actor = self.actor(name);
        (actor.part, actor.decision) = (Part::Suspended, None);
        let (group, life) = (actor.group, actor.life.expect("it lives"));
        self.tell(group, Input::Suspended(life, cause));
    }

    fn ask(&mut self, group: usize, request: Request, number: usize) {
        if self.groups[group].machine.is_none() {
            self.answers
                .insert(number, in_words(Err(RequestError::Ending)));
            return;
        }
        let id = RequestId(number as u64);
        self.groups[group].requests.insert(id.0, request.clone());
        self.feed(group, Input::Request(id, request));
    }
}
