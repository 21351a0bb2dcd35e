//! The short way to an actor of this node: its inlet, with a gate in front that is closed while the
//! actor may be about to move.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix::{
    Actor, Context, Handler,
    dev::{Envelope, EnvelopeProxy, MessageResponse, OneshotSender},
};
use supervision_actix::Inlet;
use tokio::sync::oneshot;

use super::SendError;
use crate::{
    node::{
        hosted::Making,
        shared::{Counts, NodeShared, Validity},
    },
    protocol::{ActorPath, Repeat},
    remote::RemoteMessage,
};

/// The way to one activation of an actor.
pub(crate) struct Route<A: Actor> {
    validity: Arc<Validity>,
    inlet: Inlet<A>,
    open: AtomicBool,
    /// What is in the inlet is to take the other way.
    recalled: AtomicBool,
    /// The activation is over; there may be another route.
    retired: AtomicBool,
    number: AtomicU64,
    /// What took the other way after all, for those who ask.
    bounced: Mutex<HashMap<u64, Box<dyn Any + Send>>>,
}

impl<A: Actor> Route<A> {
    pub(crate) fn new(making: &Making, inlet: Inlet<A>) -> Self {
        Self {
            validity: Arc::clone(&making.validity),
            inlet,
            open: AtomicBool::new(false),
            recalled: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            number: AtomicU64::new(0),
            bounced: Mutex::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(crate) fn set_open(&self, open: bool) {
        if open {
            self.recalled.store(false, Ordering::Release);
        }
        self.open.store(open, Ordering::Release);
    }

    pub(crate) fn recall(&self) {
        self.recalled.store(true, Ordering::Release);
    }

    pub(crate) fn retire(&self) {
        self.open.store(false, Ordering::Release);
        self.retired.store(true, Ordering::Release);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Whether what the actor answers still counts.
    pub(super) fn may_answer(&self) -> bool {
        self.validity.holds()
    }

    pub(super) fn number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn put(&self, envelope: impl EnvelopeProxy<A> + Send + 'static) {
        self.inlet.put(Envelope::with_proxy(Box::new(envelope)));
    }

    /// Where the answer to a message comes that took the other way.
    pub(super) fn bounced<T: Send + 'static>(&self, number: u64) -> Option<oneshot::Receiver<T>> {
        let mut bounced = self.bounced.lock().unwrap_or_else(PoisonError::into_inner);
        let replied = bounced.remove(&number)?;
        replied.downcast().ok().map(|replied| *replied)
    }

    fn bounce<T: Send + 'static>(&self, number: u64, replied: oneshot::Receiver<T>) {
        let mut bounced = self.bounced.lock().unwrap_or_else(PoisonError::into_inner);
        bounced.insert(number, Box::new(replied));
    }

    fn may_be_handled(&self) -> bool {
        !self.recalled.load(Ordering::Acquire) && self.validity.holds()
    }
}

/// What it takes to send a message the other way.
pub(super) struct Outgoing {
    pub(super) shared: Arc<NodeShared>,
    pub(super) path: ActorPath,
    pub(super) timeout: Duration,
    pub(super) repeat: Repeat,
}

/// A message on the short way.
pub(super) struct Short<A: Actor, M: RemoteMessage> {
    route: Arc<Route<A>>,
    /// Until it is handled.
    message: Option<(M, Outgoing)>,
    reply: Option<(OneshotSender<M::Result>, u64)>,
}

impl<A: Actor, M: RemoteMessage> Short<A, M> {
    pub(super) fn tell(route: Arc<Route<A>>, message: M, outgoing: Outgoing) -> Self {
        Self {
            route,
            message: Some((message, outgoing)),
            reply: None,
        }
    }

    pub(super) fn ask(
        route: Arc<Route<A>>,
        message: M,
        outgoing: Outgoing,
        reply: OneshotSender<M::Result>,
        number: u64,
    ) -> Self {
        Self {
            route,
            message: Some((message, outgoing)),
            reply: Some((reply, number)),
        }
    }
}

impl<A, M> EnvelopeProxy<A> for Short<A, M>
where
    M: RemoteMessage,
    A: Actor<Context = Context<A>> + Handler<M>,
{
    fn handle(&mut self, actor: &mut A, ctx: &mut Context<A>) {
        if !self.route.may_be_handled() {
            return;
        }
        let Some((message, outgoing)) = self.message.take() else {
            return;
        };
        if let Some((reply, _)) = self.reply.take() {
            return actor.handle(message, ctx).handle(ctx, Some(reply));
        }
        let mut told = Told(&outgoing.shared, false);
        actor.handle(message, ctx).handle(ctx, None);
        told.1 = true;
    }
}

/// What nobody waits for is counted when its handler has returned, or panicked.
struct Told<'a>(&'a NodeShared, bool);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let counts = &self.0.counts;
        Counts::one(if self.1 {
            &counts.delivered
        } else {
            &counts.failed
        });
    }
}

/// It was not begun with: it takes the other way.
impl<A: Actor, M: RemoteMessage> Drop for Short<A, M> {
    fn drop(&mut self) {
        let Some((message, outgoing)) = self.message.take() else {
            return;
        };
        let Some((asked, number)) = self.reply.take() else {
            let shared = Arc::clone(&outgoing.shared);
            if outgoing.call(&message, |_| ()).is_err() {
                Counts::one(&shared.counts.refused);
            }
            return;
        };
        if asked.is_closed() {
            return;
        }
        let (reply, replied) = oneshot::channel::<Result<M::Result, SendError>>();
        self.route.bounce(number, replied);
        let shared = Arc::clone(&outgoing.shared);
        let called = outgoing.call(&message, move |outcome| {
            let _ = reply.send(super::read::<M>(outcome));
        });
        if let Err(error) = called {
            tracing::error!(%error, "a message cannot leave this node");
            Counts::one(&shared.counts.refused);
        }
        drop(asked);
    }
}
