//! One test for each way in which a message can end.

use std::time::Duration;

use futures_util::{FutureExt, future::join};
use supervision_actix::{
    FailOnErr, GetMailboxCounts,
    dead_letters::{self, DeadLetterReason},
};

use crate::{
    probe::{End, Probe, World, eventually, pass_a_second, props, restart},
    quiet::{on_system, on_virtual_time},
};

use super::*;

fn worker() -> ActorProps<Worker, impl supervision_actix::Factory<Worker> + Send> {
    ActorProps::plain("/user/worker", Worker::default).with_supervision(restart(usize::MAX, 0))
}

fn counts(of: &TrackedAddr<Worker>) -> [u64; 6] {
    let TrackedCounts {
        sent,
        handled,
        failed,
        cancelled,
        dead_lettered,
        refused,
        ..
    } = of.counts();
    [sent, handled, failed, cancelled, dead_lettered, refused]
}

#[test]
fn what_its_handler_returned_from_is_handled_and_what_it_failed_at_has_failed() {
    on_virtual_time(async {
        let truth = Arc::default();
        let worker = worker().start_tracked();
        assert_eq!(worker.send(Job::new(&truth, Deed::Nothing)).await, Ok(0));
        worker.do_send(Job::new(&truth, Deed::Nothing));
        assert!(worker.try_send(Job::new(&truth, Deed::Nothing)).is_ok());
        let panicked = worker.send(Job::new(&truth, Deed::Panic)).await;
        assert_eq!(panicked, Err(MailboxError::Closed));
        assert_eq!(worker.send(Job::new(&truth, Deed::Fail)).await, Ok(0));
        assert_eq!(counts(&worker), [5, 3, 2, 0, 0, 0]);
    });
}

struct Clerk;

impl Actor for Clerk {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "Result<(), Meant>")]
struct File(bool);

impl Handler<File> for Clerk {
    type Result = FailOnErr<(), Meant>;

