//! The child of a group: it decides nothing about itself. What it was ordered, what it has told its
//! group, and what it still has to be told.
//!
//! A failure is told to the group, and the incarnation is not polled until the answer has come.
//! Between incarnations the mailbox goes on taking messages.

mod obeying;
mod telling;

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use actix::{Actor, Context};
use supervision_core::{
    Decision, FailureInfo,
    group::{ChildId, Exit},
};

use crate::{
    alerts::Alert,
    control::Call,
    event::EndReason,
    order::{Life, News, Order, Post, arbiter_stopped},
    record::Place,
    shared::Shared,
};

/// What a child has to do with its group.
pub(crate) struct Managed {
    post: Post,
    call: Arc<Call>,
    /// Whether the child's id is a part of its path: children that have one description in common.
    has_own_path: bool,
    orders: VecDeque<Order>,
    /// The life that was ordered; `None` between lives.
    life: Option<Life>,
    /// Whether the group knows that it runs.
    is_started: bool,
    /// Whether it was ordered to stop.
    pub(crate) is_stopping: bool,
    /// Whether another life is to follow this one, which was ordered to stop.
    restarts: bool,
    /// Whether it stops once `before_restart` has been called on it.
    farewell: bool,
    /// Whether no start is due, so that messages need not wait.
    pub(crate) is_refusing: bool,
    failure: Option<Box<Told>>,
    answer: Option<Answer>,
    /// The failure that the next incarnation recovers from.
    recovering: Option<Rc<FailureInfo>>,
    /// Why it ends, should it end now.
    end: Option<Box<EndReason>>,
}

/// A failure that the group was told of.
struct Told {
    info: Rc<FailureInfo>,
    place: Place,
    decision: Option<Decision>,
    /// Whether the incarnation waits for the answer.
    is_suspended: bool,
}

#[derive(Clone, Copy)]
enum Answer {
    Resume,
    End,
}

/// What a suspended incarnation learns.
#[must_use]
pub(crate) enum Consulted {
    /// Nothing yet.
    Waiting,
    /// There was nothing to ask.
    Idle,
    /// It goes on.
    Resumed,
    /// It ends.
    Ended,
}

impl Managed {
    pub(crate) fn new(post: Post, call: Arc<Call>, has_own_path: bool) -> Self {
        Self {
            post,
            call,
            has_own_path,
            orders: VecDeque::new(),
            life: None,
            is_started: false,
            is_stopping: false,
            restarts: false,
            farewell: false,
            is_refusing: false,
            failure: None,
            answer: None,
            recovering: None,
            end: None,
        }
    }

    fn is_suspended(&self) -> bool {
        self.failure.as_ref().is_some_and(|told| told.is_suspended)
    }

    fn tell(&self, news: News) {
        if let Some(life) = self.life {
            self.post.tell(life, news);
        }
    }
}

/// The task is gone without an order: its arbiter has stopped.
impl Drop for Managed {
    fn drop(&mut self) {
        let exit = Exit::Failed(arbiter_stopped());
        self.tell(News::Exited(exit, Vec::new()));
        for order in self.call.leave().into_iter().chain(self.orders.drain(..)) {
            self.post.decline(&order);
        }
    }
}

/// What is known.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Calls `f` with what the actor has to do with its group, if it has one.
    fn managed<R>(&self, f: impl FnOnce(&mut Managed) -> R) -> Option<R> {
        if !self.alerts.is(Alert::Port) {
            return None;
        }
        let mut port = self.port_mut();
        port.as_mut()?.managed.as_deref_mut().map(f)
    }

    /// Whether a group decides about it.
    pub(crate) fn is_managed(&self) -> bool {
        self.alerts.is(Alert::Port) && self.port().is_some_and(|port| port.managed.is_some())
    }

    /// Its path, where it is made of its group's and its id.
    pub(crate) fn path_in_group(&self) -> Option<String> {
        let id = self.managed(|m| m.has_own_path.then(|| m.post.child.clone()))??;
        Some(format!("{}/{id}", self.spec().path))
    }

    /// Its id, where it is in a group.
    pub(crate) fn id_in_group(&self) -> Option<ChildId> {
        self.managed(|m| m.post.child.clone())
    }

    /// Whether the group's answer has to come first.
    pub(crate) fn waits_for_manager(&self) -> bool {
        self.managed(|m| m.is_suspended() && m.answer.is_none()) == Some(true)
    }

    /// Whether a suspended incarnation would find something to do.
    pub(crate) fn has_work_for_suspension(&self) -> bool {
        let asked = self.managed(|m| (m.is_suspended(), m.answer.is_some(), m.farewell));
        match asked {
            Some((true, answered, _)) => answered,
            Some((false, _, farewell)) => farewell || self.has_entered(),
            None => self.has_entered(),
        }
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.managed(|m| m.is_refusing) == Some(true)
    }

    /// Whether this is the life that goes on now.
    pub(crate) fn lives(&self, life: Life) -> bool {
        self.managed(|m| m.life == Some(life)) == Some(true)
    }
}
