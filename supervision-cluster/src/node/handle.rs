//! A node's handle: how a program joins a cluster, and what it can want of its node.

use std::{any::TypeId, collections::BTreeMap, fmt, sync::Arc, time::Duration};

use actix::{Actor, Context};
use supervision_core::{
    NodeId, PlacementStrategy,
    placement::{ClusterView, PlacementError},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    driver::Driver,
    happened::{Happened, Order},
    profile::MemberView,
    shared::{MessageCounts, NodeShared},
};
use crate::{
    clock::Clock,
    cluster_ref::ClusterRef,
    config::{ClusterConfig, ConfigError},
    engine::Engine,
    protocol::{ActorPath, Durability, Epoch, KindName, Member, Place},
};

/// A node did not become a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// See [`ConfigError`].
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The engine is closed, or is another one than at the beginning.
    #[error("the engine is gone: {0}")]
    Engine(String),
}

/// An actor was not started by this call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is one already, or there was until just now.
    #[error("there is an actor at this path, at {0:?}")]
    Exists(Option<Place>),
    /// This node has no kind with this type of actor.
    #[error("no kind for {0} is registered")]
    NoKind(String),
    /// No node can take it.
    #[error(transparent)]
    Placement(#[from] PlacementError),
    /// The chosen node left before the actor was made.
    #[error("the chosen node is no member any more")]
    NodeGone,
    /// The node was fenced or left before the outcome was known: the actor may have been made.
    #[error("whether the actor was started is unknown")]
    Unknown,
}

/// An actor was not moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// This node does not own it; where it is as far as this node knows.
    #[error("the actor is not on this node but at {0:?}")]
    NotHere(Option<Place>),
    /// The other node is no member of the cluster, or is this one.
    #[error("{0} is no other member of the cluster")]
    NoMember(NodeId),
    /// It is starting, ending or moving already, and stays as it is.
    #[error("the actor cannot move now")]
    NotNow,
    /// The node was fenced or left before the outcome was known.
    #[error("whether the actor was moved is unknown")]
    Unknown,
}

/// An actor was not ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndError {
    /// This node does not own it.
    #[error("the actor is not on this node")]
    NotHere,
    /// The node was fenced or left before the outcome was known.
    #[error("whether the actor was ended is unknown")]
    Unknown,
}

/// What came of a drain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// Actors that went to other nodes.
    pub moved: usize,
    /// Actors that are still here: no node takes them, or there was no time.
    pub left: Vec<ActorPath>,
}

/// A node of a cluster, as its program has it. Every clone is the same node; can be sent to other
/// threads. When the last clone and the last reference are dropped, the node goes on until it is told to
/// [`leave`](Self::leave) or its thread ends.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) shared: Arc<NodeShared>,
    kinds: Arc<BTreeMap<TypeId, (KindName, Durability)>>,
    members: watch::Receiver<Arc<Vec<MemberView>>>,
    timeout: Duration,
}

