//! Mailboxes with little room, and the order of what comes by both sorts of addresses.

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    probe::{pass_a_second, restart},
    quiet::on_virtual_time,
};

use super::*;

#[test]
fn many_askers_get_through_a_mailbox_for_one_whoever_gives_up() {
    on_virtual_time(async {
        let truth = Arc::default();
        let worker = ActorProps::plain("/user/worker", Worker::default)
            .with_supervision(restart(usize::MAX, 10))
            .with_mailbox_capacity(1)
            .start_tracked();
        let ask = |n: usize| {
            let deed = match n % 7 {
                0 => Deed::Panic,
                1 => Deed::Wait(3),
                _ => Deed::Nothing,
            };
            let limit = Duration::from_millis(if n.is_multiple_of(5) { 20 } else { 1_000_000 });
            worker.send(Job::new(&truth, deed)).timeout(limit)
        };
        let answers = join_all((0..500).map(ask)).await;
        let timed_out = answers.iter().filter(|a| **a == Err(MailboxError::Timeout));
        let timed_out = timed_out.count() as u64;
        let answered = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        assert!(timed_out > 20 && answered > 200, "{timed_out} {answered}");
        let counts = worker.counts();
        assert_exact(counts);
        assert_eq!((counts.sent, counts.cancelled), (500, timed_out));
        assert_eq!(counts.handled, answered);
        assert_eq!(counts.failed, 500 - timed_out - answered);
    });
}

#[test]
fn askers_who_wait_outside_learn_of_the_end() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let props = ActorProps::plain("/user/worker", Worker::default);
        let worker = props.with_mailbox_capacity(1).start_tracked();
        let first = worker.send(Job::new(&truth, Deed::Stop));
        let others = (0..50).map(|_| worker.send(Job::new(&truth, Deed::Nothing)));
        let others = join_all(others.collect::<Vec<_>>());
        let (first, others) = futures_util::future::join(first, others).await;
        assert_eq!(first, Ok(0));
        assert!(
            others
                .iter()
                .all(|answer| *answer == Err(MailboxError::Closed))
        );
        let counts = worker.counts();
        assert_exact(counts);
        assert_eq!((counts.handled, counts.dead_lettered), (1, 50));
        assert_eq!(truth.dropped.load(SeqCst), 51);
    });
}

#[test]
fn plain_messages_and_tracked_ones_of_one_sender_keep_their_order() {
    on_virtual_time(async {
        let truth = Arc::default();
        let done: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
        let kept = done.clone();
        let worker = ActorProps::plain("/user/worker", move || Worker { done: kept.clone() })
            .with_supervision(restart(usize::MAX, 1))
            .start_tracked();
        for n in 0..10_000 {
            let deed = if n % 97 == 0 {
                Deed::Panic
            } else {
                Deed::Nothing
            };
            let mut job = Job::new(&truth, deed);
            job.from = (0, n);
            if fastrand::bool() {
                worker.do_send(job);
            } else {
                worker.address().do_send(job);
            }
            if n % 1_000 == 0 {
                pass_a_second().await;
            }
        }
        pass_a_second().await;
        let done = done.lock().unwrap();
        assert!(done.iter().map(|(_, number)| *number).eq(0..10_000));
    });
}

#[test]
fn a_storm_leaves_no_room_behind() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let props = ActorProps::plain("/user/worker", Worker::default);
        let worker = props.with_mailbox_capacity(4).start_tracked();
        let mut taken = 0;
        for _ in 0..1_000 {
            // Neither way lets the other one fill the mailbox without end.
            let _ = worker.address().try_send(Job::new(&truth, Deed::Nothing));
            taken += u64::from(worker.try_send(Job::new(&truth, Deed::Nothing)).is_ok());
        }
        let made = truth.made.load(SeqCst) - truth.dropped.load(SeqCst);
        assert!(taken <= 4 && made <= 16, "{taken} taken, {made} in there");
        pass_a_second().await;
        assert_exact(worker.counts());
    });
}
