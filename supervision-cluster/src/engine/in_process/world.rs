//! All state of an in-process engine, and how anything gets from one place to another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use fastrand::Rng;
use supervision_core::Timestamp;
use tokio::sync::Notify;

use super::{
    Faults, LinkFaults, Options, Stats, Step, TraceEvent,
    agenda::{Agenda, Event},
    messages::Messages,
    options::Tracer,
    past::Past,
    store::Store,
    watches::Watches,
};
use crate::{clock::VirtualClock, engine::StoreIncarnation};

/// A node, by the order in which nodes were first named.
pub(super) type NodeId = usize;

/// One end of a way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Node(NodeId),
    Store,
}

/// Who calls: a node as it connected.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) node: NodeId,
    pub(super) clock: VirtualClock,
    pub(super) store: StoreIncarnation,
    /// False once the node has crashed.
    pub(super) open: Arc<AtomicBool>,
}

impl Caller {
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }
}

pub(super) struct Node {
    pub(super) name: Arc<str>,
    pub(super) clock: VirtualClock,
    pub(super) open: Arc<AtomicBool>,
    pub(super) stats: Stats,
}

/// What is done once the lock is free again.
pub(super) enum After {
    Wake(Arc<Notify>),
    Run(Box<dyn FnOnce() + Send>),
}

/// What keeps things from arriving, by command.
#[derive(Default)]
pub(super) struct Severed {
    pub(super) cuts: BTreeSet<(End, End)>,
    pub(super) outage: bool,
    pub(super) no_leader: bool,
}

impl Severed {
    fn nothing(&self) -> bool {
        self.cuts.is_empty() && !self.outage && !self.no_leader
    }
}

/// Everything, behind one lock.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) rng: Rng,
    pub(super) incarnation: StoreIncarnation,
    pub(super) options: Options,
    pub(super) severed: Severed,
    pub(super) agenda: Agenda,
    /// Until when the pump sleeps, if there is one.
    pub(super) pump: Option<Timestamp>,
    pub(super) after: Vec<After>,
    pub(super) nodes: Vec<Node>,
    pub(super) store: Store,
    pub(super) store_stats: Stats,
    pub(super) past: Past,
    pub(super) watches: Watches,
    pub(super) messages: Messages,
    names: BTreeMap<Arc<str>, NodeId>,
    links: BTreeMap<(NodeId, NodeId), LinkFaults>,
    /// When the last thing sent in order from one end to another arrives.
    arrivals: BTreeMap<(End, End), Timestamp>,
    /// Things on their way.
    in_flight: usize,
    /// No fault by chance is switched on.
    no_chance: bool,
}

impl World {
    pub(super) fn new(options: Options) -> Self {
        let mut world = Self {
            now: Timestamp::default(),
            rng: Rng::with_seed(options.seed),
            incarnation: options.incarnation,
            severed: Severed::default(),
            agenda: Agenda::default(),
            pump: None,
            after: Vec::new(),
            nodes: Vec::new(),
            store: Store::default(),
            store_stats: Stats::default(),
            past: Past::default(),
            watches: Watches::default(),
            messages: Messages::default(),
            names: BTreeMap::new(),
            links: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            in_flight: 0,
            no_chance: true,
            options,
        };
        world.resolve_faults();
        world
    }

    pub(super) fn set_faults(&mut self, faults: Faults) {
        self.options.faults = faults;
        self.resolve_faults();
    }

    fn resolve_faults(&mut self) {
        let links = std::mem::take(&mut self.options.faults.links);
        self.no_chance = links.is_empty() && self.options.faults == Faults::default();
        let resolved = links.iter().map(|((from, to), faults)| {
            let ends = (self.node(from), self.node(to));
            (ends, *faults)
        });
        self.links = resolved.collect();
        self.options.faults.links = links;
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.options.faults
    }

    /// The node of this name; it exists once it was named.
    pub(super) fn node(&mut self, name: &str) -> NodeId {
        if let Some(node) = self.names.get(name) {
            return *node;
        }
        let (node, name) = (self.nodes.len(), Arc::<str>::from(name));
        self.names.insert(Arc::clone(&name), node);
        self.nodes.push(Node {
            name,
            clock: VirtualClock::new(),
            open: Arc::new(AtomicBool::new(true)),
            stats: Stats::default(),
        });
        node
    }

