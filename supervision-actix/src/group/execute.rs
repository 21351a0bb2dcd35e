//! Carrying out the machine's commands: one function, matched exhaustively.

use std::sync::Arc;

use supervision_core::{
    Cause, Decision, StopReason,
    group::{ChildId, Command, EndReason, Exit, Input, RequestError, RequestId, Shutdown, Verdict},
};
use tokio::time::Instant;

use crate::{
    group::{
        handle::{GroupEnd, Progress},
        task::{AskedFor, Asker, Step, Task},
        timers::Timer,
    },
    order::{Decided, GRACE, Life, Means, News, Notice, Order, Trail},
};

impl Task {
    pub(super) fn execute(&mut self, command: Command) {
        match command {
            Command::Start {
                child,
                incarnation,
                // No cluster is attached, so there is no other node: it restarts in place, and its
                // record says so.
                placement: _,
            } => self.start(child, incarnation),
            Command::Stop {
                child,
                incarnation,
                shutdown,
                restarts,
            } => {
                let (means, patience) = match shutdown {
                    Shutdown::Timeout(patience) => (Means::Ask, Some(patience)),
                    Shutdown::Infinity => (Means::Ask, None),
                    Shutdown::Kill => (Means::Kill, None),
                };
                self.stop(&child, incarnation, means, patience, restarts);
            }
            Command::Resume { child, incarnation } => {
                if let Some(entry) = self.roster.get_mut(&child) {
                    entry.line.order(Order::Resume(incarnation));
                }
            }
            Command::Delay { token, after } => {
                self.timers.set(Instant::now() + after, Timer::Delay(token));
            }
            Command::Escalate {
                child,
                incarnation,
                cause,
                reason: _,
            } => self.escalate(child, incarnation, cause),
            Command::Decided {
                child,
                cause,
                decision,
            } => self.pass_on(&child, cause, decision),
            Command::Ready => {
                self.progress.send_replace(Progress::Started);
                self.tell_parent(News::Started);
            }
            Command::Reply { request, answer } => self.reply(request, answer),
            Command::Done { reason } => self.end(reason),
        }
    }

    fn start(&mut self, child: ChildId, life: Life) {
        let begun = match self.roster.present_mut(&child) {
            Some(entry) => entry.begin(life),
            None => self.bring_in(&child, life),
        };
        if !begun {
            self.fail_start(child, life);
        }
    }

    /// Starts the task of a child that is being added, and orders its first life.
    fn bring_in(&mut self, child: &ChildId, life: Life) -> bool {
        let newborn = self.roster.take_expected(child);
        let (Some(newborn), Some(to)) = (newborn, self.to_self.upgrade()) else {
            return false;
        };
        let facts = newborn.facts();
        // The machine's copy of the id: one for both.
        match newborn.start(child.clone(), to, self.template.as_deref(), false) {
            Ok((mut entry, address)) => {
                let begun = entry.begin(life);
                self.roster.insert(child.clone(), entry, address, facts);
                begun
            }
            Err(error) => {
                tracing::error!(path = &*self.path, %child, %error, "no task");
                false
            }
        }
    }

    /// Orders a child to stop. `patience` is how long it may take before it is killed, `restarts`
    /// whether it is to be started again.
    pub(super) fn stop(
        &mut self,
        child: &ChildId,
        life: Life,
        means: Means,
        patience: Option<std::time::Duration>,
        restarts: bool,
    ) {
        let parent = self.parent.as_ref();
        let is_killing = parent.is_some_and(|parent| parent.is_killing);
        let is_restarting = parent.is_some_and(|parent| parent.is_restarting);
        let means = if is_killing { Means::Kill } else { means };
        let Some(entry) = self.roster.get_mut(child) else {
            return;
        };
        if entry.live != Some(life) {
            return;
        }
        let timer = match means {
            Means::Ask => patience.map(|time| (time, Timer::Kill(child.clone(), life))),
            // A task on this thread dies when it is polled next; a thread of its own may be blocked.
            Means::Kill if entry.is_remote => Some((GRACE, Timer::Abandon(child.clone(), life))),
            Means::Kill => None,
        };
        if let Some(timer) = entry.timer.take() {
            self.timers.cancel(timer);
        }
        if let Some((time, timer)) = timer {
            entry.timer = Some(self.timers.set(Instant::now() + time, timer));
        }
        let order = Order::Stop {
            life,
            means,
            // Where the whole group is restarted, those it was described with come back.
            restarts: restarts || is_restarting && entry.is_fixed,
        };
        if !entry.line.order(order) {
            let (child, news) = (child.clone(), News::Stopped);
            let notice = Notice { child, life, news };
            self.backlog.push_back(Step::Notice(notice));
        }
    }

