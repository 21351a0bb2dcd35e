//! What the machine wants, done: one small function for each command that needs more than a line.

use bytes::Bytes;
use supervision_actix::{Arrival, EndReason, Luggage};
use supervision_core::placement::{PlacementRequest, claim_rank};

use super::{
    actors::Started,
    calls::Wanted,
    driver::Driver,
    happened::Happened,
    hosted::{Making, Packed},
};
use crate::{
    engine::Revision,
    protocol::{
        ActorEvent, ActorPath, Command, Epoch, Input, KindName, Member, Order, OwnRecord, OwnState,
        Report,
    },
};

impl Driver {
    pub(super) fn carry_out(&mut self, commands: Vec<Command>) {
        let mut fenced = false;
        for command in commands {
            match command {
                Command::Read(ticket, key) => self.boot.calls.want(Wanted::Read(ticket, key)),
                Command::Write {
                    ticket,
                    key,
                    record,
                    expected,
                } => self.boot.calls.want(Wanted::Write {
                    ticket,
                    key,
                    record,
                    expected,
                }),
                Command::Send(to, letter) => self.boot.feeds.send(to, letter),
                Command::Scan(lost) => {
                    tracing::warn!(node = %self.shared.node, %lost, "a node is lost");
                    self.see();
                    self.boot.feeds.scan();
                }
                Command::Start {
                    path,
                    kind,
                    epoch,
                    state,
                    luggage,
                    from,
                } => self.start_actor(path, &kind, epoch, state, &luggage, from),
                Command::Dispatch(path, epoch, requests) => {
                    if let Some(actor) = self.boot.actors.get_mut(&path, epoch) {
                        actor.deliver(requests);
                    }
                }
                Command::Pack(path, epoch, to) => self.pack(path, epoch, &to),
                Command::Halt(path, epoch) => {
                    if self.boot.actors.remove(&path, epoch) {
                        self.shared.remove_route(&path);
                    }
                }
                Command::Resolve { token, outcome } => {
                    if let Some(resolve) = self.callers.remove(&token) {
                        resolve(outcome);
                    }
                }
                Command::Report(report) => self.report(report),
                Command::Fenced => fenced = true,
            }
        }
        // What is told along with it, and after it, was carried out first.
        if fenced {
            self.boot_again();
        }
    }

    fn start_actor(
        &mut self,
        path: ActorPath,
        kind: &KindName,
        epoch: Epoch,
        state: Option<Bytes>,
        luggage: &Bytes,
        from: Option<Member>,
    ) {
        let Some(kind) = self.kinds.get(kind).cloned() else {
            // The machine starts kinds of this node only.
            return;
        };
        let luggage = read_luggage(&path, luggage);
        let making = self.making(path.clone(), epoch, state);
        let making = Making {
            arrival: Some(Arrival {
                source: from.map(|member| member.node),
                luggage,
            }),
            ..making
        };
        if let Started::Later(delay) = self.boot.actors.start(&kind, making) {
            let due = Happened::Due(self.boot.generation, path, epoch);
            let shared = std::sync::Arc::clone(&self.shared);
            let at = shared.clock.now().saturating_add(delay);
            actix::spawn(async move {
                shared.clock.sleep_until(at).await;
                shared.tell(due);
            });
        }
    }

    fn making(&self, path: ActorPath, epoch: Epoch, state: Option<Bytes>) -> Making {
        Making {
            shared: std::sync::Arc::clone(&self.shared),
            validity: std::sync::Arc::clone(&self.boot.validity),
            generation: self.boot.generation,
            path,
            epoch,
            state,
            arrival: None,
        }
    }

    fn pack(&mut self, path: ActorPath, epoch: Epoch, to: &Member) {
        let Some(actor) = self.boot.actors.get_mut(&path, epoch) else {
            return;
        };
        actor.is_packing = true;
        match actor.packed.take() {
            // It was its supervision that wanted the move.
            Some(packed) => self.packed(path, epoch, packed),
            None => {
                if let Some(hosted) = actor.hosted() {
                    hosted.pack(to.node.clone());
                }
            }
        }
    }

    fn packed(&mut self, path: ActorPath, epoch: Epoch, packed: Packed) {
        let event = ActorEvent::Packed {
            state: packed.state,
            luggage: write_luggage(&path, &packed.luggage),
        };
        self.inputs.push_back(Input::Actor(path, epoch, event));
    }

    /// An actor has something to tell.
    pub(super) fn actor_news(&mut self, path: &ActorPath, epoch: Epoch) {
        let Some(actor) = self.boot.actors.get_mut(path, epoch) else {
            return;
        };
        let mut taken = actor.take();
        if taken.packed.is_some() {
            actor.packed = taken.packed.take();
        }
        let tell = |event| Input::Actor(path.clone(), epoch, event);
        if taken.started {
            self.inputs.push_back(tell(ActorEvent::Started));
        }
        // What the machine would do with what comes back depends on whether the actor is still there.
        match taken.ended.take() {
            Some(EndReason::Relocated { .. }) => self.gave_up(path, epoch),
            Some(reason) => {
                tracing::info!(%path, ?reason, "the actor has ended");
                self.inputs.push_back(tell(ActorEvent::Ended));
            }
            None => {}
        }
        if !taken.answers.is_empty() || !taken.back.is_empty() || taken.state.is_some() {
            self.inputs.push_back(tell(ActorEvent::Handled {
                answers: taken.answers,
                back: taken.back,
                state: taken.state,
            }));
        }
    }

