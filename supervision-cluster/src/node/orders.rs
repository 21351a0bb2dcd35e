//! What users have ordered and who waits for it.

use std::collections::BTreeMap;

use supervision_core::{NodeId, PlacementStrategy, placement::PlacementRequest};
use tokio::sync::oneshot;

use super::{
    driver::Driver,
    handle::{EndError, MoveError, StartError},
    happened::Order as UserOrder,
};
use crate::protocol::{ActorPath, Epoch, Input, KindName, Order, Place};

type Starting = oneshot::Sender<Result<Epoch, StartError>>;
type Moving = oneshot::Sender<Result<Epoch, MoveError>>;
type Ending = oneshot::Sender<Result<(), EndError>>;

/// Orders that are under way. One that is dropped tells its user that the outcome is unknown.
#[derive(Default)]
pub(super) struct Orders {
    starting: BTreeMap<ActorPath, Vec<Starting>>,
    moving: BTreeMap<ActorPath, Vec<Moving>>,
    ending: BTreeMap<ActorPath, Vec<Ending>>,
}

impl Orders {
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn started(&mut self, path: &ActorPath, outcome: Result<Epoch, StartError>) {
        for reply in self.starting.remove(path).into_iter().flatten() {
            // Whoever ordered it may have gone.
            let _ = reply.send(outcome.clone());
        }
    }

    pub(super) fn moved(&mut self, path: &ActorPath, outcome: Result<Epoch, MoveError>) {
        for reply in self.moving.remove(path).into_iter().flatten() {
            let _ = reply.send(outcome.clone());
        }
    }

    pub(super) fn ended(&mut self, path: &ActorPath) {
        for reply in self.ending.remove(path).into_iter().flatten() {
            let _ = reply.send(Ok(()));
        }
    }
}

impl Driver {
    pub(super) fn order(&mut self, order: UserOrder) {
        match order {
            UserOrder::Start {
                path,
                kind,
                placement,
                reply,
            } => self.order_start(path, kind, placement, reply),
            UserOrder::Move { path, to, reply } => self.order_move(path, to, reply),
            UserOrder::End { path, reply } => self.order_end(path, reply),
            UserOrder::Drain {
                within,
                leave,
                reply,
            } => self.order_drain(within, leave, reply),
            UserOrder::Locate { path, reply } => {
                let _ = reply.send(self.boot.machine.place(&path));
            }
            UserOrder::Owned { reply } => {
                let owned = self.boot.machine.owned();
                let owned = owned.map(|(path, epoch)| (path.clone(), epoch));
                let _ = reply.send(owned.collect());
            }
            UserOrder::Me { reply } => {
                let _ = reply.send(self.boot.machine.me().clone());
            }
        }
    }

    fn order_start(
        &mut self,
        path: ActorPath,
        kind: KindName,
        placement: Option<PlacementStrategy>,
        reply: Starting,
    ) {
        let Some(known) = self.kinds.get(&kind) else {
            let _ = reply.send(Err(StartError::NoKind(kind.as_str().to_owned())));
            return;
        };
        let placement = placement.unwrap_or_else(|| known.placement().clone());
        let request = PlacementRequest::start(path.as_str(), kind.as_str());
        let placed = self.shared.place(&placement, &request);
        let node = match placed {
            Ok(placement) => placement.node,
            Err(error) => {
                let _ = reply.send(Err(error.into()));
                return;
            }
        };
        let Some(owner) = self.member(&node) else {
            let _ = reply.send(Err(StartError::NodeGone));
            return;
        };
        let waiting = self.orders.starting.entry(path.clone()).or_default();
        waiting.push(reply);
        let order = Order::Create { path, kind, owner };
        self.inputs.push_back(Input::Order(order));
    }

    pub(super) fn not_started(&mut self, path: &ActorPath, place: Option<Place>) {
        let exists = StartError::Exists(place);
        self.orders.started(path, Err(exists));
    }

    pub(super) fn unknown_kind(&mut self, path: &ActorPath, kind: &KindName) {
        let unknown = StartError::NoKind(kind.as_str().to_owned());
        self.orders.started(path, Err(unknown));
    }

    fn order_move(&mut self, path: ActorPath, to: NodeId, reply: Moving) {
        let here = self.boot.machine.serving(&path).is_some();
        if !here {
            let place = self.boot.machine.place(&path);
            let _ = reply.send(Err(MoveError::NotHere(place)));
            return;
        }
        if to == self.shared.node || self.member(&to).is_none() {
            let _ = reply.send(Err(MoveError::NoMember(to)));
            return;
        }
        self.orders
            .moving
            .entry(path.clone())
            .or_default()
            .push(reply);
        self.move_actor(path, &to);
    }

    /// Moves an actor, and has it give back what it has not begun with.
    pub(super) fn move_actor(&mut self, path: ActorPath, to: &NodeId) {
        let Some(to) = self.member(to) else {
            return self.not_moved(&path);
        };
        if let Some(hosted) = self.boot.actors.of(&path).and_then(|it| it.hosted()) {
            hosted.open(false);
        }
        let order = Order::Move {
            path: path.clone(),
            to,
        };
        self.inputs.push_back(Input::Order(order));
        self.step();
        if self.boot.machine.is_clear(&path) {
            // It was refused, and the short way is open again.
            return;
        }
        if let Some(hosted) = self.boot.actors.of(&path).and_then(|it| it.hosted()) {
            hosted.recall();
        }
    }

    pub(super) fn not_moved(&mut self, path: &ActorPath) {
        self.orders.moved(path, Err(MoveError::NotNow));
        self.stays(path);
        self.has_drained(path, false);
    }

    fn order_end(&mut self, path: ActorPath, reply: Ending) {
        if self.boot.machine.serving(&path).is_none() {
            let _ = reply.send(Err(EndError::NotHere));
            return;
        }
        if let Some(hosted) = self.boot.actors.of(&path).and_then(|it| it.hosted()) {
            hosted.open(false);
        }
        let waiting = self.orders.ending.entry(path.clone()).or_default();
        waiting.push(reply);
        self.inputs.push_back(Input::Order(Order::End(path)));
    }
}
