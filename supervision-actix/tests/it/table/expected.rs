//! What must come of each cell, written down without asking the code under test.

use super::*;

/// What the failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Panic,
    Table,
    Parse,
    Exit,
}

/// Whether the value can go on after it.
pub(super) const SOUND: bool = true;
pub(super) const LOST: bool = false;

/// The expectation: what is decided on the `nth` failure (from 0).
pub(super) fn decided(strategy: Strategy, nth: usize, kind: Kind, sound: bool) -> Decision {
    let restart = |delay| Decision::Restart {
        after: ms(delay),
        reason: RestartReason::Policy,
    };
    let relocate = |delay| Decision::Relocate {
        placement: PlacementStrategy::RoundRobin,
        after: ms(delay),
    };
    let stop = Decision::Stop {
        reason: StopReason::Policy,
    };
    let escalate = Decision::Escalate {
        reason: EscalationReason::Policy,
    };
    let resume = match sound {
        SOUND => Decision::Resume,
        LOST => Decision::Restart {
            after: Duration::ZERO,
            reason: RestartReason::NotResumable,
        },
    };
    match (strategy, kind, nth) {
        (Strategy::Restart, _, _) => restart(10),
        (Strategy::Stop, _, _) => stop,
        (Strategy::Escalate, _, _) => escalate,
        (Strategy::Relocate, _, _) => relocate(10),
        (Strategy::Resume, _, _) => resume,
        (Strategy::MatchA, Kind::Panic, _) => restart(0),
        (Strategy::MatchA, Kind::Table, _) => resume,
        (Strategy::MatchA, Kind::Parse | Kind::Exit, _) => escalate,
        (Strategy::MatchB, Kind::Parse, _) => relocate(0),
        (Strategy::MatchB, Kind::Exit, _) => restart(5),
        (Strategy::MatchB, Kind::Panic, _) => resume,
        (Strategy::MatchB, Kind::Table, _) => stop,
        (Strategy::Backoff, _, 0) => restart(10),
        (Strategy::Backoff, _, 1) => restart(20),
        (Strategy::Ladder, _, 0) => restart(0),
        (Strategy::Ladder, _, 1) => relocate(0),
        (Strategy::Backoff | Strategy::Ladder, _, _) => unreachable!("no place fails thrice"),
        (Strategy::Spent, _, _) => Decision::Stop {
            reason: StopReason::Exhausted,
        },
    }
}

/// The expectation: the failures of a place, one after the other, while new incarnations come.
pub(super) fn failures(place: Place) -> Vec<(Kind, bool)> {
    use Kind::{Exit, Panic, Parse, Table};
    let handler_panic = (Panic, SOUND);
    match place {
        Place::PanicInHandler
        | Place::PanicInBeforeRestart
        | Place::PanicInStoppedOfTheFailed
        | Place::PanicInDropOfTheFailed
        | Place::PayloadIsNotText
        | Place::PayloadPanicsOnDrop
        | Place::DisplayPanics
        | Place::ReportDisplayPanics
        | Place::WatchedTask
        | Place::WatchedResponse => vec![handler_panic],
        Place::PanicInStarted
        | Place::PanicInStopping
        | Place::PanicInStopped
        | Place::PanicInSpawnedFuture
        | Place::PanicInWaitedFuture
        | Place::PanicInPendingWait
        | Place::PanicInInterval
        | Place::PanicInRunLater
        | Place::PanicInNotified
        | Place::PanicInNotifiedLater
        | Place::PanicInStreamHandler
        | Place::PanicInStreamFinished
        | Place::PanicInStreamItself
        | Place::PanicInMessageStream
        | Place::PanicInAtomicResponse
        | Place::PanicInResponseActFuture
        | Place::PanicInDrop
        | Place::PanicInDropOfASpawnedFuture
        | Place::PanicInFactory
        | Place::PanicInPath
        | Place::PanicInStrategy => vec![(Panic, LOST)],
        Place::ErrFromFactory => vec![(Table, LOST)],
        Place::PanicInLaterStarted
        | Place::PanicInWaitOfLaterStarted
        | Place::PanicInAfterRestart
        | Place::PanicInLaterFactory => vec![handler_panic, (Panic, LOST)],
        Place::ErrFromLaterFactory => vec![handler_panic, (Table, LOST)],
        Place::FailInLaterStarted | Place::FailInAfterRestart => {
            vec![handler_panic, (Table, SOUND)]
        }
        Place::FailInHandler
        | Place::FailInStarted
        | Place::FailInStoppingThatGoesOn
        | Place::FailInSpawnedFuture
        | Place::FailInInterval
        | Place::FailInNotified
        | Place::FailInStreamHandler
        | Place::FailInWaitedFuture
        | Place::FailInPendingWait
        | Place::FailBeforeAWait
        | Place::FailBeforeAtomicResponse
        | Place::FailOnErrHandler
        | Place::FailOnErrFuture
        | Place::FailOnErrAtomic
        | Place::ReportOf => vec![(Table, SOUND)],
        Place::FailInStoppingThatStops | Place::FailInStopped | Place::FailBeforeStop => {
            vec![(Table, LOST)]
        }
        Place::ReportNew | Place::FailBoxedInHandler => vec![(Parse, SOUND)],
        Place::StopThoughPermanent => vec![(Exit, LOST)],
    }
}

