//! The children in start order, what each of them is doing, and how many do what.

use std::collections::BTreeMap;

use crate::{
    budget::Timestamp,
    decide::RestartType,
    group::{
        message::{ChildId, DelayToken, Incarnation, RequestId},
        ruling::Ruling,
        spec::{ChildSpec, Shutdown},
        view::ChildStatus,
    },
    placement::PlacementStrategy,
    policy::Policy,
    validate::InvalidStrategy,
};

/// A child's place in the start order. Never reused, so a later child has a greater one.
pub(super) type Key = u64;

#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) id: ChildId,
    pub(super) restart_type: RestartType,
    pub(super) shutdown: Shutdown,
    /// What decides about it instead of the group's.
    pub(super) own: Option<Box<Ruling>>,
    significant: bool,
    state: State,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// It does not run, and nothing will start it but a request or a restart of its group.
    Down,
    /// It is to be started when its turn comes.
    Awaiting,
    /// Its restart waits for a time, or for a start that failed to be decided.
    Restarting {
        token: DelayToken,
        due: Timestamp,
        // Boxed: few children move, and all have room for the widest state.
        placement: Option<Box<PlacementStrategy>>,
    },
    Starting {
        incarnation: Incarnation,
        asked: Option<Asked>,
    },
    Running {
        incarnation: Incarnation,
    },
    /// It exited, or failed and is suspended (`alive`); the report waits for its turn.
    Reported {
        incarnation: Incarnation,
        alive: bool,
    },
    Stopping {
        incarnation: Incarnation,
        then: Then,
    },
}

/// The request that started a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ToAdd(RequestId),
    ToRestart(RequestId),
}

/// What follows when a child has stopped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Then {
    /// The sequence goes on.
    Sequence,
    /// It has ended for good, which may end the group.
    Retire,
    Restart {
        due: Timestamp,
        placement: Option<Box<PlacementStrategy>>,
    },
    Reply(RequestId),
}

impl State {
    /// The life it is about, if there is one.
    pub(super) fn incarnation(&self) -> Option<Incarnation> {
        match self {
            Self::Starting { incarnation, .. }
            | Self::Running { incarnation }
            | Self::Reported { incarnation, .. }
            | Self::Stopping { incarnation, .. } => Some(*incarnation),
            Self::Down | Self::Awaiting | Self::Restarting { .. } => None,
        }
    }
}

impl Child {
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.restart_type == RestartType::Temporary
    }

    pub(super) fn is_significant(&self) -> bool {
        self.significant
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    // Boxed: nearly half of what the nodes of a tree that grows at its end have room for is empty.
    by_key: BTreeMap<Key, Box<Child>>,
    by_id: BTreeMap<ChildId, Key>,
    next: Key,
    counts: Counts,
}

/// Kept along with every change of a state, so that no event has to look at all children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    by_status: [usize; ChildStatus::ALL.len()],
    /// Significant children that have not ended.
    significant: usize,
}

impl Counts {
    fn add(&mut self, child: &Child) {
        self.by_status[ChildStatus::of(&child.state) as usize] += 1;
        self.significant += usize::from(child.significant && child.state != State::Down);
    }

    fn subtract(&mut self, child: &Child) {
        self.by_status[ChildStatus::of(&child.state) as usize] -= 1;
        self.significant -= usize::from(child.significant && child.state != State::Down);
    }
}

impl Roster {
    /// Puts a child that has been validated at the end; its id must be new.
    pub(super) fn push(&mut self, spec: ChildSpec) -> Result<Key, InvalidStrategy> {
        let own = spec.strategy.map(Policy::new).transpose()?;
        let child = Child {
            id: spec.id.into(),
            restart_type: spec.restart_type,
            shutdown: spec.shutdown,
            own: own.map(|policy| Box::new(Ruling::new(policy))),
            significant: spec.significant,
            state: State::Awaiting,
        };
        let key = self.next;
        self.next += 1;
        self.counts.add(&child);
        self.by_id.insert(child.id.clone(), key);
        self.by_key.insert(key, Box::new(child));
        Ok(key)
    }

    pub(super) fn key_of(&self, id: &str) -> Option<Key> {
        self.by_id.get(id).copied()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Child> {
        self.by_key.get(&key).map(Box::as_ref)
    }

    pub(super) fn own_mut(&mut self, key: Key) -> Option<&mut Ruling> {
        self.by_key.get_mut(&key)?.own.as_deref_mut()
    }

    /// Has `policy` decide about the child from now on, or the group's if there is none.
    pub(super) fn rule(&mut self, key: Key, policy: Option<Policy>) {
        let Some(child) = self.by_key.get_mut(&key) else {
            return;
        };
        match (policy, &mut child.own) {
            (Some(policy), Some(own)) => own.change_to(policy),
            (policy, own) => *own = policy.map(|policy| Box::new(Ruling::new(policy))),
        }
    }

    /// What the child is doing; `Down` if it has left the group.
    pub(super) fn state(&self, key: Key) -> &State {
        self.get(key).map_or(&State::Down, Child::state)
    }

    pub(super) fn set(&mut self, key: Key, state: State) {
        if let Some(child) = self.by_key.get_mut(&key) {
            self.counts.subtract(child);
            child.state = state;
            self.counts.add(child);
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        if let Some(child) = self.by_key.remove(&key) {
            self.counts.subtract(&child);
            self.by_id.remove(&child.id);
        }
    }

    /// The last child in `from..below`.
    pub(super) fn last_in(&self, from: Key, below: Key) -> Option<(Key, &Child)> {
        let (key, child) = self.by_key.range(from..below).next_back()?;
        Some((*key, child.as_ref()))
    }

    /// The children at `from` and after it, in start order.
    pub(super) fn since(&self, from: Key) -> impl Iterator<Item = (Key, &Child)> {
        self.by_key
            .range(from..)
            .map(|(key, child)| (*key, child.as_ref()))
    }

    pub(super) fn count(&self, status: ChildStatus) -> usize {
        self.counts.by_status[status as usize]
    }

    pub(super) fn starting(&self) -> usize {
        self.count(ChildStatus::Starting)
    }

    pub(super) fn stopping(&self) -> usize {
        self.count(ChildStatus::Stopping)
    }

    pub(super) fn significant(&self) -> usize {
        self.counts.significant
    }

    /// Whether the counts and the index say what the children say.
    pub(super) fn is_consistent(&self) -> bool {
        let mut counts = Counts::default();
        self.by_key.values().for_each(|child| counts.add(child));
        let indexed = |(key, child): (Key, &Child)| self.by_id.get(&child.id) == Some(&key);
        counts == self.counts && self.by_id.len() == self.by_key.len() && self.since(0).all(indexed)
    }
}
