//! Random schedules on one thread: whatever happens to the actor, every message is counted once, and
//! as what it was.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    prop_assert, prop_assert_eq, proptest,
    test_runner::{Config, TestCaseError},
};

use crate::{
    probe::{pass_a_second, restart},
    quiet::on_virtual_time,
};

use super::*;

/// How a message is sent.
#[derive(Clone, Copy, Debug)]
enum Way {
    Tell,
    Try,
    Ask,
    /// Gives up after so many milliseconds.
    AskFor(u8),
    /// Not tracked.
    Plain,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    delay: u8,
    way: Way,
    deed: Deed,
    last: Last,
}

fn step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![
        3 => Just(Way::Tell),
        2 => Just(Way::Try),
        2 => Just(Way::Ask),
        2 => (0_u8..30).prop_map(Way::AskFor),
        1 => Just(Way::Plain),
    ];
    let deed = prop_oneof![
        6 => Just(Deed::Nothing),
        3 => Just(Deed::Panic),
        2 => Just(Deed::Fail),
        1 => Just(Deed::Stop),
        2 => (0_u8..40).prop_map(Deed::Wait),
    ];
    let last = prop_oneof![4 => Just(Last::Nothing), 1 => Just(Last::Panic), 1 => Just(Last::Send)];
    let delay = prop_oneof![4 => Just(0_u8), 1 => 1_u8..40];
    (delay, way, deed, last).prop_map(|(delay, way, deed, last)| Step {
        delay,
        way,
        deed,
        last,
    })
}

fn strategy() -> impl Strategy<Value = SupervisionStrategy> {
    prop_oneof![
        3 => prop_oneof![Just(0_u64), 1_u64..50].prop_map(|delay| restart(usize::MAX, delay)),
        2 => (0_usize..4, 0_u64..50).prop_map(|(max, delay)| restart(max, delay)),
        2 => Just(SupervisionStrategy::Resume),
    ]
}

/// What senders know.
#[derive(Default)]
struct Known {
    /// By tracked addresses.
    sent: u64,
    refused: u64,
    /// Made by them, and not sent by a tracked address.
    plain: u64,
}

async fn send(
    sender: usize,
    to: TrackedAddr<Worker>,
    steps: Vec<Step>,
    truth: Arc<Truth>,
    known: Rc<RefCell<Known>>,
) {
    for (number, step) in steps.into_iter().enumerate() {
        if step.delay > 0 {
            actix_rt::time::sleep(Duration::from_millis(step.delay.into())).await;
        }
        let mut job = Job::new(&truth, step.deed);
        (job.last, job.from) = (step.last, (sender, number));
        if step.last == Last::Send {
            job.to = Some(to.clone());
        }
        match step.way {
            Way::Tell => to.do_send(job),
            Way::Try => match to.try_send(job) {
                Ok(()) => {}
                Err(error) => {
                    let mut job = error.into_inner();
                    job.last = Last::Nothing;
                    let mut known = known.borrow_mut();
                    (known.refused, known.plain) = (known.refused + 1, known.plain + 1);
                    continue;
                }
            },
            Way::Ask => {
                let _ = to.send(job).await;
            }
            Way::AskFor(millis) => {
                let limit = Duration::from_millis(millis.into());
                let _ = to.send(job).timeout(limit).await;
            }
            Way::Plain => {
                // A plain message is not known, so it is not among what is counted here.
                (job.deed, job.last) = (Deed::Nothing, Last::Nothing);
                job.truth = Arc::default();
                truth.dropped.fetch_add(1, SeqCst);
                to.address().do_send(job);
                known.borrow_mut().plain += 1;
                continue;
            }
        }
        known.borrow_mut().sent += 1;
    }
}

struct Ran {
    counts: TrackedCounts,
    truth: Arc<Truth>,
    known: Known,
    told: u64,
    done: Vec<(usize, usize)>,
}

/// When the actor is stopped through its supervisor, if ever, and how it is supervised.
#[derive(Clone, Debug)]
struct Plan {
    strategy: SupervisionStrategy,
    permanent: bool,
    capacity: usize,
    end_after: Option<u8>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let end_after = prop_oneof![Just(None), (0_u8..100).prop_map(Some)];
    let all = (strategy(), any::<bool>(), 0_usize..4, end_after);
    all.prop_map(|(strategy, permanent, capacity, end_after)| Plan {
        strategy,
        permanent,
        capacity,
        end_after,
    })
}

#[derive(Message)]
#[rtype(result = "()")]
struct Halt;

