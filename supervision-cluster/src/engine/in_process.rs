//! The engine within one process: many nodes, one store, no server; and a world in which everything
//! that goes wrong with a real one goes wrong on command or by chance.
//!
//! Without faults a call is executed at once, under one lock, on the thread that makes it; nodes may be
//! on any threads and runtimes. It has no thread of its own; while an entry is to expire, or something
//! is on its way, one task waits for that (on the runtime of whoever made it so).
//!
//! For simulation, run everything on one current-thread runtime with paused time: all that happens then
//! follows from the seed. What a node lives through:
//!
//! | | calls to the store | messages | watches |
//! |---|---|---|---|
//! | cut from the store | lost either way: reads time out, writes are unknown | as ever | interrupted by the next change they miss |
//! | cut from a node | as ever | lost, a request may be told `NoResponders` | as ever |
//! | outage | as if cut from the store | requests time out or are told `Disconnected`; what was published is lost or arrives later | interrupted |
//! | no leader | refused as unavailable, or lost | as ever | every other one interrupted when it begins |
//! | paused | held until it goes on, then sent | held until it goes on, both ways | held until it goes on |
//! | crashed | never answered; what was sent may still happen | what comes to it is lost | ended |
//! | store replaced | refused as replaced | as ever | interrupted |

mod agenda;
mod calls;
mod changes;
mod faults;
mod following;
mod handle;
mod messages;
mod options;
mod past;
mod shared;
mod stats;
mod store;
mod trace;
mod watches;
mod world;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use supervision_core::Timestamp;

pub use self::{
    faults::{Chance, Faults, LinkFaults, Span, StoreFaults},
    options::Options,
    stats::Stats,
    trace::{Step, TraceEvent},
};
use self::{
    handle::Handle,
    shared::Shared,
    world::{Caller, End, World},
};
use super::{Engine, StoreIncarnation};
use crate::clock::VirtualClock;

/// A store and its nodes within this process. Every clone is the same one.
///
/// ```
/// use bytes::Bytes;
/// use supervision_cluster::engine::{Engine, Expected, Key, in_process::{InProcess, Options}};
///
/// # futures_util::FutureExt::now_or_never(async {
/// let engine = InProcess::new(Options::new());
/// let (a, b) = (engine.connect("a"), engine.connect("b"));
///
/// let key = Key::of(["owner", "users/1"])?;
/// let epoch = a.write(&key, Bytes::from_static(b"a"), Expected::Absent, None).await?;
/// assert!(b.write(&key, Bytes::from_static(b"b"), Expected::Absent, None).await.is_err());
/// assert_eq!(b.get(&key).await?.unwrap().revision, epoch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap().unwrap();
/// ```
#[derive(Clone)]
pub struct InProcess(Arc<Shared>);

/// One side of what can be cut apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place<'a> {
    /// A node, by its name.
    Node(&'a str),
    /// The store.
    Store,
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(node: &'a str) -> Self {
        Self::Node(node)
    }
}

impl InProcess {
    /// A store with nothing in it, and no nodes.
    pub fn new(options: Options) -> Self {
        Self(Shared::new(options))
    }

    /// A handle for the node of this name, which may have several.
    ///
    /// Calls under faults, expiries and requests need a tokio runtime with time; the other calls any
    /// executor.
    pub fn connect(&self, node: &str) -> Arc<dyn Engine> {
        let handle = self.0.with(|world| {
            let id = world.node(node);
            world.trace(Some(id), Step::Connect, "", || 0);
            let node = &world.nodes[id];
            Handle {
                shared: Arc::clone(&self.0),
                caller: Caller {
                    node: id,
                    clock: node.clock.clone(),
                    store: world.incarnation,
                    open: Arc::clone(&node.open),
                },
                request_timeout: world.options.request_timeout,
                max_payload: world.options.max_payload,
            }
        });
        Arc::new(handle)
    }

    /// The simulated clock of a node. It begins when the node is first named and survives its crashes.
    pub fn clock(&self, node: &str) -> VirtualClock {
        self.0.with(|world| {
            let node = world.node(node);
            world.nodes[node].clock.clone()
        })
    }

    /// Time since this was made: true time, which no node's clock need tell.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// What goes wrong by chance from now on. What is on its way stays so.
    pub fn set_faults(&self, faults: Faults) {
        self.0.with(|world| world.set_faults(faults));
    }

    /// Stops a node, as `SIGSTOP` does: nothing is delivered to it, none of its sleeps ends, and what it
    /// sends is held. Its clock goes on, and so do the lives of its leases.
    ///
    /// What a task of the node does without its engine and clock cannot be stopped from here.
    pub fn pause(&self, node: &str) {
        self.0.with(|world| {
            let id = world.node(node);
            world.stats(id).pauses += 1;
            world.trace(Some(id), Step::Pause, "", || 0);
            world.nodes[id].clock.pause();
        });
    }

    /// Lets a paused node go on.
    pub fn resume(&self, node: &str) {
        self.0.with(|world| {
            let id = world.node(node);
            world.trace(Some(id), Step::Resume, "", || 0);
            let clock = world.nodes[id].clock.clone();
            world.afterwards(move || clock.resume());
        });
    }

