//! A group's part in a snapshot: what it says of itself and of its children, and whom it passes the
//! question on to. It looks at no more children than a page holds.

use std::time::Duration;

use supervision_core::{
    Timestamp,
    group::{ChildId, ChildStatus, ChildView, GroupStatus},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    death_watch::Termination,
    group::{
        dynamic::DynamicSupervisor,
        handle::{GroupHandle, Progress},
        task::{Event, Task},
    },
    order::Order,
    shared::unix_millis,
    snapshot::{
        Ask, NodeKind, NodeSnapshot, NodeState, PageToken, Pending, SnapshotOptions, TreeSnapshot,
        gather,
    },
};

/// What is known of a child without asking it.
#[derive(Clone)]
pub(super) struct Facts {
    pub(super) path: String,
    pub(super) actor_type: Option<&'static str>,
    pub(super) kind: NodeKind,
}

impl GroupHandle {
    /// The tree of which this group is the root: all levels, the first 64 children of each group, a
    /// second for each node; see [`snapshot_with`](Self::snapshot_with).
    ///
    /// ```
    /// # use actix::prelude::*;
    /// # use supervision_actix::{group::{ChildProps, GroupProps, GroupStrategy}, prelude::*};
    /// # struct Database;
    /// # impl Actor for Database { type Context = Context<Self>; }
    /// # System::new().block_on(async {
    /// let restart = SupervisionStrategy::default();
    /// let app = GroupProps::new("/app", GroupStrategy::OneForOne, restart)
    ///     .child(ChildProps::actor("database", ActorProps::plain("/app/database", || Database)))
    ///     .start();
    /// app.started().await.unwrap();
    /// let tree = app.snapshot().await;
    /// println!("{tree}");
    /// assert_eq!(tree.find("/app/database").unwrap().incarnation, 1);
    /// assert_eq!(tree.root.shared_budgets[0].left, Some(3));
    /// # });
    /// ```
    ///
    /// # Panics
    /// Outside a tokio runtime; the time is tokio's.
    pub async fn snapshot(&self) -> TreeSnapshot {
        self.snapshot_with(SnapshotOptions::default()).await
    }

    /// The tree of which this group is the root, as far as it is asked for.
    ///
    /// Each node is asked on its own arbiter, all children of a group at once. One that does not
    /// answer in time (its thread is blocked, say) is told of as its group knows it
    /// ([`NodeState::Unresponsive`]) and holds up nobody. So is, at once, a group to which sixteen such
    /// questions are on their way already.
    ///
    /// # Panics
    /// Outside a tokio runtime; the time is tokio's.
    pub async fn snapshot_with(&self, options: SnapshotOptions) -> TreeSnapshot {
        TreeSnapshot {
            root: self.node(options).await,
            taken_at: unix_millis(),
        }
    }

    async fn node(&self, options: SnapshotOptions) -> NodeSnapshot {
        let patience = options.deadline;
        let until = Instant::now() + patience;
        let (ask, answer) = Ask::new(options);
        let admitted = self.under_way().admit(ask);
        let sent = admitted.is_some_and(|ask| self.send(Event::Show(ask)).is_none());
        if sent && let Ok(Ok(answer)) = timeout_at(until, answer).await {
            return gather(answer, patience).await;
        }
        let state = match self.end_if_ended() {
            Some(end) => NodeState::Stopped {
                reason: Some(Termination::Group(end)),
            },
            None if self.is_gone() => NodeState::Stopped {
                reason: Some(Termination::ArbiterStopped),
            },
            None => NodeState::Unresponsive {
                last_known: Box::new(NodeState::Running),
            },
        };
        NodeSnapshot::new(self.path().to_owned(), self.kind(), state)
    }
}

impl<A, T> DynamicSupervisor<A, T>
where
    A: actix::Actor<Context = actix::Context<A>>,
    T: Send + 'static,
{
    /// The supervisor with the first 64 of its children, see [`GroupHandle::snapshot`].
    pub async fn snapshot(&self) -> TreeSnapshot {
        self.as_group().snapshot().await
    }

    /// The supervisor with as many of its children as are asked for, see
    /// [`GroupHandle::snapshot_with`].
    pub async fn snapshot_with(&self, options: SnapshotOptions) -> TreeSnapshot {
        self.as_group().snapshot_with(options).await
    }
}

