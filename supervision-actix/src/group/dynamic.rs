//! A supervisor of many children of one kind, which come and go: one for each connection, session
//! or job.

use std::{
    any::{Any, type_name},
    error::Error,
    fmt,
    marker::PhantomData,
    rc::Rc,
    sync::Arc,
};

use actix::{Actor, Addr, ArbiterHandle, Context, WeakAddr};
use supervision_core::{
    RestartType, SupervisionStrategy, ValidStrategy,
    group::{ChildSpec, GroupStrategy, Request, RequestError, Shutdown},
};

use crate::{
    actor::SupervisedDistributedActor,
    control::{Call, Port},
    event::SupervisionEvent,
    factory::Factory,
    group::{
        birth::{Address, Birth, GroupBirth},
        handle::{ChildInfo, GroupEnd, GroupHandle},
        newborn::{DynamicParts, MakeTemplate, Newborn, Wiring},
        props::{GroupProps, InvalidProps},
        snapshot::Facts,
        task::Task,
    },
    hooks::Hooks,
    mailbox::Mailbox,
    managed::Managed,
    order::{Line, Post},
    props::tracked_mailbox,
    props::{StartError, check_capacity, runtime},
    settings::{Settings, Spec},
    shared::Shared,
    supervision::{Supervision, spawn},
    tracked::{Tally, TrackedAddr},
};

type Make<A, T> = Arc<dyn Fn(&T) -> A + Send + Sync>;

/// A dynamic supervisor as data. Each child is made by one factory from an argument of its own.
///
/// ```
/// use actix::prelude::*;
/// use supervision_actix::{group::DynamicProps, prelude::*};
///
/// struct Session(String);
/// impl Actor for Session {
///     type Context = Context<Self>;
/// }
///
/// #[derive(Message)]
/// #[rtype(result = "String")]
/// struct Greet;
/// impl Handler<Greet> for Session {
///     type Result = String;
///     fn handle(&mut self, _: Greet, _: &mut Context<Self>) -> String {
///         format!("hello {}", self.0)
///     }
/// }
///
/// System::new().block_on(async {
///     let sessions = DynamicProps::new("/app/sessions", SupervisionStrategy::default(),
///         |name: &String| Session(name.clone())).start();
///     let session = sessions.add("7", "world".to_owned()).await?;
///     assert_eq!(session.send(Greet).await.as_deref(), Ok("hello world"));
///     sessions.remove("7").await?;
///     assert_eq!(sessions.count(), 0);
///     sessions.shutdown().await;
///     # Ok::<(), supervision_actix::group::RequestError>(())
/// }).unwrap();
/// ```
#[must_use = "props describe a supervisor; start it"]
pub struct DynamicProps<A: Actor<Context = Context<A>>, T> {
    path: String,
    strategy: SupervisionStrategy,
    shutdown: Shutdown,
    hooks: &'static Hooks<A>,
    settings: Settings,
    make: Make<A, T>,
}