    pub(super) fn known(&self, name: &str) -> Option<&Node> {
        self.names.get(name).map(|node| &self.nodes[*node])
    }

    pub(super) fn stats(&mut self, node: NodeId) -> &mut Stats {
        &mut self.nodes[node].stats
    }

    /// Tells the tracer, if there is one.
    pub(super) fn trace(
        &mut self,
        node: Option<NodeId>,
        step: Step,
        about: &str,
        number: impl FnOnce() -> u64,
    ) {
        let Some(tracer) = &mut self.options.tracer else {
            return;
        };
        let name = node.map(|node| Arc::clone(&self.nodes[node].name));
        tell(tracer, self.now, name, step, about, number());
    }

    /// Nothing can go wrong and nothing is on its way, so everything may happen at once.
    pub(super) fn is_calm(&self) -> bool {
        self.no_chance && self.in_flight == 0 && self.severed.nothing()
    }

    pub(super) fn later(&mut self, at: Timestamp, arrive: impl FnOnce(&mut Self) + Send + 'static) {
        self.in_flight += 1;
        self.agenda.note(at, Event::Arrive(Box::new(arrive)));
    }

    /// Now if `at` has come, otherwise then.
    pub(super) fn at(&mut self, at: Timestamp, arrive: impl FnOnce(&mut Self) + Send + 'static) {
        if at <= self.now {
            arrive(self);
        } else {
            self.later(at, arrive);
        }
    }

    pub(super) fn afterwards(&mut self, act: impl FnOnce() + Send + 'static) {
        self.after.push(After::Run(Box::new(act)));
    }

    /// Lets everything happen that is due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some((at, event)) = self.agenda.take_due(now) {
            // As if it had happened on time, however late somebody looked.
            self.now = self.now.max(at);
            match event {
                Event::Expire(key, revision) => self.expire(&key, revision),
                Event::Forget(key, revision) => self.forget(&key, revision),
                Event::Arrive(arrive) => {
                    self.in_flight -= 1;
                    arrive(self);
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// Whether a partition or an outage keeps anything from getting from one end to the other; counted
    /// for `node`, on whose account it travels.
    pub(super) fn is_severed(&mut self, node: NodeId, from: End, to: End, about: &str) -> bool {
        if self.severed.outage {
            self.stats(node).lost_in_outage += 1;
            self.trace(Some(node), Step::MeetOutage, about, || 0);
            return true;
        }
        let cut = self.severed.cuts.contains(&(from, to));
        if cut {
            self.stats(node).cut += 1;
            self.trace(Some(node), Step::Cut, about, || 0);
        }
        cut
    }

    /// Sends something on its way: when it arrives, or `None` if it is lost.
    ///
    /// It may still be cut off when it arrives: ask [`is_severed`](Self::is_severed) again then.
    pub(super) fn travel(
        &mut self,
        node: NodeId,
        from: End,
        to: End,
        about: &str,
    ) -> Option<Timestamp> {
        if self.is_calm() {
            return Some(self.now);
        }
        if self.is_severed(node, from, to, about) {
            return None;
        }
        let link = self.link(from, to);
        if link.loss.hits(&mut self.rng) {
            self.stats(node).lost += 1;
            self.trace(Some(node), Step::Lose, about, || 0);
            return None;
        }
        let mut due = self.now.saturating_add(link.delay.draw(&mut self.rng));
        if link.reorder.hits(&mut self.rng) {
            due = due.saturating_add(link.reorder_by.draw(&mut self.rng));
            self.stats(node).reordered += 1;
            self.trace(Some(node), Step::Reorder, about, || 0);
        } else {
            let last = self.arrivals.entry((from, to)).or_default();
            due = due.max(*last);
            *last = due;
        }
        if due > self.now {
            self.stats(node).delayed += 1;
        }
        Some(due)
    }

    pub(super) fn link(&self, from: End, to: End) -> LinkFaults {
        match (from, to) {
            (End::Node(from), End::Node(to)) => {
                let own = self.links.get(&(from, to));
                *own.unwrap_or(&self.faults().every_link)
            }
            _ => self.faults().store.link,
        }
    }
}

fn tell(
    tracer: &mut Tracer,
    at: Timestamp,
    node: Option<Arc<str>>,
    step: Step,
    about: &str,
    number: u64,
) {
    tracer(&TraceEvent {
        at,
        node: node.unwrap_or_else(|| "".into()),
        step,
        about: about.into(),
        number,
    });
}
