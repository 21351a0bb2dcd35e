//! The state of a hosted actor between its driver and its supervision.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::{
    Actor, Addr, Context,
    dev::{Envelope, EnvelopeProxy},
};
use bytes::Bytes;
use supervision_actix::{
    Arrival, EndReason, Factory, Inlet, Luggage, Relocator, StartError, SupervisedContext,
    is_failing,
};
use supervision_core::{FailureInfo, NodeId, PlacementStrategy, placement::PlacementRequest};

use super::{Making, Packed, Taken};
use crate::{
    cluster_ref::Route,
    kind::{Delivered, Parts},
    node::{
        happened::Happened,
        shared::{NodeShared, Validity},
    },
    protocol::{ActorPath, Answer, Durability, Epoch, Request},
    remote::split_message,
    snapshot::UnwritableSnapshot,
};

pub(super) struct Cell<A: Actor<Context = Context<A>>> {
    parts: Arc<Parts<A>>,
    shared: Arc<NodeShared>,
    validity: Arc<Validity>,
    generation: u64,
    path: ActorPath,
    epoch: Epoch,
    inlet: Inlet<A>,
    route: Arc<Route<A>>,
    inner: Mutex<Inner<A>>,
}

struct Inner<A: Actor> {
    /// Keeps the actor.
    address: Option<Addr<A>>,
    next: u64,
    items: BTreeMap<u64, Item>,
    /// What the next incarnation begins with.
    state: Option<Bytes>,
    news: Taken,
    /// Whether the driver knows that there are news.
    told: bool,
}

struct Item {
    request: Request,
    at: At,
}

#[derive(PartialEq, Eq)]
enum At {
    Waiting,
    Begun,
    Done(Answer),
}

impl<A: Actor<Context = Context<A>>> Cell<A> {
    pub(super) fn new(
        parts: Arc<Parts<A>>,
        making: Making,
        inlet: Inlet<A>,
        route: Arc<Route<A>>,
    ) -> (Arc<Self>, Option<Arrival>) {
        let inner = Inner {
            address: None,
            next: 0,
            items: BTreeMap::new(),
            state: making.state,
            news: Taken::default(),
            told: false,
        };
        let cell = Arc::new(Self {
            parts,
            shared: making.shared,
            validity: making.validity,
            generation: making.generation,
            path: making.path,
            epoch: making.epoch,
            inlet,
            route,
            inner: Mutex::new(inner),
        });
        (cell, making.arrival)
    }

