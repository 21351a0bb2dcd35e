//! The hooks of an actor's type as a table, so that everything after the start is the same for
//! actors with hooks and for plain ones.

use actix::{Actor, Context};
use supervision_core::{FailureInfo, KnownErrors, NodeId, SupervisionStrategy};

use crate::actor::SupervisedDistributedActor;

type Hook<A> = fn(&mut A, &mut Context<A>, Option<FailureInfo>);
type NodeHook<A> = fn(&mut A, &mut Context<A>, NodeId, Option<FailureInfo>);

/// What an actor's type says about itself; `None` where it says nothing.
pub(crate) struct Hooks<A: Actor<Context = Context<A>>> {
    pub(crate) told: Option<fn(&A) -> Told>,
    pub(crate) before_restart: Option<Hook<A>>,
    pub(crate) after_restart: Option<Hook<A>>,
    pub(crate) before_relocate: Option<NodeHook<A>>,
    pub(crate) after_relocate: Option<NodeHook<A>>,
}

/// What an incarnation says at its start.
pub(crate) struct Told {
    pub(crate) path: String,
    pub(crate) strategy: SupervisionStrategy,
    pub(crate) error_types: KnownErrors,
}

impl<A: Actor<Context = Context<A>>> Hooks<A> {
    pub(crate) const PLAIN: &'static Self = &Self {
        told: None,
        before_restart: None,
        after_restart: None,
        before_relocate: None,
        after_relocate: None,
    };
}

impl<A: SupervisedDistributedActor> Hooks<A> {
    pub(crate) const SUPERVISED: &'static Self = &Self {
        told: Some(|actor| Told {
            path: actor.actor_path(),
            strategy: actor.supervision_strategy(),
            error_types: actor.error_types(),
        }),
        before_restart: Some(A::before_restart),
        after_restart: Some(A::after_restart),
        before_relocate: Some(A::before_relocate),
        after_relocate: Some(A::after_relocate),
    };
}
