//! How the task of a child comes to be. It is made once, before the child's first start, and lives
//! as long as the child is in the group; so do its mailbox and its address.

use std::any::{Any, type_name};

use actix::{Actor, Addr, ArbiterHandle, Context, dev::channel::AddressReceiver};
use supervision_core::ValidStrategy;
use tokio::sync::mpsc;

use crate::{
    control::{Call, Port, supervisor_channel},
    factory::Factory,
    group::{
        expected::Expected,
        handle::GroupHandle,
        newborn::Wiring,
        snapshot::Facts,
        task::{Event, Task},
    },
    mailbox::Mailbox,
    managed::Managed,
    order::{Line, Post},
    props::{ActorProps, Ready, StartError},
    snapshot::{NodeKind, UnderWay},
    supervisor::SupervisorActor,
};

/// By what a group's users reach a child.
pub(super) type Address = Box<dyn Any + Send>;

/// The addresses of an actor in a group.
pub(super) struct Addresses<A: Actor<Context = Context<A>>> {
    pub(super) actor: Addr<A>,
    pub(super) supervisor: Addr<SupervisorActor<A>>,
}

/// A child that has no task yet. It can be sent to the arbiter of its group.
pub(super) trait Birth: Send {
    fn address(&self) -> Address;

    /// What is known of the child without asking it; `None` where that follows from its supervisor
    /// and id.
    fn facts(&self) -> Option<Facts>;

    /// Starts the task, here or on another arbiter. `template` is what the children of a group have
    /// in common.
    fn start(
        self: Box<Self>,
        post: Post,
        arbiter: Option<&ArbiterHandle>,
        template: Option<&dyn Any>,
    ) -> Result<Line, StartError>;
}

/// An actor.
struct ActorBirth<A: Actor<Context = Context<A>>, F> {
    ready: Ready<A, F>,
    mailbox: Mailbox<A>,
    inbox: AddressReceiver<SupervisorActor<A>>,
    actor: Addr<A>,
    supervisor: Addr<SupervisorActor<A>>,
}

/// Makes ready to start an actor.
pub(super) fn of_actor<A, F>(props: ActorProps<A, F>) -> Result<Box<dyn Birth>, StartError>
where
    A: Actor<Context = Context<A>>,
    F: Factory<A> + Send,
{
    let mut ready = props.check()?;
    // The group decides; what the actor's type says about that is not asked.
    ready.spec.strategy = Some(ValidStrategy::default());
    let (actor, mailbox) = Mailbox::new(ready.spec.settings.mailbox_capacity);
    let (supervisor, inbox) = supervisor_channel();
    Ok(Box::new(ActorBirth {
        ready,
        mailbox,
        inbox,
        actor,
        supervisor,
    }))
}

impl<A, F> Birth for ActorBirth<A, F>
where
    A: Actor<Context = Context<A>>,
    F: Factory<A> + Send,
{
    fn address(&self) -> Address {
        Box::new(Addresses {
            actor: self.actor.clone(),
            supervisor: self.supervisor.clone(),
        })
    }

    fn facts(&self) -> Option<Facts> {
        Some(Facts {
            path: self.ready.spec.path.as_str().to_owned(),
            actor_type: Some(type_name::<A>()),
            kind: NodeKind::Actor,
        })
    }

    fn start(
        self: Box<Self>,
        post: Post,
        arbiter: Option<&ArbiterHandle>,
        _: Option<&dyn Any>,
    ) -> Result<Line, StartError> {
        let call = Call::new();
        let line = Line::Actor(call.clone());
        let expected = Expected::new(call, post);
        let spawn = move || {
            let Some((call, post)) = expected.arrive() else {
                return;
            };
            let managed = Managed::new(post, call.clone(), false);
            let port = Port::managed(call, Some(self.inbox), managed);
            self.ready.spawn_managed(self.mailbox, port);
        };
        spawn_on(arbiter, spawn)?;
        Ok(line)
    }
}

/// A group.
pub(super) struct GroupBirth {
    wiring: Wiring,
    events: mpsc::UnboundedSender<Event>,
    under_way: UnderWay,
    address: Box<dyn Fn() -> Address + Send>,
}

impl GroupBirth {
    /// Makes ready to start a group; its users reach it by `address`.
    pub(super) fn new<T: Any + Clone + Send>(
        wiring: Wiring,
        handle: &GroupHandle,
        address: T,
    ) -> Self {
        Self {
            wiring,
            events: handle.events(),
            under_way: handle.under_way().clone(),
            address: Box::new(move || Box::new(address.clone())),
        }
    }
}

impl Birth for GroupBirth {
    fn address(&self) -> Address {
        (self.address)()
    }

    fn facts(&self) -> Option<Facts> {
        Some(Facts {
            path: self.wiring.path.to_string(),
            actor_type: self.wiring.child_type,
            kind: self.wiring.kind,
        })
    }

    fn start(
        self: Box<Self>,
        post: Post,
        arbiter: Option<&ArbiterHandle>,
        _: Option<&dyn Any>,
    ) -> Result<Line, StartError> {
        let Self {
            wiring,
            events,
            under_way,
            ..
        } = *self;
        let expected = Expected::new(wiring, post);
        spawn_on(arbiter, move || {
            if let Some((wiring, post)) = expected.arrive() {
                actix_rt::spawn(Task::new(wiring, Some(post)).run());
            }
        })?;
        Ok(Line::Group(events, under_way))
    }
}

fn spawn_on(
    arbiter: Option<&ArbiterHandle>,
    spawn: impl FnOnce() + Send + 'static,
) -> Result<(), StartError> {
    let Some(arbiter) = arbiter else {
        spawn();
        return Ok(());
    };
    let spawned = arbiter.spawn_fn(spawn);
    spawned.then_some(()).ok_or(StartError::ArbiterStopped)
}
