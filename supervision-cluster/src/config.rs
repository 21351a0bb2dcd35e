//! What a node is told about its cluster and about itself, checked before anything is done.

use std::{collections::BTreeMap, num::NonZeroU16, sync::Arc, time::Duration};

use actix::{Actor, Context};
use supervision_core::NodeId;

use crate::{
    codec::Names,
    engine::InvalidName,
    kind::Kind,
    node::hosted::AnyKind,
    protocol::{InvalidLease, KindName, LeaseTerms, PathLimits},
};

/// How a node takes part in a cluster.
///
/// ```
/// use std::time::Duration;
/// use supervision_cluster::ClusterConfig;
/// use supervision_core::NodeId;
///
/// let config = ClusterConfig::new(NodeId::new("a")?)
///     .with_lease(Duration::from_secs(5), Duration::from_secs(1), Duration::from_secs(2))?
///     .with_label("zone", "north");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a configuration does nothing until a node joins with it"]
pub struct ClusterConfig {
    pub(crate) node: NodeId,
    pub(crate) cluster: String,
    pub(crate) terms: LeaseTerms,
    pub(crate) limits: PathLimits,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) weight: NonZeroU16,
    pub(crate) kinds: Vec<Arc<dyn AnyKind>>,
    pub(crate) load: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    pub(crate) sweep: Option<Duration>,
    pub(crate) calls: usize,
    pub(crate) timeout: Duration,
    pub(crate) seed: Option<u64>,
}

/// A configuration was refused. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The cluster's name, or the node's, makes no key in the engine.
    #[error("the names make no key: {0}")]
    Name(#[from] InvalidName),
    /// Two kinds have one name.
    #[error("two kinds have the name {0}")]
    KindTwice(KindName),
    /// Two messages of a kind have one name.
    #[error("two messages of the kind {kind} have the name {message:?}")]
    MessageTwice {
        /// Which kind.
        kind: KindName,
        /// The messages' name.
        message: &'static str,
    },
    /// A limit is zero: nothing could ever be done.
    #[error("{0} must not be zero")]
    Zero(&'static str),
}

impl ClusterConfig {
    /// A node of the cluster `cluster`, with leases of 5 s, for an engine that is away for 1 s at most
    /// and answers within 2 s.
    pub fn new(node: NodeId) -> Self {
        let seconds = Duration::from_secs;
        Self {
            node,
            cluster: "cluster".into(),
            terms: LeaseTerms::standard(),
            limits: PathLimits::default(),
            labels: BTreeMap::new(),
            weight: NonZeroU16::MIN,
            kinds: Vec::new(),
            load: None,
            sweep: None,
            calls: 256,
            timeout: seconds(5),
            seed: None,
        }
    }

    /// Sets the name of the cluster: clusters of different names share an engine without knowing of
    /// each other. Default: `cluster`.
    pub fn with_cluster(mut self, name: impl Into<String>) -> Self {
        self.cluster = name.into();
        self
    }

    /// Sets how long leases are. After the loss of a node its actors are away for 1.1 to 1.4 lengths;
    /// a gap of the engine that is longer than `gap` may fence all nodes. The same on all nodes.
    ///
    /// # Errors
    /// [`InvalidLease`] if the length does not cover the gap and one request.
    pub fn with_lease(
        mut self,
        length: Duration,
        gap: Duration,
        request_timeout: Duration,
    ) -> Result<Self, InvalidLease> {
        self.terms = LeaseTerms::new(length, gap, request_timeout)?;
        Ok(self)
    }

    /// Sets how much one actor may hold. Default: [`PathLimits::default`].
    pub fn with_limits(mut self, limits: PathLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives the node a label, for placements that ask for it. Default: none.
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets how much the node can carry in relation to the others. Default: 1.
    pub fn with_weight(mut self, weight: NonZeroU16) -> Self {
        self.weight = weight;
        self
    }

    /// Adds a kind of actors that the node can run.
    pub fn with_kind<A: Actor<Context = Context<A>>>(mut self, kind: Kind<A>) -> Self {
        self.kinds.push(Arc::new(kind));
        self
    }

    /// Sets what the node reports as its load, in a unit that all nodes share; called before each
    /// renewal of the lease, on the node's thread. Default: its actors and the messages that wait for
    /// them.
    pub fn with_load(mut self, load: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.load = Some(Arc::new(load));
        self
    }

    /// Sets how often the node looks through all ownerships for what nobody runs. Default: every four
    /// lengths of a lease.
    pub fn with_sweep(mut self, period: Duration) -> Self {
        self.sweep = Some(period);
        self
    }

    /// Sets how many calls to the store the node has under way at most, its lease's not counted.
    /// Default: 256.
    pub fn with_calls_at_once(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Sets how long references wait for results unless they say otherwise. Default: 5 s.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets whatever is left to chance follow from `seed`, for simulations. Two nodes, or two boots of
    /// one, must not share it: boots would be taken for each other.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    pub(crate) fn check(&self) -> Result<Names, ConfigError> {
        let names = Names::new(&self.cluster)?;
        names.key(&crate::protocol::RecordKey::Lease(self.node.clone()))?;
        let mut known = BTreeMap::new();
        for kind in &self.kinds {
            let name = kind.name().clone();
            if let Some(message) = kind.doubles().first() {
                return Err(ConfigError::MessageTwice {
                    kind: name,
                    message,
                });
            }
            if known.insert(name.clone(), ()).is_some() {
                return Err(ConfigError::KindTwice(name));
            }
        }
        let limits = &self.limits;
        let zeros = [
            (limits.held, "limits.held"),
            (limits.table, "limits.table"),
            (limits.batch, "limits.batch"),
            (self.calls, "calls"),
        ];
        match zeros.into_iter().find(|(limit, _)| *limit == 0) {
            Some((_, name)) => Err(ConfigError::Zero(name)),
            None => Ok(names),
        }
    }
}
