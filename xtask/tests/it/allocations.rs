//! Allocations of supervised actors, counted and held against ceilings: unlike times, these counts
//! are the same on every machine and on a busy one.

use std::{any::Any, cell::Cell, panic, sync::Once};

use actix::{SystemRunner, prelude::*};
use allocation_counter::measure;
use supervision_actix::{
    group::{DynamicProps, DynamicSupervisor},
    prelude::*,
};

/// The most that one operation may allocate. What was measured when this was last lowered, and no
/// more than a hundredth above it, for what grows by doubling.
mod ceilings {
    use super::Most;

    /// Beyond what bare actix allocates for the same.
    pub(super) const TELL: Most = Most::new(0.0, 0.0);
    pub(super) const TELL_ONE_PER_WAKEUP: Most = Most::new(0.0, 0.0);
    pub(super) const ASK: Most = Most::new(0.0, 0.0);
    pub(super) const SPAWN_LEAN: Most = Most::new(7.0, 364.0);
    pub(super) const SPAWN_WITH_SUPERVISOR: Most = Most::new(19.0, 695.0);
    pub(super) const SPAWN_DYNAMIC: Most = Most::new(20.7, 897.0);

    /// In whole, the message that fails and the answered ping included.
    pub(super) const RESTART_AFTER_PANIC: Most = Most::new(25.0, 1077.0);
    pub(super) const RESTART_AFTER_FAILURE: Most = Most::new(18.0, 707.0);
    pub(super) const RESUME: Most = Most::new(14.0, 498.0);
}

/// Per operation.
#[derive(Clone, Copy, Debug)]
struct Most {
    allocations: f64,
    bytes: f64,
}

impl Most {
    const fn new(allocations: f64, bytes: f64) -> Self {
        Self { allocations, bytes }
    }
}

/// What was counted, per operation: how often memory was asked for, and how much; of actors that
/// stay, how much they keep.
#[derive(Clone, Copy, Debug)]
struct Counted {
    allocations: f64,
    bytes: f64,
}

impl Counted {
    fn beyond(self, other: Self) -> Self {
        Self {
            allocations: self.allocations - other.allocations,
            bytes: self.bytes - other.bytes,
        }
    }

    fn is_at_most(self, most: Most, what: &str) {
        println!("{what}: {self:.2?}, at most {most:?}");
        let within = |counted: f64, most: f64| counted <= most + 0.01;
        assert!(
            within(self.allocations, most.allocations) && within(self.bytes, most.bytes),
            "{what}: {self:.2?}, more than {most:?}"
        );
    }
}

struct Probe {
    answers: u64,
}

impl Actor for Probe {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Tell;

#[derive(Message)]
#[rtype(result = "u64")]
struct Ask;

#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
enum Fail {
    Panic,
    Report,
}

const MEANT: &str = "counted";

impl Handler<Tell> for Probe {
    type Result = ();
    fn handle(&mut self, _: Tell, _: &mut Context<Self>) {}
}

impl Handler<Ask> for Probe {
    type Result = u64;
    fn handle(&mut self, _: Ask, _: &mut Context<Self>) -> u64 {
        self.answers += 1;
        self.answers
    }
}

impl Handler<Fail> for Probe {
    type Result = ();
    fn handle(&mut self, how: Fail, ctx: &mut Context<Self>) {
        match how {
            Fail::Panic => panic!("{MEANT}"),
            Fail::Report => ctx.fail(std::fmt::Error),
        }
    }
}

const UNLIMITED: SupervisionStrategy = SupervisionStrategy::Restart {
    max_restarts: usize::MAX,
    window: std::time::Duration::from_secs(1),
    delay: std::time::Duration::ZERO,
};

fn bare() -> Addr<Probe> {
    Probe { answers: 0 }.start()
}

fn props(
    strategy: SupervisionStrategy,
) -> ActorProps<Probe, supervision_actix::FromFn<fn() -> Probe>> {
    quiet();
    let make: fn() -> Probe = || Probe { answers: 0 };
    ActorProps::plain("/counted", make).with_supervision(strategy)
}

fn lean() -> Addr<Probe> {
    props(UNLIMITED).start_actor()
}

/// Operations before those that are counted: until everything has its size.
const FIRST: usize = 512;
const COUNTED: usize = 2_048;

/// Counts `op`, after it has been done often enough; `kept` chooses what memory is counted.
fn count<S, T>(
    system: &SystemRunner,
    state: S,
    op: impl AsyncFn(&S, usize) -> T,
    stays: bool,
) -> Counted {
    let mut alive = Vec::with_capacity(FIRST + COUNTED);
    system.block_on(async {
        for n in 0..FIRST {
            alive.push(op(&state, n).await);
        }
    });
    let counted = measure(|| {
        system.block_on(async {
            for n in 0..COUNTED {
                alive.push(op(&state, FIRST + n).await);
            }
        });
    });
    let bytes = if stays {
        counted.bytes_current as f64
    } else {
        counted.bytes_total as f64
    };
    Counted {
        allocations: counted.count_total as f64 / COUNTED as f64,
        bytes: bytes / COUNTED as f64,
    }
}

/// Counts an operation on an actor that stays.
fn on_actor(start: fn() -> Addr<Probe>, op: impl AsyncFn(&Addr<Probe>, usize)) -> Counted {
    let system = System::new();
    let actor = system.block_on(async { start() });
    count(&system, actor, op, false)
}

/// Counts starts, each with its first answer.
fn starts<T>(start: impl AsyncFn() -> (Addr<Probe>, T)) -> Counted {
    let op = async |(): &(), _| {
        let started = start().await;
        assert_eq!(started.0.send(Ask).await, Ok(1));
        started
    };
    count(&System::new(), (), op, true)
}

fn starts_bare() -> Counted {
    starts(async || (bare(), ()))
}

/// In bursts, each handled before the next one is sent.
async fn tell(actor: &Addr<Probe>, n: usize) {
    actor.do_send(Tell);
    if n % 64 == 63 {
        assert!(actor.send(Ask).await.is_ok());
    }
}

async fn tell_and_yield(actor: &Addr<Probe>, _: usize) {
    actor.do_send(Tell);
    tokio::task::yield_now().await;
}

async fn ask(actor: &Addr<Probe>, _: usize) {
    assert!(actor.send(Ask).await.is_ok());
}

/// A failure, and whoever answers next.
fn failing(how: Fail, answers: u64) -> impl AsyncFn(&Addr<Probe>, usize) {
    async move |actor: &Addr<Probe>, n: usize| {
        actor.do_send(how);
        let expected = if answers > 0 { answers } else { n as u64 + 1 };
        assert_eq!(
            actor.send(Ask).await,
            Ok(expected),
            "which incarnation is up"
        );
    }
}

/// Keeps the panics that are meant out of the output. Called before anything is supervised: this
/// library's own hook then comes before this one, whichever test is first, and is counted.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload: &dyn Any = info.payload();
            let meant = payload
                .downcast_ref::<String>()
                .is_some_and(|text| text == MEANT)
                || payload
                    .downcast_ref::<&str>()
                    .is_some_and(|text| *text == MEANT);
            if !meant {
                loud(info);
            }
        }));
    });
}

