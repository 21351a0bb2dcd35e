//! Random schedules: every queued message is handled once, in its sender's order, whatever fails.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix::prelude::*;
use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    prop_assert, prop_assert_eq, proptest,
    test_runner::{Config, TestCaseError},
};
use supervision_actix::prelude::*;

use crate::{
    probe::{Meant, pass_a_second},
    quiet::{MEANT, on_virtual_time},
};

/// What a message does to its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Nothing,
    Panic,
    Fail,
    FailOften,
    Stop,
    /// A spawned future panics a little later.
    PanicLater(u8),
    /// The actor takes no message for a while.
    Wait(u8),
    /// As `Wait`, and fails at its end.
    WaitAndFail(u8),
    /// As `Wait`, and panics at its end.
    WaitAndPanic(u8),
    CancelOwnHandle,
    Capacity(u8),
}

/// How it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Ask,
    Tell,
    Try,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    delay: u8,
    deed: Deed,
    way: Way,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => any::<bool>().prop_map(|_| Deed::Nothing),
        3 => any::<bool>().prop_map(|_| Deed::Panic),
        2 => any::<bool>().prop_map(|_| Deed::Fail),
        1 => any::<bool>().prop_map(|_| Deed::FailOften),
        1 => any::<bool>().prop_map(|_| Deed::Stop),
        1 => (0_u8..20).prop_map(Deed::PanicLater),
        1 => (0_u8..20).prop_map(Deed::Wait),
        1 => (0_u8..20).prop_map(Deed::WaitAndFail),
        1 => (0_u8..20).prop_map(Deed::WaitAndPanic),
        1 => any::<bool>().prop_map(|_| Deed::CancelOwnHandle),
        1 => (1_u8..6).prop_map(Deed::Capacity),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![Just(Way::Ask), Just(Way::Tell), Just(Way::Try)];
    let delay = prop_oneof![4 => Just(0_u8), 1 => 1_u8..40];
    (delay, deed(), way).prop_map(|(delay, deed, way)| Step { delay, deed, way })
}

use proptest::prelude::Just;

/// What is known of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fate {
    /// It was taken by the mailbox, as far as its sender knows.
    sent: bool,
    handled: usize,
    /// What the asker got.
    answered: Option<bool>,
}

struct World {
    made: Cell<u64>,
    /// (incarnation, sender, number) in the order of handling.
    handled: RefCell<Vec<(u64, usize, usize)>>,
    dropped: Cell<usize>,
}

struct Worker {
    world: Rc<World>,
    number: u64,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.world.dropped.set(self.world.dropped.get() + 1);
    }
}

#[derive(Message)]
#[rtype(result = "usize")]
struct Job {
    sender: usize,
    number: usize,
    deed: Deed,
}

impl Handler<Job> for Worker {
    type Result = usize;

    fn handle(&mut self, job: Job, ctx: &mut Context<Self>) -> usize {
        let mut handled = self.world.handled.borrow_mut();
        handled.push((self.number, job.sender, job.number));
        drop(handled);
        let millis = |n: u8| actix_rt::time::sleep(Duration::from_millis(n.into()));
        match job.deed {
            Deed::Nothing => {}
            Deed::Panic => panic!("{MEANT}"),
            Deed::Fail => ctx.fail(Meant),
            Deed::FailOften => (0..5).for_each(|_| ctx.fail(Meant)),
            Deed::Stop => ctx.stop(),
            Deed::PanicLater(n) => {
                ctx.spawn(millis(n).into_actor(self).map(|(), _, _| panic!("{MEANT}")));
            }
            Deed::Wait(n) => ctx.wait(millis(n).into_actor(self)),
            Deed::WaitAndFail(n) => {
                let fail = |(), _: &mut Self, ctx: &mut Context<Self>| ctx.fail(Meant);
                ctx.wait(millis(n).into_actor(self).map(fail));
            }
            Deed::WaitAndPanic(n) => {
                ctx.wait(millis(n).into_actor(self).map(|(), _, _| panic!("{MEANT}")));
            }
            Deed::CancelOwnHandle => {
                let own = ctx.handle();
                ctx.cancel_future(own);
            }
            Deed::Capacity(n) => ctx.set_mailbox_capacity(n.into()),
        }
        job.number
    }
}

