//! How much of a tree is asked, and how long it may take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a node may take to answer, unless set otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(1);
/// How many children of one group are told of, unless set otherwise.
pub const DEFAULT_PAGE: usize = 64;

/// What is asked for by [`GroupHandle::snapshot_with`](crate::group::GroupHandle::snapshot_with).
///
/// ```
/// # use std::time::Duration;
/// # use supervision_actix::SnapshotOptions;
/// // Every connection, however many.
/// let all = SnapshotOptions::new().with_page(usize::MAX).with_deadline(Duration::from_secs(5));
/// // Counts only.
/// let summary = SnapshotOptions::new().with_depth(0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    pub(crate) deadline: Duration,
    pub(crate) page: usize,
    pub(crate) depth: usize,
    pub(crate) from: PageToken,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self {
            deadline: DEFAULT_DEADLINE,
            page: DEFAULT_PAGE,
            depth: usize::MAX,
            from: PageToken(0),
        }
    }
}

impl SnapshotOptions {
    /// The default: all levels, the first 64 children of each group, a second for each node.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long a node may take to answer, counted from when its group has answered; whoever
    /// takes longer is [`Unresponsive`](crate::NodeState::Unresponsive). All children of a group are asked at
    /// the same time, so a snapshot takes at most this long for each level of the tree. Default: 1 s.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Sets how many children of each group are asked; the others are only counted. What a snapshot
    /// costs depends on this and not on how many children there are. Default: 64.
    #[must_use]
    pub fn with_page(self, children: usize) -> Self {
        Self {
            page: children,
            ..self
        }
    }

    /// Sets how many levels below the group are asked; 0 asks the group alone. Default: all.
    #[must_use]
    pub fn with_depth(self, levels: usize) -> Self {
        Self {
            depth: levels,
            ..self
        }
    }

    /// Begins with this child of the group instead of the first one: the
    /// [`next`](crate::NodeSnapshot::next) of the page before. Groups below begin with their first.
    #[must_use]
    pub fn starting_at(self, page: PageToken) -> Self {
        Self { from: page, ..self }
    }
}

/// Where a page of children begins. Children that come and go meanwhile make no page repeat or leave
/// out others; a group that is restarted begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PageToken(pub(crate) u64);