impl<A: Actor<Context = Context<A>>, T: Send + 'static> DynamicProps<A, T> {
    /// A supervisor without children. `factory` makes each incarnation of a child from the argument
    /// the child was added with; `strategy` decides about failures, with budgets that all children
    /// have in common.
    pub fn new(
        path: impl Into<String>,
        strategy: SupervisionStrategy,
        factory: impl Fn(&T) -> A + Send + Sync + 'static,
    ) -> Self {
        Self {
            path: path.into(),
            strategy,
            shutdown: Shutdown::default(),
            hooks: Hooks::PLAIN,
            settings: Settings::default(),
            make: Arc::new(factory),
        }
    }

    /// Has the children's hooks called, see [`SupervisedDistributedActor`]. Default: they are plain
    /// actors. Their paths are the supervisor's with their ids in any case.
    pub fn with_hooks(mut self) -> Self
    where
        A: SupervisedDistributedActor,
    {
        self.hooks = Hooks::SUPERVISED;
        self
    }

    /// Sets the restart type of the children. Default: transient. A child that has ended for good
    /// leaves the supervisor.
    pub fn with_restart_type(mut self, restart_type: RestartType) -> Self {
        self.settings.restart_type = restart_type;
        self
    }

    /// Sets how the children are stopped. Default: asked, and killed after 5 s.
    pub fn with_shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Sets how many messages a child's mailbox takes, see
    /// [`ActorProps::with_mailbox_capacity`](crate::ActorProps::with_mailbox_capacity).
    pub fn with_mailbox_capacity(mut self, capacity: usize) -> Self {
        self.settings.mailbox_capacity = capacity;
        self
    }

    /// Sets how many failures are remembered of each child; 0 remembers none. Default: 100.
    pub fn with_history_capacity(mut self, capacity: usize) -> Self {
        self.settings.set_history_capacity(capacity);
        self
    }

    /// Has `observer` told of everything that happens to the children, see
    /// [`ActorProps::with_observer`](crate::ActorProps::with_observer).
    pub fn with_observer(mut self, observer: impl Fn(&SupervisionEvent) + Send + 'static) -> Self {
        self.settings.extras_mut().observer = Some(Box::new(observer));
        self
    }

    /// Starts the supervisor on this arbiter; its children run here too.
    ///
    /// # Panics
    /// With the [`InvalidProps`] that [`try_start`](Self::try_start) would return.
    pub fn start(self) -> DynamicSupervisor<A, T> {
        match self.try_start() {
            Ok(supervisor) => supervisor,
            Err(error) => panic!("cannot start the dynamic supervisor: {error}"),
        }
    }

    /// Starts the supervisor on this arbiter; its children run here too.
    ///
    /// # Errors
    /// [`InvalidProps`]; nothing was started.
    pub fn try_start(self) -> Result<DynamicSupervisor<A, T>, InvalidProps> {
        runtime()?;
        let (wiring, supervisor) = self.wire()?;
        actix_rt::spawn(Task::new(wiring, None).run());
        Ok(supervisor)
    }

    pub(super) fn birth(self) -> Result<Box<dyn Birth>, InvalidProps> {
        let (wiring, supervisor) = self.wire()?;
        let handle = supervisor.handle.clone();
        Ok(Box::new(GroupBirth::new(wiring, &handle, supervisor)))
    }

    fn wire(self) -> Result<(Wiring, DynamicSupervisor<A, T>), InvalidProps> {
        let Self {
            path,
            strategy,
            shutdown,
            hooks,
            settings,
            make,
        } = self;
        check_capacity(settings.mailbox_capacity)?;
        let common = Common {
            restart_type: settings.restart_type,
            shutdown,
            mailbox_capacity: settings.mailbox_capacity,
        };
        let spec = Spec {
            path: path.clone().into(),
            // The group decides; what the actor's type says about that is not asked.
            strategy: Some(ValidStrategy::default()),
            hooks,
            settings,
            hosting: None,
        };
        let template: MakeTemplate = Box::new(move || {
            Box::new(Rc::new(Template {
                spec: Rc::new(spec),
                make,
            }))
        });
        let group = GroupProps::new(path, GroupStrategy::OneForOne, strategy);
        let (wiring, handle) = group.wire(Some(DynamicParts {
            template,
            child_type: type_name::<A>(),
        }))?;
        let supervisor = DynamicSupervisor {
            handle,
            common,
            kind: PhantomData,
        };
        Ok((wiring, supervisor))
    }
}

/// What is the same for all children of one supervisor.
#[derive(Clone, Copy, Debug)]
struct Common {
    restart_type: RestartType,
    shutdown: Shutdown,
    mailbox_capacity: usize,
}

/// The same, as far as it stays on the supervisor's arbiter.
struct Template<A: Actor<Context = Context<A>>, T> {
    spec: Rc<Spec<A>>,
    make: Make<A, T>,
}

/// Makes the incarnations of one child.
struct FromTemplate<A: Actor<Context = Context<A>>, T> {
    template: Rc<Template<A, T>>,
    argument: T,
}

impl<A, T> Factory<A> for FromTemplate<A, T>
where
    A: Actor<Context = Context<A>>,
    T: 'static,
{
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>> {
        Ok((self.template.make)(&self.argument))
    }
}

/// A child that has no task yet.
struct DynamicBirth<A: Actor<Context = Context<A>>, T> {
    argument: T,
    mailbox: Mailbox<A>,
    address: Addr<A>,
}

impl<A: Actor<Context = Context<A>>, T: Send + 'static> Birth for DynamicBirth<A, T> {
    fn address(&self) -> Address {
        // Weak: a strong one is four times as large, and the group keeps its children anyway.
        Box::new(self.address.downgrade())
    }

    fn facts(&self) -> Option<Facts> {
        None
    }

    fn start(
        self: Box<Self>,
        post: Post,
        _: Option<&ArbiterHandle>,
        template: Option<&dyn Any>,
    ) -> Result<Line, StartError> {
        let template = template.and_then(|any| any.downcast_ref::<Rc<Template<A, T>>>());
        // Only its own supervisor makes one of these.
        let template = template.ok_or(StartError::ArbiterStopped)?.clone();
        let call = Call::new();
        let managed = Managed::new(post, call.clone(), true);
        let port = Port::managed(call.clone(), None, managed);
        let shared = Shared::new(self.mailbox, Some(port), template.spec.clone());
        let factory = Box::new(FromTemplate {
            template,
            argument: self.argument,
        });
        spawn(Supervision::managed(shared, factory));
        Ok(Line::Actor(call))
    }
}

