//! Watched tasks that do not finish in time, in virtual time.

use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::time::Instant;

use super::*;

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Answers with a task of its own after a time, within a limit.
#[derive(Message)]
#[rtype(result = "u64")]
struct Fetch {
    time: Duration,
    within: Duration,
    dropped: Arc<AtomicUsize>,
}

impl Handler<Fetch> for Probe {
    type Result = ResponseFuture<u64>;

    fn handle(&mut self, fetch: Fetch, ctx: &mut Context<Self>) -> ResponseFuture<u64> {
        let Fetch {
            time,
            within,
            dropped,
        } = fetch;
        let number = self.number;
        let counted = Counted(dropped);
        let work = async move {
            let _counted = counted;
            actix_rt::time::sleep(time).await;
            number
        };
        Box::pin(ctx.watch(work).with_deadline(within))
    }
}

#[test]
fn a_watched_response_that_is_late_is_dropped_its_asker_told_and_its_actor_failed() {
    let world = World::new();
    let dropped = Arc::<AtomicUsize>::default();
    on_virtual_time(async {
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let fetch = |time, within| Fetch {
            time,
            within,
            dropped: dropped.clone(),
        };
        assert_eq!(probe.send(fetch(ms(900), DEADLINE)).await, Ok(1));
        assert_eq!(probe.send(fetch(ms(0), Duration::MAX)).await, Ok(1));
        let began = Instant::now();
        assert_eq!(probe.send(fetch(never(), DEADLINE)).await, CLOSED);
        let took = began.elapsed();
        assert!(took >= DEADLINE && took < DEADLINE + ms(10), "{took:?}");
        assert_eq!(dropped.load(Ordering::SeqCst), 3);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let history = supervisor.send(GetFailureHistory::new()).await.unwrap();
        let [stall] = history.as_slice() else {
            panic!("{history:?}");
        };
        assert_eq!(stall.error_type, "stall");
        assert!(stall.error.contains("not finished within 1s"), "{stall:?}");
    });
    assert!(world.take_log().contains(&"1:before_restart".to_owned()));
}

#[test]
fn a_late_task_of_an_earlier_incarnation_is_recorded_and_not_charged() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let spawn = Do::new(|_, ctx| {
            actix::spawn(ctx.watch(pending::<()>()).with_deadline(DEADLINE));
        });
        assert_eq!(probe.send(spawn).await, Ok(1));
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        actix_rt::time::sleep(2 * DEADLINE).await;
        let failures = failures(&supervisor).await;
        assert_eq!(failures.len(), 2);
        let (error_type, decision, outcome) = &failures[1];
        assert_eq!((error_type.as_str(), decision), ("stall", &None));
        assert_eq!(*outcome, Outcome::Superseded);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
    });
}

#[test]
fn a_limit_of_zero_lets_a_future_finish_at_its_first_poll_only() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let told = Arc::<Mutex<Vec<bool>>>::default();
        let kept = told.clone();
        let spawn = Do::new(move |_, ctx| {
            let at_once = ctx.watch(async { 1 }).with_deadline(Duration::ZERO);
            let late = ctx
                .watch(actix_rt::time::sleep(ms(1)))
                .with_deadline(Duration::ZERO);
            actix::spawn(async move {
                let at_once = actix::spawn(at_once).await.is_ok();
                let late = actix::spawn(late).await.is_ok();
                kept.lock().unwrap().extend([at_once, late]);
            });
        });
        assert_eq!(probe.send(spawn).await, Ok(1));
        actix_rt::time::sleep(ms(100)).await;
        assert_eq!(*told.lock().unwrap(), [true, false]);
        assert_eq!(types(&supervisor).await, ["stall"]);
    });
}

#[test]
fn the_late_future_is_dropped_even_if_its_destructor_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("{}", crate::quiet::MEANT);
        }
    }
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).start();
        let probe = address(&supervisor).await;
        let spawn = Do::new(|_, ctx| {
            let work = async {
                let _bomb = Bomb;
                pending::<()>().await;
            };
            actix::spawn(ctx.watch(work).with_deadline(DEADLINE));
        });
        assert_eq!(probe.send(spawn).await, Ok(1));
        actix_rt::time::sleep(2 * DEADLINE).await;
        assert_eq!(types(&supervisor).await, ["stall"]);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
    });
}
