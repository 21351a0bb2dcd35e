//! Senders on threads of their own against an actor that fails, ends, or loses its arbiter.

use std::{
    sync::Barrier,
    task::{Context as TaskContext, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use crate::{probe::restart, quiet::silence};

use super::*;

const SENDERS: usize = 3;
const MESSAGES: usize = 150;

/// How a round ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// All is handled, then the last address goes.
    Drained,
    /// The actor stops itself somewhere in the middle.
    Stops,
    /// Its arbiter is stopped.
    ArbiterStops,
}

/// Sends as another thread does, and drops a part of what it asks for.
fn send(
    to: &TrackedAddr<Worker>,
    truth: &Arc<Truth>,
    sender: usize,
    rng: &mut fastrand::Rng,
) -> u64 {
    let mut sent = 0;
    let mut asked = Vec::new();
    for number in 0..MESSAGES {
        let deed = match rng.u8(..40) {
            0 => Deed::Panic,
            1 => Deed::Fail,
            _ => Deed::Nothing,
        };
        let mut job = Job::new(truth, deed);
        job.from = (sender, number);
        sent += 1;
        match rng.u8(..5) {
            0 => to.do_send(job),
            1 => sent -= u64::from(to.try_send(job).is_err()),
            2 => drop(to.send(job)),
            3 => {
                // It may have to wait outside, while those behind it get in.
                job.from = (SENDERS, 0);
                asked.push(Box::pin(to.send(job)));
            }
            _ => {
                truth.made.fetch_sub(1, SeqCst);
                job.truth = Arc::default();
                to.address().do_send(job);
                sent -= 1;
            }
        }
        if rng.u8(..20) == 0 {
            thread::yield_now();
        }
    }
    // Some are answered by now, some wait, some have not even got in.
    let mut task = TaskContext::from_waker(Waker::noop());
    for request in &mut asked {
        let _: Poll<_> = request.as_mut().poll(&mut task);
    }
    sent
}

fn round(seed: u64, ending: Ending) -> TrackedCounts {
    let mut rng = fastrand::Rng::with_seed(seed);
    let truth: Arc<Truth> = Arc::default();
    let arbiter = Arbiter::new();
    let done: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
    let kept = done.clone();
    let worker = ActorProps::plain("/user/worker", move || Worker { done: kept.clone() })
        .with_supervision(restart(usize::MAX, 0))
        .with_mailbox_capacity(rng.usize(0..20))
        .start_tracked_in_arbiter(&arbiter.handle());
    let start = Barrier::new(SENDERS + 1);
    let sent = thread::scope(|scope| {
        let senders = (0..SENDERS).map(|sender| {
            let (worker, truth, start) = (worker.clone(), &truth, &start);
            let mut rng = rng.fork();
            scope.spawn(move || {
                start.wait();
                send(&worker, truth, sender, &mut rng)
            })
        });
        let senders = senders.collect::<Vec<_>>();
        start.wait();
        for _ in 0..rng.usize(..2_000) {
            std::hint::spin_loop();
        }
        let mut sent = 0;
        match ending {
            Ending::Drained => {}
            Ending::Stops => {
                worker.do_send(Job::new(&truth, Deed::Stop));
                sent += 1;
            }
            Ending::ArbiterStops => {
                arbiter.stop();
            }
        }
        let all = senders
            .into_iter()
            .map(|sender| sender.join().expect("no panic"));
        sent + all.sum::<u64>()
    });
    let limit = Instant::now() + Duration::from_secs(30);
    while worker.counts().in_transit() > 0 {
        assert!(
            Instant::now() < limit,
            "{ending:?} {seed}: {:?}",
            worker.counts()
        );
        thread::sleep(Duration::from_micros(100));
    }
    let counts = worker.counts();
    arbiter.stop();
    arbiter.join().expect("no panic");
    drop(worker);
    assert_exact(counts);
    assert_eq!(counts.sent, sent, "{ending:?} {seed}");
    let truth = [&truth.returned, &truth.failed, &truth.made, &truth.dropped];
    let [returned, failed, made, dropped] = truth.map(|count| count.load(SeqCst));
    // Plain jobs that returned are not among those that were counted.
    assert_eq!(
        (counts.handled, counts.failed),
        (returned, failed),
        "{ending:?} {seed}"
    );
    assert_eq!(made, dropped, "{ending:?} {seed}: one is left");
    for sender in 0..SENDERS {
        let done = done.lock().unwrap();
        let own = done.iter().filter(|(from, _)| *from == sender);
        assert!(
            own.is_sorted_by(|one, next| one.1 < next.1),
            "{ending:?} {seed}"
        );
    }
    counts
}

#[test]
fn sums_are_exact_when_threads_send_to_an_actor_that_ends() {
    silence();
    let system = System::new();
    let mut sums = [0; 5];
    let rounds = 300;
    for seed in 0..rounds {
        let endings = [Ending::Drained, Ending::Stops, Ending::ArbiterStops];
        let counts = system.block_on(async { round(seed, endings[seed as usize % 3]) });
        let all = [
            counts.handled,
            counts.failed,
            counts.cancelled,
            counts.dead_lettered,
            counts.refused,
        ];
        for (sum, count) in sums.iter_mut().zip(all) {
            *sum += count;
        }
    }
    println!("handled, failed, cancelled, dead-lettered, refused: {sums:?} in {rounds} rounds");
    assert!(sums.iter().all(|sum| *sum > rounds), "{sums:?}");
}
