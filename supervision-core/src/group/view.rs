//! A group as those see it who ask: what it and its children are doing, and what budgets are left.
//! Nothing is changed here, and no question looks at more children than it is about.

use serde::{Deserialize, Serialize};

use crate::{
    budget::Timestamp,
    group::{
        Group,
        machine::Phase,
        message::ChildId,
        roster::{Child, Key, State},
        sequence::Sequence,
        spec::GroupStrategy,
    },
    remaining::RemainingBudget,
};

/// What a child is doing, for those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChildStatus {
    /// It does not run.
    Down,
    /// It does not run, and will be started when its turn comes.
    Awaiting,
    /// It does not run; its own restart is pending.
    Restarting,
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It failed or exited, and that waits to be decided.
    Failed,
    /// It is being stopped.
    Stopping,
}

impl ChildStatus {
    /// All there are.
    pub(super) const ALL: [Self; 7] = [
        Self::Down,
        Self::Awaiting,
        Self::Restarting,
        Self::Starting,
        Self::Running,
        Self::Failed,
        Self::Stopping,
    ];

    pub(super) fn of(state: &State) -> Self {
        match state {
            State::Down => Self::Down,
            State::Awaiting => Self::Awaiting,
            State::Restarting { .. } => Self::Restarting,
            State::Starting { .. } => Self::Starting,
            State::Running { .. } => Self::Running,
            State::Reported { .. } => Self::Failed,
            State::Stopping { .. } => Self::Stopping,
        }
    }
}

/// What a group is doing, for those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum GroupStatus {
    /// It has not been started, or its children are being started for the first time.
    Starting,
    /// It waits for what happens to its children.
    Running,
    /// Children are being stopped and started again, one after the other.
    Restarting,
    /// Its parent is asked about a failure; meanwhile nothing is decided.
    Escalating,
    /// Its children are being stopped, and then it ends.
    Ending,
    /// It has ended.
    Ended,
}

/// One child as its group knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildView<'a> {
    /// Its id.
    pub id: &'a ChildId,
    /// Its place in the start order; never reused within one group.
    pub place: u64,
    /// What it is doing.
    pub status: ChildStatus,
    /// Whether it failed, is sound, and does nothing until its failure is decided.
    pub is_suspended: bool,
    /// When it is started again, for one that is [`ChildStatus::Restarting`].
    pub due: Option<Timestamp>,
}

impl<'a> ChildView<'a> {
    fn of((place, child): (Key, &'a Child)) -> Self {
        let state = child.state();
        Self {
            id: &child.id,
            place,
            status: ChildStatus::of(state),
            is_suspended: matches!(state, State::Reported { alive: true, .. }),
            due: match state {
                State::Restarting { due, .. } => Some(*due),
                _ => None,
            },
        }
    }
}

impl Group {
    /// The children in start order.
    pub fn children(&self) -> impl Iterator<Item = (&ChildId, ChildStatus)> {
        self.children_from(0).map(|child| (child.id, child.status))
    }

    /// The children at this place and after it, in start order. To begin costs O(log n).
    pub fn children_from(&self, place: u64) -> impl Iterator<Item = ChildView<'_>> {
        self.roster.since(place).map(ChildView::of)
    }

    /// How many children do what, without those that nobody does. Costs the same however many
    /// children there are.
    pub fn counts(&self) -> impl Iterator<Item = (ChildStatus, usize)> {
        let all = ChildStatus::ALL.into_iter();
        let counted = all.map(|status| (status, self.roster.count(status)));
        counted.filter(|(_, count)| *count > 0)
    }

    /// What the child of this id is doing; `None` if it is not in the group.
    pub fn child_status(&self, id: &ChildId) -> Option<ChildStatus> {
        let child = self.roster.get(self.roster.key_of(id.as_str())?)?;
        Some(ChildStatus::of(child.state()))
    }

    /// What the group is doing.
    pub fn status(&self) -> GroupStatus {
        match (&self.phase, &self.sequence) {
            (Phase::New, _) | (Phase::Serving, Some(Sequence::Start { first: true, .. })) => {
                GroupStatus::Starting
            }
            (Phase::Serving, Some(_)) => GroupStatus::Restarting,
            (Phase::Serving, None) => GroupStatus::Running,
            (Phase::Escalating { .. }, _) => GroupStatus::Escalating,
            (Phase::Ending, _) => GroupStatus::Ending,
            (Phase::Ended, _) => GroupStatus::Ended,
        }
    }

    /// Which siblings are restarted along.
    pub fn strategy(&self) -> GroupStrategy {
        self.group
    }

    /// What is left at `now` of the budgets that the children have in common, see
    /// [`Budgets::remaining`](crate::Budgets::remaining).
    pub fn remaining(&self, now: Timestamp) -> Vec<RemainingBudget> {
        self.ruling.remaining(now)
    }

    /// What is left at `now` of the budgets of a child with a strategy of its own; `None` for one
    /// that the group's strategy decides about, and where no child has this id.
    pub fn remaining_of(&self, child: &str, now: Timestamp) -> Option<Vec<RemainingBudget>> {
        let key = self.roster.key_of(child)?;
        let own = self.roster.get(key)?.own.as_deref()?;
        Some(own.remaining(now))
    }
}