impl Handler<Halt> for SupervisorActor<Worker> {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

fn run(plan: Plan, senders: &[Vec<Step>]) -> Ran {
    on_virtual_time(async {
        let (undertaker, told) = undertaker().await;
        let truth: Arc<Truth> = Arc::default();
        let done: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
        let kept = done.clone();
        let restart_type = match plan.permanent {
            true => RestartType::Permanent,
            false => RestartType::Transient,
        };
        let supervisor = ActorProps::plain("/user/worker", move || Worker { done: kept.clone() })
            .with_supervision(plan.strategy)
            .with_restart_type(restart_type)
            .with_mailbox_capacity(plan.capacity)
            .with_dead_letters(undertaker.clone().recipient())
            .start();
        let tracked = supervisor.send(GetTrackedAddr::new()).await;
        let tracked = tracked.expect("answers").expect("is up");
        let known: Rc<RefCell<Known>> = Rc::default();
        if let Some(millis) = plan.end_after {
            let supervisor = supervisor.clone();
            actix_rt::spawn(async move {
                actix_rt::time::sleep(Duration::from_millis(millis.into())).await;
                let _ = supervisor.send(Halt).await;
            });
        }
        let all = senders.iter().enumerate().map(|(n, steps)| {
            send(
                n,
                tracked.clone(),
                steps.clone(),
                truth.clone(),
                known.clone(),
            )
        });
        let limit = Duration::from_secs(10_000);
        let sent = actix_rt::time::timeout(limit, join_all(all)).await;
        sent.expect("no sender waits for ever");
        // Enough for all waits and delays of what is queued.
        actix_rt::time::sleep(Duration::from_secs(60)).await;
        let _ = supervisor.send(Halt).await;
        pass_a_second().await;
        undertaker.send(Flush).await.expect("it is up");
        let told = told.lock().unwrap();
        let told = told.iter().filter(|letter| letter.message_type.is_some());
        let told = told.map(|letter| {
            assert!(letter.take::<Job>().is_some_and(|mut job| {
                job.last = Last::Nothing;
                true
            }));
        });
        Ran {
            counts: tracked.counts(),
            told: told.count() as u64,
            truth,
            known: known.take(),
            done: std::mem::take(&mut *done.lock().unwrap()),
        }
    })
}

fn check(ran: &Ran, senders: &[Vec<Step>]) -> Result<(), TestCaseError> {
    let counts = ran.counts;
    let ended = counts.handled + counts.failed + counts.cancelled + counts.dead_lettered;
    prop_assert_eq!(counts.sent, ended, "{:?}", counts);
    // What destructors sent beside the senders.
    let extra = ran.truth.made.load(SeqCst) - ran.known.sent - ran.known.plain;
    prop_assert_eq!(counts.sent, ran.known.sent + extra);
    prop_assert_eq!(counts.refused, ran.known.refused);
    prop_assert_eq!(counts.handled, ran.truth.returned.load(SeqCst));
    prop_assert_eq!(counts.failed, ran.truth.failed.load(SeqCst));
    prop_assert_eq!(counts.dead_lettered, ran.told);
    let (made, dropped) = (&ran.truth.made, &ran.truth.dropped);
    prop_assert_eq!(made.load(SeqCst), dropped.load(SeqCst), "one is left");
    for sender in 0..senders.len() {
        let own = ran.done.iter().filter(|(from, _)| *from == sender);
        let numbers = own.map(|(_, number)| *number).collect::<Vec<_>>();
        let distinct = numbers.windows(2).all(|pair| pair[0] < pair[1]);
        prop_assert!(distinct, "sender {}: {:?}", sender, numbers);
    }
    Ok(())
}

const CASES: u32 = 4_000;

#[test]
fn every_message_is_counted_once_and_as_what_it_was_whatever_happens() {
    let sums: [AtomicU64; 5] = Default::default();
    proptest!(Config { failure_persistence: None, ..Config::with_cases(CASES) }, |(
        senders in vec(vec(step(), 1..12), 1..5),
        plan in plan(),
    )| {
        let ran = run(plan.clone(), &senders);
        check(&ran, &senders)?;
        let counts = ran.counts;
        let all = [counts.handled, counts.failed, counts.cancelled, counts.dead_lettered, counts.refused];
        for (sum, count) in sums.iter().zip(all) {
            sum.fetch_add(count, SeqCst);
        }
    });
    let sums = sums.map(|sum| sum.load(SeqCst));
    println!("handled, failed, cancelled, dead-lettered, refused: {sums:?} in {CASES} schedules");
    assert!(
        sums.iter().all(|sum| *sum > u64::from(CASES) / 2),
        "{sums:?}"
    );
}
