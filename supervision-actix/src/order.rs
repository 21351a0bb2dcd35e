//! What a group and its children say to each other: orders go down, notices come up. Both may cross
//! threads, so nothing in here is tied to one.

use std::{sync::Arc, time::Duration};

use supervision_core::{
    Cause, Decision,
    group::{ChildId, Exit, Incarnation},
};
use tokio::sync::mpsc;

use crate::{
    control::Call,
    death_watch::Teller,
    group::Event,
    snapshot::{Ask, UnderWay},
};

/// One life of a child, as its group counts them.
pub(crate) type Life = Incarnation;

/// Paths of the groups that escalated a failure, the first one first.
pub(crate) type Trail = Vec<Arc<str>>;

/// How long a child on another arbiter may take to die when it is killed; after that its group goes
/// on without it. A thread that is blocked cannot be pre-empted.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// What a group wants of a child. An order about a life that is over is ignored.
pub(crate) enum Order {
    /// Begin a life.
    Start(Life),
    /// End it; answered by [`News::Stopped`].
    Stop {
        life: Life,
        means: Means,
        /// Whether another life is to follow, for its own failure or along with a sibling.
        restarts: bool,
    },
    /// Go on after a failure.
    Resume(Life),
    /// Nothing to do: what was decided about the last failure. Boxed: queues have room for several
    /// orders, and this one is seldom.
    Decided(Box<Decided>),
    /// Nothing to do: a group above has escalated the last failure too.
    Escalated { by: Arc<str> },
    /// Let nobody wait for messages to be handled: no start is due.
    Refuse,
    /// Tell somebody when it has ended.
    Watch(Teller),
    /// Say what it is doing.
    Show(Ask),
    /// The group is done with it.
    Leave,
}

/// What was decided about a failure, and by which group.
pub(crate) struct Decided {
    pub(crate) cause: Cause,
    pub(crate) decision: Decision,
    pub(crate) by: Arc<str>,
}

/// How a life is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// It is asked to stop.
    Ask,
    /// Its value is dropped.
    Kill,
}

/// What became of a life.
pub(crate) struct Notice {
    pub(crate) child: ChildId,
    pub(crate) life: Life,
    pub(crate) news: News,
}

pub(crate) enum News {
    /// It runs.
    Started,
    /// It does not run.
    StartFailed(Cause, Trail),
    /// It ended by itself.
    Exited(Exit, Trail),
    /// It failed, is sound, and does nothing until it is told what.
    Suspended(Cause, Trail),
    /// It ended as ordered.
    Stopped,
}

/// The way from a child to its group.
pub(crate) struct Post {
    pub(crate) child: ChildId,
    pub(crate) to: mpsc::UnboundedSender<Event>,
}

impl Post {
    /// Tells the group. One that is gone has no use for it.
    pub(crate) fn tell(&self, life: Life, news: News) {
        let child = self.child.clone();
        let _ = self.to.send(Event::Notice(Notice { child, life, news }));
    }
}

/// The way from a group to a child; the child is left when it is dropped.
pub(crate) enum Line {
    Actor(Arc<Call>),
    Group(mpsc::UnboundedSender<Event>, UnderWay),
}

impl Line {
    /// Gives an order; `false` if nobody is there to obey.
    pub(crate) fn order(&self, order: Order) -> bool {
        match self {
            Self::Actor(call) => call.order(order),
            Self::Group(events, under_way) => {
                let order = match order {
                    Order::Show(ask) => under_way.admit(ask).map(Order::Show),
                    order => Some(order),
                };
                // A question too many is dropped, and who asked learns that.
                order.is_none_or(|order| events.send(Event::Order(order)).is_ok())
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.order(Order::Leave);
    }
}

/// Why a child whose arbiter has stopped does not run.
pub(crate) fn arbiter_stopped() -> Cause {
    Cause::named(
        "supervision_actix::ArbiterStopped",
        "the child's arbiter has stopped",
    )
}