#[test]
fn telling_a_supervised_actor_allocates_no_more_than_telling_a_bare_one() {
    let counted = on_actor(lean, tell).beyond(on_actor(bare, tell));
    counted.is_at_most(ceilings::TELL, "tell");
    let counted = on_actor(lean, tell_and_yield).beyond(on_actor(bare, tell_and_yield));
    counted.is_at_most(ceilings::TELL_ONE_PER_WAKEUP, "tell, one per wake-up");
}

#[test]
fn asking_a_supervised_actor_allocates_no_more_than_asking_a_bare_one() {
    let counted = on_actor(lean, ask).beyond(on_actor(bare, ask));
    counted.is_at_most(ceilings::ASK, "ask");
}

#[test]
fn starting_an_actor_the_lean_way_allocates_no_more_than_is_stated() {
    let counted = starts(async || (lean(), ())).beyond(starts_bare());
    counted.is_at_most(ceilings::SPAWN_LEAN, "spawn, lean");
}

#[test]
fn starting_an_actor_with_its_supervisor_allocates_no_more_than_is_stated() {
    let start = async || {
        let supervisor = props(UNLIMITED).start();
        let actor = supervisor.send(GetActorAddr::new()).await;
        (actor.ok().flatten().expect("it runs"), supervisor)
    };
    let counted = starts(start).beyond(starts_bare());
    counted.is_at_most(
        ceilings::SPAWN_WITH_SUPERVISOR,
        "spawn, with its supervisor",
    );
}

#[test]
fn adding_a_child_to_a_dynamic_supervisor_allocates_no_more_than_is_stated() {
    type Children = DynamicSupervisor<Probe, Cell<u32>>;
    let system = System::new();
    quiet();
    let make = |_: &Cell<u32>| Probe { answers: 0 };
    let children: Children =
        system.block_on(async { DynamicProps::new("/counted", UNLIMITED, make).start() });
    let op = async |children: &Children, n: usize| {
        let actor = children
            .add(n.to_string(), Cell::new(0))
            .await
            .expect("it starts");
        assert_eq!(actor.send(Ask).await, Ok(1));
        actor
    };
    let counted = count(&system, children, op, true).beyond(starts_bare());
    counted.is_at_most(ceilings::SPAWN_DYNAMIC, "spawn, dynamic child");
}

#[test]
fn a_restart_allocates_no_more_than_is_stated() {
    let counted = on_actor(lean, failing(Fail::Panic, 1));
    counted.is_at_most(ceilings::RESTART_AFTER_PANIC, "restart after a panic");
    let counted = on_actor(lean, failing(Fail::Report, 1));
    counted.is_at_most(
        ceilings::RESTART_AFTER_FAILURE,
        "restart after a reported failure",
    );
}

#[test]
fn a_failure_that_is_resumed_allocates_no_more_than_is_stated_and_its_event_nothing_unobserved() {
    let resumed = || props(SupervisionStrategy::Resume).start_actor();
    let observed = || {
        let props = props(SupervisionStrategy::Resume);
        props.with_observer(|_| {}).start_actor()
    };
    let unobserved = on_actor(resumed, failing(Fail::Report, 0));
    unobserved.is_at_most(ceilings::RESUME, "a failure that is resumed");
    let event = on_actor(observed, failing(Fail::Report, 0)).beyond(unobserved);
    println!("its event, with an observer: {event:.2?}");
    assert!(
        event.allocations >= 1.0,
        "an event that is made allocates, so it is seen to be left out"
    );
}