    fn handle(&mut self, file: File, _: &mut Context<Self>) -> Self::Result {
        FailOnErr::run(|| if file.0 { Ok(()) } else { Err(Meant) })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Later;

impl Handler<Later> for Clerk {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Later, _: &mut Context<Self>) -> Self::Result {
        let nap = actix_rt::time::sleep(Duration::from_millis(10));
        Box::pin(nap.into_actor(self).map(|(), _, ctx| ctx.fail(Meant)))
    }
}

#[test]
fn an_err_that_fails_the_actor_fails_the_message() {
    on_virtual_time(async {
        let clerk = ActorProps::plain("/user/clerk", || Clerk).start_tracked();
        assert!(clerk.send(File(true)).await.expect("answers").is_ok());
        assert!(clerk.send(File(false)).await.expect("answers").is_err());
        let counts = clerk.counts();
        assert_eq!((counts.handled, counts.failed), (1, 1));
    });
}

#[test]
fn an_answer_that_fails_after_the_handler_returned_leaves_a_handled_message() {
    on_virtual_time(async {
        let clerk = ActorProps::plain("/user/clerk", || Clerk)
            .with_supervision(restart(usize::MAX, 0))
            .start_tracked();
        // The incarnation that computes the second answer fails with the first one.
        let (first, second) = join(clerk.send(Later), clerk.send(Later)).await;
        assert_eq!((first, second), (Ok(()), Err(MailboxError::Closed)));
        let counts = clerk.counts();
        assert_eq!((counts.sent, counts.handled), (2, 2));
    });
}

#[test]
fn an_ask_whose_asker_has_gone_is_cancelled_wherever_it_waits() {
    on_virtual_time(async {
        let truth = Arc::default();
        let worker = worker().with_mailbox_capacity(1).start_tracked();
        let queued = worker.send(Job::new(&truth, Deed::Nothing));
        let mut outside = Box::pin(worker.send(Job::new(&truth, Deed::Nothing)));
        assert!((&mut outside).now_or_never().is_none());
        assert_eq!(worker.counts().in_transit(), 2);
        drop(queued);
        drop(outside);
        assert!(worker.send(Job::new(&truth, Deed::Nothing)).await.is_ok());
        assert_eq!(counts(&worker), [3, 1, 0, 2, 0, 0]);
        assert_eq!(truth.dropped.load(SeqCst), 3);
    });
}

#[test]
fn a_cancelled_message_whose_destructor_panics_is_no_failure_of_the_actor() {
    on_virtual_time(async {
        let truth = Arc::default();
        let worker = worker().start_tracked();
        let mut job = Job::new(&truth, Deed::Nothing);
        job.last = Last::Panic;
        drop(worker.send(job));
        assert!(worker.send(Job::new(&truth, Deed::Nothing)).await.is_ok());
        assert_eq!(counts(&worker), [2, 1, 0, 1, 0, 0]);
    });
}

#[test]
fn what_a_full_mailbox_gives_back_was_not_sent() {
    on_virtual_time(async {
        let truth = Arc::default();
        let worker = worker().with_mailbox_capacity(2).start_tracked();
        for _ in 0..2 {
            assert!(worker.try_send(Job::new(&truth, Deed::Nothing)).is_ok());
        }
        let refused = worker.try_send(Job::new(&truth, Deed::Nothing));
        let Err(SendError::Full(job)) = refused else {
            panic!("it was full")
        };
        worker.do_send(job);
        assert!(worker.send(Job::new(&truth, Deed::Nothing)).await.is_ok());
        assert_eq!(counts(&worker), [4, 4, 0, 0, 0, 1]);
    });
}

#[test]
fn what_is_left_when_the_actor_ends_is_told_with_the_message_itself() {
    on_virtual_time(async {
        let truth = Arc::default();
        let (undertaker, told) = undertaker().await;
        let worker = worker()
            .with_dead_letters(undertaker.clone().recipient())
            .start_tracked();
        worker.do_send(Job::new(&truth, Deed::Stop));
        let asked = worker.send(Job::new(&truth, Deed::Nothing));
        worker.do_send(Job::new(&truth, Deed::Wait(7)));
        assert_eq!(asked.await, Err(MailboxError::Closed));
        worker.do_send(Job::new(&truth, Deed::Nothing));
        let closed = worker.send(Job::new(&truth, Deed::Nothing)).await;
        assert_eq!(closed, Err(MailboxError::Closed));
        let back = worker.try_send(Job::new(&truth, Deed::Nothing));
        assert!(matches!(back, Err(SendError::Closed(_))));
        undertaker.send(Flush).await.expect("it is up");
        let told = told.lock().unwrap();
        let reasons = told.iter().map(|letter| letter.reason).collect::<Vec<_>>();
        use DeadLetterReason::{Closed, Ended};
        assert_eq!(reasons, [Ended, Ended, Closed, Closed]);
        for letter in told.iter() {
            assert_eq!((&*letter.path, letter.incarnation), ("/user/worker", 1));
            assert_eq!(letter.message_type, Some(std::any::type_name::<Job>()));
            assert!(letter.take::<u8>().is_none(), "it is no u8");
        }
        let second = told[1].take::<Job>().expect("nobody took it");
        assert_eq!(second.deed, Deed::Wait(7));
        assert!(told[1].clone().take_any().is_none(), "it was taken");
        assert_eq!(counts(&worker), [5, 1, 0, 0, 4, 1]);
        assert_exact(worker.counts());
    });
}

#[test]
fn what_waits_while_the_actor_backs_off_is_handled_or_told_when_it_is_stopped() {
    on_virtual_time(async {
        let (undertaker, told) = undertaker().await;
        let (one, other) = (World::new(), World::new());
        for (world, is_stopped) in [(&one, false), (&other, true)] {
            let supervisor = props(world)
                .with_supervision(restart(usize::MAX, 500))
                .with_dead_letters(undertaker.clone().recipient())
                .start();
            let probe = supervisor.send(GetTrackedAddr::new()).await;
            let probe = probe.expect("answers").expect("is up");
            probe.do_send(crate::probe::Do::panic());
            for n in 0..3 {
                probe.do_send(crate::probe::Do::log(n));
            }
            assert!(eventually(|| world.made() == 1 && probe.counts().failed == 1).await);
            if is_stopped {
                supervisor.send(End).await.expect("answers");
            }
            pass_a_second().await;
            let counts = probe.counts();
            assert_exact(counts);
            let dead = if is_stopped { 3 } else { 0 };
            assert_eq!((counts.failed, counts.dead_lettered), (1, dead));
            assert_eq!(told.lock().unwrap().len(), dead as usize);
        }
    });
}

#[test]
fn all_messages_of_an_actor_can_be_asked_for_also_after_its_end() {
    on_virtual_time(async {
        let truth = Arc::default();
        let (undertaker, told) = undertaker().await;
        let supervisor = worker()
            .with_dead_letters(undertaker.clone().recipient())
            .start();
        let plain = supervisor.send(GetActorAddr::new()).await;
        let plain = plain.expect("answers").expect("is up");
        for _ in 0..3 {
            plain.do_send(Job::new(&truth, Deed::Nothing));
        }
        let tracked = supervisor.send(GetTrackedAddr::new()).await;
        let tracked = tracked.expect("answers").expect("is up");
        assert_eq!(tracked.address(), &plain);
        tracked.do_send(Job::new(&truth, Deed::Stop));
        plain.do_send(Job::new(&truth, Deed::Nothing));
        tracked.do_send(Job::new(&truth, Deed::Nothing));
        plain.do_send(Job::new(&truth, Deed::Nothing));
        pass_a_second().await;
        assert!(!tracked.connected());
        let counts = supervisor.send(GetMailboxCounts::new()).await;
        let counts = counts.expect("answers");
        assert_eq!((counts.dispatched, counts.plain_dropped), (4, 2));
        assert_eq!(counts.tracked, Some(tracked.counts()));
        assert_eq!(tracked.counts().dead_lettered, 1);
        let gone = supervisor.send(GetTrackedAddr::new()).await;
        assert!(gone.expect("answers").is_none());
        let told = told.lock().unwrap();
        let told = told
            .iter()
            .map(|letter| (letter.message_type.is_some(), letter.count));
        assert_eq!(told.collect::<Vec<_>>(), [(true, 1), (false, 2)]);
    });
}

#[test]
fn an_address_made_inside_the_actor_wakes_it() {
    on_virtual_time(async {
        let world = World::new();
        let probe = props(&world).start_actor();
        // The way to the supervisor is there already, and has been looked at.
        let find = crate::probe::Do::new(|_, ctx| drop(ctx.supervisor()));
        assert_eq!(probe.send(find).await, Ok(1));
        pass_a_second().await;
        let (tell, told) = tokio::sync::oneshot::channel();
        // In a future, when the mailbox has been looked at already.
        let work = crate::probe::Do::new(|this, ctx| {
            let nap = actix_rt::time::sleep(Duration::from_millis(10));
            ctx.spawn(nap.into_actor(this).map(|(), _: &mut Probe, ctx| {
                let tracked = ctx.tracked_address().expect("it is supervised");
                assert!(tell.send(tracked).is_ok());
            }));
        });
        assert_eq!(probe.send(work).await, Ok(1));
        let tracked = told.await.expect("it is told");
        pass_a_second().await;
        let limit = Duration::from_secs(1);
        let asked = tracked.send(crate::probe::Do::nothing()).timeout(limit);
        assert_eq!(asked.await, Ok(1));
        drop((tracked, probe));
        let gone = || world.take_log().iter().any(|entry| entry == "1:drop");
        assert!(eventually(gone).await, "the last address keeps it");
    });
}

#[test]
fn an_ask_gives_up_after_its_time() {
    on_virtual_time(async {
        let truth = Arc::default();
        let worker = worker().with_mailbox_capacity(1).start_tracked();
        worker.do_send(Job::new(&truth, Deed::Wait(200)));
        worker.do_send(Job::new(&truth, Deed::Nothing));
        let limit = Duration::from_millis(100);
        let inside = worker.send(Job::new(&truth, Deed::Nothing)).timeout(limit);
        assert_eq!(inside.await, Err(MailboxError::Timeout));
        pass_a_second().await;
        assert_eq!(counts(&worker), [3, 2, 0, 1, 0, 0]);
    });
}

#[test]
fn a_message_whose_destructor_sends_to_the_actor_that_ends_ends_too() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let worker = worker().start_tracked();
        worker.do_send(Job::new(&truth, Deed::Stop));
        for last in [Last::Send, Last::Panic, Last::Send, Last::Nothing] {
            let mut job = Job::new(&truth, Deed::Nothing);
            (job.last, job.to) = (last, Some(worker.clone()));
            worker.do_send(job);
        }
        pass_a_second().await;
        assert_eq!(counts(&worker), [7, 1, 0, 0, 6, 0]);
        assert_eq!(truth.made.load(SeqCst), truth.dropped.load(SeqCst));
    });
}

