//! Who follows which keys, what they are still to be told, and how a watch is interrupted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::sync::Notify;

use super::{
    Step,
    store::Body,
    world::{After, Caller, End, NodeId, World},
};
use crate::engine::{Key, Prefix, Revision, WatchEvent};

/// Changes that are looked at under one lock while a watch catches up.
const PAGE: usize = 1_024;

/// Names a watch.
pub(super) type WatchId = u64;

struct Watching {
    caller: Caller,
    prefix: Prefix,
    queue: VecDeque<WatchEvent>,
    wake: Arc<Notify>,
    /// When the last change arrives that was told late.
    last_due: supervision_core::Timestamp,
    /// Nothing is told any more but that it was interrupted.
    interrupted: bool,
}

/// All watches.
#[derive(Default)]
pub(super) struct Watches {
    all: BTreeMap<WatchId, Watching>,
    made: WatchId,
}

/// A watch that is still being told what had happened before it began.
pub(super) struct CatchingUp {
    next: Revision,
    end: Revision,
    /// Of all that are live, not of changes since a revision.
    live_only: bool,
}

/// A watch as it was made.
pub(super) struct NewWatch {
    pub(super) id: WatchId,
    pub(super) wake: Arc<Notify>,
    pub(super) catching_up: CatchingUp,
}

impl World {
    /// Begins to tell a node of the changes below a prefix; `Err` if they are not all known.
    pub(super) fn begin_watch(
        &mut self,
        caller: &Caller,
        prefix: Prefix,
        from: Option<Revision>,
    ) -> Result<NewWatch, Revision> {
        let node = caller.node;
        let first = from.unwrap_or_default().max(Revision::ZERO.next());
        self.trace(Some(node), Step::Watch, &prefix.to_string(), || {
            first.as_u64()
        });
        if from.is_some() && first <= self.store.forgotten() {
            return Err(first);
        }
        self.watches.made += 1;
        let id = self.watches.made;
        let wake = Arc::new(Notify::new());
        let watching = Watching {
            caller: caller.clone(),
            prefix,
            queue: VecDeque::new(),
            wake: Arc::clone(&wake),
            last_due: self.now,
            interrupted: false,
        };
        self.watches.all.insert(id, watching);
        let catching_up = CatchingUp {
            next: first,
            end: self.store.last(),
            live_only: from.is_none(),
        };
        Ok(NewWatch {
            id,
            wake,
            catching_up,
        })
    }

    pub(super) fn end_watch(&mut self, id: WatchId) {
        self.watches.all.remove(&id);
    }

    pub(super) fn tell_watches(&mut self, key: &Key, body: &Body, revision: Revision) {
        if self.is_calm() {
            let full = self.tell_at_once(key, body, revision);
            return full.into_iter().for_each(|id| self.interrupt(id));
        }
        let concerned = self.watches.all.iter();
        let concerned = concerned.filter(|(_, watch)| watch.concerns(key));
        let concerned: Vec<_> = concerned
            .map(|(id, watch)| (*id, watch.caller.node))
            .collect();
        for (id, node) in concerned {
            self.tell_in_time(id, node, body.event(key, revision));
        }
    }

    /// Tells all without a fault; returns those that can take no more.
    fn tell_at_once(&mut self, key: &Key, body: &Body, revision: Revision) -> Vec<WatchId> {
        let mut full = Vec::new();
        for (id, watch) in &mut self.watches.all {
            if !watch.concerns(key) {
                continue;
            }
            if watch.queue.len() < self.options.capacity {
                watch.queue.push_back(body.event(key, revision));
                self.after.push(After::Wake(Arc::clone(&watch.wake)));
            } else {
                full.push(*id);
            }
        }
        full
    }

    fn tell_in_time(&mut self, id: WatchId, node: NodeId, event: WatchEvent) {
        let store = self.options.faults.store.clone();
        if store.interrupt_watch.hits(&mut self.rng)
            || self.is_severed(node, End::Store, End::Node(node), "")
        {
            return self.interrupt(id);
        }
        let due = self
            .now
            .saturating_add(store.watch_delay.draw(&mut self.rng));
        let Some(watch) = self.watches.all.get_mut(&id) else {
            return;
        };
        let due = due.max(watch.last_due);
        watch.last_due = due;
        if due > self.now {
            self.stats(node).delayed_watch_events += 1;
        }
        self.at(due, move |world| world.arrive_at_watch(id, event));
    }

    fn arrive_at_watch(&mut self, id: WatchId, event: WatchEvent) {
        let Some(watch) = self.watches.all.get(&id) else {
            return;
        };
        if watch.interrupted {
            return;
        }
        let node = watch.caller.node;
        if self.is_severed(node, End::Store, End::Node(node), "") {
            return self.interrupt(id);
        }
        if !self.queue_for_watch(id, event) {
            self.interrupt(id);
        }
    }

