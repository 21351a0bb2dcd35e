//! Kinds: what a node has to know once about a type of actors to run any of them.

use std::{
    any::{TypeId, type_name},
    collections::BTreeMap,
    error::Error,
    fmt,
    marker::PhantomData,
    sync::Arc,
};

use actix::{
    Actor, Context, Handler, Message,
    dev::{MessageResponse, OneshotSender},
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use supervision_actix::{ActorProps, Factory, SupervisedDistributedActor, SupervisionStrategy};
use supervision_core::PlacementStrategy;
use tokio::sync::oneshot;

use crate::{
    node::hosted::{AnyKind, Making},
    protocol::{ActorPath, Answer, Durability, KindName},
    remote::RemoteMessage,
    snapshot::{self, Snapshot, UnreadableSnapshot, UnwritableSnapshot},
};

type Failure = Box<dyn Error + Send + Sync>;
type Make<A> = dyn Fn(&ActorPath) -> Result<A, Failure> + Send + Sync;
type Props<A> =
    dyn Fn(Box<dyn Factory<A>>, &ActorPath) -> ActorProps<A, Box<dyn Factory<A>>> + Send + Sync;
pub(crate) type Deliver<A> = fn(&mut A, &mut Context<A>, &[u8]) -> Delivered;

/// What comes of a message that is given to a handler.
pub(crate) enum Delivered {
    Now(Answer),
    Later(LocalBoxFuture<'static, Answer>),
}

/// How state is taken from an actor and put into one.
pub(crate) struct Codec<A> {
    pub(crate) write: fn(&A) -> Result<Bytes, UnwritableSnapshot>,
    pub(crate) read: fn(&ActorPath, &mut A, &[u8]) -> Result<(), UnreadableSnapshot>,
}

/// A type of actors that nodes can run, registered once at each of them
/// ([`ClusterConfig::with_kind`](crate::ClusterConfig::with_kind)).
///
/// | | [`volatile`](Durability::Volatile) (the default) | [`snapshot`](Self::snapshot) | [`durable`](Self::durable) |
/// |---|---|---|---|
/// | live move | as new | its state | its state |
/// | restart in place, and after a panic | as new | the state it came with | its last checkpoint |
/// | loss of its node | as new | the state it last moved with | every message that was answered |
/// | an answer leaves | at once | at once | when the checkpoint with its effect stands |
///
/// In all of them what was handled is known again after a live move, so that no message is handled
/// twice there, and messages that wait move with the actor.
pub struct Kind<A: Actor<Context = Context<A>>> {
    pub(crate) parts: Arc<Parts<A>>,
}

pub(crate) struct Parts<A: Actor<Context = Context<A>>> {
    pub(crate) name: KindName,
    pub(crate) make: Arc<Make<A>>,
    pub(crate) props: Arc<Props<A>>,
    pub(crate) durability: Durability,
    pub(crate) placement: PlacementStrategy,
    pub(crate) codec: Option<Codec<A>>,
    pub(crate) messages: BTreeMap<&'static str, Deliver<A>>,
    /// Names that were given twice.
    pub(crate) doubles: Vec<&'static str>,
}

impl<A: SupervisedDistributedActor> Kind<A> {
    /// A kind of actors with hooks and a strategy of their own. `make` is called on the node that
    /// runs the actor, for each incarnation; its `actor_path()` should be the path it is given.
    pub fn new(
        name: impl AsRef<str>,
        make: impl Fn(&ActorPath) -> A + Send + Sync + 'static,
    ) -> Self {
        Self::described(
            name,
            move |path| Ok(make(path)),
            |factory, path| ActorProps::from_boxed_factory(factory, path.as_str()),
        )
    }
}

impl<A: Actor<Context = Context<A>>> Kind<A> {
    /// A kind of plain actors, supervised by `strategy`.
    pub fn plain(
        name: impl AsRef<str>,
        strategy: SupervisionStrategy,
        make: impl Fn(&ActorPath) -> A + Send + Sync + 'static,
    ) -> Self {
        Self::described(
            name,
            move |path| Ok(make(path)),
            move |factory, path| {
                ActorProps::plain_boxed(path.as_str(), factory).with_supervision(strategy.clone())
            },
        )
    }

    fn described(
        name: impl AsRef<str>,
        make: impl Fn(&ActorPath) -> Result<A, Failure> + Send + Sync + 'static,
        props: impl Fn(Box<dyn Factory<A>>, &ActorPath) -> ActorProps<A, Box<dyn Factory<A>>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                name: KindName::new(name),
                make: Arc::new(make),
                props: Arc::new(props),
                durability: Durability::Volatile,
                placement: PlacementStrategy::Rendezvous,
                codec: None,
                messages: BTreeMap::new(),
                doubles: Vec::new(),
            }),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Parts<A>)) -> Self {
        let parts = Arc::unwrap_or_clone(self.parts);
        self.parts = Arc::new(parts);
        if let Some(parts) = Arc::get_mut(&mut self.parts) {
            change(parts);
        }
        self
    }

    /// Adds a message to what these actors can be sent.
    #[must_use]
    pub fn handles<M>(self) -> Self
    where
        M: RemoteMessage,
        A: Handler<M>,
    {
        self.with(|parts| {
            if parts.messages.insert(M::NAME, deliver::<A, M>).is_some() {
                parts.doubles.push(M::NAME);
            }
        })
    }

    /// Sets where its actors are placed where nothing else is said, and who claims them after the
    /// loss of their node. Default: [`PlacementStrategy::Rendezvous`].
    #[must_use]
    pub fn with_placement(self, placement: PlacementStrategy) -> Self {
        self.with(|parts| parts.placement = placement)
    }

    /// Changes the props of each of its actors, for example their strategy or an observer.
    #[must_use]
    pub fn with_props(
        self,
        change: impl Fn(ActorProps<A, Box<dyn Factory<A>>>) -> ActorProps<A, Box<dyn Factory<A>>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.with(|parts| {
            let before = parts.props.clone();
            parts.props = Arc::new(move |factory, path| change(before(factory, path)));
        })
    }
}

