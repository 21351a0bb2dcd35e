//! A group that is the child of another one: it obeys orders as an actor in a group does.

use std::sync::Arc;

use supervision_core::{
    Decision,
    group::{ChildId, Input, Verdict},
};

use crate::{
    group::{handle::GroupEnd, task::Task},
    order::{Life, Means, News, Order, Post, arbiter_stopped},
};

/// What a group has to do with the one above.
pub(super) struct Parent {
    post: Post,
    /// The life that was ordered; `None` between lives.
    life: Option<Life>,
    is_stopping: bool,
    /// Whether it is stopped in order to be started again.
    pub(super) is_restarting: bool,
    /// Whether children are killed instead of asked.
    pub(super) is_killing: bool,
    /// Whether the group above is done with this one.
    pub(super) is_left: bool,
    /// The child whose failure was escalated last.
    pub(super) culprit: Option<ChildId>,
    /// The suspended life of that child.
    pub(super) asked_about: Option<Life>,
}

impl Parent {
    pub(super) fn new(post: Post) -> Self {
        Self {
            post,
            life: None,
            is_stopping: false,
            is_restarting: false,
            is_killing: false,
            is_left: false,
            culprit: None,
            asked_about: None,
        }
    }

    pub(super) fn tell(&self, news: News) {
        if let Some(life) = self.life {
            self.post.tell(life, news);
        }
    }

    /// Tells that an order came too late to be obeyed.
    pub(super) fn decline(&self, order: &Order) {
        self.post.decline(order);
    }

    /// The life is over: as ordered, or with this news.
    pub(super) fn end_life(&mut self, news: News) {
        self.tell(if self.is_stopping {
            News::Stopped
        } else {
            news
        });
        (self.life, self.asked_about) = (None, None);
    }
}

/// The group's task is gone without an order: its arbiter has stopped.
impl Drop for Parent {
    fn drop(&mut self) {
        let exit = supervision_core::group::Exit::Failed(arbiter_stopped());
        self.tell(News::Exited(exit, Vec::new()));
    }
}

impl Task {
    /// Does what the group above has ordered.
    pub(super) fn obey(&mut self, order: Order) {
        match order {
            Order::Start(life) => self.begin_life(life),
            Order::Stop {
                life,
                means,
                restarts,
            } => self.stop_life(life, means, restarts),
            Order::Resume(life) => self.resume(life),
            Order::Decided(decided) => {
                if let Decision::Escalate { .. } = decided.decision {
                    self.pass_on_escalation(decided.by);
                }
            }
            Order::Escalated { by } => self.pass_on_escalation(by),
            Order::Refuse => self.refuse(),
            Order::Watch(teller) => self.be_watched_itself(teller),
            Order::Show(ask) => self.show(ask),
            Order::Leave => self.part(),
        }
    }

    fn begin_life(&mut self, life: Life) {
        let Some(parent) = &mut self.parent else {
            return;
        };
        parent.life = Some(life);
        (parent.is_stopping, parent.is_killing) = (false, false);
        parent.is_restarting = false;
        (parent.culprit, parent.asked_about) = (None, None);
        self.roster.restore();
        self.begin();
    }

    fn stop_life(&mut self, life: Life, means: Means, restarts: bool) {
        let Some(parent) = &mut self.parent else {
            return;
        };
        if parent.life != Some(life) {
            return;
        }
        parent.is_stopping = true;
        parent.is_restarting = restarts;
        if means == Means::Kill {
            parent.is_killing = true;
            let live = self.roster.entries();
            let live = live.filter_map(|(id, entry)| Some((id.clone(), entry.live?)));
            for (child, life) in live.collect::<Vec<_>>() {
                self.stop(&child, life, Means::Kill, None, false);
            }
        }
        self.feed(Input::ShutDown);
    }

    fn resume(&mut self, life: Life) {
        let Some(parent) = &mut self.parent else {
            return;
        };
        if parent.life == Some(life)
            && let Some(child) = parent.asked_about.take()
        {
            self.feed(Input::Answered(child, Verdict::Resume));
        }
    }

    /// A group above has escalated what this group escalated to it.
    fn pass_on_escalation(&mut self, by: Arc<str>) {
        let culprit = self
            .parent
            .as_ref()
            .and_then(|parent| parent.culprit.clone());
        if let Some(culprit) = culprit
            && let Some(entry) = self.roster.get_mut(&culprit)
        {
            entry.line.order(Order::Escalated { by });
        }
    }

    /// No start of this group is due.
    fn refuse(&mut self) {
        if self.machine.is_some() {
            return;
        }
        for (_, entry) in self.roster.entries() {
            entry.line.order(Order::Refuse);
        }
        if let Some(end) = self.last_end.clone() {
            self.tell_end(end);
        }
    }

    /// The group above is done with this one, or gone.
    fn part(&mut self) {
        if let Some(parent) = &mut self.parent {
            parent.is_left = true;
        }
        if self.machine.is_some() {
            self.feed(Input::ShutDown);
        } else {
            self.last_end
                .get_or_insert_with(|| Arc::new(GroupEnd::cut_short()));
            self.is_over = true;
        }
    }
}