    /// Ends a node as `SIGKILL` does: its handles are closed for good, its streams end, what comes to it
    /// is lost, and what it sent may still arrive. [`connect`](Self::connect) starts it again.
    pub fn crash(&self, node: &str) {
        self.0.with(|world| {
            let id = world.node(node);
            world.stats(id).crashes += 1;
            world.trace(Some(id), Step::Crash, "", || 0);
            let node = &mut world.nodes[id];
            node.open.store(false, Ordering::SeqCst);
            node.open = Arc::new(AtomicBool::new(true));
            let clock = node.clock.clone();
            world.drop_watches(id);
            world.drop_serving(id);
            // Calls of a paused node are to end, too.
            world.afterwards(move || clock.resume());
        });
    }

    /// Keeps everything that is sent from one place to the other from arriving, also what is on its way.
    pub fn cut_one_way(&self, from: Place<'_>, to: Place<'_>) {
        self.0.with(|world| world.cut(from, to, true));
    }

    /// Cuts two places apart in both directions.
    pub fn cut(&self, one: Place<'_>, other: Place<'_>) {
        self.0.with(|world| {
            world.cut(one, other, true);
            world.cut(other, one, true);
        });
    }

    /// Joins two places again, in both directions.
    pub fn heal(&self, one: Place<'_>, other: Place<'_>) {
        self.0.with(|world| {
            world.cut(one, other, false);
            world.cut(other, one, false);
        });
    }

    /// Cuts apart every two places of different groups; those of the same group, and those in none, are
    /// joined as before.
    pub fn partition(&self, groups: &[&[Place<'_>]]) {
        for (index, group) in groups.iter().enumerate() {
            for other in groups.iter().skip(index + 1).copied().flatten() {
                group.iter().for_each(|one| self.cut(*one, *other));
            }
        }
    }

    /// Joins all places again.
    pub fn heal_all(&self) {
        self.0.with(|world| {
            world.severed.cuts.clear();
            world.trace(None, Step::HealLink, "all", || 0);
        });
    }

    /// Takes the engine away from everybody: the store and the messages, those between nodes as well.
    pub fn begin_outage(&self) {
        self.0.with(|world| {
            world.severed.outage = true;
            world.trace(None, Step::BeginOutage, "", || 0);
            world.interrupt_all(None);
        });
    }

    /// Gives it back as it was; some of what was published meanwhile arrives now.
    pub fn end_outage(&self) {
        self.0.with(|world| {
            world.severed.outage = false;
            world.trace(None, Step::EndOutage, "", || 0);
            world.post_held();
        });
    }

    /// Leaves the store without a leader, as between two leaders; messages go on.
    pub fn lose_leader(&self) {
        self.0.with(|world| {
            world.severed.no_leader = true;
            world.trace(None, Step::LoseLeader, "", || 0);
            world.interrupt_some();
        });
    }

    /// Gives the store a leader again. Nothing that was acknowledged is lost.
    pub fn find_leader(&self) {
        self.0.with(|world| {
            world.severed.no_leader = false;
            world.trace(None, Step::FindLeader, "", || 0);
        });
    }

    /// Interrupts all watches of a node.
    pub fn interrupt_watches(&self, node: &str) {
        self.0.with(|world| {
            let node = world.node(node);
            world.interrupt_all(Some(node));
        });
    }

    /// Replaces the store by another one with nothing in it, whose revisions begin anew. Handles to the
    /// former one are refused.
    pub fn replace_store(&self, incarnation: StoreIncarnation) {
        self.0.with(|world| {
            world.incarnation = incarnation;
            // Appointments of former entries find nothing of that revision, or an entry of the new store
            // that happens to have it: drop them.
            let obsolete = std::mem::take(&mut world.store).into_appointments();
            obsolete.for_each(|appointment| world.agenda.cancel(appointment));
            world.past.clear();
            world.trace(None, Step::ReplaceStore, "", || 0);
            world.interrupt_all(None);
        });
    }

    /// What was counted, over all nodes and the store.
    pub fn stats(&self) -> Stats {
        self.0.with(|world| {
            let mut sum = world.store_stats;
            world.nodes.iter().for_each(|node| sum += &node.stats);
            sum
        })
    }

    /// What was counted for one node; nothing if there is none of this name.
    pub fn stats_of(&self, node: &str) -> Stats {
        let counted = |world: &mut World| world.known(node).map(|node| node.stats);
        self.0.with(counted).unwrap_or_default()
    }

    /// What was counted, by node.
    pub fn stats_by_node(&self) -> BTreeMap<String, Stats> {
        self.0.with(|world| {
            let nodes = world.nodes.iter();
            nodes
                .map(|node| (node.name.to_string(), node.stats))
                .collect()
        })
    }
}

impl World {
    fn cut(&mut self, from: Place<'_>, to: Place<'_>, apart: bool) {
        let ends = (self.end(from), self.end(to));
        if ends.0 == ends.1 {
            return;
        }
        if apart {
            self.severed.cuts.insert(ends);
        } else {
            self.severed.cuts.remove(&ends);
        }
        let step = if apart { Step::CutLink } else { Step::HealLink };
        self.trace(None, step, &format!("{from:?} {to:?}"), || 0);
    }

    fn end(&mut self, place: Place<'_>) -> End {
        match place {
            Place::Node(name) => End::Node(self.node(name)),
            Place::Store => End::Store,
        }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}
