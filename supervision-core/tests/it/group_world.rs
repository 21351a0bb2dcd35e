//! What is outside of a group: starts, stops and waits that take their time and come out as they
//! like, and rules that every command is checked against.

use std::collections::{BTreeMap, BTreeSet};

use supervision_core::{
    Cause, Decision, RestartType, StopReason, Timestamp,
    group::{
        ChildId, Command, DelayToken, EndReason, Group, GroupSpec, GroupStrategy, Incarnation,
        Input, Request, RequestError, RequestId, Shutdown,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Starting,
    Running,
    Suspended,
    Stopping {
        shutdown: Shutdown,
        since: Timestamp,
    },
}

/// A group and its surroundings.
pub(crate) struct World {
    pub(crate) group: Group,
    pub(crate) now: Timestamp,
    /// All that went in, to be played again.
    pub(crate) inputs: Vec<(Input, Timestamp, u64)>,
    /// All that came out.
    pub(crate) commands: Vec<Command>,
    pub(crate) lives: BTreeMap<Incarnation, (ChildId, Life)>,
    pub(crate) delays: Vec<(DelayToken, Timestamp)>,
    pub(crate) escalated: Option<Incarnation>,
    pub(crate) done: Option<EndReason>,
    pub(crate) failures: BTreeSet<String>,
    pub(crate) decided: BTreeSet<String>,
    /// Children that a request or a decision has ended.
    pub(crate) ended_on_purpose: BTreeSet<ChildId>,
    pub(crate) types: BTreeMap<ChildId, RestartType>,
    ordered: bool,
    ranks: BTreeMap<ChildId, usize>,
    pub(crate) unanswered: BTreeMap<RequestId, Request>,
    pub(crate) answered: BTreeSet<RequestId>,
    run: Run,
    ending: bool,
    pub(crate) named: u64,
}

/// The starts and stops since something new began.
#[derive(Default)]
struct Run {
    last_stop: Option<usize>,
    last_start: Option<usize>,
}

impl World {
    pub(crate) fn of(spec: &GroupSpec) -> Self {
        let types = spec.children.iter();
        Self {
            group: Group::new(spec.clone()).expect("a valid group"),
            now: Timestamp::default(),
            inputs: Vec::new(),
            commands: Vec::new(),
            lives: BTreeMap::new(),
            delays: Vec::new(),
            escalated: None,
            done: None,
            failures: BTreeSet::new(),
            decided: BTreeSet::new(),
            ended_on_purpose: BTreeSet::new(),
            types: types
                .map(|c| (c.id.as_str().into(), c.restart_type))
                .collect(),
            ordered: spec.group != GroupStrategy::OneForOne,
            ranks: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            answered: BTreeSet::new(),
            run: Run::default(),
            ending: false,
            named: 0,
        }
    }

    /// Lets something happen, and checks all that comes of it.
    pub(crate) fn feed(&mut self, input: Input, entropy: u64) {
        match &input {
            Input::StartFailed(..)
            | Input::Elapsed(_)
            | Input::Answered(..)
            | Input::ShutDown
            | Input::Request(..) => {
                self.run = Run::default();
            }
            _ => {}
        }
        self.ending |= input == Input::ShutDown;
        self.inputs.push((input.clone(), self.now, entropy));
        self.group.handle(input, self.now, entropy);
        for (id, _) in self.group.children() {
            let rank = self.ranks.len();
            self.ranks.entry(id.clone()).or_insert(rank);
        }
        while let Some(command) = self.group.poll_command() {
            let refusal = matches!(
                command,
                Command::Reply {
                    answer: Err(RequestError::Ending),
                    ..
                }
            );
            assert!(self.done.is_none() || refusal, "after the end: {command:?}");
            self.obey(&command);
            self.commands.push(command);
        }
        assert_eq!(self.group.broken_invariant(), None);
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::Start {
                child, incarnation, ..
            } => self.begin(child, *incarnation),
            Command::Stop {
                child,
                incarnation,
                shutdown,
                ..
            } => {
                self.end(child, *incarnation, *shutdown);
            }
            Command::Resume { incarnation, .. } => {
                let life = &mut self.lives.get_mut(incarnation).expect("it lives").1;
                assert_eq!(*life, Life::Suspended);
                *life = Life::Running;
            }
            Command::Delay { token, after } => {
                self.run = Run::default();
                assert!(!after.is_zero(), "no time is no reason to wait");
                self.delays.push((*token, self.now.saturating_add(*after)));
            }
            Command::Escalate { incarnation, .. } => {
                assert_eq!(self.lives[incarnation].1, Life::Suspended);
                self.escalated = Some(*incarnation);
            }
            Command::Decided {
                child,
                cause,
                decision,
            } => self.note(child, cause, decision),
            Command::Ready => {}
            Command::Reply { request, answer } => {
                if !self.ending {
                    self.run = Run::default();
                }
                let asked = self.unanswered.remove(request).expect("it was asked");
                assert!(self.answered.insert(*request), "answered once");
                if let (Request::Restart(id), Err(_)) = (asked, answer) {
                    self.ended_on_purpose.insert(id);
                }
            }
            Command::Done { reason } => {
                self.done = Some(reason.clone());
                assert_eq!(self.lives.len(), 0, "nobody is left behind");
                assert_eq!(self.unanswered.len(), 0, "everybody got an answer");
            }
        }
    }

    fn note(&mut self, child: &ChildId, cause: &Cause, decision: &Decision) {
        self.run = Run::default();
        let finished = Decision::Stop {
            reason: StopReason::Finished,
        };
        if *decision != finished {
            let message = cause.message().to_owned();
            let known =
                self.failures.contains(&message) || message == "normal" || message == "shutdown";
            assert!(known, "what is decided has happened");
            if self.failures.contains(&message) {
                assert!(self.decided.insert(message), "a failure is decided once");
            }
        }
        self.ending |= matches!(
            decision,
            Decision::Stop {
                reason: StopReason::Exhausted
            }
        );
        if matches!(decision, Decision::Stop { .. }) {
            self.ended_on_purpose.insert(child.clone());
        }
    }

    fn begin(&mut self, child: &ChildId, incarnation: Incarnation) {
        let alive = self.lives.values().any(|(other, _)| other == child);
        assert!(!alive, "one life of {child} at a time");
        let rank = self.ranks[child];
        let asked = self.unanswered.values().any(|request| match request {
            Request::Add(spec) => spec.id == child.as_str(),
            Request::Restart(id) => id == child,
            Request::Terminate(_)
            | Request::Delete(_)
            | Request::ChangeStrategy(_)
            | Request::ChangeChildStrategy(..) => false,
        });
        if self.ordered {
            self.assert_nothing_under_way();
            if !asked && self.ended_on_purpose.is_empty() {
                let later = self
                    .lives
                    .values()
                    .filter(|(other, _)| self.ranks[other] > rank);
                assert_eq!(later.count(), 0, "{child} starts before those after it");
            }
        }
        // Whoever stops after this one stops for another reason.
        self.run.last_stop = None;
        if asked {
            self.run = Run::default();
        } else if self.ordered || !self.is_ready() {
            let before = self.run.last_start.replace(rank);
            assert!(
                before < Some(rank),
                "starts in start order, {}",
                self.recent()
            );
        }
        self.lives
            .insert(incarnation, (child.clone(), Life::Starting));
    }

    fn recent(&self) -> String {
        let commands = &self.commands[self.commands.len().saturating_sub(8)..];
        let inputs = &self.inputs[self.inputs.len().saturating_sub(8)..];
        format!("after {commands:#?} and {inputs:#?}")
    }

    fn is_ready(&self) -> bool {
        self.commands.contains(&Command::Ready)
    }

    fn end(&mut self, child: &ChildId, incarnation: Incarnation, shutdown: Shutdown) {
        let rank = self.ranks[child];
        let suspended = self.lives[&incarnation].1 == Life::Suspended;
        if self.ordered || self.ending {
            let stopping = |life: &(ChildId, Life)| matches!(life.1, Life::Stopping { .. });
            assert!(!self.lives.values().any(stopping), "stops one at a time");
            self.run.last_start = None;
            let before = self.run.last_stop.replace(rank);
            assert!(
                before.is_none_or(|before| before > rank),
                "stops in reverse start order, {}",
                self.recent()
            );
            if suspended && before.is_none() && !self.ending {
                self.run.last_stop = None;
            }
        }
        let stopping = Life::Stopping {
            shutdown,
            since: self.now,
        };
        self.lives.insert(incarnation, (child.clone(), stopping));
    }

    fn assert_nothing_under_way(&self) {
        let under_way =
            |life: &(ChildId, Life)| matches!(life.1, Life::Starting | Life::Stopping { .. });
        assert!(!self.lives.values().any(under_way), "one thing at a time");
    }
}
