//! The group itself: takes inputs one after the other, and gives commands.

use std::collections::VecDeque;

use crate::{
    budget::Timestamp,
    cause::Cause,
    decide::EscalationReason,
    group::{
        check::InvalidGroup,
        message::{
            Command, DelayToken, Exit, Incarnation, Input, Request, RequestError, RequestId,
        },
        roster::{Child, Key, Roster, State},
        ruling::Ruling,
        sequence::Sequence,
        spec::{AutoShutdown, GroupSpec, GroupStrategy},
    },
    policy::Policy,
};

/// One supervisor with its children, as a state machine without a runtime; see the
/// [module](crate::group).
#[derive(Clone, Debug)]
pub struct Group {
    pub(super) group: GroupStrategy,
    pub(super) auto_shutdown: AutoShutdown,
    pub(super) ruling: Ruling,
    pub(super) has_parent: bool,
    pub(super) roster: Roster,
    pub(super) phase: Phase,
    /// What is being done to several children, one after the other.
    pub(super) sequence: Option<Sequence>,
    /// What has come in and waits until nothing else is being done: OTP's mailbox.
    pub(super) queue: VecDeque<Waiting>,
    pub(super) commands: VecDeque<Command>,
    last_number: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    New,
    Serving,
    /// The parent is asked about this incarnation.
    Escalating {
        incarnation: Incarnation,
        cause: Cause,
        reason: EscalationReason,
    },
    Ending,
    Ended,
}

/// What waits for its turn. Each is checked again when the turn comes: it may be out of date.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Waiting {
    Report {
        incarnation: Incarnation,
        cause: Cause,
    },
    /// A start failed; what is to be done about that is not decided yet.
    Retry {
        token: DelayToken,
        cause: Cause,
    },
    Elapsed(DelayToken),
    Request(RequestId, Request),
}

/// What one input brings along: the time, and random bits for as many decisions as it leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    entropy: u64,
}

impl Moment {
    /// The bits given for the first decision, others for each one after it.
    pub(super) fn draw(&mut self) -> u64 {
        let drawn = self.entropy;
        // SplitMix64: neighbouring inputs give unrelated outputs.
        self.entropy = self.entropy.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.entropy ^ (self.entropy >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        self.entropy = mixed ^ (mixed >> 27);
        drawn
    }
}

impl Group {
    /// A group that has not been started.
    ///
    /// # Errors
    /// [`InvalidGroup`] names the first field that breaks a rule.
    pub fn new(spec: GroupSpec) -> Result<Self, InvalidGroup> {
        spec.validate()?;
        let invalid = |error| InvalidGroup::of_strategy(error, "strategy");
        let mut roster = Roster::default();
        for child in spec.children {
            roster.push(child).map_err(invalid)?;
        }
        Ok(Self {
            group: spec.group,
            auto_shutdown: spec.auto_shutdown,
            ruling: Ruling::new(Policy::new(spec.strategy).map_err(invalid)?),
            has_parent: false,
            roster,
            phase: Phase::New,
            sequence: None,
            queue: VecDeque::new(),
            commands: VecDeque::new(),
            last_number: 0,
        })
    }

    /// Sets whether there is a parent to escalate to when a budget is exhausted. Default: no.
    #[must_use]
    pub fn with_parent(self, has_parent: bool) -> Self {
        Self { has_parent, ..self }
    }

    /// Takes what happened at `now`, a monotonic time that does not run backwards from call to
    /// call. `entropy` is any 64 random bits, used for jitter only.
    ///
    /// An input that is out of date (about a life that is over, a wait that is not wanted any
    /// more, a group that has ended) changes nothing.
    pub fn handle(&mut self, input: Input, now: Timestamp, entropy: u64) {
        let mut at = Moment { now, entropy };
        match input {
            Input::Start => self.start(),
            Input::Started(incarnation) => self.started(incarnation),
            Input::StartFailed(incarnation, cause) => {
                self.exited(incarnation, Exit::Failed(cause), now)
            }
            Input::Exited(incarnation, exit) => self.exited(incarnation, exit, now),
            Input::Suspended(incarnation, cause) => self.suspended(incarnation, cause),
            Input::Stopped(incarnation) => self.exited(incarnation, Exit::Shutdown, now),
            Input::Elapsed(token) => self.elapsed(token),
            Input::Answered(incarnation, verdict) => self.answered(incarnation, verdict),
            Input::ShutDown => self.shut_down(),
            Input::Request(id, request) => self.ask(id, request),
        }
        self.advance(&mut at);
    }

