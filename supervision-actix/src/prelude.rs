//! Everything a supervised actor needs, meant to stand beside `actix::prelude::*`.

pub use supervision_core::{
    Backoff, Decision, ErrorVariants, FailureInfo, NodeId, PlacementStrategy, RestartRate,
    RestartType, SupervisionMatcher, SupervisionStrategy,
};
#[cfg(feature = "macros")]
pub use supervision_macros::{DistributedActor, ErrorVariants, SupervisedDistributedActor};
pub use uuid::Uuid;

pub use crate::{
    actor::{DistributedActor, SupervisedDistributedActor},
    change_strategy::ChangeStrategy,
    death_watch::{Terminated, Watchable},
    event::{EndReason, SupervisionEvent},
    fail::SupervisedContext,
    fail_on_err::{FailOnErr, FailOnErrExt},
    limiter::SharedLimiter,
    mailbox_counts::GetMailboxCounts,
    props::{ActorProps, StartError},
    record::{FailureRecord, Outcome},
    report::ReportFailure,
    supervisor::{GetActorAddr, GetFailureHistory, GetFailureRecords, SupervisorActor},
    tracked::{GetTrackedAddr, TrackedAddr},
};
