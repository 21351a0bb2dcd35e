//! Describing a supervised actor and starting it.

mod stall;
mod tracked;

use std::{any::type_name, error::Error, rc::Rc, time::Duration};

use actix::{Actor, Addr, ArbiterHandle, Context, dev::channel::AddressReceiver};
use supervision_core::{
    InvalidErrorPattern, InvalidStrategy, NodeId, RestartType, SupervisionStrategy, ValidStrategy,
};

pub(crate) use self::tracked::tracked_mailbox;
use crate::{
    actor::SupervisedDistributedActor,
    control::{Port, supervisor_channel},
    event::SupervisionEvent,
    factory::{Factory, FromFn, FromTryFn, Prototype},
    hooks::Hooks,
    hosting::Hosting,
    inlet::Inlet,
    limiter::SharedLimiter,
    luggage::Arrival,
    mailbox::Mailbox,
    relocator::Relocator,
    settings::{Settings, Spec},
    shared::Shared,
    supervision::{Supervision, spawn},
    supervisor::SupervisorActor,
};

/// Longest accepted actor path, in bytes.
const MAX_PATH: usize = 1_024;
/// Largest accepted mailbox; actix's own limit is of this order.
const MAX_MAILBOX: usize = usize::MAX >> 3;

/// An actor that could not be started; nothing was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The strategy given to [`ActorProps::with_supervision`] is invalid.
    #[error(transparent)]
    Strategy(#[from] InvalidStrategy),
    /// The path is empty, longer than 1,024 bytes, or holds control characters.
    #[error("invalid actor path {0:?}: must hold 1 to 1024 bytes and no control characters")]
    Path(String),
    /// An error type given to [`ActorProps::with_restart_limiter_for`] is not the name of a type.
    #[error(transparent)]
    LimiterFor(#[from] InvalidErrorPattern),
    /// The mailbox capacity is larger than a channel can count.
    #[error("invalid mailbox capacity {0}: larger than {MAX_MAILBOX}")]
    MailboxCapacity(usize),
    /// The stall deadline is zero or longer than 365 days.
    #[error("invalid stall deadline {0:?}: must be longer than zero and at most 365 days")]
    StallDeadline(Duration),
    /// There is no tokio runtime on this thread; actors start inside an actix `System` or a
    /// `LocalSet`.
    #[error("no runtime: actors are started inside an actix system")]
    NoRuntime,
    /// The arbiter has stopped.
    #[error("the arbiter has stopped")]
    ArbiterStopped,
    /// The program is built with `panic = "abort"`: no panic can be survived.
    #[error("supervision needs unwinding panics, but this program is built with panic = \"abort\"")]
    PanicAbort,
}

/// How a supervised actor is made and supervised.
///
/// ```no_run
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// # use std::time::Duration;
/// # #[derive(Clone)] struct MyActor;
/// # impl Actor for MyActor { type Context = Context<Self>; }
/// # impl DistributedActor for MyActor { fn actor_path(&self) -> String { "/user/a".into() } }
/// # impl SupervisedDistributedActor for MyActor {}
/// let supervisor = ActorProps::new(MyActor)
///     .with_supervision(SupervisionStrategy::Restart {
///         max_restarts: 3,
///         window: Duration::from_secs(30),
///         delay: Duration::from_millis(100),
///     })
///     .start();
/// ```
#[must_use = "props describe an actor; start it"]
pub struct ActorProps<A: Actor<Context = Context<A>>, F = Prototype<A>> {
    factory: F,
    hooks: &'static Hooks<A>,
    path: String,
    strategy: Option<SupervisionStrategy>,
    settings: Settings,
    hosting: Option<Box<Hosting<A>>>,
}

impl<A: SupervisedDistributedActor + Clone> ActorProps<A, Prototype<A>> {
    /// An actor of which each incarnation is a clone of `actor`, the first one included.
    pub fn new(actor: A) -> Self {
        let path = actor.actor_path();
        Self::supervised(Prototype(actor), path)
    }
}

impl<A, F> ActorProps<A, FromFn<F>>
where
    A: SupervisedDistributedActor,
    F: FnMut() -> A + 'static,
{
    /// An actor of which each incarnation is made by `factory`. Until the first is made its path is
    /// taken to be its type's name.
    pub fn from_factory(factory: F) -> Self {
        Self::supervised(FromFn(factory), type_name::<A>().to_owned())
    }
}

impl<A, E, F> ActorProps<A, FromTryFn<F>>
where
    A: SupervisedDistributedActor,
    E: Into<Box<dyn Error + Send + Sync>>,
    F: FnMut() -> Result<A, E> + 'static,
{
    /// As [`from_factory`](ActorProps::from_factory), with a factory that may return an error; that
    /// is a failure of the start, answered by the strategy. The error is boxed; a type of your own is
    /// recognised after [`with_error_type`](Self::with_error_type).
    pub fn from_try_factory(factory: F) -> Self {
        Self::supervised(FromTryFn(factory), type_name::<A>().to_owned())
    }
}

impl<A, F> ActorProps<A, FromFn<F>>
where
    A: Actor<Context = Context<A>>,
    F: FnMut() -> A + 'static,
{
    /// Any actor, with no trait of this crate: it has no hooks, and its strategy is the one given
    /// to [`with_supervision`](Self::with_supervision) or else the default.
    pub fn plain(path: impl Into<String>, factory: F) -> Self {
        Self::described(FromFn(factory), Hooks::PLAIN, path.into())
    }
}

impl<A, E, F> ActorProps<A, FromTryFn<F>>
where
    A: Actor<Context = Context<A>>,
    E: Into<Box<dyn Error + Send + Sync>>,
    F: FnMut() -> Result<A, E> + 'static,
{
    /// As [`plain`](ActorProps::plain), with a factory that may return an error.
    pub fn try_plain(path: impl Into<String>, factory: F) -> Self {
        Self::described(FromTryFn(factory), Hooks::PLAIN, path.into())
    }
}

impl<A: SupervisedDistributedActor> ActorProps<A, Box<dyn Factory<A>>> {
    /// An actor of which each incarnation is made by `factory`. Until the first is made its path is
    /// `path`.
    pub fn from_boxed_factory(factory: Box<dyn Factory<A>>, path: impl Into<String>) -> Self {
        Self::supervised(factory, path.into())
    }
}

impl<A: Actor<Context = Context<A>>> ActorProps<A, Box<dyn Factory<A>>> {
    /// As [`plain`](ActorProps::plain), with a factory of any type.
    pub fn plain_boxed(path: impl Into<String>, factory: Box<dyn Factory<A>>) -> Self {
        Self::described(factory, Hooks::PLAIN, path.into())
    }
}

impl<A: SupervisedDistributedActor, F> ActorProps<A, F> {
    /// What the actor's type says goes until a setter says otherwise.
    fn supervised(factory: F, path: String) -> Self {
        let props = Self::described(factory, Hooks::SUPERVISED, path)
            .with_restart_type(A::restart_type())
            .with_history_capacity(A::history_capacity());
        match A::stall_deadline() {
            Some(deadline) => props.with_stall_deadline(deadline),
            None => props,
        }
    }
}

impl<A: Actor<Context = Context<A>>, F> ActorProps<A, F> {
    fn described(factory: F, hooks: &'static Hooks<A>, path: String) -> Self {
        Self {
            factory,
            hooks,
            path,
            strategy: None,
            settings: Settings::default(),
            hosting: None,
        }
    }

    /// Sets the strategy; it goes before the actor's own `supervision_strategy()`. While the actor
    /// runs it can be replaced, see [`ChangeStrategy`](crate::ChangeStrategy).
    pub fn with_supervision(mut self, strategy: SupervisionStrategy) -> Self {
        self.strategy = Some(strategy);
        self
    }

    /// Sets when an end is answered by a restart. Default: [`RestartType::Transient`], so an actor
    /// that stops by itself has ended.
    pub fn with_restart_type(mut self, restart_type: RestartType) -> Self {
        self.settings.restart_type = restart_type;
        self
    }

    /// Sets how many messages the mailbox takes before senders wait; 0 means no limit. Default: 16,
    /// as in actix. What an incarnation sets by `ctx.set_mailbox_capacity` ends with it.
    pub fn with_mailbox_capacity(mut self, capacity: usize) -> Self {
        self.settings.mailbox_capacity = capacity;
        self
    }

    /// Sets how many failures are remembered; 0 remembers none. Default: 100.
    pub fn with_history_capacity(mut self, capacity: usize) -> Self {
        self.settings.set_history_capacity(capacity);
        self
    }

    /// Sets the name of the node in failure records. Default: `local`.
    pub fn with_node_id(mut self, node_id: NodeId) -> Self {
        self.settings.extras_mut().node_id = Some(node_id);
        self
    }

    /// Lets the supervisor recognise `E` inside a `Box<dyn Error + Send>`.
    pub fn with_error_type<E: Error + 'static>(mut self) -> Self {
        self.settings.extras_mut().known.add::<E>();
        self
    }

    /// Has restarts of this actor go through a limiter that it shares with others, so that what fails
    /// at once does not come back at once; see [`SharedLimiter`]. It is the limiter of all failures
    /// that none given to [`with_restart_limiter_for`](Self::with_restart_limiter_for) is for.
    /// Default: none, a restart comes when its decided delay is over.
    pub fn with_restart_limiter(mut self, limiter: SharedLimiter) -> Self {
        self.settings.extras_mut().limiters.set_for_others(limiter);
        self
    }

    /// As [`with_restart_limiter`](Self::with_restart_limiter), for restarts after failures with this
    /// error in their chain, so that failures that share a cause share a limiter.
    ///
    /// `error_type` is found as by a `Match` strategy with limiters for rules; a restart goes through
    /// one limiter only. What is no type's name is refused by the start ([`StartError::LimiterFor`]).
    pub fn with_restart_limiter_for(mut self, error_type: &str, limiter: SharedLimiter) -> Self {
        let limiters = &mut self.settings.extras_mut().limiters;
        limiters.add_for(error_type, limiter);
        self
    }

    /// Lets a cluster host the actor: `relocator` is asked where it goes when its strategy says
    /// `Relocate`, `inlet` is another way to its handlers, and `arrival` tells how it came here.
    /// Meant for crates that run clusters. Not to be combined with groups. Default: nobody hosts it.
    pub fn with_relocator(
        mut self,
        relocator: impl Relocator<A>,
        inlet: Inlet<A>,
        arrival: Option<Arrival>,
    ) -> Self {
        let hosting = Hosting::new(Box::new(relocator), inlet, arrival);
        self.hosting = Some(Box::new(hosting));
        self
    }

    /// Has `observer` told of everything that happens to the actor, on its arbiter and at once, so
    /// it should be quick. [`SupervisionEvent::Ended`] with
    /// [`EndReason::Escalated`](crate::EndReason::Escalated) is how a failure that nobody above
    /// handles is reported upward. Default: nobody is told.
    ///
    /// A panic in the observer is logged and changes nothing.
    pub fn with_observer(mut self, observer: impl Fn(&SupervisionEvent) + Send + 'static) -> Self {
        self.settings.extras_mut().observer = Some(Box::new(observer));
        self
    }
}