#[test]
fn an_actor_whose_arbiter_never_starts_it_gives_its_messages_back() {
    on_system(async {
        let truth: Arc<Truth> = Arc::default();
        let (undertaker, told) = undertaker().await;
        let arbiter = Arbiter::new();
        let handle = arbiter.handle();
        let props = worker().with_dead_letters(undertaker.clone().recipient());
        let (block, blocked) = std::sync::mpsc::channel::<()>();
        let (is_blocked, until_blocked) = std::sync::mpsc::channel();
        arbiter.spawn_fn(move || {
            is_blocked.send(()).expect("the test waits for it");
            let _ = blocked.recv();
        });
        until_blocked.recv().expect("it gets there");
        arbiter.stop();
        // Taken by a channel that nobody will read.
        let worker = props.start_tracked_in_arbiter(&handle);
        worker.do_send(Job::new(&truth, Deed::Nothing));
        drop(block);
        arbiter.join().expect("no panic");
        assert_eq!(
            (worker.counts().dead_lettered, worker.connected()),
            (1, false)
        );
        undertaker.send(Flush).await.expect("it is up");
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].reason, DeadLetterReason::ArbiterStopped);
    });
}

#[test]
fn a_subscriber_is_told_what_it_has_room_for_and_its_filter_lets_through() {
    on_virtual_time(async {
        let truth = Arc::default();
        struct Small(Arc<AtomicU64>);
        impl Actor for Small {
            type Context = Context<Self>;
        }
        impl Handler<DeadLetter> for Small {
            type Result = ();
            fn handle(&mut self, _: DeadLetter, _: &mut Context<Self>) {
                self.0.fetch_add(1, SeqCst);
            }
        }
        let seen: Arc<AtomicU64> = Arc::default();
        let small = Small(seen.clone()).start();
        let (undertaker, told) = undertaker().await;
        let path = "/user/of-many";
        let mine = move |letter: &DeadLetter| &*letter.path == path;
        let bounded = dead_letters::subscribe_to(small.recipient(), mine);
        let panics = dead_letters::subscribe_to(undertaker.clone().recipient(), move |letter| {
            assert!(&*letter.path != path, "{MEANT}");
            false
        });
        let props = ActorProps::plain(path, Worker::default);
        let worker = props.with_mailbox_capacity(0).start_tracked();
        worker.do_send(Job::new(&truth, Deed::Stop));
        for n in 0..1_000 {
            let mut job = Job::new(&truth, Deed::Nothing);
            if n % 2 == 0 {
                job.last = Last::Panic;
            }
            worker.do_send(job);
        }
        pass_a_second().await;
        assert_eq!(worker.counts().dead_lettered, 1_000);
        let seen = seen.load(SeqCst);
        assert!((1..100).contains(&seen), "{seen} were told");
        assert_eq!(seen + bounded.missed(), 1_000);
        assert_eq!(panics.missed(), 1_000);
        assert!(told.lock().unwrap().is_empty());
        drop(bounded);
        worker.do_send(Job::new(&truth, Deed::Nothing));
        assert_eq!(panics.missed(), 1_001, "the other one goes on");
    });
}

