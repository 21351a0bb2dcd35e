//! References to actors by path: the same from every node, wherever the actor is.
//!
//! A message takes one of two ways. To an actor that this node runs, and that is not about to move, it
//! is put into the actor's inlet as it is (the short way). All others are written, and the protocol
//! sees to them. What was put in and not begun with when the actor leaves takes the other way after
//! all.

mod route;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use actix::{Actor, Context, Handler};
use tokio::{sync::oneshot, time::timeout};

pub(crate) use self::route::Route;
use self::route::{Outgoing, Short};
use crate::{
    node::{
        happened::Happened,
        shared::{Counts, NodeShared},
    },
    protocol::{ActorPath, Call, CallOutcome, Refusal, Repeat},
    remote::{EncodeError, RemoteMessage, encode_message},
};

/// A message did not bring a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Its handler failed. On the state of a durable actor it has had no effect.
    #[error("the handler failed: {0}")]
    Failed(String),
    /// It was not handled, and will not be.
    #[error("not handled: {0:?}")]
    Refused(Refusal),
    /// It may have been handled, or may yet be.
    #[error("whether the message was handled is unknown")]
    Unknown,
    /// It could not be written. Nothing was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It was handled; what its handler returned could not be read.
    #[error("the result cannot be read: {0}")]
    Result(String),
}

/// An actor by its path, from a node of its cluster. Cheap to clone; can be sent to other threads.
///
/// That there is a reference says nothing about whether there is an actor.
pub struct ClusterRef<A: Actor<Context = Context<A>>> {
    shared: Arc<NodeShared>,
    path: ActorPath,
    timeout: Duration,
    /// Whether the actor's kind applies each message once whatever happens.
    durable: bool,
    route: RwLock<Option<Arc<Route<A>>>>,
}

impl<A: Actor<Context = Context<A>>> ClusterRef<A> {
    pub(crate) fn new(
        shared: Arc<NodeShared>,
        path: ActorPath,
        timeout: Duration,
        durable: bool,
    ) -> Self {
        Self {
            shared,
            path,
            timeout,
            durable,
            route: RwLock::default(),
        }
    }

    /// The actor's path.
    pub fn path(&self) -> &ActorPath {
        &self.path
    }

    /// Sets how long [`send`](Self::send) waits; for what only sends, how long the message may take
    /// to be handled. Default: the configuration's.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends a message and waits for its result.
    ///
    /// Messages that one sender sends one after the other, each after the last one's result, are
    /// handled in that order; so are those that are only sent, as long as no fault comes in between.
    /// To drop the future takes nothing back.
    ///
    /// # Errors
    /// [`SendError`] tells whether the message was handled, was not, or may have been.
    pub async fn send<M>(&self, message: M) -> Result<M::Result, SendError>
    where
        M: RemoteMessage,
        A: Handler<M>,
    {
        match self.short_way() {
            Some(route) => self.ask_here(route, message).await,
            None => {
                let outgoing = self.outgoing::<M>();
                outgoing.ask(message)?.await
            }
        }
    }

    /// Sends a message. What becomes of it is counted, and not told.
    ///
    /// It is handled at most once, unless it is [idempotent](RemoteMessage::IDEMPOTENT); to a durable
    /// actor, exactly once if it can be delivered in time.
    ///
    /// # Errors
    /// [`EncodeError`]: nothing was sent.
    pub fn do_send<M>(&self, message: M) -> Result<(), EncodeError>
    where
        M: RemoteMessage,
        A: Handler<M>,
    {
        let outgoing = self.outgoing::<M>();
        match self.short_way() {
            Some(route) => {
                Counts::one(&self.shared.counts.sent);
                Counts::one(&self.shared.counts.short_way);
                route.put(Short::tell(route.clone(), message, outgoing));
                Ok(())
            }
            None => outgoing.tell(message),
        }
    }

    /// As [`do_send`](Self::do_send), unless it is known already that nothing can come of it.
    ///
    /// # Errors
    /// [`SendError::Refused`] with [`Refusal::Fenced`] while the node is no member of the cluster, and
    /// [`SendError::Encode`]. Nothing was sent.
    pub fn try_send<M>(&self, message: M) -> Result<(), SendError>
    where
        M: RemoteMessage,
        A: Handler<M>,
    {
        if self.shared.to_driver.is_closed() || self.shared.view().nodes.is_empty() {
            return Err(SendError::Refused(Refusal::Fenced));
        }
        Ok(self.do_send(message)?)
    }

    fn outgoing<M: RemoteMessage>(&self) -> Outgoing {
        let repeat = if self.durable || M::IDEMPOTENT {
            Repeat::AcrossEpochs
        } else {
            Repeat::Never
        };
        Outgoing {
            shared: Arc::clone(&self.shared),
            path: self.path.clone(),
            timeout: self.timeout,
            repeat,
        }
    }