impl<A: Actor<Context = Context<A>>, F: Factory<A>> ActorProps<A, F> {
    /// Starts the actor on this arbiter and returns its supervisor's address.
    ///
    /// # Panics
    /// With the [`StartError`] that [`try_start`](Self::try_start) would return.
    pub fn start(self) -> Addr<SupervisorActor<A>> {
        started(self.try_start())
    }

    /// Starts the actor on this arbiter and returns its supervisor's address.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start(self) -> Result<Addr<SupervisorActor<A>>, StartError> {
        let ready = self.check()?;
        runtime()?;
        let (supervisor, inbox) = supervisor_channel();
        // The actor's own address goes at once: the supervisor's keeps the actor.
        let _actor = ready.spawn(Some(inbox));
        Ok(supervisor)
    }

    /// Starts the actor on this arbiter and returns its own address: the lean way. Its supervisor's
    /// address can be had from inside, by `ctx.supervisor()`.
    ///
    /// # Panics
    /// With the [`StartError`] that [`try_start_actor`](Self::try_start_actor) would return.
    pub fn start_actor(self) -> Addr<A> {
        started(self.try_start_actor())
    }

    /// Starts the actor on this arbiter and returns its own address.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start_actor(self) -> Result<Addr<A>, StartError> {
        let ready = self.check()?;
        runtime()?;
        Ok(ready.spawn(None))
    }

    pub(crate) fn restart_type(&self) -> RestartType {
        self.settings.restart_type
    }

    pub(crate) fn check(self) -> Result<Ready<A, F>, StartError> {
        let Self {
            factory,
            hooks,
            path,
            strategy,
            settings,
            hosting,
        } = self;
        if cfg!(not(panic = "unwind")) {
            return Err(StartError::PanicAbort);
        }
        check_path(&path)?;
        check_capacity(settings.mailbox_capacity)?;
        if let Some(extras) = settings.extras() {
            extras.limiters.check()?;
        }
        stall::check(&settings)?;
        let strategy = strategy.map(ValidStrategy::new).transpose()?;
        Ok(Ready {
            factory,
            spec: Spec {
                path: path.into(),
                strategy,
                hooks,
                settings,
                hosting,
            },
        })
    }
}

