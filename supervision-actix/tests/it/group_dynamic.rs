//! Dynamic supervisors: many children of one kind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use actix::prelude::*;
use futures_util::future::join_all;
use supervision_actix::{
    group::{
        ChildProps, ChildStatus, DynamicProps, DynamicSupervisor, EndReason, GroupProps,
        GroupStrategy, RequestError,
    },
    prelude::*,
};

use crate::{
    group_stage::{pass, secs},
    probe::restart,
    quiet::{MEANT, on_system, on_virtual_time, silence},
};

struct Worker {
    number: usize,
    lives: Arc<AtomicUsize>,
}

impl Worker {
    fn new(number: usize, lives: &Arc<AtomicUsize>) -> Self {
        lives.fetch_add(1, Ordering::Relaxed);
        let lives = lives.clone();
        Self { number, lives }
    }
}

impl Actor for Worker {
    type Context = Context<Self>;
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.lives.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Message)]
#[rtype(result = "usize")]
struct Number;

impl Handler<Number> for Worker {
    type Result = usize;

    fn handle(&mut self, _: Number, _: &mut Context<Self>) -> usize {
        self.number
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

impl Handler<Panic> for Worker {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        // Without the panic hook, which would format a message each time.
        std::panic::resume_unwind(Box::new(MEANT));
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Finish;

impl Handler<Finish> for Worker {
    type Result = ();

    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

type Workers = DynamicProps<Worker, usize>;

fn workers(strategy: SupervisionStrategy) -> (Workers, Arc<AtomicUsize>) {
    let lives = Arc::new(AtomicUsize::new(0));
    let alive = lives.clone();
    let make = move |number: &usize| Worker::new(*number, &lives);
    (DynamicProps::new("/workers", strategy, make), alive)
}

#[test]
fn children_are_added_found_restarted_and_removed() {
    on_virtual_time(async {
        let (props, lives) = workers(restart(9, 0));
        let workers = props.start();
        let mut addresses = Vec::new();
        for number in 0..5 {
            addresses.push(workers.add(number.to_string(), number).await.unwrap());
        }
        assert_eq!(workers.count(), 5);
        assert_eq!(workers.get("3").unwrap().send(Number).await, Ok(3));
        let again = workers.add("3", 7).await.map(drop);
        assert_eq!(again, Err(RequestError::AlreadyStarted));
        let listed = workers.list().await;
        let ids = listed.iter().map(|child| child.id.as_str());
        assert!(ids.eq(["0", "1", "2", "3", "4"]));
        assert!(
            listed
                .iter()
                .all(|child| child.status == ChildStatus::Running)
        );
        assert_eq!(workers.restart("3").await, Ok(()));
        assert_eq!(addresses[3].send(Number).await, Ok(3), "the same address");
        assert_eq!(workers.remove("3").await, Ok(()));
        assert_eq!(workers.remove("3").await, Err(RequestError::NotFound));
        assert!(workers.get("3").is_none());
        assert!(addresses[3].send(Number).await.is_err());
        // What is in the group is found also when nobody holds its address.
        drop(addresses);
        pass(secs(1)).await;
        assert_eq!(workers.get("4").unwrap().send(Number).await, Ok(4));
        assert_eq!((workers.count(), lives.load(Ordering::Relaxed)), (4, 4));
        assert_eq!(workers.shutdown().await.reason, EndReason::Shutdown);
        assert_eq!((workers.count(), lives.load(Ordering::Relaxed)), (0, 0));
    });
}

#[test]
fn a_child_that_has_ended_for_good_leaves() {
    on_virtual_time(async {
        let stop = SupervisionStrategy::Stop;
        for (restart_type, strategy, by_panic) in [
            (RestartType::Transient, restart(9, 0), false),
            (RestartType::Transient, stop.clone(), true),
            (RestartType::Temporary, restart(9, 0), false),
            (RestartType::Temporary, restart(9, 0), true),
        ] {
            let (props, lives) = workers(strategy);
            let workers = props.with_restart_type(restart_type).start();
            for round in 0..3 {
                let worker = workers.add("a", round).await.unwrap();
                if by_panic {
                    worker.do_send(Panic);
                } else {
                    worker.do_send(Finish);
                }
                pass(secs(1)).await;
                assert_eq!((workers.count(), lives.load(Ordering::Relaxed)), (0, 0));
                assert!(worker.send(Number).await.is_err());
            }
            assert_eq!(workers.list().await, []);
        }
    });
}

#[test]
fn failures_are_recorded_under_the_path_of_the_child() {
    on_virtual_time(async {
        let paths = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = paths.clone();
        let (props, _) = workers(restart(9, 0));
        let workers = props
            .with_observer(move |event| {
                if let SupervisionEvent::Restarted { path, failure, .. } = event {
                    assert_eq!(*path, failure.actor_path);
                    seen.lock().unwrap().push(path.clone());
                }
            })
            .start();
        let a = workers.add("a", 1).await.unwrap();
        let b = workers.add("b", 2).await.unwrap();
        assert!(b.send(Panic).await.is_err());
        assert!(a.send(Panic).await.is_err());
        assert_eq!(a.send(Number).await, Ok(1));
        assert_eq!(b.send(Number).await, Ok(2));
        assert_eq!(*paths.lock().unwrap(), ["/workers/b", "/workers/a"]);
    });
}

#[test]
fn a_dynamic_supervisor_in_a_tree_is_restarted_empty() {
    on_virtual_time(async {
        let (props, lives) = workers(SupervisionStrategy::Escalate);
        let root = GroupProps::new("/top", GroupStrategy::OneForOne, restart(3, 0))
            .child(ChildProps::dynamic("workers", props))
            .start();
        assert_eq!(root.started().await, Ok(()));
        let workers: DynamicSupervisor<Worker, usize> = root.dynamic("workers").unwrap();
        let a = workers.add("a", 1).await.unwrap();
        let b = workers.add("b", 2).await.unwrap();
        assert!(a.send(Panic).await.is_err());
        pass(secs(1)).await;
        assert_eq!((workers.count(), lives.load(Ordering::Relaxed)), (0, 0));
        assert!(b.send(Number).await.is_err());
        let again = workers.add("a", 3).await.unwrap();
        assert_eq!(again.send(Number).await, Ok(3));
        assert!(root.shutdown().await.reason.is_normal());
        assert_eq!(lives.load(Ordering::Relaxed), 0);
        assert!(workers.add("c", 1).await.is_err());
    });
}

/// Has `n` children fail at once; gives the seconds from the first failure until all answer again.
fn storm(n: usize) -> f64 {
    silence();
    on_system(async {
        let (props, lives) = workers(restart(usize::MAX, 0));
        let workers = props.start();
        let adds = join_all((0..n).map(|number| workers.add(number.to_string(), number))).await;
        let addresses: Vec<_> = adds.into_iter().map(Result::unwrap).collect();
        assert_eq!((workers.count(), lives.load(Ordering::Relaxed)), (n, n));
        let begun = Instant::now();
        for address in &addresses {
            address.do_send(Panic);
        }
        let answers = join_all(addresses.iter().map(|address| address.send(Number))).await;
        let took = begun.elapsed().as_secs_f64();
        assert!(answers.into_iter().eq((0..n).map(Ok)));
        let list = workers.list().await;
        assert!(
            list.iter()
                .all(|child| child.status == ChildStatus::Running)
        );
        assert!(workers.shutdown().await.reason.is_normal());
        assert_eq!(lives.load(Ordering::Relaxed), 0);
        took
    })
}

/// `limit` is how much longer ten times as many may take.
fn ratio(few: usize, many: usize, limit: f64) {
    assert_eq!(many, 10 * few);
    // The better of two, since others may use the machine.
    let best = |n| f64::min(storm(n), storm(n));
    let (short, long) = (best(few), best(many));
    println!(
        "{few}: {short:.3} s, {many}: {long:.3} s, ratio {:.1}; at most {} MB in memory",
        long / short,
        peak() / 1_000_000
    );
    assert!(
        long / short < limit,
        "{short} s for {few}, {long} s for {many}"
    );
}

#[test]
fn many_children_that_fail_at_once_all_answer_again() {
    storm(20_000);
}

#[test]
#[ignore = "for release builds: cargo test --release -- --ignored"]
fn a_hundred_thousand_children_that_fail_at_once_all_answer_again() {
    ratio(10_000, 100_000, 13.0);
}

/// The most memory that this process has had so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let line = line.expect("Linux tells the peak").trim();
    let kilobytes = line.strip_suffix(" kB").expect("told in kB");
    kilobytes.parse::<usize>().expect("a number") * 1_024
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split_whitespace().nth(1).expect("a second field");
    pages.parse::<usize>().expect("a number") * 4_096
}

/// Bytes for each of many values that `make` makes.
async fn bytes_each<T>(make: impl AsyncFn(usize) -> T) -> usize {
    const MANY: usize = 20_000;
    let mut made = Vec::with_capacity(MANY);
    let before = resident();
    for number in 0..MANY {
        made.push(make(number).await);
    }
    (resident() - before) / MANY
}

#[test]
#[cfg(target_os = "linux")]
fn a_dynamic_child_costs_less_than_four_kilobytes() {
    let name = "group_dynamic::a_dynamic_child_costs_less_than_four_kilobytes";
    crate::child::alone(name, secs(60), || {
        on_system(async {
            let (props, _) = workers(restart(9, 0));
            let workers = props.start();
            let child = bytes_each(async |number| {
                let address = workers.add(number.to_string(), number).await.unwrap();
                assert_eq!(address.send(Number).await, Ok(number));
            });
            let child = child.await;
            println!("a dynamic child costs {child} B");
            assert!(child < 4_000, "{child} B");
        });
    });
}
