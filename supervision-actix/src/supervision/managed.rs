//! The driver's part in being managed: orders are obeyed, one after the other.

use std::task::Context as TaskContext;

use actix::{Actor, ActorContext, Context};

use super::{Phase, Step, Supervision};
use crate::{
    alerts::Alert,
    factory::Factory,
    managed::Consulted,
    order::{Life, Means, Order},
    panics::drop_guarded,
    shared::Shared,
    suspension::Entered,
};

impl<A: Actor<Context = Context<A>>> Supervision<A> {
    /// The task of a group's child.
    pub(crate) fn managed(shared: std::rc::Rc<Shared<A>>, factory: Box<dyn Factory<A>>) -> Self {
        shared.begin_waiting();
        let mut supervision = Self::new(shared, factory);
        supervision.phase = Phase::Held;
        supervision
    }

    /// Does what the group has ordered.
    pub(super) fn obey(&mut self, task: &mut TaskContext<'_>) {
        if !self.shared.is_managed() {
            return;
        }
        while let Some(order) = self.shared.next_order() {
            match order {
                Order::Start(life) => self.begin_life(life),
                Order::Stop {
                    life,
                    means,
                    restarts,
                } => self.stop_life(life, means, restarts),
                Order::Resume(life) => self.shared.resume(life),
                Order::Decided(decided) => self.shared.note_decision(*decided),
                Order::Escalated { by } => self.shared.note_escalation(by),
                Order::Refuse => {
                    if matches!(self.phase, Phase::Held) {
                        self.shared.begin_refusing();
                    }
                }
                Order::Watch(teller) => self.shared.be_watched(teller),
                Order::Show(ask) => ask.answer(self.shared.snapshot()),
                Order::Leave => self.part(task),
            }
        }
        self.stop_if_requested();
    }

    fn begin_life(&mut self, life: Life) {
        // A group that went on without a child whose thread was blocked begins its next life
        // before it has heard of the end of the last one.
        if let Phase::Running(_) = self.phase {
            self.shared.begin_stopping(false);
            self.finish(None);
        }
        self.shared.begin_life(life);
        self.phase = Phase::Start;
    }

    fn stop_life(&mut self, life: Life, means: Means, restarts: bool) {
        if !self.shared.lives(life) {
            return;
        }
        let suspended = self.shared.begin_stopping(restarts);
        match (&mut self.phase, means) {
            (Phase::Running(_), Means::Ask) if suspended => {}
            // It is stopped once the hook has been called.
            (Phase::Running(_), Means::Ask) if self.shared.owes_farewell() => {
                self.shared.alerts.raise(Alert::Reported);
            }
            (Phase::Running(incarnation), Means::Ask) => {
                incarnation.ctx().stop();
            }
            (Phase::Running(_), Means::Kill) => {
                self.shared.note_killed();
                self.finish(None);
            }
            (Phase::Start | Phase::Held | Phase::Waiting(_) | Phase::Ended, _) => {
                self.report_end(Vec::new());
            }
        }
    }

    /// The supervisor's own context was stopped. What that means is the group's to say: to the
    /// group, the child ends by itself.
    fn stop_if_requested(&mut self) {
        if self.shared.alerts.take(Alert::EndRequested)
            && !self.shared.waits_for_manager()
            && let Phase::Running(incarnation) = &mut self.phase
        {
            incarnation.ctx().stop();
        }
    }

    /// The group is done with the child, or gone.
    fn part(&mut self, task: &mut TaskContext<'_>) {
        if let Phase::Running(incarnation) = &mut self.phase {
            self.shared.begin_stopping(false);
            incarnation.ctx().stop();
            // A failure in there is the last one.
            if let Err(panic) = incarnation.poll(task) {
                drop_guarded(panic);
            }
            self.finish(None);
        }
        let reason = self.shared.last_end();
        self.end(reason);
        self.shared.part();
    }

    /// No incarnation is ordered. Messages wait for the next one, unless none is due.
    pub(super) fn hold(&mut self, task: &mut TaskContext<'_>) -> Step {
        if self.shared.is_refusing() {
            self.shared.refuse_queued(task);
        }
        Step::Pending
    }

    /// Asks the group about failures whose suspension actix does not poll.
    pub(super) fn consult_unreached(&mut self, task: &mut TaskContext<'_>) -> Step {
        if self.shared.waive_farewell()
            && let Phase::Running(incarnation) = &mut self.phase
        {
            incarnation.ctx().stop();
            return Step::Again;
        }
        match self.shared.consult(None) {
            Consulted::Waiting => Step::Pending,
            Consulted::Idle | Consulted::Resumed => {
                // What fails at every poll must not keep the thread to itself.
                task.waker().wake_by_ref();
                Step::Pending
            }
            Consulted::Ended => self.stop_unreached(task),
        }
    }

    /// The incarnation is gone: the group is told, and says what comes next.
    pub(super) fn report_end(&mut self, causes: Vec<Entered<A>>) -> Step {
        self.phase = Phase::Held;
        self.shared.begin_waiting();
        self.shared.tell_gone(causes);
        self.shared.supersede_entered();
        Step::Again
    }
}
