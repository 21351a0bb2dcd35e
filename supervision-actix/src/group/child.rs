//! Describing a child of a group.

use std::time::Duration;

use actix::{Actor, Addr, ArbiterHandle, Context};
use supervision_core::{
    RestartType, SupervisionStrategy,
    group::{ChildSpec, Shutdown},
};

use crate::{
    factory::Factory,
    group::{
        birth::{self, Addresses, Birth},
        dynamic::{DynamicProps, DynamicSupervisor},
        handle::GroupHandle,
        props::{GroupProps, InvalidProps},
    },
    props::ActorProps,
};

/// One child of a group: an actor, a group, or a [dynamic supervisor](DynamicProps).
///
/// ```no_run
/// # use actix::prelude::*;
/// # use supervision_actix::{group::{ChildProps, Shutdown}, prelude::*};
/// # use std::time::Duration;
/// # struct Database;
/// # impl Actor for Database { type Context = Context<Self>; }
/// ChildProps::actor("database", ActorProps::plain("/app/database", || Database))
///     .with_restart_type(RestartType::Permanent)
///     .with_shutdown(Shutdown::Timeout(Duration::from_secs(2)));
/// ```
#[must_use = "props describe a child; give them to a group"]
pub struct ChildProps {
    pub(super) spec: ChildSpec,
    pub(super) birth: Result<Box<dyn Birth>, InvalidProps>,
    pub(super) arbiter: Option<ArbiterHandle>,
}

impl ChildProps {
    /// An actor. Its factory is called on the arbiter it runs on.
    ///
    /// In a group the group decides, so a strategy given to the props or returned by the actor's
    /// `supervision_strategy()` is not asked; give the child one by
    /// [`with_strategy`](Self::with_strategy). The restart type of the props is taken over.
    pub fn actor<A, F>(id: impl Into<String>, props: ActorProps<A, F>) -> Self
    where
        A: Actor<Context = Context<A>>,
        F: Factory<A> + Send,
    {
        let id = id.into();
        let restart_type = props.restart_type();
        let birth = birth::of_actor(props).map_err(|error| InvalidProps::Child {
            id: id.clone(),
            error,
        });
        Self::new(ChildSpec::new(id).with_restart_type(restart_type), birth)
    }

    /// A group. It is given the time it needs to stop ([`Shutdown::Infinity`]), as OTP does with
    /// supervisors; it ends by itself in the normal way when an auto-shutdown ends it.
    pub fn group(id: impl Into<String>, props: GroupProps) -> Self {
        let spec = ChildSpec::new(id).with_shutdown(Shutdown::Infinity);
        Self::new(spec, props.birth())
    }

    /// A dynamic supervisor; it starts empty, also when it is restarted.
    pub fn dynamic<A, T>(id: impl Into<String>, props: DynamicProps<A, T>) -> Self
    where
        A: Actor<Context = Context<A>>,
        T: Send + 'static,
    {
        let spec = ChildSpec::new(id).with_shutdown(Shutdown::Infinity);
        Self::new(spec, props.birth())
    }

    fn new(spec: ChildSpec, birth: Result<Box<dyn Birth>, InvalidProps>) -> Self {
        Self {
            spec,
            birth,
            arbiter: None,
        }
    }

    /// The address of an actor `A`, before it runs: for siblings that are to know it. `None` for
    /// anything else.
    pub fn address<A: Actor<Context = Context<A>>>(&self) -> Option<Addr<A>> {
        let address = self.birth.as_ref().ok()?.address();
        let addresses = address.downcast::<Addresses<A>>().ok()?;
        Some(addresses.actor)
    }

    /// The handle of a group, before it runs. `None` for anything else.
    pub fn group_handle(&self) -> Option<GroupHandle> {
        let address = self.birth.as_ref().ok()?.address();
        address.downcast().ok().map(|handle| *handle)
    }

    /// The handle of a dynamic supervisor of these, before it runs. `None` for anything else.
    pub fn dynamic_supervisor<A, T>(&self) -> Option<DynamicSupervisor<A, T>>
    where
        A: Actor<Context = Context<A>>,
        T: Send + 'static,
    {
        let address = self.birth.as_ref().ok()?.address();
        address.downcast().ok().map(|supervisor| *supervisor)
    }

    /// Sets the restart type. Default: that of the actor's props; transient for a group.
    pub fn with_restart_type(mut self, restart_type: RestartType) -> Self {
        self.spec.restart_type = restart_type;
        self
    }

    /// Sets how it is stopped. Default: asked, and killed after 5 s; a group gets the time it needs.
    pub fn with_shutdown(mut self, shutdown: Shutdown) -> Self {
        self.spec.shutdown = shutdown;
        self
    }

    /// Has it killed if it has not stopped `timeout` after it was asked to.
    pub fn with_shutdown_timeout(self, timeout: Duration) -> Self {
        self.with_shutdown(Shutdown::Timeout(timeout))
    }

    /// Decides its failures instead of the group's strategy, with budgets of its own. Default: the
    /// group's strategy decides.
    pub fn with_strategy(mut self, strategy: SupervisionStrategy) -> Self {
        self.spec.strategy = Some(strategy);
        self
    }

    /// Lets the group's auto-shutdown look at it. Default: no.
    pub fn significant(mut self) -> Self {
        self.spec.significant = true;
        self
    }

    /// Runs it on another arbiter. Default: on the group's.
    ///
    /// If that arbiter stops, the child has failed with the error type
    /// `supervision_actix::ArbiterStopped`, and so do its restarts.
    pub fn on_arbiter(mut self, arbiter: ArbiterHandle) -> Self {
        self.arbiter = Some(arbiter);
        self
    }
}
