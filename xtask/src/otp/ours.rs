//! Runs a schedule through our group, doing at once what it commands.

use std::{collections::BTreeMap, time::Duration};

use supervision_core::{
    Cause, Decision, EscalationReason, StopReason, SupervisionStrategy, Timestamp,
    group::{
        ChildSpec, ChildStatus, Command, EndReason, Exit, Group, GroupSpec, Incarnation, Input,
        Request, RequestError, RequestId,
    },
};

use super::schedule::{Action, Child, Reason, Schedule, Trace};
use crate::figures::Failed;

/// Long enough for no failure to leave the window, here and there.
const PERIOD: Duration = Duration::from_secs(1_000_000);

/// The trace of a schedule.
pub(super) fn trace(schedule: &Schedule) -> Result<Trace, Failed> {
    let spec = schedule.children.iter().map(spec).fold(
        GroupSpec::new(
            schedule.group,
            SupervisionStrategy::Restart {
                max_restarts: schedule.intensity,
                window: PERIOD,
                delay: Duration::ZERO,
            },
        )
        .with_auto_shutdown(schedule.auto_shutdown),
        GroupSpec::with_child,
    );
    let group = Group::new(spec).map_err(|invalid| Failed::because(invalid.to_string()))?;
    let mut world = World {
        schedule,
        group,
        trace: Trace::default(),
        running: BTreeMap::new(),
        starts: BTreeMap::new(),
        answers: BTreeMap::new(),
        done: None,
        now: 0,
    };
    world.run();
    Ok(world.trace)
}

fn spec(child: &Child) -> ChildSpec {
    ChildSpec::new(child.id)
        .with_restart_type(child.restart_type)
        .with_significant(child.significant)
}

/// What is outside of the group.
struct World<'a> {
    schedule: &'a Schedule,
    group: Group,
    trace: Trace,
    running: BTreeMap<String, Incarnation>,
    starts: BTreeMap<String, u64>,
    answers: BTreeMap<u64, &'static str>,
    done: Option<EndReason>,
    now: u64,
}

impl World<'_> {
    fn run(&mut self) {
        self.feed(Input::Start);
        self.settle();
        for step in &self.schedule.steps {
            if self.is_over() {
                return;
            }
            self.note_state();
            self.trace.note("/");
            self.step(step);
        }
        if !self.is_over() {
            self.note_state();
            self.trace.note("S");
            self.feed(Input::ShutDown);
            self.settle();
            self.is_over();
        }
    }

    /// Lets all of it happen before anything is done about it, as it waits in OTP's mailbox.
    fn step(&mut self, step: &[Action]) {
        for (number, action) in (0..).zip(step) {
            self.now += 1;
            match *action {
                Action::Exit(id, reason) => self.exit(id, reason),
                Action::Add(child) => self.ask(number, Request::Add(spec(&child))),
                Action::Terminate(id) => self.ask(number, Request::Terminate(id.into())),
                Action::Restart(id) => self.ask(number, Request::Restart(id.into())),
                Action::Delete(id) => self.ask(number, Request::Delete(id.into())),
            }
        }
        self.settle();
        for answer in std::mem::take(&mut self.answers).into_values() {
            self.trace.note(format_args!("={answer}"));
        }
    }

    fn exit(&mut self, id: &str, reason: Reason) {
        let Some(incarnation) = self.running.remove(id) else {
            return self.trace.note(".");
        };
        let (name, exit) = match reason {
            Reason::Normal => ("normal", Exit::Normal),
            Reason::Shutdown | Reason::ShutdownWith => ("shutdown", Exit::Shutdown),
            Reason::Error => (
                "error",
                Exit::Failed(Cause::named("Error", "asked to fail")),
            ),
        };
        self.trace.note(format_args!("x{id}:{name}"));
        self.feed(Input::Exited(incarnation, exit));
    }

    fn ask(&mut self, number: u64, request: Request) {
        // Overwritten by the answer; one that never comes shows in the trace.
        self.answers.insert(number, "unanswered");
        self.feed(Input::Request(RequestId(number), request));
    }

    fn feed(&mut self, input: Input) {
        self.group.handle(input, Timestamp::from_secs(self.now), 0);
    }

    fn settle(&mut self) {
        while let Some(command) = self.group.poll_command() {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Start {
                child, incarnation, ..
            } => self.start(child.as_str(), incarnation),
            Command::Stop {
                child, incarnation, ..
            } => {
                // One that ended by itself just before has nothing more to stop.
                if self.running.get(child.as_str()) == Some(&incarnation) {
                    self.running.remove(child.as_str());
                    self.trace.note(format_args!("-{child}"));
                }
                self.feed(Input::Stopped(incarnation));
            }
            Command::Decided {
                child, decision, ..
            } => {
                if gives_up(&decision) {
                    self.trace.note(format_args!("G:{child}"));
                }
            }
            Command::Reply { request, answer } => {
                self.answers
                    .insert(request.0, answer.err().map_or("ok", |e| name(&e)));
            }
            Command::Done { reason } => self.done = Some(reason),
            Command::Ready => {}
            Command::Delay { .. } | Command::Resume { .. } | Command::Escalate { .. } => {
                self.trace.note("unexpected");
            }
        }
    }

    fn start(&mut self, child: &str, incarnation: Incarnation) {
        let count = self.starts.entry(child.to_owned()).or_default();
        *count += 1;
        let fails = |(id, number): &(&str, u64)| *id == child && number == count;
        if self.schedule.failing_starts.iter().any(fails) {
            self.trace.note(format_args!("!{child}"));
            let cause = Cause::named("Refused", "does not start");
            self.feed(Input::StartFailed(incarnation, cause));
        } else {
            self.trace.note(format_args!("+{child}"));
            self.running.insert(child.to_owned(), incarnation);
            self.feed(Input::Started(incarnation));
        }
    }

    /// Whether the group has ended; notes why.
    fn is_over(&mut self) -> bool {
        match self.done.take() {
            None => return false,
            Some(EndReason::Shutdown) => self.trace.note("D:asked"),
            Some(EndReason::StartFailed { child, .. }) => {
                self.trace.note(format_args!("D:start_failed:{child}"));
            }
            Some(EndReason::AutoShutdown { .. } | EndReason::Exhausted { .. }) => {
                self.trace.note("D:by_itself");
            }
            Some(EndReason::Escalated { .. }) => self.trace.note("unexpected"),
        }
        true
    }

    fn note_state(&mut self) {
        let mark = |(id, status): (&_, ChildStatus)| match status {
            ChildStatus::Running => format!("{id}+"),
            ChildStatus::Down => format!("{id}-"),
            other => format!("{id}:{other:?}"),
        };
        let state: String = self.group.children().map(mark).collect();
        self.trace.note(format_args!("[{state}]"));
    }
}

fn gives_up(decision: &Decision) -> bool {
    matches!(
        decision,
        Decision::Stop {
            reason: StopReason::Exhausted
        } | Decision::Escalate {
            reason: EscalationReason::Exhausted
        }
    )
}

/// OTP's word for it.
fn name(error: &RequestError) -> &'static str {
    match error {
        RequestError::NotFound => "not_found",
        RequestError::AlreadyStarted => "already_started",
        RequestError::AlreadyPresent => "already_present",
        RequestError::Running => "running",
        RequestError::Restarting => "restarting",
        RequestError::StartFailed(_) => "start_failed",
        RequestError::Interrupted => "interrupted",
        RequestError::Ending => "ending",
        _ => "unexpected",
    }
}
