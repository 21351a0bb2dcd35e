//! Threads that an actor blocks, in real time: each test waits for what must come, with a generous
//! limit, and asserts no more about time than that it was longer than the deadline.

use std::{
    sync::mpsc::{Receiver, channel},
    thread,
};

use actix_rt::Arbiter;
use supervision_actix::stalls::{BlockedThread, Subscription, subscribe};

use crate::quiet::{MEANT, silence};

use super::*;

/// Short, so that tests are, and far longer than a busy machine keeps a thread from running.
const SHORT: Duration = Duration::from_millis(250);
/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(30);

/// Tells of the threads blocked by the actor of this path: tests run beside each other.
fn told_of(path: &'static str) -> (Subscription, Receiver<BlockedThread>) {
    let (tell, told) = channel();
    let guard = subscribe(move |blocked: &BlockedThread| {
        if blocked.path == path {
            let _ = tell.send(blocked.clone());
        }
    });
    (guard, told)
}

struct Blocker;

impl Actor for Blocker {
    type Context = Context<Self>;
}

/// Blocks the thread until the test lets go.
#[derive(Message)]
#[rtype(result = "()")]
struct Block(Receiver<()>);

impl Handler<Block> for Blocker {
    type Result = ();

    fn handle(&mut self, block: Block, _: &mut Context<Self>) {
        let _ = block.0.recv_timeout(LIMIT);
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Incarnation;

impl Handler<Incarnation> for Blocker {
    type Result = u64;

    fn handle(&mut self, _: Incarnation, ctx: &mut Context<Self>) -> u64 {
        ctx.incarnation()
    }
}

fn blocker(path: &str, arbiter: &Arbiter, max_restarts: usize) -> Addr<SupervisorActor<Blocker>> {
    ActorProps::plain(path, || Blocker)
        .with_supervision(restart(max_restarts, 0))
        .with_stall_deadline(SHORT)
        .start_in_arbiter(&arbiter.handle())
}

async fn address_of(supervisor: &Addr<SupervisorActor<Blocker>>) -> Addr<Blocker> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address.expect("it answers").expect("it is up")
}

#[test]
fn each_of_two_messages_that_block_is_told_of_though_the_supervisor_is_asked_meanwhile() {
    let path = "/stall/blocked/twice";
    let (_guard, told) = told_of(path);
    on_system(async {
        let arbiter = Arbiter::new();
        let supervisor = blocker(path, &arbiter, 3);
        let actor = address_of(&supervisor).await;
        let mut releases = Vec::new();
        for _ in 0..2 {
            let (release, hold) = channel::<()>();
            actor.do_send(Block(hold));
            releases.push(release);
        }
        for (incarnation, release) in (1..).zip(releases) {
            let blocked = told.recv_timeout(LIMIT).expect("somebody tells");
            assert_eq!(blocked.incarnation, incarnation);
            // The question is served, and the actor polled again, before the blocked poll ends.
            supervisor.do_send(GetFailureHistory::new());
            drop(release);
        }
        assert_eq!(actor.send(Incarnation).await, Ok(3));
        arbiter.stop();
        arbiter.join().expect("no panic");
    });
}

#[test]
fn a_blocked_thread_is_told_of_at_once_and_decided_on_when_it_comes_back() {
    let path = "/stall/blocked/one";
    let (_guard, told) = told_of(path);
    on_system(async {
        let (blocked_arbiter, free_arbiter) = (Arbiter::new(), Arbiter::new());
        let supervisor = blocker(path, &blocked_arbiter, 3);
        let other = blocker("/stall/blocked/other", &free_arbiter, 3);
        let (actor, other) = (address_of(&supervisor).await, address_of(&other).await);
        let (release, hold) = channel();
        actor.do_send(Block(hold));
        let told = thread::spawn(move || told.recv_timeout(LIMIT));
        // Others go on, on their arbiters, while this one's is blocked.
        for _ in 0..100 {
            assert_eq!(other.send(Incarnation).await, Ok(1));
        }
        let blocked = told.join().unwrap().expect("somebody tells");
        assert_eq!((blocked.path.as_str(), blocked.incarnation), (path, 1));
        assert_eq!(blocked.deadline, SHORT);
        assert!(blocked.lasted > SHORT, "{blocked:?}");
        let name = blocked.thread_name.expect("arbiters have names");
        assert!(name.contains("actix"), "{name}");
        assert_ne!(blocked.thread_id, thread::current().id());
        assert_eq!(other.send(Incarnation).await, Ok(1));
        release.send(()).expect("it is still blocked");
        assert_eq!(actor.send(Incarnation).await, Ok(2));
        let records = supervisor.send(GetFailureRecords::new()).await.unwrap();
        let [record] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(record.info.error_type, "stall");
        assert!(
            record.info.error.contains("blocked its thread"),
            "{record:?}"
        );
        assert_eq!(record.outcome, Outcome::Restarted);
        blocked_arbiter.stop();
        free_arbiter.stop();
    });
}

#[test]
fn a_handler_that_blocks_and_panics_is_a_panic_and_the_stall_is_recorded_beside_it() {
    let path = "/stall/blocked/panics";
    let (_guard, told) = told_of(path);
    let told = Mutex::new(told);
    let world = World::new();
    on_system(async {
        let world = world.clone();
        let supervisor = ActorProps::plain(path, move || Probe::make(&world))
            .with_supervision(restart(3, 0))
            .with_stall_deadline(SHORT)
            .start();
        let probe = address(&supervisor).await;
        let blocks = Do::new(move |_, _| {
            let told = told.lock().unwrap().recv_timeout(LIMIT);
            panic!("{MEANT}: told was {}", told.is_ok());
        });
        assert_eq!(probe.send(blocks).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let failures = failures(&supervisor).await;
        assert_eq!(failures.len(), 2);
        assert_eq!(
            (failures[0].0.as_str(), failures[0].2),
            ("panic", Outcome::Restarted)
        );
        assert_eq!(
            (failures[1].0.as_str(), failures[1].2),
            ("stall", Outcome::Superseded)
        );
    });
}

#[test]
fn a_blocking_start_or_factory_is_told_of_with_the_incarnation_it_makes() {
    let path = "/stall/blocked/start";
    let (_guard, told) = told_of(path);
    let told = Arc::new(Mutex::new(told));
    let seen = Arc::<Mutex<Vec<u64>>>::default();
    let (world, kept) = (World::new(), seen.clone());
    on_system(async {
        let (told, kept, made) = (told.clone(), kept.clone(), world.clone());
        let props = ActorProps::plain(path, move || {
            if made.made() == 0 {
                let blocked = told.lock().unwrap().recv_timeout(LIMIT);
                kept.lock().unwrap().push(blocked.unwrap().incarnation);
            }
            Probe::make(&made)
        });
        let supervisor = props
            .with_supervision(restart(3, 0))
            .with_stall_deadline(SHORT)
            .start();
        // The first incarnation's factory blocked, so the second one answers.
        let probe = address(&supervisor).await;
        let number = probe.send(Do::nothing()).await;
        assert!(matches!(number, Ok(1 | 2)), "{number:?}");
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(types(&supervisor).await, ["stall"]);
    });
    assert_eq!(*seen.lock().unwrap(), [1]);
}

#[test]
fn a_long_queue_of_short_handlers_blocks_nothing() {
    let path = "/stall/blocked/queue";
    let (_guard, told) = told_of(path);
    let world = World::new();
    on_system(async {
        let world = world.clone();
        // Each a small part of the deadline, all of them three times the deadline.
        let deadline = Duration::from_secs(1);
        let supervisor = ActorProps::plain(path, move || Probe::make(&world))
            .with_stall_deadline(deadline)
            .with_mailbox_capacity(0)
            .start();
        let probe = address(&supervisor).await;
        for _ in 0..300 {
            probe.do_send(Do::new(|_, _| thread::sleep(ms(10))));
        }
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert!(failures(&supervisor).await.is_empty());
    });
    assert!(told.try_recv().is_err());
}

#[test]
fn a_subscriber_that_panics_or_has_gone_keeps_nobody_from_being_told() {
    silence();
    let path = "/stall/blocked/subscribers";
    let panics = subscribe(move |blocked: &BlockedThread| {
        assert!(blocked.path != path, "{MEANT}");
    });
    let (gone, told_nothing) = told_of(path);
    let (_guard, told) = told_of(path);
    drop(gone);
    let world = World::new();
    let told = Arc::new(Mutex::new(told));
    on_system(async {
        let world = world.clone();
        let probe = ActorProps::plain(path, move || Probe::make(&world))
            .with_supervision(SupervisionStrategy::Resume)
            .with_stall_deadline(SHORT)
            .start_actor();
        for _ in 0..2 {
            let told = told.clone();
            let blocks = Do::new(move |_, _| {
                let blocked = told.lock().unwrap().recv_timeout(LIMIT);
                assert!(blocked.is_ok(), "nobody told");
            });
            assert_eq!(probe.send(blocks).await, Ok(1));
        }
    });
    assert!(told_nothing.try_recv().is_err());
    drop(panics);
}

#[test]
fn a_blocked_actor_may_be_the_last_thing_its_arbiter_does() {
    let path = "/stall/blocked/end";
    let (_guard, told) = told_of(path);
    on_system(async {
        let arbiter = Arbiter::new();
        let supervisor = blocker(path, &arbiter, 3);
        let actor = address_of(&supervisor).await;
        let (release, hold) = channel();
        actor.do_send(Block(hold));
        assert!(told.recv_timeout(LIMIT).is_ok());
        arbiter.stop();
        release.send(()).expect("it is still blocked");
        arbiter.join().expect("no panic in the arbiter");
        assert_eq!(actor.send(Incarnation).await, Err(MailboxError::Closed));
    });
}
