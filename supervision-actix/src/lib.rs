//! Supervision for actix actors.
//!
//! Bare actix does little about a failing actor: a panic kills it together with its mailbox and
//! every queued message, and `actix::Supervisor` does not notice. This crate supervises ordinary
//! actors (`type Context = actix::Context<Self>`, an ordinary `Addr<A>`) with their code unchanged:
//! the address stays valid from incarnation to incarnation and queued messages are handled once,
//! in order, by whichever incarnation is up.
//!
//! ```
//! use actix::prelude::*;
//! use supervision_actix::prelude::*;
//!
//! struct Divider;
//! impl Actor for Divider {
//!     type Context = Context<Self>;
//! }
//!
//! #[derive(Message)]
//! #[rtype(result = "i32")]
//! struct Divide(i32, i32);
//!
//! impl Handler<Divide> for Divider {
//!     type Result = i32;
//!     fn handle(&mut self, msg: Divide, _: &mut Context<Self>) -> i32 {
//!         msg.0 / msg.1
//!     }
//! }
//!
//! System::new().block_on(async {
//!     let divider = ActorProps::plain("/user/divider", || Divider).start_actor();
//!     assert!(divider.send(Divide(1, 0)).await.is_err()); // panics
//!     assert_eq!(divider.send(Divide(6, 3)).await, Ok(2)); // the same address, a new incarnation
//! });
//! ```
//!
//! # How a failure flows
//!
//! 1. It **enters**: a panic anywhere in the actor, [`fail`](SupervisedContext::fail) from inside,
//!    a handler's `Err` wrapped in [`FailOnErr`], [`ReportFailure`] from outside, a task wrapped by
//!    [`watch`](SupervisedContext::watch), an actor that handles no message for longer than its
//!    [deadline](ActorProps::with_stall_deadline), or one that stops although it is permanent.
//! 2. It is **classified** and **decided** by `supervision_core::decide`, and by nothing else.
//! 3. The decision is **executed**; meanwhile the mailbox goes on taking messages. Actors that depend
//!    on the same thing can share a [`SharedLimiter`], so that they do not all restart in one instant.
//! 4. It is **recorded**: in a bounded history, as a [`SupervisionEvent`] and through `tracing`.
//!
//! A [`TrackedAddr`] is for senders who want to know what becomes of their messages: it counts their
//! fates, lets records name them, and tells of [`dead_letters`].
//!
//! # What cannot be had
//!
//! * A plain `ResponseFuture` and anything given to `actix::spawn` run in tasks of their own, so
//!   their panics do not reach the actor; wrap them with [`watch`](SupervisedContext::watch).
//! * `ctx.notify`, timers, streams and futures spawned into the context belong to the incarnation
//!   and end with it; only messages in the mailbox survive. A `ResponseActFuture` in flight ends
//!   with `MailboxError::Closed`.
//! * While a `ctx.wait` future is pending, actix gives nobody access to the actor's value: a
//!   failure that enters then is decided at once, but `before_restart` cannot be run.
//! * Two panicking destructors in one incarnation abort the process; so does any panic under
//!   `panic = "abort"`, which [`ActorProps::try_start`] refuses. `SyncArbiter` is not supported.

mod actor;
mod actor_path;
mod factory;
mod hooks;
mod limiter;
mod props;
mod settings;

mod fail;
mod fail_on_err;
mod handling;
mod known;
pub mod panic_hook;
mod panic_notes;
mod panics;
mod report;
mod watch;

mod settle;
mod suspension;

pub mod stalls;

mod alerts;
mod bell;
mod current;
mod incarnation;
mod mailbox;
mod pump;
mod shared;
mod supervision;

mod tracked;

pub mod dead_letters;

mod event;
mod ledger;
mod record;

mod death_watch;
mod snapshot;

mod control;
mod mailbox_counts;
mod supervisor;

mod change_strategy;
mod managed;
mod order;

mod hosting;
mod inlet;
mod luggage;
mod relocator;

pub mod group;

pub mod prelude;
mod private;

pub use supervision_core::{
    Backoff, BackoffError, BudgetKind, Decision, ErrorVariants, EscalationReason, FailureInfo,
    InvalidErrorPattern, InvalidStrategy, KnownErrors, NodeId, PlacementStrategy, RemainingBudget,
    RestartRate, RestartRateError, RestartReason, RestartType, StopReason, SupervisionMatcher,
    SupervisionStrategy,
};

pub use crate::{
    actor::{DistributedActor, SupervisedDistributedActor},
    change_strategy::{ChangeStrategy, ChangeStrategyError},
    death_watch::{DeathWatch, Terminated, Termination, WatchGuard, WatchId, Watchable},
    event::{EndReason, SupervisionEvent},
    factory::{Factory, FromFn, FromTryFn, Prototype},
    fail::{NotSupervised, SupervisedContext},
    fail_on_err::{FailOnErr, FailOnErrExt, FailOnErrFuture},
    hosting::{depart, is_failing},
    inlet::Inlet,
    limiter::SharedLimiter,
    luggage::{Arrival, Luggage},
    mailbox_counts::{GetMailboxCounts, MailboxCounts},
    props::{ActorProps, StartError},
    record::{FailureRecord, Outcome},
    relocator::Relocator,
    report::ReportFailure,
    settings::{DEFAULT_HISTORY_CAPACITY, DEFAULT_MAILBOX_CAPACITY},
    snapshot::{
        DEFAULT_DEADLINE, DEFAULT_PAGE, GetSnapshot, NodeKind, NodeSnapshot, NodeState, PageToken,
        SnapshotOptions, TreeSnapshot,
    },
    supervisor::{
        GetActorAddr, GetFailureHistory, GetFailureRecords, SupervisorActor, SupervisorContext,
    },
    tracked::{GetTrackedAddr, TrackedAddr, TrackedCounts, TrackedRequest},
    watch::Watched,
};

/// What the expansions of the derives name.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

#[cfg(feature = "macros")]
pub use supervision_macros::{DistributedActor, ErrorVariants, SupervisedDistributedActor};