    fn inner(&self) -> MutexGuard<'_, Inner<A>> {
        // No code of the user's runs while it is held.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_durable(&self) -> bool {
        self.parts.durability == Durability::Durable
    }

    pub(super) fn route(&self) -> &Route<A> {
        &self.route
    }

    pub(super) fn keep(&self, address: Addr<A>) {
        self.inner().address = Some(address);
    }

    /// What its type or its kind says about its supervision is not valid.
    pub(super) fn not_started(&self, error: &StartError) {
        tracing::error!(path = %self.path, %error, "an actor could not be started");
        let problem = error.to_string();
        let mut inner = self.inner();
        inner.news.ended = Some(EndReason::InvalidStrategy { problem });
        self.tell(inner);
    }

    /// Tells the driver that there are news, unless it knows.
    fn tell(&self, mut inner: MutexGuard<'_, Inner<A>>) {
        if !std::mem::replace(&mut inner.told, true) {
            let happened = Happened::Actor(self.generation, self.path.clone(), self.epoch);
            self.shared.tell(happened);
        }
    }

    pub(super) fn take(&self) -> Taken {
        let mut inner = self.inner();
        inner.told = false;
        std::mem::take(&mut inner.news)
    }

    pub(super) fn depth(&self) -> usize {
        self.inlet.len()
    }

    pub(super) fn put(&self, envelope: impl EnvelopeProxy<A> + Send + 'static) {
        self.inlet.put(Envelope::with_proxy(Box::new(envelope)));
    }

    pub(super) fn halt(&self) {
        self.inlet.halt();
        let address = self.inner().address.take();
        drop(address);
    }

    pub(super) fn add(&self, request: Request) -> u64 {
        let mut inner = self.inner();
        inner.next += 1;
        let number = inner.next;
        let at = At::Waiting;
        inner.items.insert(number, Item { request, at });
        number
    }

    /// Begins with an item, if it still waits and the node may act.
    pub(super) fn begin(&self, number: u64) -> Option<Bytes> {
        let valid = self.validity.holds();
        let mut inner = self.inner();
        let item = inner.items.get_mut(&number)?;
        if item.at != At::Waiting || !valid {
            // The driver finds out about the lease by itself, and lets everything go then.
            return None;
        }
        item.at = At::Begun;
        Some(item.request.body.clone())
    }

    pub(super) fn call(&self, actor: &mut A, ctx: &mut Context<A>, body: &[u8]) -> Delivered {
        let Some((name, value)) = split_message(body) else {
            return Delivered::Now(Answer::Failed("this is no message".into()));
        };
        match self.parts.messages.get(name) {
            Some(deliver) => deliver(actor, ctx, value),
            None => {
                let kind = &self.parts.name;
                let why = format!("actors of the kind {kind} do not handle {name:?}");
                Delivered::Now(Answer::Failed(why))
            }
        }
    }

    /// The handler has panicked. Of a durable actor the batch is settled when its next incarnation is
    /// made.
    pub(super) fn fail(&self, number: u64, answer: Answer) {
        let durable = self.is_durable();
        let mut inner = self.inner();
        if durable {
            if let Some(item) = inner.items.get_mut(&number) {
                item.at = At::Done(answer);
            }
            return;
        }
        if let Some(item) = inner.items.remove(&number) {
            inner.news.answers.push((item.request.id, answer));
            self.tell(inner);
        }
    }

    /// A handler has returned.
    pub(super) fn finish(&self, number: u64, answer: Answer, actor: &mut A, ctx: &mut Context<A>) {
        if !self.is_durable() {
            return self.fail(number, answer);
        }
        let answer = if is_failing(ctx) {
            Answer::Failed("the actor failed while it handled this".into())
        } else {
            answer
        };
        self.fail(number, answer);
        self.finish_batch(actor, ctx);
    }

    /// If all of a batch is done, tells so with the state after it.
    pub(super) fn finish_batch(&self, actor: &mut A, ctx: &mut Context<A>) {
        let (done, changed) = {
            let inner = self.inner();
            let is_done = |item: &Item| matches!(item.at, At::Done(_));
            let is_change = |item: &Item| matches!(item.at, At::Done(Answer::Done(_)));
            (
                !inner.items.is_empty() && inner.items.values().all(is_done),
                inner.items.values().any(is_change),
            )
        };
        if !done || is_failing(ctx) {
            return;
        }
        let written = changed.then(|| self.write(actor)).transpose();
        let problem = written.as_ref().err().cloned();
        let mut inner = self.inner();
        for item in std::mem::take(&mut inner.items).into_values() {
            let answer = match (&problem, item.at) {
                (None, At::Done(answer)) => answer,
                (Some(problem), _) => Answer::Failed(problem.to_string()),
                (None, At::Waiting | At::Begun) => continue,
            };
            inner.news.answers.push((item.request.id, answer));
        }
        if let Ok(Some(state)) = written {
            inner.state = Some(state.clone());
            inner.news.state = Some(state);
        }
        self.tell(inner);
        if let Some(problem) = problem {
            ctx.fail(problem);
        }
    }

    fn write(&self, actor: &A) -> Result<Bytes, UnwritableSnapshot> {
        let Some(codec) = &self.parts.codec else {
            return Ok(Bytes::new());
        };
        let state = (codec.write)(actor)?;
        let (size, max) = (state.len(), self.shared.max_state);
        if size > max {
            return Err(UnwritableSnapshot::TooLarge { size, max });
        }
        Ok(state)
    }

    /// Takes back what waits. Tells whether a batch is left that nobody will finish.
    pub(super) fn recall(&self) -> bool {
        let mut inner = self.inner();
        let items = std::mem::take(&mut inner.items);
        let (waiting, rest) = items
            .into_iter()
            .partition(|(_, item)| item.at == At::Waiting);
        inner.items = rest;
        let waiting: BTreeMap<u64, Item> = waiting;
        let back: Vec<_> = waiting.into_values().map(|item| item.request).collect();
        let left = !inner.items.is_empty() && self.is_durable();
        if !back.is_empty() {
            inner.news.back.extend(back);
            self.tell(inner);
        }
        left
    }

    /// An incarnation has ended, the last one or not: settles what it had in hand.
    fn settle(&self, is_last: bool) {
        let durable = self.is_durable();
        let mut inner = self.inner();
        let inner_mut = &mut *inner;
        let mut back = Vec::new();
        let mut answers = Vec::new();
        let mut kept = BTreeMap::new();
        for (number, item) in std::mem::take(&mut inner_mut.items) {
            match item.at {
                At::Waiting if !durable && !is_last => drop(kept.insert(number, item)),
                // What it did to the state is forgotten with that.
                At::Waiting | At::Done(Answer::Done(_)) => back.push(item.request),
                At::Done(answer) => answers.push((item.request.id, answer)),
                At::Begun => {
                    let why = "the actor failed while it handled this".to_owned();
                    answers.push((item.request.id, Answer::Failed(why)));
                }
            }
        }
        inner_mut.items = kept;
        if back.is_empty() && answers.is_empty() {
            return;
        }
        inner_mut.news.back.extend(back);
        inner_mut.news.answers.extend(answers);
        self.tell(inner);
    }
}

