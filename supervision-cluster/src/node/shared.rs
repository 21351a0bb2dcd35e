//! What the parts of one node have in common, from any thread: the way to its driver, its clock, what
//! it sees of the cluster, and where its own actors are. Nothing here decides or waits.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use supervision_core::{
    NodeId, PlacementStrategy, Timestamp,
    placement::{ClusterView, Cursor, Placement, PlacementError, PlacementRequest, place},
};
use tokio::sync::mpsc;

use super::happened::Happened;
use crate::{clock::Clock, protocol::ActorPath};

/// Until when one boot of the node may act.
///
/// Whoever acts for that boot compares the clock with it each time; no timer is relied upon.
pub(crate) struct Validity {
    clock: Arc<dyn Clock>,
    until: AtomicU64,
}

impl Validity {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            until: AtomicU64::new(0),
        })
    }

    pub(crate) fn set(&self, until: Option<Timestamp>) {
        let until = until.map_or(0, Timestamp::as_nanos);
        self.until.store(until, Ordering::Release);
    }

    #[inline]
    pub(crate) fn holds(&self) -> bool {
        let until = self.until.load(Ordering::Acquire);
        until > 0 && self.clock.now().as_nanos() < until
    }
}

/// Every message comes to one outcome; these are their sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageCounts {
    /// Messages that users of this node sent.
    pub sent: u64,
    /// Those whose handler returned.
    pub delivered: u64,
    /// Those whose handler failed.
    pub failed: u64,
    /// Those that were not handled, and will not be.
    pub refused: u64,
    /// Those of which that is not known.
    pub unknown: u64,
    /// Of the sent ones, those that took the short way to an actor of this node.
    pub short_way: u64,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) short_way: AtomicU64,
}

impl Counts {
    pub(crate) fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> MessageCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MessageCounts {
            sent: read(&self.sent),
            delivered: read(&self.delivered),
            failed: read(&self.failed),
            refused: read(&self.refused),
            unknown: read(&self.unknown),
            short_way: read(&self.short_way),
        }
    }
}

pub(crate) struct NodeShared {
    pub(crate) node: NodeId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) to_driver: mpsc::UnboundedSender<Happened>,
    pub(crate) view: RwLock<Arc<ClusterView>>,
    pub(crate) routes: RwLock<HashMap<ActorPath, Arc<dyn Any + Send + Sync>>>,
    pub(crate) counts: Counts,
    /// The longest state that is sure to fit into a record.
    pub(crate) max_state: usize,
    pub(crate) rng: Mutex<fastrand::Rng>,
    cursor: Mutex<Cursor>,
}

impl NodeShared {
    pub(crate) fn new(
        node: NodeId,
        clock: Arc<dyn Clock>,
        to_driver: mpsc::UnboundedSender<Happened>,
        max_state: usize,
        rng: fastrand::Rng,
    ) -> Arc<Self> {
        Arc::new(Self {
            node,
            clock,
            to_driver,
            view: RwLock::default(),
            routes: RwLock::default(),
            counts: Counts::default(),
            max_state,
            rng: Mutex::new(rng),
            cursor: Mutex::default(),
        })
    }

    /// Tells the driver. One that is gone has no use for it; whoever waits for what comes of it sees
    /// that by what is dropped.
    pub(crate) fn tell(&self, happened: Happened) {
        let _ = self.to_driver.send(happened);
    }

    pub(crate) fn view(&self) -> Arc<ClusterView> {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&view)
    }

    pub(crate) fn place(
        &self,
        strategy: &PlacementStrategy,
        request: &PlacementRequest<'_>,
    ) -> Result<Placement, PlacementError> {
        let view = self.view();
        let entropy = self.random();
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        place(strategy, &view, request, &mut cursor, entropy)
    }

    pub(crate) fn random(&self) -> u64 {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        rng.u64(..)
    }

    pub(crate) fn route(&self, path: &ActorPath) -> Option<Arc<dyn Any + Send + Sync>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(path).cloned()
    }

    pub(crate) fn set_route(&self, path: &ActorPath, route: Arc<dyn Any + Send + Sync>) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.insert(path.clone(), route);
    }

    pub(crate) fn remove_route(&self, path: &ActorPath) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.remove(path);
    }
}