/// One sender: its steps one after the other; an ask is awaited before the next step.
async fn send(
    sender: usize,
    addr: Addr<Worker>,
    steps: Vec<Step>,
    fates: Rc<RefCell<Vec<Vec<Fate>>>>,
) {
    for (number, Step { delay, deed, way }) in steps.into_iter().enumerate() {
        if delay > 0 {
            actix_rt::time::sleep(Duration::from_millis(delay.into())).await;
        }
        let job = Job {
            sender,
            number,
            deed,
        };
        let (sent, answered) = match way {
            Way::Ask => {
                let answer = addr.send(job).await;
                let right = answer.as_ref().map(|n| *n == number);
                assert_ne!(right, Ok(false), "the answer to another question");
                (true, Some(answer.is_ok()))
            }
            Way::Tell => {
                addr.do_send(job);
                (true, None)
            }
            Way::Try => (addr.try_send(job).is_ok(), None),
        };
        let fate = &mut fates.borrow_mut()[sender][number];
        (fate.sent, fate.answered) = (sent, answered);
    }
}

/// What a run left behind.
struct Ran {
    fates: Vec<Vec<Fate>>,
    handled: Vec<(u64, usize, usize)>,
    made: u64,
    dropped: usize,
    ended_early: bool,
    failures: usize,
}

fn run(
    strategy: SupervisionStrategy,
    restart_type: RestartType,
    capacity: usize,
    senders: &[Vec<Step>],
) -> Ran {
    on_virtual_time(async {
        let world = Rc::new(World {
            made: Cell::new(0),
            handled: RefCell::default(),
            dropped: Cell::new(0),
        });
        let inner = world.clone();
        let supervisor = ActorProps::plain("/user/worker", move || {
            inner.made.set(inner.made.get() + 1);
            Worker {
                world: inner.clone(),
                number: inner.made.get(),
            }
        })
        .with_supervision(strategy)
        .with_restart_type(restart_type)
        .with_mailbox_capacity(capacity)
        .with_history_capacity(100_000)
        .start();
        let addr = supervisor.send(GetActorAddr::new()).await;
        let addr = addr.expect("the supervisor answers").expect("it is up");
        let blank = |steps: &Vec<Step>| vec![Fate::default(); steps.len()];
        let fates = Rc::new(RefCell::new(senders.iter().map(blank).collect::<Vec<_>>()));
        let all = senders.iter().enumerate();
        let all = all.map(|(n, steps)| send(n, addr.clone(), steps.clone(), fates.clone()));
        let limit = Duration::from_secs(10_000);
        let done = actix_rt::time::timeout(limit, join_all(all)).await;
        done.expect("no sender waits for ever");
        drop(addr);
        pass_a_second().await;
        pass_a_second().await;
        let ended_early = supervisor.send(GetActorAddr::new()).await == Ok(None);
        let failures = supervisor
            .send(GetFailureHistory::new())
            .await
            .expect("answers");
        drop(supervisor);
        pass_a_second().await;
        assert_eq!(Rc::strong_count(&world), 1, "values and factory are gone");
        let mut fates = fates.take();
        for (_, sender, number) in world.handled.borrow().iter() {
            fates[*sender][*number].handled += 1;
        }
        Ran {
            fates,
            handled: world.handled.take(),
            made: world.made.get(),
            dropped: world.dropped.get(),
            ended_early,
            failures: failures.len(),
        }
    })
}