impl<A: Actor<Context = Context<A>>, F: Factory<A> + Send> ActorProps<A, F> {
    /// Starts the actor on another arbiter and returns its supervisor's address.
    ///
    /// # Panics
    /// With the [`StartError`] that [`try_start_in_arbiter`](Self::try_start_in_arbiter) would
    /// return.
    pub fn start_in_arbiter(self, arbiter: &ArbiterHandle) -> Addr<SupervisorActor<A>> {
        started(self.try_start_in_arbiter(arbiter))
    }

    /// Starts the actor on another arbiter and returns its supervisor's address. The factory is
    /// called over there; messages can be sent at once.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start_in_arbiter(
        self,
        arbiter: &ArbiterHandle,
    ) -> Result<Addr<SupervisorActor<A>>, StartError> {
        let ready = self.check()?;
        let (supervisor, inbox) = supervisor_channel();
        let spawned = arbiter.spawn_fn(move || drop(ready.spawn(Some(inbox))));
        spawned
            .then_some(supervisor)
            .ok_or(StartError::ArbiterStopped)
    }

    /// Starts the actor on another arbiter and returns its own address.
    ///
    /// # Panics
    /// With the [`StartError`] that
    /// [`try_start_actor_in_arbiter`](Self::try_start_actor_in_arbiter) would return.
    pub fn start_actor_in_arbiter(self, arbiter: &ArbiterHandle) -> Addr<A> {
        started(self.try_start_actor_in_arbiter(arbiter))
    }

    /// Starts the actor on another arbiter and returns its own address.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start_actor_in_arbiter(
        self,
        arbiter: &ArbiterHandle,
    ) -> Result<Addr<A>, StartError> {
        let ready = self.check()?;
        let (address, mailbox) = Mailbox::new(ready.spec.settings.mailbox_capacity);
        let spawned = arbiter.spawn_fn(move || ready.spawn_with(mailbox, None));
        spawned.then_some(address).ok_or(StartError::ArbiterStopped)
    }
}

