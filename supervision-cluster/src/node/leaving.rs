//! How a node gives its actors away, and itself up: so many moves at once, until none is left or time
//! is up.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use supervision_core::{PlacementStrategy, Timestamp, placement::PlacementRequest};
use tokio::sync::oneshot;

use super::{driver::Driver, handle::DrainReport};
use crate::protocol::{ActorPath, Input, Order};

/// Moves that are under way at once.
const MOVES_AT_ONCE: usize = 128;

/// A drain that is under way, or over: a node that has drained takes nothing any more.
pub(super) struct Drain {
    until: Timestamp,
    leave: bool,
    replies: Vec<oneshot::Sender<DrainReport>>,
    todo: VecDeque<ActorPath>,
    under_way: BTreeSet<ActorPath>,
    moved: usize,
    /// When what could not be moved is tried again.
    again_at: Option<Timestamp>,
    is_beginning: bool,
    is_done: bool,
}

impl Drain {
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        if self.is_done {
            return None;
        }
        // While moves are under way their ends wake the driver.
        let waits = self.todo.is_empty() && self.under_way.is_empty();
        let again_at = self.again_at.filter(|_| waits);
        Some(again_at.map_or(self.until, |at| at.min(self.until)))
    }
}

impl Driver {
    pub(super) fn order_drain(
        &mut self,
        within: Duration,
        leave: bool,
        reply: oneshot::Sender<DrainReport>,
    ) {
        let now = self.shared.clock.now();
        let until = now.saturating_add(within);
        let mut replies = vec![reply];
        if let Some(earlier) = self.drain.take() {
            replies.extend(earlier.replies);
        }
        self.drain = Some(Drain {
            until,
            leave,
            replies,
            todo: VecDeque::new(),
            under_way: BTreeSet::new(),
            moved: 0,
            again_at: Some(now),
            is_beginning: false,
            is_done: false,
        });
        self.tell_profile();
        self.see();
        // The loop comes to it when the machine has nothing to do.
        self.inputs.push_back(Input::Tick);
    }

    /// One of the drain's moves is over.
    pub(super) fn has_drained(&mut self, path: &ActorPath, moved: bool) {
        if let Some(drain) = &mut self.drain
            && drain.under_way.remove(path)
        {
            drain.moved += usize::from(moved);
        }
    }

    pub(super) fn go_on_draining(&mut self) {
        let now = self.shared.clock.now();
        let Some(drain) = &mut self.drain else {
            return;
        };
        // A move is begun by way of `step`, which comes back here.
        if drain.is_done || drain.is_beginning {
            return;
        }
        if now >= drain.until {
            return self.drained();
        }
        if drain.todo.is_empty() && drain.under_way.is_empty() {
            if drain.again_at.is_some_and(|at| now < at) {
                return;
            }
            drain.again_at = Some(now.saturating_add(self.config.terms.pause()));
            if !self.boot.machine.has_paths() {
                return self.drained();
            }
            let owned = self.boot.machine.owned();
            drain.todo = owned.map(|(path, _)| path.clone()).collect();
        }
        drain.is_beginning = true;
        self.begin_moves();
        if let Some(drain) = &mut self.drain {
            drain.is_beginning = false;
        }
    }

    fn begin_moves(&mut self) {
        while let Some(drain) = &mut self.drain
            && drain.under_way.len() < MOVES_AT_ONCE
            && let Some(path) = drain.todo.pop_front()
        {
            if self.boot.machine.serving(&path).is_none() {
                continue;
            }
            let Some(kind) = self.boot.actors.kind(&path) else {
                continue;
            };
            let name = kind.name().as_str();
            let request = PlacementRequest::relocation(path.as_str(), name, &self.shared.node);
            // Where its own placement finds no other node, any is better than none.
            let placed = self
                .shared
                .place(kind.placement(), &request)
                .or_else(|_| self.shared.place(&PlacementStrategy::Rendezvous, &request));
            let Ok(placed) = placed else {
                continue;
            };
            drain.under_way.insert(path.clone());
            self.move_actor(path, &placed.node);
        }
    }

    fn drained(&mut self) {
        let owned = self.boot.machine.owned();
        let left: Vec<ActorPath> = owned.map(|(path, _)| path.clone()).collect();
        let Some(drain) = &mut self.drain else {
            return;
        };
        drain.is_done = true;
        let report = DrainReport {
            moved: drain.moved,
            left,
        };
        if !drain.leave {
            for reply in drain.replies.drain(..) {
                let _ = reply.send(report.clone());
            }
            return;
        }
        if report.left.is_empty() && self.boot.machine.is_valid(self.shared.clock.now()) {
            self.inputs.push_back(Input::Order(Order::Leave));
            // `has_left` answers.
            return self.step();
        }
        self.has_left();
    }

    /// Something came in between: it goes on draining while there is time.
    pub(super) fn not_left(&mut self) {
        let now = self.shared.clock.now();
        match &mut self.drain {
            Some(drain) if now < drain.until => {
                drain.is_done = false;
                drain.again_at = Some(now.saturating_add(self.config.terms.pause()));
            }
            _ => self.has_left(),
        }
    }

    /// The node's lease is given back, or as good as lost.
    pub(super) fn has_left(&mut self) {
        let owned = self.boot.machine.owned();
        let left: Vec<ActorPath> = owned.map(|(path, _)| path.clone()).collect();
        if let Some(drain) = &mut self.drain {
            let report = DrainReport {
                moved: drain.moved,
                left,
            };
            for reply in drain.replies.drain(..) {
                let _ = reply.send(report.clone());
            }
        }
        self.is_over = true;
    }
}