/// A running dynamic supervisor. Cheap to clone, and may be sent to other threads.
///
/// Adding, removing, restarting and finding a child cost O(log n) for n children, a failure too, and
/// counting costs nothing. As with any group, nobody needs to hold it.
pub struct DynamicSupervisor<A: Actor<Context = Context<A>>, T> {
    handle: GroupHandle,
    common: Common,
    kind: PhantomData<fn(T) -> A>,
}

impl<A: Actor<Context = Context<A>>, T> Clone for DynamicSupervisor<A, T> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            common: self.common,
            kind: PhantomData,
        }
    }
}

impl<A: Actor<Context = Context<A>>, T> fmt::Debug for DynamicSupervisor<A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl<A: Actor<Context = Context<A>>, T: Send + 'static> DynamicSupervisor<A, T> {
    /// Starts one more child and waits until it has started.
    ///
    /// # Errors
    /// [`RequestError`]; the child was not added, but for [`RequestError::Interrupted`], with which
    /// it was and does not run.
    pub async fn add(&self, id: impl Into<String>, argument: T) -> Result<Addr<A>, RequestError> {
        let (address, mailbox) = Mailbox::new(self.common.mailbox_capacity);
        let added = self.add_with(id.into(), argument, mailbox, address.clone());
        added.await.map(|()| address)
    }

    async fn add_with(
        &self,
        id: String,
        argument: T,
        mailbox: Mailbox<A>,
        address: Addr<A>,
    ) -> Result<(), RequestError> {
        let birth = Box::new(DynamicBirth {
            argument,
            mailbox,
            address,
        });
        let spec = ChildSpec::new(id)
            .with_restart_type(self.common.restart_type)
            .with_shutdown(self.common.shutdown);
        let newborn = Newborn::new(&spec, birth, None);
        self.handle.request(Request::Add(spec), Some(newborn)).await
    }

    /// As [`add`](Self::add), and returns a tracked address.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn add_tracked(
        &self,
        id: impl Into<String>,
        argument: T,
    ) -> Result<TrackedAddr<A>, RequestError> {
        let id = id.into();
        let tally = Tally::new(&format!("{}/{id}", self.handle.path()), None);
        let (tracked, mailbox) = tracked_mailbox(self.common.mailbox_capacity, tally);
        let added = self.add_with(id, argument, mailbox, tracked.address().clone());
        added.await.map(|()| tracked)
    }

    /// Stops a child and removes it.
    ///
    /// # Errors
    /// [`RequestError`]; the child is as it was, or was started again by somebody else meanwhile.
    pub async fn remove(&self, id: &str) -> Result<(), RequestError> {
        self.handle.terminate(id).await?;
        match self.handle.delete(id).await {
            // It left when it ended.
            Ok(()) | Err(RequestError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Stops a child and starts it again, with a new value and what waits in its mailbox. Nothing is
    /// charged.
    ///
    /// Messages that arrive between the stop and the start are refused.
    ///
    /// # Errors
    /// [`RequestError`]; the child does not run, or was started again by somebody else meanwhile.
    pub async fn restart(&self, id: &str) -> Result<(), RequestError> {
        self.handle.terminate(id).await?;
        self.handle.restart(id).await
    }

    /// Has another strategy decide about failed children, see [`GroupHandle::change_strategy`].
    ///
    /// # Errors
    /// [`RequestError`]; nothing was changed.
    pub async fn change_strategy(&self, strategy: SupervisionStrategy) -> Result<(), RequestError> {
        self.handle.change_strategy(strategy).await
    }

    /// Has another strategy decide about one child, see [`GroupHandle::change_child_strategy`]. It
    /// goes until the child leaves the supervisor.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was changed.
    pub async fn change_child_strategy(
        &self,
        id: &str,
        strategy: Option<SupervisionStrategy>,
    ) -> Result<(), RequestError> {
        self.handle.change_child_strategy(id, strategy).await
    }

    /// The address of a child: the same in all its lives.
    pub fn get(&self, id: &str) -> Option<Addr<A>> {
        self.handle.directory().find(id, WeakAddr::upgrade)?
    }

    /// The children in the order in which they were added.
    pub async fn list(&self) -> Vec<ChildInfo> {
        self.handle.children().await
    }

    /// How many children there are.
    pub fn count(&self) -> usize {
        self.handle.count()
    }

    /// The supervisor as a group.
    pub fn as_group(&self) -> &GroupHandle {
        &self.handle
    }

    /// Stops all children, the last one first, and waits until the supervisor has ended.
    pub async fn shutdown(&self) -> GroupEnd {
        self.handle.shutdown().await
    }

    /// Waits until the supervisor has ended, and tells why.
    pub async fn ended(&self) -> GroupEnd {
        self.handle.ended().await
    }
}
