//! One actor that this node runs: what the driver gives it, what it gives back, and what its
//! supervision asks.
//!
//! Each message is an *item* until it is answered or given back. An item waits, is begun, and is done.
//! Of a durable actor the whole batch is done at once, with the state after it; after a failure what
//! was done is not, and is given back, except what failed.

mod cell;
mod delivery;

use std::{any::TypeId, sync::Arc};

use actix::{Actor, Context};
use bytes::Bytes;
use supervision_actix::{Arrival, EndReason, Factory, Inlet, Luggage};
use supervision_core::{NodeId, PlacementStrategy};

use super::{
    happened::Generation,
    shared::{NodeShared, Validity},
};
use crate::{
    cluster_ref::Route,
    kind::Parts,
    protocol::{ActorPath, Answer, Durability, Epoch, KindName, Request, RequestId},
    snapshot::UnreadableSnapshot,
};

use cell::{Cell, Maker, Seat};
use delivery::{Delivery, Departure};

/// A kind of any type.
pub(crate) trait AnyKind: Send + Sync {
    fn name(&self) -> &KindName;
    fn durability(&self) -> Durability;
    fn placement(&self) -> &PlacementStrategy;
    fn type_id(&self) -> TypeId;
    fn doubles(&self) -> &[&'static str];
    fn start(&self, making: Making) -> Box<dyn Hosted>;
}

/// What an activation begins with.
pub(crate) struct Making {
    pub(crate) shared: Arc<NodeShared>,
    pub(crate) validity: Arc<Validity>,
    pub(crate) generation: Generation,
    pub(crate) path: ActorPath,
    pub(crate) epoch: Epoch,
    pub(crate) state: Option<Bytes>,
    pub(crate) arrival: Option<Arrival>,
}

/// An actor of any kind, as the driver has it.
pub(crate) trait Hosted {
    /// Lets it handle these, in this order.
    fn deliver(&self, requests: Vec<Request>);
    /// Lets it give back what it has not begun with.
    fn recall(&self);
    /// Lets it pack, after what it has.
    fn pack(&self, to: NodeId);
    /// Ends it.
    fn halt(&self);
    /// Opens or closes the short way to it.
    fn open(&self, open: bool);
    fn is_open(&self) -> bool;
    /// What has come of it since this was last asked.
    fn take(&self) -> Taken;
    /// How many messages wait for it here.
    fn depth(&self) -> usize;
}

/// What an actor has to tell.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) started: bool,
    pub(crate) answers: Vec<(RequestId, Answer)>,
    pub(crate) back: Vec<Request>,
    pub(crate) state: Option<Bytes>,
    pub(crate) packed: Option<Packed>,
    pub(crate) ended: Option<EndReason>,
}

/// An actor that has been given up by its supervision.
pub(crate) struct Packed {
    pub(crate) to: NodeId,
    /// What it moves with.
    pub(crate) state: Option<Bytes>,
    /// What it goes on from if it cannot move.
    pub(crate) last: Option<Bytes>,
    pub(crate) luggage: Luggage,
}

/// Starts an actor on this thread.
pub(crate) fn start<A: Actor<Context = Context<A>>>(
    parts: Arc<Parts<A>>,
    making: Making,
) -> Box<dyn Hosted> {
    let inlet = Inlet::new();
    let route = Arc::new(Route::new(&making, inlet.clone()));
    making.shared.set_route(&making.path, route.clone());
    let path = making.path.clone();
    let node = making.shared.node.clone();
    let (cell, arrival) = Cell::new(parts.clone(), making, inlet.clone(), route);
    let factory: Box<dyn Factory<A>> = Box::new(Maker(Arc::clone(&cell)));
    let props = (parts.props)(factory, &path)
        .with_node_id(node)
        .with_error_type::<UnreadableSnapshot>()
        .with_relocator(Seat(Arc::clone(&cell)), inlet, arrival);
    match props.try_start_actor() {
        Ok(address) => cell.keep(address),
        Err(error) => cell.not_started(&error),
    }
    Box::new(Chair(cell))
}

/// The driver's hold on an actor.
struct Chair<A: Actor<Context = Context<A>>>(Arc<Cell<A>>);

impl<A: Actor<Context = Context<A>>> Hosted for Chair<A> {
    fn deliver(&self, requests: Vec<Request>) {
        for request in requests {
            let item = self.0.add(request);
            self.0.put(Delivery::new(&self.0, item));
        }
    }

    fn recall(&self) {
        self.open(false);
        self.0.route().recall();
        if self.0.recall() {
            self.0.put(Delivery::last(&self.0));
        }
    }

    fn pack(&self, to: NodeId) {
        self.open(false);
        self.0.put(Departure(to));
    }

    fn halt(&self) {
        self.open(false);
        self.0.halt();
    }

    fn open(&self, open: bool) {
        self.0.route().set_open(open);
    }

    fn is_open(&self) -> bool {
        self.0.route().is_open()
    }

    fn take(&self) -> Taken {
        self.0.take()
    }

    fn depth(&self) -> usize {
        self.0.depth()
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Chair<A> {
    fn drop(&mut self) {
        self.halt();
    }
}