impl Cluster {
    /// Joins a cluster, on this thread: an actix system, or a `LocalSet`. Returns once the node is a
    /// member, however long that takes.
    ///
    /// A node that is fenced, because it could not renew its lease in time, ends its actors, and joins
    /// again by itself as a new boot.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn join(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        config: ClusterConfig,
    ) -> Result<Self, JoinError> {
        let names = config.check()?;
        let (to_driver, inbox) = mpsc::unbounded_channel();
        let rng = config
            .seed
            .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        // A record holds the state, and beside it what was applied to reach it.
        let max_state = engine.max_payload() / 2;
        let node = config.node.clone();
        let shared = NodeShared::new(node, clock, to_driver, max_state, rng);
        let kinds = config.kinds.iter();
        let kinds = kinds.map(|kind| (kind.type_id(), (kind.name().clone(), kind.durability())));
        let kinds = Arc::new(kinds.collect());
        let timeout = config.timeout;
        let (joined, has_joined) = oneshot::channel();
        let (tell_members, members) = watch::channel(Arc::default());
        let driver = Driver::new(
            engine,
            names,
            config,
            Arc::clone(&shared),
            inbox,
            tell_members,
            joined,
        );
        actix::spawn(driver.run());
        let gone = || JoinError::Engine("the node has ended".into());
        has_joined.await.map_err(|_| gone())??;
        Ok(Self {
            shared,
            kinds,
            members,
            timeout,
        })
    }

    /// The node's name.
    pub fn node(&self) -> &NodeId {
        &self.shared.node
    }

    /// This boot of the node; `None` once it has ended.
    pub async fn me(&self) -> Option<Member> {
        self.ask(|reply| Order::Me { reply }).await
    }

    /// The members, this one included.
    pub fn members(&self) -> Arc<Vec<MemberView>> {
        self.members.borrow().clone()
    }

    /// Follows the members. Loads are news, too.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Vec<MemberView>>> {
        self.members.clone()
    }

    /// What placement sees of the cluster.
    pub fn view(&self) -> Arc<ClusterView> {
        self.shared.view()
    }

    /// A reference to the actor at a path, whether there is one or not.
    pub fn actor_ref<A: Actor<Context = Context<A>>>(&self, path: &ActorPath) -> ClusterRef<A> {
        let kind = self.kinds.get(&TypeId::of::<A>());
        let durable = kind.is_some_and(|(_, durability)| *durability == Durability::Durable);
        ClusterRef::new(
            Arc::clone(&self.shared),
            path.clone(),
            self.timeout,
            durable,
        )
    }

    /// Starts an actor at a path, on the node that its kind's placement chooses.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start<A: Actor<Context = Context<A>>>(
        &self,
        path: &ActorPath,
    ) -> Result<ClusterRef<A>, StartError> {
        self.start_by(path, None).await
    }

    /// Starts an actor at a path, on the node that `placement` chooses.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_at<A: Actor<Context = Context<A>>>(
        &self,
        path: &ActorPath,
        placement: PlacementStrategy,
    ) -> Result<ClusterRef<A>, StartError> {
        self.start_by(path, Some(placement)).await
    }

    async fn start_by<A: Actor<Context = Context<A>>>(
        &self,
        path: &ActorPath,
        placement: Option<PlacementStrategy>,
    ) -> Result<ClusterRef<A>, StartError> {
        let Some((kind, _)) = self.kinds.get(&TypeId::of::<A>()) else {
            return Err(StartError::NoKind(std::any::type_name::<A>().into()));
        };
        let order = |reply| Order::Start {
            path: path.clone(),
            kind: kind.clone(),
            placement,
            reply,
        };
        let started = self.ask(order).await;
        started.unwrap_or(Err(StartError::Unknown))?;
        Ok(self.actor_ref(path))
    }

    /// Moves an actor that this node owns to another node; returns once that one owns it.
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn relocate(&self, path: &ActorPath, to: &NodeId) -> Result<Epoch, MoveError> {
        let (path, to) = (path.clone(), to.clone());
        let moved = self.ask(|reply| Order::Move { path, to, reply }).await;
        moved.unwrap_or(Err(MoveError::Unknown))
    }

    /// Ends an actor that this node owns, after what it has in hand.
    ///
    /// # Errors
    /// [`EndError`].
    pub async fn end(&self, path: &ActorPath) -> Result<(), EndError> {
        let path = path.clone();
        let ended = self.ask(|reply| Order::End { path, reply }).await;
        ended.unwrap_or(Err(EndError::Unknown))
    }

    /// Gives the node's actors away, each to where its kind's placement chooses, and takes none any
    /// more. Returns when none is left, or after `within` by the node's clock.
    pub async fn drain(&self, within: Duration) -> DrainReport {
        let order = |reply| Order::Drain {
            within,
            leave: false,
            reply,
        };
        self.ask(order).await.unwrap_or_default()
    }

    /// [Drains](Self::drain) the node, gives its lease back, and ends it. What could not be moved in
    /// time ends here, and is claimed by others once the lease has run out.
    pub async fn leave(&self, within: Duration) -> DrainReport {
        let order = |reply| Order::Drain {
            within,
            leave: true,
            reply,
        };
        self.ask(order).await.unwrap_or_default()
    }

    /// Where an actor is as far as this node knows; nobody is asked.
    pub async fn locate(&self, path: &ActorPath) -> Option<Place> {
        let path = path.clone();
        self.ask(|reply| Order::Locate { path, reply }).await?
    }

    /// The actors that this node owns.
    pub async fn owned(&self) -> Vec<(ActorPath, Epoch)> {
        let owned = self.ask(|reply| Order::Owned { reply }).await;
        owned.unwrap_or_default()
    }

    /// What became of the messages that were sent from this node.
    pub fn message_counts(&self) -> MessageCounts {
        self.shared.counts.read()
    }

    /// Whether the node has ended: it has left, or its engine is gone.
    pub fn has_ended(&self) -> bool {
        self.shared.to_driver.is_closed()
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (reply, replied) = oneshot::channel();
        self.shared.tell(Happened::Order(order(reply)));
        replied.await.ok()
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(&self.shared.node).finish()
    }
}
