//! What a child tells its group, and how it learns what becomes of it.

use std::rc::Rc;

use actix::{Actor, ActorContext, Context};
use supervision_core::{Decision, group::Exit};

use super::{Answer, Consulted, Told};
use crate::{
    order::News,
    record::{Kept, Outcome, Place},
    settle::before_restart,
    shared::Shared,
    suspension::Entered,
};

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// The incarnation is up.
    pub(crate) fn tell_started(&self) {
        self.managed(|m| {
            m.is_started = true;
            m.tell(News::Started);
        });
    }

    /// Greets an incarnation that comes after another one but recovers from no failure: its group
    /// restarted it along with a sibling, or by request.
    pub(crate) fn begin_again(&self, actor: &mut A, ctx: &mut Context<A>) {
        if self.incarnation() < 2 || !self.is_managed() {
            return;
        }
        self.ledger().count_restart();
        if let Some(hook) = self.spec().hooks.after_restart {
            hook(actor, ctx, None);
        }
    }

    /// Asks the group about what entered, and learns what it says.
    pub(crate) fn consult(&self, value: Option<(&mut A, &mut Context<A>)>) -> Consulted {
        let mut consulted = Consulted::Idle;
        loop {
            match self.managed(|m| m.answer.take()).flatten() {
                Some(Answer::Resume) => {
                    self.forget_failure();
                    consulted = Consulted::Resumed;
                }
                Some(Answer::End) => {
                    self.say_goodbye(value);
                    self.supersede_entered();
                    return Consulted::Ended;
                }
                None if self.waits_for_manager() => return Consulted::Waiting,
                None => {}
            }
            let Some(entered) = self.next_entered() else {
                self.say_farewell(value);
                return consulted;
            };
            self.ask(entered);
        }
    }

    /// The failure it was suspended for is over: it goes on.
    pub(super) fn forget_failure(&self) {
        self.managed(|m| (m.failure, m.answer) = (None, None));
        self.managed(|m| (m.recovering, m.end) = (None, None));
        self.ledger().limiter = None;
        self.close_record(Outcome::Resumed);
        self.answer_reporters();
    }

    fn ask(&self, entered: Entered<A>) {
        if self.managed(|m| m.is_stopping) == Some(true) {
            self.supersede(&entered.cause, entered.reporter);
            self.managed(|m| m.answer = Some(Answer::End));
            return;
        }
        let told = Box::new(Told {
            info: Rc::new(self.describe(&entered.cause)),
            place: Place::of(&entered.cause),
            decision: None,
            is_suspended: true,
        });
        self.ledger().join(entered.reporter);
        self.managed(|m| {
            m.failure = Some(told);
            m.tell(News::Suspended(entered.cause, Vec::new()));
        });
    }

    /// Calls `before_restart` on a value that is suspended, if it is restarted: for its own failure, or
    /// along with a sibling before its own was decided about.
    fn say_goodbye(&self, value: Option<(&mut A, &mut Context<A>)>) {
        let is_up = !self.is_starting();
        let farewell = self.managed(|m| {
            m.farewell = false;
            let along = m.restarts && is_up;
            let Some(told) = &m.failure else {
                return along.then_some(None);
            };
            let own = match told.decision {
                Some(Decision::Restart { .. } | Decision::Relocate { .. }) => true,
                // A group above has decided.
                Some(Decision::Escalate { .. }) => m.restarts,
                None => return along.then_some(None),
                Some(Decision::Resume | Decision::Stop { .. }) => false,
            };
            own.then(|| Some(told.info.clone()))
        });
        if let (Some(failure), Some((actor, ctx))) = (farewell.flatten(), value) {
            before_restart(self, actor, ctx, failure.as_deref());
        }
    }

    /// Calls `before_restart` on a value that is restarted along with a sibling, and asks it to stop.
    fn say_farewell(&self, value: Option<(&mut A, &mut Context<A>)>) {
        if let Some((actor, ctx)) = value
            && self.waive_farewell()
        {
            before_restart(self, actor, ctx, None);
            ctx.stop();
        }
    }

    /// Whether `before_restart` is to be called before it is asked to stop.
    pub(crate) fn owes_farewell(&self) -> bool {
        self.managed(|m| m.farewell) == Some(true)
    }

    /// The same; it is not any more, whatever becomes of the life.
    pub(crate) fn waive_farewell(&self) -> bool {
        self.managed(|m| {
            let owed = std::mem::take(&mut m.farewell);
            m.restarts &= !owed;
            owed
        }) == Some(true)
    }

    /// The incarnation is gone. The first of `causes` is why, unless its end was ordered.
    pub(crate) fn tell_gone(&self, causes: Vec<Entered<A>>) {
        let mut causes = causes.into_iter();
        let ordered = self.managed(|m| m.is_stopping || m.life.is_none()) != Some(false);
        if ordered {
            self.supersede_undecided();
            self.managed(|m| m.tell(News::Stopped));
        } else if let Some(Entered {
            cause, reporter, ..
        }) = causes.next()
        {
            let told = Box::new(Told {
                info: Rc::new(self.describe(&cause)),
                place: Place::of(&cause),
                decision: None,
                is_suspended: false,
            });
            self.ledger().join(reporter);
            // A first start that fails is decided about by a group above, which says nothing of it.
            self.choose_limiter(&cause);
            self.managed(|m| {
                m.failure = Some(told);
                m.tell(if m.is_started {
                    News::Exited(Exit::Failed(cause), Vec::new())
                } else {
                    News::StartFailed(cause, Vec::new())
                });
            });
        } else {
            self.managed(|m| {
                // What stops by itself as soon as it has started has not failed to start.
                if !m.is_started {
                    m.tell(News::Started);
                }
                m.tell(News::Exited(Exit::Normal, Vec::new()));
            });
        }
        self.managed(|m| (m.life, m.answer) = (None, None));
        for entered in causes {
            self.supersede(&entered.cause, entered.reporter);
        }
    }

    /// Records a failure that the group was told of and did not decide about.
    pub(super) fn supersede_undecided(&self) {
        let told = self.managed(|m| m.failure.take()).flatten();
        if let Some(told) = told
            && told.decision.is_none()
        {
            self.record(Kept::superseded(told.place, told.info));
        }
    }
}
