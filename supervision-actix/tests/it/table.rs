//! The table: every place a failure can enter, under every strategy.
//!
//! Each cell runs on a system of its own. What is expected is written down here by hand, place by
//! place and strategy by strategy, without a call to the code that decides.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    fmt,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::{fut, prelude::*};
use futures_util::{future::join_all, stream};
use supervision_actix::{
    Decision, EscalationReason, KnownErrors, RestartReason, StopReason, prelude::*,
};

use crate::quiet::{MEANT, on_virtual_time};

/// Where the failure enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
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
const PLACES: &[Place] = &[
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
enum Strategy {
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

const STRATEGIES: &[Strategy] = &[
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

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Strategy {
    fn value(self) -> SupervisionStrategy {
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

/// What the failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Panic,
    Table,
    Parse,
    Exit,
}

/// Whether the value can go on after it.
const SOUND: bool = true;
const LOST: bool = false;

/// The expectation: what is decided on the `nth` failure (from 0).
fn decided(strategy: Strategy, nth: usize, kind: Kind, sound: bool) -> Decision {
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
fn failures(place: Place) -> Vec<(Kind, bool)> {
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
fn hits_a_start(place: Place) -> bool {
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
fn precedes_messages(place: Place) -> bool {
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
fn is_superseded_too(place: Place, decision: &Decision) -> bool {
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
struct Expected {
    records: Vec<(Option<Decision>, Outcome, &'static str, usize)>,
    survivor: Option<u64>,
}

fn expected(place: Place, strategy: Strategy) -> Expected {
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

/// Counts values made and dropped; the two are equal when everything is gone.
#[derive(Default)]
struct Tally {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

struct Token(Arc<Tally>);

impl Token {
    fn new(tally: &Arc<Tally>) -> Self {
        tally.made.fetch_add(1, Ordering::SeqCst);
        Self(tally.clone())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct TableError;

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table's error")
    }
}

impl Error for TableError {}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("{MEANT}: Display")
    }
}

impl Error for Unspeakable {}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("{MEANT}: payload dropped");
    }
}

/// What the incarnations of one cell have in common.
struct World {
    place: Place,
    tally: Arc<Tally>,
    made: Cell<u64>,
    triggered: Cell<bool>,
    fired: Cell<bool>,
    handled: RefCell<Vec<(u64, u32)>>,
    /// A value whose `started` ran twice.
    started_twice: Cell<bool>,
}

impl World {
    /// Whether it is `place`'s turn: once, and after the trigger.
    fn fires(&self, place: Place) -> bool {
        self.place == place && self.triggered.get() && !self.fired.replace(true)
    }

    /// As `fires`, without a trigger.
    fn fires_at_once(&self, place: Place) -> bool {
        self.place == place && !self.fired.replace(true)
    }

    /// As `fires`, in the second incarnation.
    fn fires_later(&self, place: Place) -> bool {
        self.place == place && self.made.get() == 2 && !self.fired.replace(true)
    }

    fn panics(&self, place: Place) {
        if self.fires(place) {
            panic!("{MEANT}: {place:?}");
        }
    }
}

struct Subject {
    world: Rc<World>,
    started: bool,
    _token: Token,
}

impl Subject {
    fn make(world: &Rc<World>) -> Result<Self, Box<dyn Error + Send>> {
        world.made.set(world.made.get() + 1);
        if world.fires_at_once(Place::PanicInFactory)
            || world.fires_later(Place::PanicInLaterFactory)
        {
            panic!("{MEANT}: factory");
        }
        // The look at the place must not fire the others.
        if world.fires_at_once(Place::ErrFromFactory)
            || world.fires_later(Place::ErrFromLaterFactory)
        {
            return Err(Box::new(TableError));
        }
        Ok(Self {
            world: world.clone(),
            started: false,
            _token: Token::new(&world.tally),
        })
    }
}

impl Actor for Subject {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let world = self.world.clone();
        if std::mem::replace(&mut self.started, true) {
            world.started_twice.set(true);
        }
        if world.fires_at_once(Place::PanicInStarted)
            || world.fires_later(Place::PanicInLaterStarted)
        {
            panic!("{MEANT}: started");
        }
        if world.fires_later(Place::PanicInWaitOfLaterStarted) {
            ctx.wait(async { panic!("{MEANT}: wait in started") }.into_actor(self));
        }
        if world.fires_at_once(Place::FailInStarted) || world.fires_later(Place::FailInLaterStarted)
        {
            ctx.fail(TableError);
        }
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        let world = self.world.clone();
        world.panics(Place::PanicInStopping);
        if world.fires(Place::FailInStoppingThatStops) {
            ctx.fail(TableError);
        }
        if world.fires(Place::FailInStoppingThatGoesOn) {
            ctx.fail(TableError);
            return Running::Continue;
        }
        Running::Stop
    }

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.world.panics(Place::PanicInStopped);
        self.world.panics(Place::PanicInStoppedOfTheFailed);
        if self.world.fires(Place::FailInStopped) {
            ctx.fail(TableError);
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.world.panics(Place::PanicInDrop);
        self.world.panics(Place::PanicInDropOfTheFailed);
    }
}

impl DistributedActor for Subject {
    fn actor_path(&self) -> String {
        if self.world.fires_at_once(Place::PanicInPath) {
            panic!("{MEANT}: path");
        }
        "/user/subject".to_owned()
    }
}

impl SupervisedDistributedActor for Subject {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        if self.world.fires_at_once(Place::PanicInStrategy) {
            panic!("{MEANT}: strategy");
        }
        SupervisionStrategy::default()
    }

    fn error_types(&self) -> KnownErrors {
        KnownErrors::none().with::<TableError>()
    }

    fn before_restart(&mut self, _: &mut Context<Self>, failure: Option<FailureInfo>) {
        assert!(failure.is_some());
        self.world.panics(Place::PanicInBeforeRestart);
    }

    fn after_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        assert!(failure.is_some());
        self.world.panics(Place::PanicInAfterRestart);
        if self.world.fires(Place::FailInAfterRestart) {
            ctx.fail(TableError);
        }
    }
}

#[derive(Message)]
#[rtype(result = "u32")]
struct Note(u32, Token);

impl Handler<Note> for Subject {
    type Result = u32;

    fn handle(&mut self, note: Note, ctx: &mut Context<Self>) -> u32 {
        let handled = &self.world.handled;
        handled.borrow_mut().push((ctx.incarnation(), note.0));
        let _ = &note.1;
        note.0
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Trigger(Option<Token>);

impl Handler<Trigger> for Subject {
    type Result = ();

    fn handle(&mut self, trigger: Trigger, ctx: &mut Context<Self>) {
        let world = self.world.clone();
        let _token = trigger.0;
        world.triggered.set(true);
        match world.place {
            Place::PanicInHandler
            | Place::PanicInLaterStarted
            | Place::PanicInWaitOfLaterStarted
            | Place::PanicInLaterFactory
            | Place::ErrFromLaterFactory
            | Place::FailInLaterStarted
            | Place::FailInAfterRestart
            | Place::PanicInBeforeRestart
            | Place::PanicInAfterRestart
            | Place::PanicInStoppedOfTheFailed
            | Place::PanicInDropOfTheFailed => panic!("{MEANT}: handler"),
            Place::PayloadIsNotText => std::panic::resume_unwind(Box::new(42_u32)),
            Place::PayloadPanicsOnDrop => std::panic::resume_unwind(Box::new(PanicsOnDrop)),
            Place::DisplayPanics => ctx.fail(Unspeakable),
            Place::FailInHandler => ctx.fail(TableError),
            Place::FailBoxedInHandler => {
                let error = "x".parse::<u8>().expect_err("no number");
                ctx.fail_boxed(Box::new(error));
            }
            Place::FailBeforeAWait => {
                ctx.fail(TableError);
                ctx.wait(actix_rt::time::sleep(ms(300)).into_actor(self));
            }
            Place::FailBeforeStop => {
                ctx.fail(TableError);
                ctx.stop();
            }
            Place::PanicInStopping
            | Place::PanicInStopped
            | Place::PanicInDrop
            | Place::FailInStoppingThatStops
            | Place::FailInStoppingThatGoesOn
            | Place::FailInStopped
            | Place::StopThoughPermanent => ctx.stop(),
            Place::PanicInDropOfASpawnedFuture => {
                let bomb = PanicsOnDrop;
                ctx.spawn(
                    async move {
                        fut::ready(&bomb).await;
                        std::future::pending().await
                    }
                    .into_actor(self),
                );
                // The bomb goes with the incarnation, in which nothing else fails.
                ctx.stop();
            }
            Place::PanicInSpawnedFuture => {
                ctx.spawn(async { panic!("{MEANT}: spawned") }.into_actor(self));
            }
            Place::PanicInWaitedFuture => {
                ctx.wait(async { panic!("{MEANT}: waited") }.into_actor(self));
            }
            Place::PanicInPendingWait => {
                let later = actix_rt::time::sleep(ms(50));
                ctx.wait(
                    later
                        .into_actor(self)
                        .map(|(), _, _| panic!("{MEANT}: waited")),
                );
            }
            Place::PanicInInterval => {
                ctx.run_interval(ms(5), |_, _| panic!("{MEANT}: interval"));
            }
            Place::PanicInRunLater => {
                ctx.run_later(ms(5), |_, _| panic!("{MEANT}: later"));
            }
            Place::PanicInNotified | Place::FailInNotified => ctx.notify(Notified),
            Place::PanicInNotifiedLater => {
                ctx.notify_later(Notified, ms(5));
            }
            Place::PanicInStreamHandler
            | Place::PanicInStreamFinished
            | Place::FailInStreamHandler => {
                ctx.add_stream(stream::iter([1_u32]));
            }
            Place::PanicInStreamItself => {
                ctx.add_stream(stream::poll_fn(|_| -> std::task::Poll<Option<u32>> {
                    panic!("{MEANT}: stream")
                }));
            }
            Place::PanicInMessageStream => ctx.add_message_stream(stream::iter([Notified])),
            Place::FailInSpawnedFuture => {
                ctx.spawn(
                    fut::ready(())
                        .map(|(), _: &mut Self, ctx: &mut Context<Self>| ctx.fail(TableError)),
                );
            }
            Place::FailInInterval => {
                ctx.run_interval(ms(5), |this, ctx| {
                    if this.world.fires(Place::FailInInterval) {
                        ctx.fail(TableError);
                    }
                });
            }
            Place::FailInWaitedFuture => {
                ctx.wait(
                    fut::ready(())
                        .map(|(), _: &mut Self, ctx: &mut Context<Self>| ctx.fail(TableError)),
                );
            }
            Place::FailInPendingWait => {
                ctx.wait(FailsAndWaits(Box::pin(actix_rt::time::sleep(ms(300)))))
            }
            Place::WatchedTask => {
                actix::spawn(ctx.watch(async { panic!("{MEANT}: task") }));
            }
            _ => {}
        }
    }
}

/// Fails at its first poll, and stays pending for a while.
struct FailsAndWaits(std::pin::Pin<Box<actix_rt::time::Sleep>>);

impl ActorFuture<Subject> for FailsAndWaits {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        actor: &mut Subject,
        ctx: &mut Context<Subject>,
        task: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        if actor.world.fires(Place::FailInPendingWait) {
            ctx.fail(TableError);
        }
        self.0.as_mut().poll(task)
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Notified;

impl Handler<Notified> for Subject {
    type Result = ();

    fn handle(&mut self, _: Notified, ctx: &mut Context<Self>) {
        if self.world.fires(Place::FailInNotified) {
            ctx.fail(TableError);
        }
        self.world.panics(self.world.place);
    }
}

impl StreamHandler<u32> for Subject {
    fn handle(&mut self, _: u32, ctx: &mut Context<Self>) {
        self.world.panics(Place::PanicInStreamHandler);
        if self.world.fires(Place::FailInStreamHandler) {
            ctx.fail(TableError);
        }
    }

    fn finished(&mut self, _: &mut Context<Self>) {
        self.world.panics(Place::PanicInStreamFinished);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Atomic(#[allow(dead_code)] Token);

impl Handler<Atomic> for Subject {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Atomic, ctx: &mut Context<Self>) -> Self::Result {
        let panics = self.world.place == Place::PanicInAtomicResponse;
        if self.world.place == Place::FailBeforeAtomicResponse {
            ctx.fail(TableError);
        }
        let work = actix_rt::time::sleep(ms(20)).into_actor(self);
        AtomicResponse::new(Box::pin(work.map(move |(), _, _| {
            if panics {
                panic!("{MEANT}: atomic response");
            }
        })))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Act(#[allow(dead_code)] Token);

impl Handler<Act> for Subject {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Act, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async { panic!("{MEANT}: response") }.into_actor(self))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Response(#[allow(dead_code)] Token);

impl Handler<Response> for Subject {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Response, ctx: &mut Context<Self>) -> Self::Result {
        Box::pin(ctx.watch(async { panic!("{MEANT}: response future") }))
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), TableError>")]
struct Fallible(#[allow(dead_code)] Token);

impl Handler<Fallible> for Subject {
    type Result = FailOnErr<(), TableError>;

    fn handle(&mut self, _: Fallible, _: &mut Context<Self>) -> Self::Result {
        FailOnErr(Err(TableError))
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), TableError>")]
struct FallibleAct(#[allow(dead_code)] Token);

impl Handler<FallibleAct> for Subject {
    type Result = ResponseActFuture<Self, Result<(), TableError>>;

    fn handle(&mut self, _: FallibleAct, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async { Err(TableError) }.into_actor(self).fail_on_err())
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), TableError>")]
struct FallibleAtomic(#[allow(dead_code)] Token);

impl Handler<FallibleAtomic> for Subject {
    type Result = AtomicResponse<Self, Result<(), TableError>>;

    fn handle(&mut self, _: FallibleAtomic, _: &mut Context<Self>) -> Self::Result {
        AtomicResponse::new(Box::pin(
            async { Err(TableError) }.into_actor(self).fail_on_err(),
        ))
    }
}

/// Ends the actor through its supervisor.
#[derive(Message)]
#[rtype(result = "()")]
struct Quit;

impl Handler<Quit> for SupervisorActor<Subject> {
    type Result = ();

    fn handle(&mut self, _: Quit, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

struct Sibling;

impl Actor for Sibling {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u32")]
struct Ping(u32);

impl Handler<Ping> for Sibling {
    type Result = u32;

    fn handle(&mut self, ping: Ping, _: &mut Context<Self>) -> u32 {
        ping.0 + 1
    }
}

/// Asks with notes; the answers, in the order of the questions.
fn ask(
    addr: &Addr<Subject>,
    numbers: std::ops::Range<u32>,
    tally: &Arc<Tally>,
) -> impl Future<Output = Vec<Result<u32, MailboxError>>> + use<> {
    join_all(numbers.map(|n| addr.send(Note(n, Token::new(tally)))))
}

fn pull_the_trigger(
    place: Place,
    addr: &Addr<Subject>,
    supervisor: &Addr<SupervisorActor<Subject>>,
    tally: &Arc<Tally>,
) {
    let token = Token::new(tally);
    match place {
        Place::PanicInAtomicResponse | Place::FailBeforeAtomicResponse => {
            addr.do_send(Atomic(token));
        }
        Place::PanicInResponseActFuture => addr.do_send(Act(token)),
        Place::WatchedResponse => addr.do_send(Response(token)),
        Place::FailOnErrHandler => addr.do_send(Fallible(token)),
        Place::FailOnErrFuture => addr.do_send(FallibleAct(token)),
        Place::FailOnErrAtomic => addr.do_send(FallibleAtomic(token)),
        Place::ReportNew => {
            let error = "x".parse::<u8>().expect_err("no number");
            supervisor.do_send(ReportFailure::new(Box::new(error)));
        }
        Place::ReportOf => supervisor.do_send(ReportFailure::of(TableError)),
        Place::ReportDisplayPanics => supervisor.do_send(ReportFailure::of(Unspeakable)),
        _ => addr.do_send(Trigger(Some(token))),
    }
}

/// A hang is a failed cell, not a hung run.
async fn limited<T>(what: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(100);
    actix_rt::time::timeout(limit, what)
        .await
        .expect("it hangs")
}

async fn run_cell(place: Place, strategy: Strategy) {
    let tally = Arc::<Tally>::default();
    let world = Rc::new(World {
        place,
        tally: tally.clone(),
        made: Cell::new(0),
        triggered: Cell::new(false),
        fired: Cell::new(false),
        handled: RefCell::default(),
        started_twice: Cell::new(false),
    });
    let sibling = ActorProps::plain("/user/sibling", || Sibling).start_actor();
    let bare = Sibling.start();
    let inner = world.clone();
    let restart_type = match place {
        Place::StopThoughPermanent => RestartType::Permanent,
        _ => RestartType::Transient,
    };
    let supervisor = ActorProps::from_try_factory(move || Subject::make(&inner))
        .with_supervision(strategy.value())
        .with_restart_type(restart_type)
        .with_error_type::<TableError>()
        .start();
    let addr = limited(supervisor.send(GetActorAddr::new())).await;
    let addr = addr
        .expect("the supervisor is there")
        .expect("so is the actor");

    // The trigger and what is queued behind it.
    pull_the_trigger(place, &addr, &supervisor, &tally);
    let first = limited(ask(&addr, 0..5, &tally)).await;
    actix_rt::time::sleep(Duration::from_secs(1)).await;
    // What comes when all is over.
    let second = limited(ask(&addr, 5..8, &tally)).await;

    let expected = expected(place, strategy);
    let records = limited(supervisor.send(GetFailureRecords::new())).await;
    let records = records.expect("the supervisor survives");
    let got = Expected {
        records: records
            .into_iter()
            .map(|record| {
                let FailureRecord {
                    info,
                    decision,
                    outcome,
                    ..
                } = record;
                let error_type = match &*info.error_type {
                    "panic" => "panic",
                    "exit" => "exit",
                    "std::num::ParseIntError" => "std::num::ParseIntError",
                    name if name.ends_with("::TableError") => "TableError",
                    other => panic!("unexpected error type {other}"),
                };
                (decision, outcome, error_type, info.restart_count)
            })
            .collect(),
        survivor: match second.iter().flatten().count() {
            0 => None,
            _ => world
                .handled
                .borrow()
                .last()
                .map(|(incarnation, _)| *incarnation),
        },
    };
    assert_eq!(got, expected);

    check_messages(place, &world, &expected, &first, &second);
    assert!(
        !world.started_twice.get(),
        "`started` ran twice on one value"
    );

    // Nobody else noticed.
    assert_eq!(limited(sibling.send(Ping(1))).await, Ok(2));
    assert_eq!(limited(bare.send(Ping(2))).await, Ok(3));
    assert_eq!(
        actix_rt::spawn(async { 7 })
            .await
            .expect("the arbiter survives"),
        7
    );
    assert!(System::is_registered());
    let there = limited(supervisor.send(GetActorAddr::new())).await;
    assert_eq!(
        there.expect("the supervisor survives").is_some(),
        expected.survivor.is_some()
    );

    // Everything goes.
    limited(supervisor.send(Quit))
        .await
        .expect("the supervisor survives");
    assert_eq!(
        limited(supervisor.send(GetActorAddr::new()))
            .await
            .map(|a| a.is_none()),
        Ok(true)
    );
    drop((addr, supervisor));
    actix_rt::time::sleep(Duration::from_secs(1)).await;
    let [made, dropped] = [&tally.made, &tally.dropped].map(|n| n.load(Ordering::SeqCst));
    assert!(made > 8);
    assert_eq!(made, dropped, "values made and dropped");
    assert_eq!(Rc::strong_count(&world), 1, "nobody holds the world");
    drop(world);
    assert_eq!(Arc::strong_count(&tally), 1, "nobody holds the tally");
}

fn check_messages(
    place: Place,
    world: &World,
    expected: &Expected,
    first: &[Result<u32, MailboxError>],
    second: &[Result<u32, MailboxError>],
) {
    let handled = world.handled.borrow();
    let by = |incarnation: Option<u64>, numbers: std::ops::Range<u32>| {
        incarnation
            .map(|i| numbers.map(move |n| (i, n)))
            .into_iter()
            .flatten()
    };
    // A failure at the very first start has been dealt with, or delays the first message.
    let behind = match precedes_messages(place) {
        true => expected.survivor,
        false => Some(1),
    };
    let wanted = by(behind, 0..5)
        .chain(by(expected.survivor, 5..8))
        .collect::<Vec<_>>();
    assert_eq!(*handled, wanted, "(incarnation, message) handled");
    for (n, answer) in first.iter().chain(second).enumerate() {
        let n = u32::try_from(n).expect("small");
        match handled.iter().any(|(_, handled)| *handled == n) {
            true => assert_eq!(*answer, Ok(n)),
            false => assert_eq!(*answer, Err(MailboxError::Closed)),
        }
    }
}

#[test]
fn every_place_of_failure_is_survived_under_every_strategy() {
    let mut failed = Vec::new();
    let mut cells = 0;
    for &place in PLACES {
        for &strategy in STRATEGIES {
            cells += 1;
            let cell = std::panic::AssertUnwindSafe(|| on_virtual_time(run_cell(place, strategy)));
            if std::panic::catch_unwind(cell).is_err() {
                failed.push((place, strategy));
            }
        }
    }
    println!(
        "{cells} cells: {} places x {} strategies",
        PLACES.len(),
        STRATEGIES.len()
    );
    assert!(cells >= 60 * 10);
    assert!(
        failed.is_empty(),
        "{} cells failed: {failed:#?}",
        failed.len()
    );
}
