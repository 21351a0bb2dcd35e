//! Watching groups and their children, see [`Watchable`](crate::Watchable).

use std::sync::Arc;

use actix::{Actor, Context};
use supervision_core::group::ChildId;

use crate::{
    death_watch::{Sealed, Target, Teller, Termination},
    group::{
        dynamic::DynamicSupervisor,
        expected::orders_left,
        handle::{GroupEnd, GroupHandle, Progress},
        task::{Event, Task},
    },
    order::Order,
};

/// A child of a group by its id, whether it is there or not. Cheap to clone, and may be sent to other
/// threads.
#[derive(Clone, Debug)]
pub struct ChildRef {
    group: GroupHandle,
    id: ChildId,
}

impl ChildRef {
    /// Its id.
    pub fn id(&self) -> &ChildId {
        &self.id
    }
}

impl GroupHandle {
    /// The child of this id, to be [watched](crate::Watchable). The id is looked up when it is.
    pub fn child(&self, id: &str) -> ChildRef {
        ChildRef {
            group: self.clone(),
            id: id.into(),
        }
    }

    /// Brings a watch to the group's task.
    fn bring(&self, child: Option<ChildId>, teller: Teller) {
        let of_group = child.is_none();
        // As long as the group has not ended, only its arbiter's end can be in the way.
        let teller = teller.or(Termination::ArbiterStopped);
        // If nobody is there: why is known of the group, not of its children, who went with it.
        if let Some(Event::Watch { teller, .. }) = self.send(Event::Watch { child, teller }) {
            let reason = if of_group {
                self.termination()
            } else {
                Termination::Gone
            };
            teller.tell_otherwise(reason);
        }
    }

    /// Why the group is not there any more.
    fn termination(&self) -> Termination {
        match self.end_if_ended() {
            Some(end) => Termination::Group(end),
            None => Termination::ArbiterStopped,
        }
    }
}

impl Sealed for GroupHandle {
    fn target(&self) -> Target<'_> {
        Target {
            path: self.path().to_owned(),
            bring: Box::new(|teller| self.bring(None, teller)),
        }
    }
}

impl<A: Actor<Context = Context<A>>, T: Send + 'static> Sealed for DynamicSupervisor<A, T> {
    fn target(&self) -> Target<'_> {
        self.as_group().target()
    }
}

impl Sealed for ChildRef {
    fn target(&self) -> Target<'_> {
        Target {
            path: format!("{}/{}", self.group.path(), self.id),
            bring: Box::new(|teller| self.group.bring(Some(self.id.clone()), teller)),
        }
    }
}

impl Task {
    /// Takes a watch: of the group itself, or to be passed on to a child.
    pub(super) fn be_watched(&mut self, child: Option<ChildId>, teller: Teller) {
        let Some(child) = child else {
            return self.be_watched_itself(teller);
        };
        match self.roster.get_mut(&child) {
            Some(entry) => drop(entry.line.order(Order::Watch(teller))),
            None => teller.tell_otherwise(Termination::Gone),
        }
    }

    pub(super) fn be_watched_itself(&mut self, teller: Teller) {
        let ended = match &*self.progress.borrow() {
            Progress::Ended(end) => Some(end.clone()),
            Progress::Starting | Progress::Started => None,
        };
        match ended {
            Some(end) => teller.tell(&self.path, &Termination::Group((*end).clone())),
            None => self.watchers.accept(teller),
        }
    }

    /// The group has ended for good: all who wait for that are told.
    pub(super) fn tell_end(&mut self, end: Arc<GroupEnd>) {
        let reason = Termination::Group((*end).clone());
        self.progress.send_replace(Progress::Ended(end));
        self.watchers.tell_all(&self.path, &reason);
    }

    /// Answers the watches that came too late to be taken.
    pub(super) fn tell_late_watchers(&mut self) {
        self.events.close();
        while let Ok(event) = self.events.try_recv() {
            if let Event::Watch { child, teller } = event {
                self.be_watched(child, teller);
            }
        }
    }
}

/// The arbiter is going down with the group. Where the group was over before, nobody is left to tell.
impl Drop for Task {
    fn drop(&mut self) {
        let reason = Termination::ArbiterStopped;
        self.watchers.tell_all(&self.path, &reason);
        for order in orders_left(&mut self.events) {
            if let Some(parent) = &self.parent {
                parent.decline(&order);
            }
        }
    }
}