    /// The way to an actor that this node runs, while it may be taken.
    fn short_way(&self) -> Option<Arc<Route<A>>> {
        if self.durable {
            // Its answers wait for its checkpoint.
            return None;
        }
        {
            let known = self.route.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(route) = known.as_ref()
                && !route.is_retired()
            {
                return route.is_open().then(|| Arc::clone(route));
            }
        }
        let found = self.shared.route(&self.path)?;
        let route = found.downcast::<Route<A>>().ok()?;
        *self.route.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&route));
        route.is_open().then_some(route)
    }

    async fn ask_here<M>(&self, route: Arc<Route<A>>, message: M) -> Result<M::Result, SendError>
    where
        M: RemoteMessage,
        A: Handler<M>,
    {
        let counts = &self.shared.counts;
        Counts::one(&counts.sent);
        Counts::one(&counts.short_way);
        let mut open = Open(Some(&self.shared));
        let (reply, replied) = oneshot::channel();
        let number = route.number();
        let outgoing = self.outgoing::<M>();
        route.put(Short::ask(route.clone(), message, outgoing, reply, number));
        let outcome = match timeout(self.timeout, replied).await {
            Ok(Ok(result)) if route.may_answer() => Ok(result),
            Ok(Ok(_)) | Err(_) => Err(SendError::Unknown),
            Ok(Err(_)) => match route.bounced::<Result<M::Result, SendError>>(number) {
                Some(replied) => {
                    // It is counted where it went.
                    open.0 = None;
                    return replied.await.unwrap_or(Err(SendError::Unknown));
                }
                None => Err(SendError::Failed(
                    "the handler ended without a result".into(),
                )),
            },
        };
        open.0 = None;
        Counts::one(match &outcome {
            Ok(_) => &counts.delivered,
            Err(SendError::Failed(_)) => &counts.failed,
            Err(_) => &counts.unknown,
        });
        outcome
    }
}

/// A message whose asker may go before there is an outcome.
struct Open<'a>(Option<&'a NodeShared>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            Counts::one(&shared.counts.unknown);
        }
    }
}

impl Outgoing {
    /// Writes a message and gives it to the protocol.
    fn call<M: RemoteMessage>(
        self,
        message: &M,
        resolve: impl FnOnce(CallOutcome) + Send + 'static,
    ) -> Result<(), EncodeError> {
        let call = Call {
            token: 0,
            body: encode_message(message)?,
            deadline: self.shared.clock.now().saturating_add(self.timeout),
            path: self.path,
            repeat: self.repeat,
        };
        let shared = Arc::clone(&self.shared);
        let counted = move |outcome: CallOutcome| {
            let counts = &shared.counts;
            Counts::one(match &outcome {
                CallOutcome::Done(_) => &counts.delivered,
                CallOutcome::Failed(_) => &counts.failed,
                CallOutcome::Refused(_) => &counts.refused,
                CallOutcome::Unknown => &counts.unknown,
            });
            resolve(outcome);
        };
        let happened = Happened::Call(call, Box::new(counted));
        if let Err(back) = self.shared.to_driver.send(happened)
            && let Happened::Call(_, resolve) = back.0
        {
            resolve(CallOutcome::Refused(Refusal::Fenced));
        }
        Ok(())
    }

    fn tell<M: RemoteMessage>(self, message: M) -> Result<(), EncodeError> {
        let shared = Arc::clone(&self.shared);
        self.call(&message, |_| ())?;
        Counts::one(&shared.counts.sent);
        Ok(())
    }

    fn ask<M: RemoteMessage>(
        self,
        message: M,
    ) -> Result<impl Future<Output = Result<M::Result, SendError>>, EncodeError> {
        let (reply, replied) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        self.call(&message, move |outcome| {
            // Whoever asked may have gone.
            let _ = reply.send(read::<M>(outcome));
        })?;
        Counts::one(&shared.counts.sent);
        Ok(async move { replied.await.unwrap_or(Err(SendError::Unknown)) })
    }
}

fn read<M: RemoteMessage>(outcome: CallOutcome) -> Result<M::Result, SendError> {
    match outcome {
        CallOutcome::Done(reply) => {
            serde_json::from_slice(&reply).map_err(|error| SendError::Result(error.to_string()))
        }
        CallOutcome::Failed(error) => Err(SendError::Failed(error)),
        CallOutcome::Refused(why) => Err(SendError::Refused(why)),
        CallOutcome::Unknown => Err(SendError::Unknown),
    }
}

impl<A: Actor<Context = Context<A>>> Clone for ClusterRef<A> {
    fn clone(&self) -> Self {
        Self::new(
            Arc::clone(&self.shared),
            self.path.clone(),
            self.timeout,
            self.durable,
        )
    }
}

impl<A: Actor<Context = Context<A>>> fmt::Debug for ClusterRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClusterRef").field(&self.path).finish()
    }
}
