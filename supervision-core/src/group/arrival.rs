//! Where inputs arrive: each is checked against the life it is about, and noted or queued.

use crate::{
    budget::Timestamp,
    cause::Cause,
    group::{
        Group,
        machine::{Phase, Waiting},
        message::{
            DelayToken, EndReason, Exit, Incarnation, Request, RequestError, RequestId, Verdict,
        },
        roster::{Asked, State},
        sequence::Sequence,
    },
};

impl Group {
    pub(super) fn start(&mut self) {
        if self.phase == Phase::New {
            self.phase = Phase::Serving;
            self.sequence = Some(Sequence::Start {
                next: 0,
                first: true,
                placed: None,
            });
        }
    }

    pub(super) fn started(&mut self, incarnation: Incarnation) {
        if let State::Starting {
            incarnation: present,
            asked,
        } = self.roster.state(incarnation.key)
            && *present == incarnation
        {
            let asked = *asked;
            self.roster
                .set(incarnation.key, State::Running { incarnation });
            if let Some(Asked::ToAdd(id) | Asked::ToRestart(id)) = asked {
                self.reply(id, Ok(()));
            }
        }
    }

    /// An incarnation is gone, whatever the way: what that means depends on what it was doing.
    pub(super) fn exited(&mut self, incarnation: Incarnation, exit: Exit, now: Timestamp) {
        let key = incarnation.key;
        let state = self.roster.state(key);
        if state.incarnation() != Some(incarnation) {
            return;
        }
        match state {
            State::Starting { asked, .. } => {
                let asked = *asked;
                self.start_failed(key, asked, exit.into_cause(), now);
            }
            State::Stopping { then, .. } => {
                let then = then.clone();
                self.stopped(key, then, now);
            }
            State::Running { .. } | State::Reported { .. } if self.phase == Phase::Ending => {
                self.roster.set(key, State::Down);
            }
            State::Running { .. } => {
                self.roster.set(
                    key,
                    State::Reported {
                        incarnation,
                        alive: false,
                    },
                );
                self.queue.push_back(Waiting::Report {
                    incarnation,
                    cause: exit.into_cause(),
                });
            }
            // It is gone for good now; what it failed with before is what is decided about.
            State::Reported { .. } => self.roster.set(
                key,
                State::Reported {
                    incarnation,
                    alive: false,
                },
            ),
            State::Down | State::Awaiting | State::Restarting { .. } => {}
        }
    }

    pub(super) fn suspended(&mut self, incarnation: Incarnation, cause: Cause) {
        // What can fail and go on has started, whether that was said or not.
        self.started(incarnation);
        if *self.roster.state(incarnation.key) == (State::Running { incarnation }) {
            self.roster.set(
                incarnation.key,
                State::Reported {
                    incarnation,
                    alive: true,
                },
            );
            if self.phase != Phase::Ending {
                self.queue.push_back(Waiting::Report { incarnation, cause });
            }
        }
    }

    pub(super) fn elapsed(&mut self, token: DelayToken) {
        if self.phase != Phase::Ending && self.is_pending(token) {
            self.queue.push_back(Waiting::Elapsed(token));
        }
    }

    pub(super) fn answered(&mut self, incarnation: Incarnation, verdict: Verdict) {
        let Phase::Escalating {
            incarnation: asked,
            cause,
            reason,
        } = &self.phase
        else {
            return;
        };
        if *asked != incarnation {
            return;
        }
        let (cause, reason) = (cause.clone(), *reason);
        let state = self.roster.state(incarnation.key);
        let alive = *state
            == (State::Reported {
                incarnation,
                alive: true,
            });
        match verdict {
            Verdict::Resume if alive => {
                self.phase = Phase::Serving;
                self.resume(incarnation);
            }
            Verdict::Resume | Verdict::End => self.escalated(incarnation.key, cause, reason),
        }
    }

    pub(super) fn shut_down(&mut self) {
        match self.phase {
            Phase::New | Phase::Serving | Phase::Escalating { .. } => self.end(EndReason::Shutdown),
            Phase::Ending | Phase::Ended => {}
        }
    }

    pub(super) fn ask(&mut self, id: RequestId, request: Request) {
        match self.phase {
            Phase::New | Phase::Serving | Phase::Escalating { .. } if request.is_of_strategy() => {
                self.carry_out(id, request);
            }
            Phase::New | Phase::Serving | Phase::Escalating { .. } => {
                self.queue.push_back(Waiting::Request(id, request));
            }
            Phase::Ending | Phase::Ended => self.reply(id, Err(RequestError::Ending)),
        }
    }
}