    /// An actor's supervision has given it up, to be moved.
    fn gave_up(&mut self, path: &ActorPath, epoch: Epoch) {
        let Some(actor) = self.boot.actors.get_mut(path, epoch) else {
            return;
        };
        if actor.is_packing {
            if let Some(packed) = actor.packed.take() {
                self.packed(path.clone(), epoch, packed);
            }
            return;
        }
        let to = actor.packed.as_ref().map(|packed| packed.to.clone());
        match to.and_then(|node| self.member(&node)) {
            Some(to) => {
                let path = path.clone();
                let order = Order::Move { path, to };
                self.inputs.push_back(Input::Order(order));
            }
            None => self.stays(path),
        }
    }

    /// An actor that was to move stays: if its supervision has given it up, it is started anew.
    pub(super) fn stays(&mut self, path: &ActorPath) {
        let Some(actor) = self.boot.actors.of(path) else {
            return;
        };
        let epoch = actor.epoch;
        if let Some(packed) = actor.packed.take() {
            tracing::warn!(%path, to = %packed.to, "the actor could not move; it is started again here");
            let making = self.making(path.clone(), epoch, packed.last);
            let making = Making {
                arrival: Some(Arrival {
                    source: None,
                    luggage: packed.luggage,
                }),
                ..making
            };
            self.boot.actors.start_in_place(path, making);
        }
        self.open_if_clear(path);
    }

    /// Opens the short way to an actor where nothing waits in its way.
    pub(super) fn open_if_clear(&mut self, path: &ActorPath) {
        let Some(actor) = self.boot.actors.of(path) else {
            return;
        };
        if actor.is_durable() || actor.packed.is_some() || !self.boot.machine.is_clear(path) {
            return;
        }
        if let Some(hosted) = actor.hosted()
            && !hosted.is_open()
        {
            hosted.open(true);
        }
    }

    /// An ownership was found in a scan.
    pub(super) fn found(&mut self, path: ActorPath, record: OwnRecord, revision: Revision) {
        if record.state != OwnState::Owned {
            return;
        }
        let me = self.boot.machine.me();
        let lives = self
            .boot
            .machine
            .members()
            .any(|lease| lease.member == record.owner);
        if lives && record.owner != *me {
            return;
        }
        let rank = self.rank(&path, &record);
        self.inputs.push_back(Input::Found {
            path,
            record,
            revision,
            rank,
        });
        self.step();
    }

    /// When this node may claim a path: how many are to try before.
    fn rank(&self, path: &ActorPath, record: &OwnRecord) -> Option<u32> {
        let kind = self.kinds.get(&record.kind)?;
        // The lost node is in the view only if it has joined again; then it is like any other.
        let request = PlacementRequest::start(path.as_str(), record.kind.as_str());
        let view = self.shared.view();
        let rank = claim_rank(kind.placement(), &view, &request, &self.shared.node)?;
        u32::try_from(rank).ok()
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Joined => self.has_joined(),
            Report::Left => self.has_left(),
            Report::NotLeft => self.not_left(),
            Report::Created(path, epoch) => self.orders.started(&path, Ok(epoch)),
            Report::NotCreated(path, place) => self.not_started(&path, place),
            Report::UnknownKind(path, kind) => self.unknown_kind(&path, &kind),
            Report::Moved(path, epoch) => {
                self.orders.moved(&path, Ok(epoch));
                self.has_drained(&path, true);
            }
            Report::NotMoved(path) => self.not_moved(&path),
            Report::Ended(path) => self.orders.ended(&path),
            Report::Parked(path) => {
                tracing::error!(%path, "the actor has taken too many nodes down; it is parked");
            }
            // The scan that comes with it says so.
            Report::Lost(_) => {}
        }
    }
}

fn write_luggage(path: &ActorPath, luggage: &Luggage) -> Bytes {
    match serde_json::to_vec(luggage) {
        Ok(bytes) => bytes.into(),
        Err(error) => {
            tracing::error!(%path, %error, "an actor moves without its history and budgets");
            Bytes::new()
        }
    }
}

fn read_luggage(path: &ActorPath, bytes: &Bytes) -> Luggage {
    if bytes.is_empty() {
        return Luggage::default();
    }
    serde_json::from_slice(bytes).unwrap_or_else(|error| {
        tracing::error!(%path, %error, "the history and budgets of an actor cannot be read");
        Luggage::default()
    })
}