/// Props that were found valid.
pub(crate) struct Ready<A: Actor<Context = Context<A>>, F> {
    factory: F,
    pub(crate) spec: Spec<A>,
}

impl<A: Actor<Context = Context<A>>, F: Factory<A>> Ready<A, F> {
    fn spawn(self, inbox: Option<AddressReceiver<SupervisorActor<A>>>) -> Addr<A> {
        let (address, mailbox) = Mailbox::new(self.spec.settings.mailbox_capacity);
        self.spawn_with(mailbox, inbox);
        address
    }

    fn spawn_with(self, mailbox: Mailbox<A>, inbox: Option<AddressReceiver<SupervisorActor<A>>>) {
        let port = inbox.map(Port::with_inbox);
        let shared = Shared::new(mailbox, port, Rc::new(self.spec));
        spawn(Supervision::new(shared, Box::new(self.factory)));
    }

    /// Starts the task of a group's child; its first incarnation waits for the group's order.
    pub(crate) fn spawn_managed(self, mailbox: Mailbox<A>, port: Port<A>) {
        let shared = Shared::new(mailbox, Some(port), Rc::new(self.spec));
        spawn(Supervision::managed(shared, Box::new(self.factory)));
    }
}

pub(crate) fn check_path(path: &str) -> Result<(), StartError> {
    // A path of plain text, as nearly all are, need not be decoded to be found without control
    // characters.
    let plain = path.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if path.is_empty() || path.len() > MAX_PATH || (!plain && path.contains(char::is_control)) {
        return Err(StartError::Path(path.chars().take(64).collect()));
    }
    Ok(())
}

pub(crate) fn check_capacity(capacity: usize) -> Result<(), StartError> {
    if capacity > MAX_MAILBOX {
        return Err(StartError::MailboxCapacity(capacity));
    }
    Ok(())
}

pub(crate) fn runtime() -> Result<(), StartError> {
    tokio::runtime::Handle::try_current()
        .map(drop)
        .map_err(|_| StartError::NoRuntime)
}

fn started<T>(result: Result<T, StartError>) -> T {
    match result {
        Ok(started) => started,
        Err(error) => panic!("cannot start the actor: {error}"),
    }
}
