//! The places where a failure can enter, and the strategies it can enter under.

use super::*;

/// Where the failure enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    PanicInHandler,
    PanicInStarted,
    PanicInLaterStarted,
    PanicInWaitOfLaterStarted,
    PanicInStopping,
    PanicInStopped,
    PanicInSpawnedFuture,
    PanicInWaitedFuture,
    PanicInPendingWait,
    PanicInInterval,
    PanicInRunLater,
    PanicInNotified,
    PanicInNotifiedLater,
    PanicInStreamHandler,
    PanicInStreamFinished,
    PanicInStreamItself,
    PanicInMessageStream,
    PanicInAtomicResponse,
    PanicInResponseActFuture,
    PanicInDrop,
    PanicInDropOfASpawnedFuture,
    PanicInBeforeRestart,
    PanicInAfterRestart,
    PanicInStoppedOfTheFailed,
    PanicInDropOfTheFailed,
    PanicInFactory,
    PanicInLaterFactory,
    PanicInPath,
    PanicInStrategy,
    ErrFromFactory,
    ErrFromLaterFactory,
    FailInHandler,
    FailBoxedInHandler,
    FailInStarted,
    FailInLaterStarted,
    FailInAfterRestart,
    FailInStoppingThatStops,
    FailInStoppingThatGoesOn,
    FailInStopped,
    FailInSpawnedFuture,
    FailInInterval,
    FailInNotified,
    FailInStreamHandler,
    FailInWaitedFuture,
    FailInPendingWait,
    FailBeforeAWait,
    FailBeforeAtomicResponse,
    FailBeforeStop,
    FailOnErrHandler,
    FailOnErrFuture,
    FailOnErrAtomic,
    ReportNew,
    ReportOf,
    ReportDisplayPanics,
    WatchedTask,
    WatchedResponse,
    StopThoughPermanent,
    PayloadIsNotText,
    PayloadPanicsOnDrop,
    DisplayPanics,
}

/// The order is that of the enum; a place left out is a warning of rustc's ("never constructed").
pub(super) const PLACES: &[Place] = &[
    Place::PanicInHandler,
    Place::PanicInStarted,
    Place::PanicInLaterStarted,
    Place::PanicInWaitOfLaterStarted,
    Place::PanicInStopping,
    Place::PanicInStopped,
    Place::PanicInSpawnedFuture,
    Place::PanicInWaitedFuture,
    Place::PanicInPendingWait,
    Place::PanicInInterval,
    Place::PanicInRunLater,
    Place::PanicInNotified,
    Place::PanicInNotifiedLater,
    Place::PanicInStreamHandler,
    Place::PanicInStreamFinished,
    Place::PanicInStreamItself,
    Place::PanicInMessageStream,
    Place::PanicInAtomicResponse,
    Place::PanicInResponseActFuture,
    Place::PanicInDrop,
    Place::PanicInDropOfASpawnedFuture,
    Place::PanicInBeforeRestart,
    Place::PanicInAfterRestart,
    Place::PanicInStoppedOfTheFailed,
    Place::PanicInDropOfTheFailed,
    Place::PanicInFactory,
    Place::PanicInLaterFactory,
    Place::PanicInPath,
    Place::PanicInStrategy,
    Place::ErrFromFactory,
    Place::ErrFromLaterFactory,
    Place::FailInHandler,
    Place::FailBoxedInHandler,
    Place::FailInStarted,
    Place::FailInLaterStarted,
    Place::FailInAfterRestart,
    Place::FailInStoppingThatStops,
    Place::FailInStoppingThatGoesOn,
    Place::FailInStopped,
    Place::FailInSpawnedFuture,
    Place::FailInInterval,
    Place::FailInNotified,
    Place::FailInStreamHandler,
    Place::FailInWaitedFuture,
    Place::FailInPendingWait,
    Place::FailBeforeAWait,
    Place::FailBeforeAtomicResponse,
    Place::FailBeforeStop,
    Place::FailOnErrHandler,
    Place::FailOnErrFuture,
    Place::FailOnErrAtomic,
    Place::ReportNew,
    Place::ReportOf,
    Place::ReportDisplayPanics,
    Place::WatchedTask,
    Place::WatchedResponse,
    Place::StopThoughPermanent,
    Place::PayloadIsNotText,
    Place::PayloadPanicsOnDrop,
    Place::DisplayPanics,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    Restart,
    Stop,
    Escalate,
    Relocate,
    Resume,
    MatchA,
    MatchB,
    Backoff,
    Ladder,
    Spent,
}

pub(super) const STRATEGIES: &[Strategy] = &[
    Strategy::Restart,
    Strategy::Stop,
    Strategy::Escalate,
    Strategy::Relocate,
    Strategy::Resume,
    Strategy::MatchA,
    Strategy::MatchB,
    Strategy::Backoff,
    Strategy::Ladder,
    Strategy::Spent,
];

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Strategy {
    pub(super) fn value(self) -> SupervisionStrategy {
        let restart = |max_restarts, delay| SupervisionStrategy::Restart {
            max_restarts,
            window: Duration::from_secs(60),
            delay: ms(delay),
        };
        let relocate = |max_relocations, delay| SupervisionStrategy::Relocate {
            placement: PlacementStrategy::RoundRobin,
            max_relocations,
            delay: ms(delay),
        };
        match self {
            Self::Restart => restart(3, 10),
            Self::Stop => SupervisionStrategy::Stop,
            Self::Escalate => SupervisionStrategy::Escalate,
            Self::Relocate => relocate(3, 10),
            Self::Resume => SupervisionStrategy::Resume,
            Self::MatchA => SupervisionStrategy::Match {
                default: Box::new(SupervisionStrategy::Escalate),
                matchers: vec![
                    SupervisionMatcher::new("panic", restart(5, 0)),
                    SupervisionMatcher::new("TableError", SupervisionStrategy::Resume),
                ],
            },
            Self::MatchB => SupervisionStrategy::Match {
                default: Box::new(SupervisionStrategy::Stop),
                matchers: vec![
                    SupervisionMatcher::new("std::num::ParseIntError", relocate(5, 0)),
                    SupervisionMatcher::new("exit", restart(5, 5)),
                    SupervisionMatcher::new("panic", SupervisionStrategy::Resume),
                ],
            },
            Self::Backoff => SupervisionStrategy::RestartWithBackoff {
                max_restarts: 3,
                window: Duration::from_secs(60),
                backoff: Backoff::new(ms(10), ms(100))
                    .and_then(|backoff| backoff.with_jitter(0.0))
                    .expect("valid"),
            },
            Self::Ladder => SupervisionStrategy::Ladder {
                rungs: vec![restart(1, 0), relocate(1, 0), SupervisionStrategy::Stop],
            },
            Self::Spent => restart(0, 0),
        }
    }
}