    fn escalate(&mut self, child: ChildId, life: Life, cause: Cause) {
        let trail = self.trail_of(&child, true);
        match &mut self.parent {
            Some(parent) => {
                parent.culprit = Some(child);
                parent.asked_about = Some(life);
                parent.tell(News::Suspended(cause, trail));
            }
            // There is nobody to ask.
            None => {
                let answer = Input::Answered(life, Verdict::End);
                self.backlog.push_back(Step::Input(answer));
            }
        }
    }

    /// Who escalated the child's failure, and this group if it does too.
    fn trail_of(&mut self, child: &ChildId, with_self: bool) -> Trail {
        let entry = self.roster.get_mut(child);
        let mut trail = entry.map(|entry| entry.trail.clone()).unwrap_or_default();
        if with_self {
            trail.push(self.path.clone());
        }
        trail
    }

    /// Tells a child what was decided about it.
    fn pass_on(&mut self, child: &ChildId, cause: Cause, decision: Decision) {
        let by = self.path.clone();
        let Some(entry) = self.roster.get_mut(child) else {
            return;
        };
        let ends = match &decision {
            Decision::Stop {
                reason: StopReason::Policy | StopReason::Temporary | StopReason::Finished,
            } => true,
            // Then the whole group ends.
            Decision::Stop {
                reason: StopReason::Exhausted,
            }
            | Decision::Resume
            | Decision::Restart { .. }
            | Decision::Relocate { .. }
            | Decision::Escalate { .. } => false,
        };
        entry.line.order(Order::Decided(Box::new(Decided {
            cause,
            decision,
            by,
        })));
        if ends && entry.live.is_some() {
            entry.ends = true;
        } else if ends && !entry.is_temporary {
            self.close(child);
        }
    }

    fn reply(&mut self, id: RequestId, answer: Result<(), RequestError>) {
        let Some(Asker { request, reply }) = self.askers.remove(&id) else {
            return;
        };
        match (&request, &answer) {
            (AskedFor::Delete(child), Ok(()))
            | (AskedFor::Add(child), Err(RequestError::StartFailed(_))) => {
                self.roster.let_go(child);
                self.roster.finish_leaving(|leaving| leaving != child);
            }
            (AskedFor::Terminate(child), Ok(()))
            | (AskedFor::Restart(child), Err(RequestError::StartFailed(_))) => {
                self.refuse_if_down(child);
            }
            (AskedFor::Change(change), Ok(())) => self.keep(change),
            _ => {}
        }
        if let (AskedFor::Add(child), Err(_)) = (&request, &answer) {
            self.roster.forget_expected(child, id);
        }
        Asker { request, reply }.answer(answer);
    }

    fn refuse_if_down(&mut self, child: &ChildId) {
        if let Some(entry) = self.roster.get_mut(child)
            && entry.live.is_none()
        {
            entry.line.order(Order::Refuse);
        }
    }

    /// The group has ended.
    fn end(&mut self, reason: EndReason) {
        let (child, cause) = match &reason {
            EndReason::Shutdown => (None, None),
            EndReason::AutoShutdown { child } => (Some(child.clone()), None),
            EndReason::Exhausted { child, cause }
            | EndReason::Escalated { child, cause }
            | EndReason::StartFailed { child, cause } => (Some(child.clone()), Some(cause.clone())),
        };
        let escalates = match &reason {
            EndReason::Escalated { .. } => true,
            EndReason::Exhausted { .. } | EndReason::StartFailed { .. } => self.parent.is_some(),
            EndReason::Shutdown | EndReason::AutoShutdown { .. } => false,
        };
        let trail = match (&child, &cause) {
            (Some(child), Some(_)) => self.trail_of(child, escalates),
            _ => Trail::new(),
        };
        self.log_end(&reason);
        let did_not_start = matches!(reason, EndReason::StartFailed { .. });
        self.last_end = Some(Arc::new(GroupEnd {
            reason,
            escalated_by: trail.iter().map(|by| by.to_string()).collect(),
        }));
        self.timers.clear();
        self.machine = None;
        // Requests that came too late for the machine to refuse them.
        self.backlog.clear();
        for (_, asker) in std::mem::take(&mut self.askers) {
            asker.answer(Err(RequestError::Ending));
        }
        let Some(parent) = &mut self.parent else {
            self.is_over = true;
            return;
        };
        self.is_over = parent.is_left;
        parent.culprit = child;
        parent.end_life(match cause {
            Some(cause) if did_not_start => News::StartFailed(cause, trail),
            Some(cause) => News::Exited(Exit::Failed(cause), trail),
            None => News::Exited(Exit::Shutdown, trail),
        });
    }

    fn log_end(&self, reason: &EndReason) {
        let path = &*self.path;
        if reason.is_normal() {
            tracing::debug!(path, ?reason, "group ended");
        } else {
            tracing::error!(path, ?reason, "group ended");
        }
    }

    fn tell_parent(&mut self, news: News) {
        if let Some(parent) = &self.parent {
            parent.tell(news);
        }
    }
}
