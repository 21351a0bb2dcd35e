//! What can be set for a supervised actor, and the defaults.

use std::{sync::Arc, time::Duration};

use actix::{Actor, Context};
use supervision_core::{Cause, KnownErrors, NodeId, RestartType, ValidStrategy};

use crate::{
    actor_path::ActorPath,
    dead_letters::Subscriber,
    event::SupervisionEvent,
    hooks::Hooks,
    hosting::Hosting,
    limiter::{Limiters, SharedLimiter},
};

/// Failures remembered per actor unless set otherwise.
pub const DEFAULT_HISTORY_CAPACITY: usize = 100;
/// Messages a mailbox takes before senders wait, unless set otherwise; actix's own default.
pub const DEFAULT_MAILBOX_CAPACITY: usize = 16;

pub(crate) type Observer = Box<dyn Fn(&SupervisionEvent) + Send>;

/// Everything about a supervised actor that its start fixes.
pub(crate) struct Spec<A: Actor<Context = Context<A>>> {
    pub(crate) path: ActorPath,
    pub(crate) strategy: Option<ValidStrategy>,
    pub(crate) hooks: &'static Hooks<A>,
    pub(crate) settings: Settings,
    /// If a cluster hosts it.
    pub(crate) hosting: Option<Box<Hosting<A>>>,
}

/// What can be set.
pub(crate) struct Settings {
    pub(crate) restart_type: RestartType,
    pub(crate) mailbox_capacity: usize,
    extras: Option<Box<Extras>>,
}

/// What is seldom set, kept out of the way of the many actors that do not.
#[derive(Default)]
pub(crate) struct Extras {
    history_capacity: Option<usize>,
    pub(crate) node_id: Option<NodeId>,
    pub(crate) known: KnownErrors,
    pub(crate) observer: Option<Observer>,
    pub(crate) limiters: Limiters,
    // Boxed: a word for those that have extras and no deadline.
    pub(crate) stall_deadline: Option<Box<Duration>>,
    pub(crate) undertaker: Option<Arc<Subscriber>>,
}

impl Settings {
    /// The rarely set ones, if any is set.
    pub(crate) fn extras(&self) -> Option<&Extras> {
        self.extras.as_deref()
    }

    pub(crate) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(crate) fn set_history_capacity(&mut self, capacity: usize) {
        // Every actor with hooks says one; most say the default.
        if capacity != self.history_capacity() {
            self.extras_mut().history_capacity = Some(capacity);
        }
    }

    pub(crate) fn history_capacity(&self) -> usize {
        let set = self.extras().and_then(|extras| extras.history_capacity);
        set.unwrap_or(DEFAULT_HISTORY_CAPACITY)
    }

    pub(crate) fn node_id(&self) -> NodeId {
        let set = self.extras().and_then(|extras| extras.node_id.clone());
        set.unwrap_or_else(NodeId::local)
    }

    pub(crate) fn observer(&self) -> Option<&Observer> {
        self.extras().and_then(|extras| extras.observer.as_ref())
    }

    /// The limiter that a restart after this failure goes through.
    pub(crate) fn limiter_for(&self, cause: &Cause) -> Option<&SharedLimiter> {
        self.extras()?.limiters.choose(cause)
    }

    /// Who is told of the actor's dead letters, beside those who are told of all.
    pub(crate) fn undertaker(&self) -> Option<&Arc<Subscriber>> {
        self.extras()?.undertaker.as_ref()
    }

    pub(crate) fn stall_deadline(&self) -> Option<Duration> {
        self.extras()?.stall_deadline.as_deref().copied()
    }

    pub(crate) fn known(&self) -> Option<&KnownErrors> {
        self.extras()
            .map(|extras| &extras.known)
            .filter(|known| !known.is_empty())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            restart_type: RestartType::default(),
            mailbox_capacity: DEFAULT_MAILBOX_CAPACITY,
            extras: None,
        }
    }
}
