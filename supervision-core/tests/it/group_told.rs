//! A group in the hands of a test: told what happened, it says in words what it wants.

use std::{collections::BTreeMap, time::Duration};

use supervision_core::{
    Cause, RestartType, SupervisionStrategy, Timestamp,
    group::{
        ChildSpec, ChildStatus, Command, DelayToken, EndReason, Exit, Group, GroupSpec,
        GroupStrategy, Incarnation, Input, Request, RequestId,
    },
};

/// A group, and what it wants, as words.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) group: Group,
    pub(crate) now: u64,
    pub(crate) last: Vec<Command>,
    /// Every life, in the order in which they began.
    pub(crate) begun: Vec<Incarnation>,
    /// The life of each child that began last.
    pub(crate) latest: BTreeMap<String, Incarnation>,
}

impl Told {
    /// The children are `a`, `b`, `c`, permanent, and running.
    pub(crate) fn of(group: GroupStrategy, strategy: SupervisionStrategy) -> Self {
        let spec = ["a", "b", "c"]
            .into_iter()
            .fold(GroupSpec::new(group, strategy), |spec, id| {
                spec.with_child(ChildSpec::new(id).with_restart_type(RestartType::Permanent))
            });
        Self::running(spec)
    }

    pub(crate) fn running(spec: GroupSpec) -> Self {
        let children = spec.children.len();
        let mut told = Self {
            group: Group::new(spec).expect("valid"),
            now: 0,
            last: Vec::new(),
            begun: Vec::new(),
            latest: BTreeMap::new(),
        };
        told.tell(Input::Start);
        for _ in 0..children {
            told.started();
        }
        assert_eq!(told.last, [Command::Ready]);
        told
    }

    pub(crate) fn tell(&mut self, input: Input) -> Vec<String> {
        self.group.handle(input, Timestamp::from_secs(self.now), 0);
        self.last = std::iter::from_fn(|| self.group.poll_command()).collect();
        assert_eq!(self.group.broken_invariant(), None);
        for command in &self.last {
            if let Command::Start {
                child, incarnation, ..
            } = command
            {
                self.begun.push(*incarnation);
                self.latest.insert(child.to_string(), *incarnation);
            }
        }
        self.last.iter().filter_map(word).collect()
    }

    pub(crate) fn life(&self) -> Incarnation {
        let life = self.last.iter().rev().find_map(|command| match command {
            Command::Start { incarnation, .. }
            | Command::Stop { incarnation, .. }
            | Command::Escalate { incarnation, .. }
            | Command::Resume { incarnation, .. } => Some(*incarnation),
            _ => None,
        });
        life.expect("a command about a life")
    }

    pub(crate) fn token(&self) -> DelayToken {
        let token = self.last.iter().find_map(|command| match command {
            Command::Delay { token, .. } => Some(*token),
            _ => None,
        });
        token.expect("a delay")
    }

    /// The last start succeeds.
    pub(crate) fn started(&mut self) -> Vec<String> {
        self.tell(Input::Started(self.life()))
    }

    pub(crate) fn start_failed(&mut self) -> Vec<String> {
        self.tell(Input::StartFailed(self.life(), Cause::panic("no start")))
    }

    /// The last stop is done.
    pub(crate) fn stopped(&mut self) -> Vec<String> {
        self.tell(Input::Stopped(self.life()))
    }

    pub(crate) fn fails(&mut self, life: Incarnation) -> Vec<String> {
        self.tell(Input::Exited(life, Exit::Failed(Cause::panic("boom"))))
    }

    pub(crate) fn asks(&mut self, request: Request) -> Vec<String> {
        self.tell(Input::Request(RequestId(7), request))
    }

    pub(crate) fn status(&self) -> Vec<ChildStatus> {
        self.group.children().map(|(_, status)| status).collect()
    }
}

fn word(command: &Command) -> Option<String> {
    Some(match command {
        Command::Start {
            child,
            placement: None,
            ..
        } => format!("start {child}"),
        Command::Start {
            child,
            placement: Some(_),
            ..
        } => format!("start {child} elsewhere"),
        Command::Stop { child, .. } => format!("stop {child}"),
        Command::Resume { child, .. } => format!("resume {child}"),
        Command::Delay { after, .. } => format!("wait {}", after.as_secs()),
        Command::Escalate { child, .. } => format!("escalate {child}"),
        Command::Decided { .. } => return None,
        Command::Ready => "ready".to_owned(),
        Command::Reply { answer: Ok(()), .. } => "granted".to_owned(),
        Command::Reply {
            answer: Err(error), ..
        } => format!("refused: {error}"),
        Command::Done { reason } => format!("done: {}", reason_of(reason)),
    })
}

fn reason_of(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::Shutdown => "shutdown",
        EndReason::AutoShutdown { .. } => "auto-shutdown",
        EndReason::Exhausted { .. } => "exhausted",
        EndReason::Escalated { .. } => "escalated",
        EndReason::StartFailed { .. } => "start failed",
    }
}

pub(crate) fn restart(max_restarts: usize, delay: u64) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts,
        window: Duration::from_secs(60),
        delay: Duration::from_secs(delay),
    }
}

/// The lives of `a`, `b`, `c` as [`Told::of`] leaves them.
pub(crate) fn lives(told: &Told) -> [Incarnation; 3] {
    told.begun[..3].try_into().expect("three have started")
}

pub(crate) const NOTHING: [&str; 0] = [];