/// What holds for every schedule under every strategy.
fn check(ran: &Ran) -> Result<(), TestCaseError> {
    for (sender, fates) in ran.fates.iter().enumerate() {
        for (number, fate) in fates.iter().enumerate() {
            prop_assert!(fate.handled <= 1, "{sender}/{number} handled twice");
            prop_assert!(
                fate.sent || fate.handled == 0,
                "{sender}/{number} came from nowhere"
            );
            if fate.answered == Some(true) {
                prop_assert_eq!(fate.handled, 1, "{}/{} answered unhandled", sender, number);
            }
        }
        let own = ran.handled.iter().filter(|(_, s, _)| *s == sender);
        let numbers = own.map(|(_, _, number)| *number).collect::<Vec<_>>();
        prop_assert!(numbers.is_sorted(), "sender {sender}: {numbers:?}");
        // Whoever was refused by an actor that had ended stays refused: what is lost is a tail.
        let lost = fates.iter().position(|fate| fate.sent && fate.handled == 0);
        if let Some(first) = lost {
            prop_assert!(ran.ended_early, "{sender}/{first} lost by a living actor");
            let later = fates[first..].iter().any(|fate| fate.handled > 0);
            prop_assert!(!later, "{sender}/{first} lost, a later one handled");
        }
    }
    let incarnations = ran.handled.iter().map(|(incarnation, _, _)| *incarnation);
    prop_assert!(incarnations.is_sorted(), "two incarnations at once");
    prop_assert_eq!(ran.dropped as u64, ran.made);
    Ok(())
}

fn restart(max_restarts: usize, delay: u8) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts,
        window: Duration::from_secs(60),
        delay: Duration::from_millis(delay.into()),
    }
}

fn strategy() -> impl Strategy<Value = SupervisionStrategy> {
    prop_oneof![
        3 => prop_oneof![Just(0_u8), 1_u8..50].prop_map(|delay| restart(usize::MAX, delay)),
        2 => (0_usize..6, prop_oneof![Just(0_u8), 1_u8..50]).prop_map(|(max, delay)| restart(max, delay)),
        2 => Just(SupervisionStrategy::Resume),
        1 => (0_u8..50).prop_map(|delay| SupervisionStrategy::Match {
            default: Box::new(restart(usize::MAX, delay)),
            matchers: vec![SupervisionMatcher::new("Meant", SupervisionStrategy::Resume)],
        }),
    ]
}

const CASES: u32 = 400;

#[test]
fn every_message_is_handled_at_most_once_and_in_order_whatever_fails() {
    static MESSAGES: AtomicUsize = AtomicUsize::new(0);
    static FAILURES: AtomicUsize = AtomicUsize::new(0);
    static RESTARTS: AtomicUsize = AtomicUsize::new(0);
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    static WAITED: AtomicUsize = AtomicUsize::new(0);
    proptest!(Config { failure_persistence: None, ..Config::with_cases(CASES) }, |(
        senders in vec(vec(step(), 1..30), 1..5),
        strategy in strategy(),
        permanent in any::<bool>(),
        capacity in 1_usize..4,
    )| {
        let restart_type = if permanent { RestartType::Permanent } else { RestartType::Transient };
        let ran = run(strategy.clone(), restart_type, capacity, &senders);
        check(&ran)?;
        let unlimited = matches!(strategy, SupervisionStrategy::Restart { max_restarts: usize::MAX, .. });
        if permanent && unlimited {
            // Nothing may be lost: not even the failing message goes unhandled.
            prop_assert!(!ran.ended_early);
            let lost = ran.fates.iter().flatten().filter(|fate| fate.sent && fate.handled == 0);
            prop_assert_eq!(lost.count(), 0);
        }
        let handled = ran.handled.len();
        MESSAGES.fetch_add(handled, Ordering::Relaxed);
        FAILURES.fetch_add(ran.failures, Ordering::Relaxed);
        RESTARTS.fetch_add(ran.made as usize - 1, Ordering::Relaxed);
        ENDED.fetch_add(ran.ended_early.into(), Ordering::Relaxed);
        let refused = ran.fates.iter().flatten().filter(|fate| !fate.sent);
        WAITED.fetch_add(refused.count(), Ordering::Relaxed);
    });
    let [messages, failures, restarts, ended, full] =
        [&MESSAGES, &FAILURES, &RESTARTS, &ENDED, &WAITED].map(|n| n.load(Ordering::Relaxed));
    println!(
        "{messages} messages handled, {failures} failures, {restarts} restarts, {ended} ended early, {full} refused by a full mailbox"
    );
    let cases = CASES as usize;
    assert!(messages > cases * 10 && failures > cases * 3 && restarts > cases);
    assert!(ended > cases / 20 && ended < cases * 19 / 20 && full > cases / 4);
}