#[test]
fn a_filter_that_loses_messages_itself_is_not_asked_about_them() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let (undertaker, told) = undertaker().await;
        let path = "/user/of-a-loser";
        let worker = ActorProps::plain(path, Worker::default).start_tracked();
        let (lost, kept) = (worker.clone(), truth.clone());
        let subscription =
            dead_letters::subscribe_to(undertaker.clone().recipient(), move |letter| {
                let mine = &*letter.path == path;
                if mine {
                    lost.do_send(Job::new(&kept, Deed::Nothing));
                }
                mine
            });
        assert!(worker.send(Job::new(&truth, Deed::Stop)).await.is_ok());
        worker.do_send(Job::new(&truth, Deed::Nothing));
        undertaker.send(Flush).await.expect("it is up");
        assert_eq!((told.lock().unwrap().len(), subscription.missed()), (1, 1));
        assert_eq!(worker.counts().dead_lettered, 2);
    });
}

#[test]
fn a_subscriber_that_is_gone_is_forgotten() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let (undertaker, told) = undertaker().await;
        let subscription = dead_letters::subscribe(undertaker.clone().recipient());
        drop(undertaker);
        pass_a_second().await;
        assert_eq!(Arc::strong_count(&told), 2, "the subscription keeps it");
        drop(subscription);
        pass_a_second().await;
        assert_eq!(Arc::strong_count(&told), 1);
        let worker = worker().start_tracked();
        worker.do_send(Job::new(&truth, Deed::Stop));
        worker.do_send(Job::new(&truth, Deed::Nothing));
        pass_a_second().await;
        assert_eq!(worker.counts().dead_lettered, 1);
        assert_eq!(truth.dropped.load(SeqCst), 2);
    });
}
