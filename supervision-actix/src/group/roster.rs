//! The children of a group as its task knows them: by which line they are reached, and what they
//! were last ordered.

use std::collections::BTreeMap;

use supervision_core::group::{ChildId, RequestId};

use crate::{
    group::{
        birth::Address, handle::Directory, newborn::Newborn, snapshot::Facts, timers::TimerKey,
    },
    order::{Life, Line, Order, Trail},
};

/// One child.
pub(super) struct Entry {
    pub(super) line: Line,
    pub(super) is_temporary: bool,
    /// Whether the group was described with it: it comes back when the group is restarted.
    pub(super) is_fixed: bool,
    /// Whether it runs on another arbiter.
    pub(super) is_remote: bool,
    /// Whether its end is decided but has not come: it refuses messages then.
    pub(super) ends: bool,
    /// The life that was ordered and is not known to be over.
    pub(super) live: Option<Life>,
    pub(super) timer: Option<TimerKey>,
    /// Who escalated the failure it last told of.
    pub(super) trail: Trail,
}

impl Entry {
    pub(super) fn new(line: Line, is_temporary: bool, is_fixed: bool, is_remote: bool) -> Self {
        Self {
            line,
            is_temporary,
            is_fixed,
            is_remote,
            ends: false,
            live: None,
            timer: None,
            trail: Trail::new(),
        }
    }

    /// Orders a life; `false` if nobody is there to obey.
    pub(super) fn begin(&mut self, life: Life) -> bool {
        self.live = Some(life);
        self.ends = false;
        self.trail.clear();
        self.line.order(Order::Start(life))
    }
}

/// All children. What is in here is in the directory too.
pub(super) struct Roster {
    // Boxed: a good part of what a tree's nodes have room for is empty.
    present: BTreeMap<ChildId, Box<Entry>>,
    /// Children that left the group and come back when it is restarted.
    parked: Vec<(ChildId, Box<Entry>, Address)>,
    /// Children that are leaving the group, until everything about their ends is said.
    leaving: BTreeMap<ChildId, Box<Entry>>,
    /// Children to be added whose turn has not come.
    adding: BTreeMap<(ChildId, RequestId), Newborn>,
    directory: Directory,
    /// Of children that have any.
    facts: BTreeMap<ChildId, Facts>,
}

impl Roster {
    pub(super) fn new(directory: Directory) -> Self {
        Self {
            present: BTreeMap::new(),
            parked: Vec::new(),
            leaving: BTreeMap::new(),
            adding: BTreeMap::new(),
            directory,
            facts: BTreeMap::new(),
        }
    }

    pub(super) fn insert(
        &mut self,
        id: ChildId,
        entry: Box<Entry>,
        address: Address,
        facts: Option<Facts>,
    ) {
        // It may have the id of one that is leaving.
        self.finish_leaving(|leaving| *leaving != id);
        if let Some(facts) = facts {
            self.facts.insert(id.clone(), facts);
        }
        self.directory.insert(id.clone(), address);
        self.present.insert(id, entry);
    }

    /// The child of this id, also while it is leaving.
    pub(super) fn get_mut(&mut self, id: &ChildId) -> Option<&mut Entry> {
        match self.leaving.get_mut(id) {
            Some(entry) => Some(entry),
            None => self.present.get_mut(id).map(Box::as_mut),
        }
    }

    /// The child of this id, if it is not leaving.
    pub(super) fn present_mut(&mut self, id: &ChildId) -> Option<&mut Entry> {
        self.present.get_mut(id).map(Box::as_mut)
    }

    /// Whether the group was described with the child of this id.
    pub(super) fn is_fixed(&self, id: &ChildId) -> bool {
        self.present.get(id).is_some_and(|entry| entry.is_fixed)
    }

    pub(super) fn entries(&mut self) -> impl Iterator<Item = (&ChildId, &mut Entry)> {
        self.present
            .iter_mut()
            .map(|(id, entry)| (id, entry.as_mut()))
    }

    /// The child leaves the group once everything about its end is said.
    pub(super) fn let_go(&mut self, id: &ChildId) {
        if let Some(entry) = self.present.remove(id) {
            self.leaving.insert(id.clone(), entry);
        }
    }

    /// Everything about the ends of the leaving children is said, but for those that `stays` names.
    pub(super) fn finish_leaving(&mut self, stays: impl Fn(&ChildId) -> bool) {
        let gone = self.leaving.keys().filter(|id| !stays(id));
        for id in gone.cloned().collect::<Vec<_>>() {
            let Some(entry) = self.leaving.remove(&id) else {
                continue;
            };
            let address = self.directory.remove(&id);
            if entry.is_fixed
                && let Some(address) = address
            {
                entry.line.order(Order::Refuse);
                self.parked.push((id, entry, address));
            } else {
                self.facts.remove(&id);
            }
        }
    }

    /// What is known of a child without asking it.
    pub(super) fn facts(&self, id: &ChildId) -> Option<&Facts> {
        self.facts.get(id)
    }

    /// Those that the group was described with come back, those that were added go.
    pub(super) fn restore(&mut self) {
        self.finish_leaving(|_| false);
        let added = |(_, entry): &(&ChildId, &mut Box<Entry>)| !entry.is_fixed;
        let added = self.present.iter_mut().filter(added);
        let added = added.map(|(id, _)| id.clone()).collect::<Vec<_>>();
        for id in added {
            self.present.remove(&id);
            self.directory.remove(&id);
            self.facts.remove(&id);
        }
        for (id, entry, address) in std::mem::take(&mut self.parked) {
            self.insert(id, entry, address, None);
        }
    }

    pub(super) fn expect(&mut self, request: RequestId, newborn: Newborn) {
        self.adding.insert((newborn.id.clone(), request), newborn);
    }

    /// The child to be added whose turn has come: requests are taken up in order.
    pub(super) fn take_expected(&mut self, id: &ChildId) -> Option<Newborn> {
        let from = (id.clone(), RequestId(0));
        let to = (id.clone(), RequestId(u64::MAX));
        let first = self.adding.range(from..=to).next()?.0.clone();
        self.adding.remove(&first)
    }

    /// The request was refused before its turn came.
    pub(super) fn forget_expected(&mut self, id: &ChildId, request: RequestId) {
        self.adding.remove(&(id.clone(), request));
    }

    /// Lets all children go.
    pub(super) fn clear(&mut self) {
        self.directory.clear();
        self.facts.clear();
        self.present.clear();
        self.parked.clear();
        self.adding.clear();
        self.leaving.clear();
    }
}
