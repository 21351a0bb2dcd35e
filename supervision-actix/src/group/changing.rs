//! Strategies that were changed while the group runs: they are part of what the group is made of when
//! one above restarts it.

use supervision_core::{SupervisionStrategy, group::ChildId};

use crate::group::task::Task;

/// A change of a strategy.
pub(super) enum Change {
    /// The group's own.
    Group(SupervisionStrategy),
    /// One child's; `None` where it has none of its own any more.
    Child(ChildId, Option<SupervisionStrategy>),
}

impl Task {
    /// Keeps a change that was granted.
    pub(super) fn keep(&mut self, change: &Change) {
        let path = &*self.path;
        match change {
            Change::Group(strategy) => {
                tracing::info!(path, from = ?self.spec.strategy, to = ?strategy, "strategy changed");
                self.spec.strategy = strategy.clone();
            }
            Change::Child(child, strategy) => {
                tracing::info!(path, %child, to = ?strategy, "strategy of a child changed");
                // One that was added does not come back, even if it has the id of one that does.
                let mut described = self.spec.children.iter_mut();
                if self.roster.is_fixed(child)
                    && let Some(described) = described.find(|spec| spec.id == child.as_str())
                {
                    described.strategy.clone_from(strategy);
                }
            }
        }
    }
}