/// The expectation: whether the failure hits an incarnation that is only being started, so that the
/// restart before it came to nothing.
pub(super) fn hits_a_start(place: Place) -> bool {
    matches!(
        place,
        Place::PanicInLaterStarted
            | Place::PanicInWaitOfLaterStarted
            | Place::PanicInAfterRestart
            | Place::PanicInLaterFactory
            | Place::ErrFromLaterFactory
            | Place::FailInLaterStarted
    )
}

/// The expectation: whether messages queued with the trigger wait for the decision. The others are
/// handled first: a future or timer gets its turn when the mailbox is empty.
pub(super) fn precedes_messages(place: Place) -> bool {
    !matches!(
        place,
        Place::PanicInSpawnedFuture
            | Place::PanicInInterval
            | Place::PanicInRunLater
            | Place::PanicInNotified
            | Place::PanicInNotifiedLater
            | Place::PanicInStreamHandler
            | Place::PanicInStreamFinished
            | Place::PanicInStreamItself
            | Place::PanicInMessageStream
            | Place::PanicInResponseActFuture
            | Place::FailInSpawnedFuture
            | Place::FailInInterval
            | Place::FailInNotified
            | Place::FailInStreamHandler
            | Place::FailOnErrFuture
            | Place::WatchedTask
            | Place::WatchedResponse
    )
}

/// The expectation: what a later failure of a doomed incarnation adds to the records.
pub(super) fn is_superseded_too(place: Place, decision: &Decision) -> bool {
    let new_incarnation = decision.delay().is_some();
    match place {
        Place::PanicInBeforeRestart => new_incarnation,
        Place::PanicInStoppedOfTheFailed | Place::PanicInDropOfTheFailed => {
            *decision != Decision::Resume
        }
        _ => false,
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) records: Vec<(Option<Decision>, Outcome, &'static str, usize)>,
    pub(super) survivor: Option<u64>,
}

pub(super) fn expected(place: Place, strategy: Strategy) -> Expected {
    let chain = failures(place);
    let (mut records, mut survivor, mut restarts) = (Vec::new(), Some(1), 0);
    for (nth, &(kind, sound)) in chain.iter().enumerate() {
        let decision = decided(strategy, nth, kind, sound);
        let error_type = match kind {
            Kind::Panic => "panic",
            Kind::Table => "TableError",
            Kind::Parse => "std::num::ParseIntError",
            Kind::Exit => "exit",
        };
        let fails_again = nth + 1 < chain.len() && hits_a_start(place);
        let outcome = match &decision {
            Decision::Resume => Outcome::Resumed,
            Decision::Restart { .. } | Decision::Relocate { .. } if fails_again => {
                Outcome::StartFailed
            }
            Decision::Restart { .. } => Outcome::Restarted,
            Decision::Relocate { .. } => Outcome::RestartedInPlace,
            Decision::Stop { .. } => Outcome::Stopped,
            Decision::Escalate { .. } => Outcome::Escalated,
        };
        let superseded = is_superseded_too(place, &decision);
        let goes_on = decision.delay().is_some();
        if matches!(decision, Decision::Stop { .. } | Decision::Escalate { .. }) {
            survivor = None;
        } else if goes_on {
            survivor = survivor.map(|incarnation| incarnation + 1);
        }
        records.push((Some(decision), outcome, error_type, restarts));
        if superseded {
            records.push((None, Outcome::Superseded, "panic", restarts));
        }
        restarts += usize::from(goes_on && !fails_again);
        if !goes_on {
            break;
        }
    }
    Expected { records, survivor }
}