    /// Whether there was room.
    fn queue_for_watch(&mut self, id: WatchId, event: WatchEvent) -> bool {
        let Some(watch) = self.watches.all.get_mut(&id) else {
            return true;
        };
        let is_last = event == WatchEvent::Interrupted;
        if watch.queue.len() >= self.options.capacity && !is_last {
            return false;
        }
        watch.queue.push_back(event);
        self.after.push(After::Wake(Arc::clone(&watch.wake)));
        true
    }

    /// Breaks a watch off; its node notices by and by, without any help of the network.
    pub(super) fn interrupt(&mut self, id: WatchId) {
        let Some(watch) = self.watches.all.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut watch.interrupted, true) {
            return;
        }
        let (node, about) = (watch.caller.node, watch.prefix.to_string());
        self.stats(node).interrupted_watches += 1;
        self.trace(Some(node), Step::Interrupt, &about, || id);
        let notice = self.options.faults.store.notice.draw(&mut self.rng);
        let noticed = self.now.saturating_add(notice);
        self.at(noticed, move |world| {
            world.queue_for_watch(id, WatchEvent::Interrupted);
        });
    }

    /// Interrupts the watches of one node, or of all.
    pub(super) fn interrupt_all(&mut self, node: Option<NodeId>) {
        let all = self.watches.all.iter();
        let all = all.filter(|(_, watch)| node.is_none_or(|node| watch.caller.node == node));
        let all: Vec<_> = all.map(|(id, _)| *id).collect();
        all.into_iter().for_each(|id| self.interrupt(id));
    }

    /// Interrupts every other watch, by chance.
    pub(super) fn interrupt_some(&mut self) {
        let all: Vec<_> = self.watches.all.keys().copied().collect();
        for id in all {
            if self.rng.bool() {
                self.interrupt(id);
            }
        }
    }

    /// Ends the watches of a node that is no more, and wakes whoever follows them.
    pub(super) fn drop_watches(&mut self, node: NodeId) {
        let after = &mut self.after;
        self.watches.all.retain(|_, watch| {
            let keep = watch.caller.node != node;
            if !keep {
                after.push(After::Wake(Arc::clone(&watch.wake)));
            }
            keep
        });
    }

    pub(super) fn wake_watches(&mut self) {
        let wakes = self.watches.all.values();
        let wakes = wakes.map(|watch| After::Wake(Arc::clone(&watch.wake)));
        self.after.extend(wakes);
    }

    /// What is to be told next, if anything yet; `None` if the watch is over.
    pub(super) fn next_events(
        &mut self,
        id: WatchId,
        catching_up: &mut Option<CatchingUp>,
    ) -> Option<VecDeque<WatchEvent>> {
        if catching_up.is_some() {
            self.catch_up(id, catching_up)
        } else {
            let watch = self.watches.all.get_mut(&id)?;
            Some(std::mem::take(&mut watch.queue))
        }
        .inspect(|events| self.count_told(id, events))
    }

    fn catch_up(
        &mut self,
        id: WatchId,
        catching_up: &mut Option<CatchingUp>,
    ) -> Option<VecDeque<WatchEvent>> {
        let watch = self.watches.all.get(&id)?;
        let (node, prefix) = (watch.caller.node, watch.prefix.clone());
        let forgotten = self.store.forgotten();
        let gone_by = |state: &mut CatchingUp| !state.live_only && state.next <= forgotten;
        if catching_up.as_mut().is_some_and(gone_by)
            || self.is_severed(node, End::Store, End::Node(node), "")
        {
            self.interrupt(id);
        }
        let watch = self.watches.all.get_mut(&id)?;
        if watch.interrupted {
            *catching_up = None;
            // What waits behind the rest of the catching up must not be told without it: whoever goes on
            // from there would never see what is between.
            watch
                .queue
                .retain(|event| *event == WatchEvent::Interrupted);
            return Some(std::mem::take(&mut watch.queue));
        }
        let Some(state) = catching_up else {
            return Some(VecDeque::new());
        };
        let (events, next) = self.store.walk(&prefix, state.next, state.end, PAGE);
        let mut events = VecDeque::from(events);
        if state.live_only {
            events.retain(|event| matches!(event, WatchEvent::Put(_)));
        }
        match next {
            Some(next) => state.next = next,
            None => {
                *catching_up = None;
                events.push_back(WatchEvent::CaughtUp);
            }
        }
        Some(events)
    }

    fn count_told(&mut self, id: WatchId, events: &VecDeque<WatchEvent>) {
        let Some(watch) = self.watches.all.get(&id) else {
            return;
        };
        let (node, about) = (watch.caller.node, watch.prefix.to_string());
        self.stats(node).watch_events += events.len() as u64;
        for event in events {
            let revision = event.revision().unwrap_or_default();
            self.trace(Some(node), Step::TellChange, &about, || revision.as_u64());
        }
    }
}

impl Watching {
    fn concerns(&self, key: &Key) -> bool {
        !self.interrupted && self.prefix.contains(key)
    }
}