impl Task {
    /// Answers for the group, and asks the children.
    pub(super) fn show(&mut self, ask: Ask) {
        let mut node = NodeSnapshot::new(self.path.to_string(), self.kind, self.state());
        node.actor_type = self.child_type.map(str::to_owned);
        node.incarnation = self.lives;
        node.restarts = usize::try_from(self.lives.saturating_sub(1)).unwrap_or(usize::MAX);
        node.watchers = self.watchers.len();
        let mut asked = Vec::new();
        let now = self.now();
        if let Some(machine) = &self.machine {
            if let NodeKind::Group(strategy) = &mut node.kind {
                *strategy = machine.strategy();
            }
            node.shared_budgets = machine.remaining(now);
            node.counts = machine.counts().collect();
        }
        if ask.options.depth > 0 {
            let (page, next) = self.page(&ask.options, now);
            node.next = next;
            asked = page
                .into_iter()
                .map(|known| self.ask_child(known, &ask.options))
                .collect();
        }
        ask.answer_with(node, asked);
    }

    fn state(&self) -> NodeState {
        let Some(machine) = &self.machine else {
            return match &*self.progress.borrow() {
                Progress::Ended(end) => NodeState::Stopped {
                    reason: Some(Termination::Group((**end).clone())),
                },
                Progress::Starting | Progress::Started => NodeState::Awaiting,
            };
        };
        match machine.status() {
            GroupStatus::Starting => NodeState::Starting,
            GroupStatus::Restarting => NodeState::Restarting,
            GroupStatus::Escalating => NodeState::Escalating,
            GroupStatus::Ending => NodeState::Stopping,
            GroupStatus::Ended => NodeState::Stopped { reason: None },
            _ => NodeState::Running,
        }
    }

    /// What is known here of the children on a page, and where the next one begins.
    fn page(
        &self,
        options: &SnapshotOptions,
        now: Timestamp,
    ) -> (Vec<NodeSnapshot>, Option<PageToken>) {
        let Some(machine) = &self.machine else {
            return (Vec::new(), None);
        };
        let mut views = machine.children_from(options.from.0);
        let page = views.by_ref().take(options.page);
        let page = page.map(|child| {
            let mut known = self.known(child.id, state_of(child, now));
            known.budgets = machine
                .remaining_of(child.id.as_str(), now)
                .unwrap_or_default();
            known
        });
        let page = page.collect();
        (page, views.next().map(|child| PageToken(child.place)))
    }

    fn known(&self, id: &ChildId, state: NodeState) -> NodeSnapshot {
        let facts = self.roster.facts(id).cloned();
        // Children of a dynamic supervisor have all but their ids in common.
        let Facts {
            path,
            actor_type,
            kind,
        } = facts.unwrap_or_else(|| Facts {
            path: format!("{}/{id}", self.path),
            actor_type: self.child_type,
            kind: NodeKind::Actor,
        });
        let mut known = NodeSnapshot::new(path, kind, state);
        known.id = Some(id.clone());
        known.actor_type = actor_type.map(str::to_owned);
        known
    }

    fn ask_child(&mut self, known: NodeSnapshot, options: &SnapshotOptions) -> Pending {
        let (ask, answer) = Ask::new(SnapshotOptions {
            depth: options.depth - 1,
            from: PageToken(0),
            ..options.clone()
        });
        let entry = known.id.as_ref().and_then(|id| self.roster.get_mut(id));
        if let Some(entry) = entry {
            // If nobody is there, the answer says so.
            entry.line.order(Order::Show(ask));
        }
        Pending { known, answer }
    }
}

/// What a group takes a child to be doing.
fn state_of(child: ChildView<'_>, now: Timestamp) -> NodeState {
    match child.status {
        ChildStatus::Awaiting => NodeState::Awaiting,
        ChildStatus::Restarting => NodeState::BackingOff {
            left: child.due.map_or(Duration::ZERO, |due| {
                Duration::from_nanos(due.as_nanos().saturating_sub(now.as_nanos()))
            }),
        },
        ChildStatus::Starting => NodeState::Starting,
        ChildStatus::Failed if child.is_suspended => NodeState::Suspended,
        ChildStatus::Failed => NodeState::Undecided,
        ChildStatus::Stopping => NodeState::Stopping,
        ChildStatus::Running => NodeState::Running,
        _ => NodeState::Stopped { reason: None },
    }
}