/// Makes the incarnations.
pub(super) struct Maker<A: Actor<Context = Context<A>>>(pub(super) Arc<Cell<A>>);

impl<A: Actor<Context = Context<A>>> Factory<A> for Maker<A> {
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>> {
        let cell = &self.0;
        cell.settle(false);
        let mut actor =
            (cell.parts.make)(&cell.path).map_err(|error| -> Box<dyn Error + Send> { error })?;
        let state = cell.inner().state.clone();
        if let (Some(codec), Some(state)) = (&cell.parts.codec, state) {
            (codec.read)(&cell.path, &mut actor, &state)
                .map_err(|error| -> Box<dyn Error + Send> { Box::new(error) })?;
        }
        Ok(actor)
    }
}

/// What the actor's supervision knows of the cluster.
pub(super) struct Seat<A: Actor<Context = Context<A>>>(pub(super) Arc<Cell<A>>);

impl<A: Actor<Context = Context<A>>> Relocator<A> for Seat<A> {
    fn started(&self) {
        let mut inner = self.0.inner();
        inner.news.started = true;
        self.0.tell(inner);
    }

    fn may_resume(&self) -> bool {
        !self.0.is_durable()
    }

    fn choose(&self, placement: &PlacementStrategy, _: &FailureInfo) -> Option<NodeId> {
        let cell = &self.0;
        if !cell.validity.holds() {
            return None;
        }
        let (path, kind) = (cell.path.as_str(), cell.parts.name.as_str());
        let request = PlacementRequest::relocation(path, kind, &cell.shared.node);
        match cell.shared.place(placement, &request) {
            Ok(placement) => Some(placement.node),
            Err(error) => {
                tracing::warn!(path, %error, "an actor cannot be relocated; it is restarted in place");
                None
            }
        }
    }

    fn depart(&self, to: &NodeId, value: Option<&A>, luggage: Luggage) {
        let cell = &self.0;
        // What a durable actor did before it failed counts only as far as it is stored.
        let counts = !cell.is_durable() || luggage.failure().is_none();
        let value = value.filter(|_| counts && cell.parts.codec.is_some());
        let state = value.and_then(|value| match cell.write(value) {
            Ok(state) => Some(state),
            Err(error) => {
                tracing::error!(path = %cell.path, %error, "an actor moves without its latest state");
                None
            }
        });
        let mut inner = cell.inner();
        let last = state.clone().or_else(|| inner.state.clone());
        inner.news.packed = Some(Packed {
            to: to.clone(),
            state,
            last,
            luggage,
        });
        cell.tell(inner);
    }

    fn ended(&self, reason: &EndReason) {
        let cell = &self.0;
        cell.route.retire();
        cell.settle(true);
        let mut inner = cell.inner();
        inner.news.ended = Some(reason.clone());
        let address = inner.address.take();
        cell.tell(inner);
        drop(address);
    }
}
