//! The placement strategies as values that can be written in code and in configuration files.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{check::MAX_PLACEMENT_DEPTH, eligible::Terms, label::LabelRule};
use crate::{
    failure::NodeId,
    nesting::{Level, Nesting},
};

/// How a node is chosen among the eligible ones (alive, not draining, advertising this kind of
/// actor; never the node a relocated actor comes from).
///
/// The value only names the wish; [`place`](super::place()) fulfils it. Where no cluster is attached
/// there is no other node, and a relocation restarts the actor in place, which is counted and
/// recorded as such.
///
/// The fields are public, so a literal can hold nonsense; [`validate`](Self::validate), the policy
/// it becomes part of, and deserialization refuse it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub enum PlacementStrategy {
    /// The eligible nodes in turn, by name, whatever their weight. The turn is the caller's
    /// [`Cursor`](super::Cursor): each one that places has its own.
    RoundRobin,
    /// Any eligible node, each equally likely, whatever its weight.
    Random,
    /// The eligible node that reports the least load for its weight; among equals the one with the
    /// fewest actors for its weight, then the first in the path's rendezvous order, so that many who
    /// place at once do not all choose one.
    LeastLoaded,
    /// This node, and no other.
    Node(NodeId),
    /// The first in the path's rendezvous order (highest random weight): each path goes to a node
    /// with a probability proportional to the node's weight, everybody with the same view names the
    /// same node, and a node that comes or goes changes the place of no actor but its own.
    Rendezvous,
    /// As `Rendezvous`, with the next nodes in that order as stand-bys.
    ///
    /// `replicas` is the number of nodes in all, as in Kubernetes or Kafka: the owner and
    /// `replicas - 1` stand-bys. Only the owner runs the actor: there is one incarnation at any
    /// time. The stand-bys are where copies of its checkpoint are kept warm, in the order in which
    /// they take over. Where fewer nodes are eligible there are fewer stand-bys, which is no error.
    Redundant {
        /// 1 to [`MAX_REPLICAS`](super::MAX_REPLICAS).
        replicas: usize,
    },
    /// Near the actors of a group: the eligible node that has most of them; among equals the first
    /// in the group's rendezvous order. While no eligible node has any, as `fallback`.
    LocalAffinity {
        /// Name of the group; not empty.
        group: String,
        /// Where the first one goes.
        fallback: Box<PlacementStrategy>,
    },
    /// As `among`, but only on nodes that fit every one of `require`.
    Labels {
        /// 1 to [`MAX_LABELS`](super::MAX_LABELS) rules such as `disk=ssd` or `gpu`.
        require: Vec<LabelRule>,
        /// How to choose among them.
        among: Box<PlacementStrategy>,
    },
    /// As `among`, but spread over the values of a label, such as the zone.
    ///
    /// A value is open while taking one actor more it has at most `max_skew` more of them than the
    /// value that has the fewest, of all values with an eligible node (`maxSkew` of Kubernetes'
    /// topology spread). Nodes without the label are not eligible. Where several spreads are
    /// nested, the outer one is kept first. It holds for each placement by what the view knows:
    /// placements at once, claims after the loss of a node, and stops may bend it, and the
    /// rebalancer mends that.
    Spread {
        /// Name of the label whose values share the actors.
        label: String,
        /// Which actors are counted: those of this group, or all of the kind.
        group: Option<String>,
        /// How uneven it may be: at least 1.
        max_skew: u64,
        /// How to choose among the nodes of the open values.
        among: Box<PlacementStrategy>,
    },
}

impl PlacementStrategy {
    /// This strategy on nodes that fit `rules` only.
    #[must_use]
    pub fn on_nodes_with(self, rules: impl IntoIterator<Item = LabelRule>) -> Self {
        Self::Labels {
            require: rules.into_iter().collect(),
            among: Box::new(self),
        }
    }

    /// This strategy with the actors of a kind spread over the values of `label`, as evenly as can
    /// be (a skew of 1).
    #[must_use]
    pub fn spread_over(self, label: impl Into<String>) -> Self {
        Self::Spread {
            label: label.into(),
            group: None,
            max_skew: 1,
            among: Box::new(self),
        }
    }

    /// The group an actor placed like this counts in by the strategy alone: the one that the
    /// outermost `Spread` with a group names, else that of the `LocalAffinity` within.
    pub fn group(&self) -> Option<&str> {
        Terms::of(self).group()
    }
}

impl Serialize for PlacementStrategy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for PlacementStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(level) = Level::enter(Nesting::Placements, MAX_PLACEMENT_DEPTH) else {
            let problem =
                format_args!("placements are nested deeper than {MAX_PLACEMENT_DEPTH} levels");
            return Err(D::Error::custom(problem));
        };
        let strategy = Self::deserialize(deserializer)?;
        // Part of a supervision strategy it is checked with that, and the error names the full path.
        if level.is_outermost() && !Level::is_open(Nesting::Strategies) {
            strategy.validate().map_err(D::Error::custom)?;
        }
        Ok(strategy)
    }
}