    /// The next command; `None` until the next input.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Whether the group has ended: its [`Command::Done`] is the last one.
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// The first invariant that does not hold, for tests.
    #[doc(hidden)]
    pub fn broken_invariant(&self) -> Option<&'static str> {
        let ordered = self.group != GroupStrategy::OneForOne;
        let (starting, stopping) = (self.roster.starting(), self.roster.stopping());
        let reported = |(_, child): (Key, &Child)| matches!(child.state(), State::Reported { .. });
        let rules = [
            (
                self.roster.is_consistent(),
                "the counts say what the children say",
            ),
            (
                !ordered
                    || stopping <= 1 && (starting + stopping <= 1 || self.phase == Phase::Ending),
                "an ordered group starts or stops one child at a time",
            ),
            (
                self.phase != Phase::Ended || starting + stopping == 0,
                "an ended group waits for nothing",
            ),
            (
                self.phase != Phase::Ended || self.queue.is_empty(),
                "an ended group leaves no request unanswered",
            ),
            (
                self.is_busy() || self.phase != Phase::Serving || self.queue.is_empty(),
                "nothing waits in a group that is not busy",
            ),
            (
                self.is_busy()
                    || self.phase != Phase::Serving
                    || !self.roster.since(0).any(reported),
                "no report is forgotten",
            ),
        ];
        rules
            .into_iter()
            .find_map(|(holds, rule)| (!holds).then_some(rule))
    }

    /// Goes on until something outside has to happen first.
    fn advance(&mut self, at: &mut Moment) {
        loop {
            if let Some(sequence) = self.sequence.take() {
                if let Some(waiting) = self.step(sequence, at.now) {
                    self.sequence = Some(waiting);
                    return;
                }
            } else if self.is_busy() {
                return;
            } else if let Some(next) = self.queue.pop_front() {
                self.take_up(next, at);
            } else {
                return;
            }
        }
    }

    /// Whether what comes in has to wait. Children that depend on nobody are started and stopped
    /// at the same time; otherwise one thing is done after the other.
    fn is_busy(&self) -> bool {
        // Whether the last significant child has ended is known only when no other is on its way.
        let independent = self.group == GroupStrategy::OneForOne
            && self.auto_shutdown != AutoShutdown::AllSignificant;
        self.phase != Phase::Serving
            || self.sequence.is_some()
            || !independent && self.roster.starting() + self.roster.stopping() > 0
    }

    fn take_up(&mut self, waiting: Waiting, at: &mut Moment) {
        match waiting {
            Waiting::Report { incarnation, cause } => {
                if let State::Reported {
                    incarnation: present,
                    alive,
                } = self.roster.state(incarnation.key)
                    && *present == incarnation
                {
                    let alive = *alive;
                    self.fail(incarnation.key, cause, alive.then_some(incarnation), at);
                }
            }
            Waiting::Retry { token, cause } => {
                if self.is_pending(token) {
                    self.fail(token.key, cause, None, at);
                }
            }
            Waiting::Elapsed(token) => {
                if let State::Restarting {
                    token: present,
                    placement,
                    ..
                } = self.roster.state(token.key)
                    && *present == token
                {
                    let placement = placement.clone();
                    self.restart(token.key, at.now, placement, None, at.now);
                }
            }
            Waiting::Request(id, request) => self.carry_out(id, request),
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn is_pending(&self, token: DelayToken) -> bool {
        matches!(self.roster.state(token.key), State::Restarting { token: present, .. } if *present == token)
    }

    pub(super) fn reply(&mut self, request: RequestId, answer: Result<(), RequestError>) {
        self.commands.push_back(Command::Reply { request, answer });
    }
}