impl<A: Actor<Context = Context<A>> + Snapshot> Kind<A> {
    /// Lets its actors' state move with them. What happened since the last move is lost with their
    /// node.
    #[must_use]
    pub fn snapshot(self) -> Self {
        self.with_codec(Durability::Snapshot)
    }

    /// Lets its actors' state outlive their node: an answer leaves when the state that has its effect
    /// is stored. Messages are handled in batches, and the state is stored once for each.
    ///
    /// After any failure the actor goes on from the last checkpoint, also where its strategy says
    /// `Resume`. The message it failed on is answered by the failure; the others of its batch are
    /// handled again, so what a handler does beside changing its actor may be done twice.
    #[must_use]
    pub fn durable(self) -> Self {
        self.with_codec(Durability::Durable)
    }

    fn with_codec(self, durability: Durability) -> Self {
        self.with(|parts| {
            parts.durability = durability;
            parts.codec = Some(Codec {
                write: snapshot::write::<A>,
                read: snapshot::read::<A>,
            });
        })
    }
}

impl<A: Actor<Context = Context<A>>> Clone for Kind<A> {
    fn clone(&self) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
        }
    }
}

impl<A: Actor<Context = Context<A>>> fmt::Debug for Kind<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.parts.name)
            .field("actor", &type_name::<A>())
            .field("durability", &self.parts.durability)
            .field("messages", &self.parts.messages.keys())
            .finish_non_exhaustive()
    }
}

impl<A: Actor<Context = Context<A>>> Clone for Parts<A> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            make: Arc::clone(&self.make),
            props: Arc::clone(&self.props),
            durability: self.durability,
            placement: self.placement.clone(),
            codec: self.codec.as_ref().map(|codec| Codec {
                write: codec.write,
                read: codec.read,
            }),
            messages: self.messages.clone(),
            doubles: self.doubles.clone(),
        }
    }
}

impl<A: Actor<Context = Context<A>>> AnyKind for Kind<A> {
    fn name(&self) -> &KindName {
        &self.parts.name
    }

    fn durability(&self) -> Durability {
        self.parts.durability
    }

    fn placement(&self) -> &PlacementStrategy {
        &self.parts.placement
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<A>()
    }

    fn doubles(&self) -> &[&'static str] {
        &self.parts.doubles
    }

    fn start(&self, making: Making) -> Box<dyn crate::node::hosted::Hosted> {
        crate::node::hosted::start(Arc::clone(&self.parts), making)
    }
}

/// Reads a message and gives it to its handler.
fn deliver<A, M>(actor: &mut A, ctx: &mut Context<A>, value: &[u8]) -> Delivered
where
    M: RemoteMessage,
    A: Actor<Context = Context<A>> + Handler<M>,
{
    let message: M = match serde_json::from_slice(value) {
        Ok(message) => message,
        Err(error) => {
            let why = format!("the message {} cannot be read: {error}", M::NAME);
            return Delivered::Now(Answer::Failed(why));
        }
    };
    let (reply, mut replied) = answering::<M>();
    actor.handle(message, ctx).handle(ctx, Some(reply));
    match replied.try_recv() {
        Ok(result) => Delivered::Now(answer::<M>(&result)),
        Err(oneshot::error::TryRecvError::Closed) => Delivered::Now(lost()),
        Err(oneshot::error::TryRecvError::Empty) => {
            Delivered::Later(Box::pin(later::<M>(PhantomData, replied)))
        }
    }
}

fn answering<M: Message>() -> (OneshotSender<M::Result>, oneshot::Receiver<M::Result>) {
    oneshot::channel()
}

async fn later<M: RemoteMessage>(
    _: PhantomData<fn(M)>,
    replied: oneshot::Receiver<M::Result>,
) -> Answer {
    replied
        .await
        .map_or_else(|_| lost(), |result| answer::<M>(&result))
}

fn answer<M: RemoteMessage>(result: &M::Result) -> Answer {
    match serde_json::to_vec(result) {
        Ok(bytes) => Answer::Done(bytes.into()),
        Err(error) => Answer::Failed(format!(
            "the result of {} cannot be written: {error}",
            M::NAME
        )),
    }
}

/// The handler gave no result.
fn lost() -> Answer {
    Answer::Failed("the handler ended without a result".into())
}
