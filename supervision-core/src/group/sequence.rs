//! Stopping children in reverse start order and starting them in start order, one at a time.

use std::time::Duration;

use crate::{
    budget::Timestamp,
    cause::Cause,
    group::{
        Group,
        machine::{Phase, Waiting},
        message::{Command, DelayToken, EndReason, Incarnation, RequestError},
        roster::{Asked, Key, State, Then},
    },
    placement::PlacementStrategy,
};

/// Something that is done to several children, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sequence {
    /// Stop the children in `from..below`, the last one first.
    Stop {
        from: Key,
        below: Key,
        then: AfterStop,
    },
    /// Start those that await it, from `next` on, up to one whose own restart is pending.
    Start {
        next: Key,
        first: bool,
        placed: Option<(Key, Box<PlacementStrategy>)>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum AfterStop {
    /// Start them again, not before `due`; `failed` is the child because of which.
    Restart {
        failed: Key,
        due: Timestamp,
        placement: Option<Box<PlacementStrategy>>,
    },
    End(EndReason),
}

impl Group {
    /// Does what can be done now. Gives the sequence back if a child has to answer first, `None`
    /// if it is complete or another one was begun.
    pub(super) fn step(&mut self, sequence: Sequence, now: Timestamp) -> Option<Sequence> {
        match sequence {
            Sequence::Stop { from, below, then } => self.step_stop(from, below, then, now),
            Sequence::Start {
                next,
                first,
                placed,
            } => self.step_start(next, first, placed),
        }
    }

    fn step_stop(
        &mut self,
        from: Key,
        mut below: Key,
        then: AfterStop,
        now: Timestamp,
    ) -> Option<Sequence> {
        let restarts = matches!(then, AfterStop::Restart { .. });
        while self.roster.stopping() == 0
            && let Some((key, child)) = self.roster.last_in(from, below)
        {
            below = key;
            match child.state() {
                State::Starting { .. }
                | State::Running { .. }
                | State::Reported { alive: true, .. } => {
                    let restarts = restarts && !child.is_temporary();
                    self.stop(key, Then::Sequence, restarts);
                }
                State::Down
                | State::Awaiting
                | State::Restarting { .. }
                | State::Reported { alive: false, .. } => {
                    self.put_down(key);
                }
                State::Stopping { .. } => {}
            }
        }
        if self.roster.stopping() > 0 {
            return Some(Sequence::Stop { from, below, then });
        }
        match then {
            AfterStop::Restart {
                failed,
                due,
                placement,
            } if due > now => {
                self.delay(failed, due, placement, now);
            }
            AfterStop::Restart {
                failed, placement, ..
            } => {
                let placed = placement.map(|placement| (failed, placement));
                self.sequence = Some(Sequence::Start {
                    next: from,
                    first: false,
                    placed,
                });
            }
            AfterStop::End(reason) => {
                self.phase = Phase::Ended;
                self.commands.push_back(Command::Done { reason });
            }
        }
        // What was begun here goes on in the next step.
        None
    }

    fn step_start(
        &mut self,
        next: Key,
        first: bool,
        placed: Option<(Key, Box<PlacementStrategy>)>,
    ) -> Option<Sequence> {
        if self.roster.starting() > 0 {
            return Some(Sequence::Start {
                next,
                first,
                placed,
            });
        }
        let to_do = self
            .roster
            .since(next)
            .find(|(_, child)| matches!(child.state(), State::Awaiting | State::Restarting { .. }));
        if let Some((key, child)) = to_do
            && *child.state() == State::Awaiting
        {
            let placement = placed.as_ref().filter(|(at, _)| *at == key);
            let placement = placement.map(|(_, placement)| placement.clone());
            self.launch(key, None, placement);
            return Some(Sequence::Start {
                next: key + 1,
                first,
                placed,
            });
        }
        if first {
            self.commands.push_back(Command::Ready);
        }
        None
    }

    /// Begins a new life.
    pub(super) fn launch(
        &mut self,
        key: Key,
        asked: Option<Asked>,
        placement: Option<Box<PlacementStrategy>>,
    ) {
        let incarnation = Incarnation {
            key,
            number: self.next_number(),
        };
        let Some(child) = self.roster.get(key) else {
            return;
        };
        let child = child.id.clone();
        self.roster.set(key, State::Starting { incarnation, asked });
        self.commands.push_back(Command::Start {
            child,
            incarnation,
            placement: placement.map(|placement| *placement),
        });
    }

    /// Ends a life; `restarts` says whether another one is to follow.
    pub(super) fn stop(&mut self, key: Key, then: Then, restarts: bool) {
        let Some(child) = self.roster.get(key) else {
            return;
        };
        let Some(incarnation) = child.state().incarnation() else {
            return;
        };
        let command = Command::Stop {
            child: child.id.clone(),
            incarnation,
            shutdown: child.shutdown,
            restarts,
        };
        let asked = match child.state() {
            State::Starting { asked, .. } => *asked,
            _ => None,
        };
        self.roster.set(key, State::Stopping { incarnation, then });
        self.commands.push_back(command);
        if let Some(Asked::ToAdd(id) | Asked::ToRestart(id)) = asked {
            self.reply(id, Err(RequestError::Interrupted));
        }
    }

    /// Lets a child wait for a time before its group or it alone is started again.
    pub(super) fn delay(
        &mut self,
        key: Key,
        due: Timestamp,
        placement: Option<Box<PlacementStrategy>>,
        now: Timestamp,
    ) {
        let token = self.set_restarting(key, due, placement);
        let after = Duration::from_nanos(due.as_nanos().saturating_sub(now.as_nanos()));
        self.commands.push_back(Command::Delay { token, after });
    }

    /// Notes that a child will be started again, and gives that wait its name.
    fn set_restarting(
        &mut self,
        key: Key,
        due: Timestamp,
        placement: Option<Box<PlacementStrategy>>,
    ) -> DelayToken {
        let token = DelayToken {
            key,
            number: self.next_number(),
        };
        let restarting = State::Restarting {
            token,
            due,
            placement,
        };
        self.roster.set(key, restarting);
        token
    }

    /// What has been stopped in a sequence, or was found not running.
    fn put_down(&mut self, key: Key) {
        if self
            .roster
            .get(key)
            .is_some_and(|child| child.is_temporary())
        {
            self.roster.remove(key);
        } else if self.phase == Phase::Ending {
            self.roster.set(key, State::Down);
        } else {
            self.roster.set(key, State::Awaiting);
        }
    }

    pub(super) fn stopped(&mut self, key: Key, then: Then, now: Timestamp) {
        match then {
            Then::Sequence => self.put_down(key),
            Then::Reply(id) => {
                self.drop_or_keep(key);
                self.reply(id, Ok(()));
            }
            Then::Retire | Then::Restart { .. } if self.phase == Phase::Ending => {
                self.put_down(key)
            }
            Then::Retire => self.retire(key),
            Then::Restart { due, placement } if due > now => self.delay(key, due, placement, now),
            Then::Restart { placement, .. } => self.launch(key, None, placement),
        }
    }

    /// Leaves a child that has ended for good in the group; a temporary one leaves it.
    pub(super) fn drop_or_keep(&mut self, key: Key) {
        if self
            .roster
            .get(key)
            .is_some_and(|child| child.is_temporary())
        {
            self.roster.remove(key);
        } else {
            self.roster.set(key, State::Down);
        }
    }

    pub(super) fn start_failed(
        &mut self,
        key: Key,
        asked: Option<Asked>,
        cause: Cause,
        now: Timestamp,
    ) {
        match asked {
            Some(Asked::ToAdd(id)) => {
                self.roster.remove(key);
                return self.reply(id, Err(RequestError::StartFailed(cause)));
            }
            Some(Asked::ToRestart(id)) => {
                self.roster.set(key, State::Down);
                return self.reply(id, Err(RequestError::StartFailed(cause)));
            }
            None => {}
        }
        let Some(child) = self.roster.get(key) else {
            return;
        };
        if self.phase == Phase::Ending {
            self.roster.set(key, State::Down);
        } else if matches!(self.sequence, Some(Sequence::Start { first: true, .. })) {
            let child = child.id.clone();
            self.roster.set(key, State::Down);
            self.end(EndReason::StartFailed { child, cause });
        } else {
            // As in OTP, what came in meanwhile is handled before the next try is decided.
            let token = self.set_restarting(key, now, None);
            self.queue.push_back(Waiting::Retry { token, cause });
            self.sequence = None;
        }
    }

    /// Gives up or shuts down: nothing more is started or decided, all are stopped.
    pub(super) fn end(&mut self, reason: EndReason) {
        self.phase = Phase::Ending;
        for waiting in std::mem::take(&mut self.queue) {
            if let Waiting::Request(id, _) = waiting {
                self.reply(id, Err(RequestError::Ending));
            }
        }
        let then = AfterStop::End(reason);
        self.sequence = Some(Sequence::Stop {
            from: 0,
            below: Key::MAX,
            then,
        });
    }
}
