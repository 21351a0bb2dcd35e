//! A `ctx.wait` future that keeps the actor from its messages, in virtual time.

use futures_util::future::join_all;
use supervision_actix::{RestartReason, StopReason};
use tokio::time::Instant;

use super::*;

fn stalled(decision: Decision, outcome: Outcome) -> (String, Option<Decision>, Outcome) {
    ("stall".to_owned(), Some(decision), outcome)
}

fn restarted(outcome: Outcome) -> (String, Option<Decision>, Outcome) {
    let (after, reason) = (Duration::ZERO, RestartReason::Policy);
    stalled(Decision::Restart { after, reason }, outcome)
}

#[test]
fn a_wait_longer_than_the_deadline_restarts_the_actor_and_its_messages_are_handled() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        let began = Instant::now();
        probe.do_send(waiting(never()));
        let behind = join_all((0..9).map(|_| probe.send(Do::nothing()))).await;
        assert_eq!(behind, vec![Ok(2); 9]);
        let took = began.elapsed();
        assert!(took >= DEADLINE && took < DEADLINE + ms(10), "{took:?}");
        assert_eq!(failures(&supervisor).await, [restarted(Outcome::Restarted)]);
    });
    // Nobody could get at the value: no `before_restart`, and the veto of `stopping` is not asked.
    let calls = "1:started 1:stopping 1:stopped 1:drop 2:started 2:after_restart";
    assert!(world.take_log().join(" ").starts_with(calls));
}

#[test]
fn a_wait_that_ends_in_time_is_no_stall_however_often() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        for _ in 0..20 {
            probe.do_send(waiting(DEADLINE - ms(10)));
        }
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert!(failures(&supervisor).await.is_empty());
    });
}

#[test]
fn waits_one_after_another_without_a_message_between_them_are_one() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        let chain = Do::new(|_, ctx| {
            // The last is waited for first.
            (0..10).for_each(|_| wait_for(ctx, ms(900)));
        });
        probe.do_send(chain);
        // All sleep from the same instant on, so they end together: in time.
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        let chain = Do::new(|_, ctx| {
            let naps = async {
                for _ in 0..10 {
                    actix_rt::time::sleep(ms(900)).await;
                }
            };
            ctx.wait(actix::fut::wrap_future(naps));
        });
        probe.do_send(chain);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(types(&supervisor).await, ["stall"]);
    });
}

#[test]
fn a_long_queue_of_short_waits_is_no_stall() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world)
            .with_mailbox_capacity(0)
            .with_stall_deadline(DEADLINE)
            .start();
        let probe = address(&supervisor).await;
        let asked = join_all((0..1_000).map(|_| probe.send(waiting(ms(20))))).await;
        assert_eq!(asked, vec![Ok(1); 1_000]);
        let short = (0..10_000).map(|_| probe.send(Do::nothing()));
        assert_eq!(join_all(short).await, vec![Ok(1); 10_000]);
        assert!(failures(&supervisor).await.is_empty());
    });
}

#[test]
fn futures_and_timers_beside_the_messages_are_no_stall() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        let work = Do::new(|_, ctx| {
            ctx.run_interval(ms(300), |_, _| {});
            ctx.spawn(actix::fut::wrap_future(std::future::pending::<()>()));
            ctx.run_later(ms(100), |_, ctx| wait_for(ctx, ms(950)));
        });
        assert_eq!(probe.send(work).await, Ok(1));
        actix_rt::time::sleep(20 * DEADLINE).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert!(failures(&supervisor).await.is_empty());
    });
}

#[test]
fn a_wait_that_a_timer_began_is_a_stall_too() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        let later = Do::new(|_, ctx| {
            ctx.run_later(ms(100), |_, ctx| wait_for(ctx, never()));
        });
        assert_eq!(probe.send(later).await, Ok(1));
        actix_rt::time::sleep(ms(1_090)).await;
        assert!(failures(&supervisor).await.is_empty());
        actix_rt::time::sleep(ms(20)).await;
        assert_eq!(types(&supervisor).await, ["stall"]);
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
    });
}

#[test]
fn after_resume_the_actor_goes_on_waiting_and_stalls_again_after_another_deadline() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .with_stall_deadline(DEADLINE)
            .start();
        let probe = address(&supervisor).await;
        probe.do_send(waiting(7 * DEADLINE / 2));
        for stalls in 1..=3 {
            actix_rt::time::sleep(DEADLINE + ms(2)).await;
            let resumed = stalled(Decision::Resume, Outcome::Resumed);
            assert_eq!(failures(&supervisor).await, vec![resumed; stalls]);
        }
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        actix_rt::time::sleep(9 * DEADLINE).await;
        assert_eq!(failures(&supervisor).await.len(), 3);
    });
    assert_eq!(world.made(), 1);
    assert!(world.take_log().contains(&"1:waited".to_owned()));
}

fn ends_with(strategy: SupervisionStrategy) -> (EndReason, Result<u64, MailboxError>) {
    let world = World::new();
    let (ended, observer) = ends();
    let behind = on_virtual_time(async {
        let probe = props(&world)
            .with_supervision(strategy)
            .with_stall_deadline(DEADLINE)
            .with_observer(observer)
            .start_actor();
        probe.do_send(waiting(never()));
        probe.send(Do::nothing()).await
    });
    let reason = ended.lock().unwrap().pop();
    (reason.expect("it ended"), behind)
}

#[test]
fn a_stall_stops_and_escalates_and_uses_up_budgets_like_any_failure() {
    let (reason, behind) = ends_with(SupervisionStrategy::Stop);
    assert!(matches!(reason, EndReason::Stopped { failure } if failure.error_type == "stall"));
    assert_eq!(behind, CLOSED);

    let (reason, behind) = ends_with(SupervisionStrategy::Escalate);
    assert!(matches!(
        reason,
        EndReason::Escalated { failure, exhausted: false } if failure.error_type == "stall"
    ));
    assert_eq!(behind, CLOSED);
}

#[test]
fn a_rule_for_stalls_is_used_for_them_and_for_nothing_else() {
    let world = World::new();
    let strategy = SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Stop),
        matchers: vec![SupervisionMatcher::new("stall", restart(5, 0))],
    };
    on_virtual_time(async {
        let supervisor = props(&world)
            .with_supervision(strategy)
            .with_stall_deadline(DEADLINE)
            .start();
        let probe = address(&supervisor).await;
        probe.do_send(waiting(never()));
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        let reason = StopReason::Policy;
        let stopped = Some(Decision::Stop { reason });
        let panicked = ("panic".to_owned(), stopped, Outcome::Stopped);
        let expected = [restarted(Outcome::Restarted), panicked];
        assert_eq!(failures(&supervisor).await, expected);
    });
}

#[test]
fn a_start_that_waits_for_ever_is_started_again_until_the_budget_is_used_up() {
    let world = World::new();
    on(&world.on_started, |_, ctx| wait_for(ctx, never()));
    let (ended, observer) = ends();
    on_virtual_time(async {
        let supervisor = props(&world)
            .with_supervision(restart(2, 0))
            .with_stall_deadline(DEADLINE)
            .with_observer(observer)
            .start();
        let began = Instant::now();
        assert_eq!(address(&supervisor).await.send(Do::nothing()).await, CLOSED);
        let took = began.elapsed();
        assert!(
            took >= 3 * DEADLINE && took < 3 * DEADLINE + ms(20),
            "{took:?}"
        );
        let reason = StopReason::Exhausted;
        let expected = [
            restarted(Outcome::StartFailed),
            restarted(Outcome::StartFailed),
            stalled(Decision::Stop { reason }, Outcome::Stopped),
        ];
        assert_eq!(failures(&supervisor).await, expected);
    });
    assert_eq!(world.made(), 3);
    let ended = ended.lock().unwrap().pop();
    assert!(matches!(ended, Some(EndReason::Exhausted { .. })));
}

#[test]
fn a_start_that_waits_in_time_is_started_once() {
    let world = World::new();
    on(&world.on_started, |_, ctx| wait_for(ctx, ms(900)));
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        assert_eq!(probe.send(waiting(ms(900))).await, Ok(1));
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        assert!(failures(&supervisor).await.is_empty());
    });
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Slowly(Duration);

impl Handler<Slowly> for Probe {
    type Result = AtomicResponse<Self, u64>;

    fn handle(&mut self, Slowly(time): Slowly, _: &mut Context<Self>) -> Self::Result {
        let nap = actix::fut::wrap_future::<_, Self>(actix_rt::time::sleep(time));
        AtomicResponse::new(Box::pin(nap.map(|(), probe: &mut Probe, _| probe.number)))
    }
}

#[test]
fn an_atomic_response_counts_from_its_own_begin_and_its_asker_gets_closed() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        let probe = address(&supervisor).await;
        let times = [900, 900, 900, 1_100, 900].map(ms);
        let asked = join_all(times.map(|time| probe.send(Slowly(time)))).await;
        assert_eq!(asked, [Ok(1), Ok(1), Ok(1), CLOSED, Ok(2)]);
        assert_eq!(types(&supervisor).await, ["stall"]);
    });
}

#[test]
fn an_actor_can_be_ended_while_it_is_stalled() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .with_stall_deadline(DEADLINE)
            .start();
        let probe = address(&supervisor).await;
        probe.do_send(waiting(never()));
        actix_rt::time::sleep(3 * DEADLINE / 2).await;
        assert_eq!(types(&supervisor).await, ["stall"]);
        supervisor
            .send(crate::probe::End)
            .await
            .expect("it answers");
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        actix_rt::time::sleep(9 * DEADLINE).await;
        assert_eq!(types(&supervisor).await, ["stall"]);
    });
    assert!(world.take_log().contains(&"1:drop".to_owned()));
}

#[test]
fn a_restart_during_a_wait_gives_the_next_incarnation_a_whole_deadline() {
    let world = World::new();
    on(&world.on_started, |_, ctx| wait_for(ctx, ms(900)));
    on_virtual_time(async {
        let supervisor = props(&world).with_stall_deadline(DEADLINE).start();
        actix_rt::time::sleep(ms(500)).await;
        let report = ReportFailure::<Probe>::of(crate::probe::Meant);
        let probe = supervisor.send(report).await.expect("it answers");
        let probe = probe.expect("it was restarted");
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        assert_eq!(failures(&supervisor).await.len(), 1);
    });
}

#[test]
fn of_many_actors_those_that_wait_too_long_stall_and_no_other() {
    on_virtual_time(async {
        let worlds = (0..1_000).map(|_| World::new()).collect::<Vec<_>>();
        let supervisors = worlds
            .iter()
            .map(|world| props(world).with_stall_deadline(DEADLINE).start())
            .collect::<Vec<_>>();
        for (n, supervisor) in (0..).zip(&supervisors) {
            let time = if n % 3 == 0 { never() } else { ms(n % 900) };
            address(supervisor).await.do_send(waiting(time));
        }
        actix_rt::time::sleep(2 * DEADLINE).await;
        for (n, supervisor) in supervisors.iter().enumerate() {
            let stalls = usize::from(n % 3 == 0);
            assert_eq!(failures(supervisor).await.len(), stalls, "actor {n}");
        }
    });
}

#[test]
fn an_actor_that_stalls_for_ever_remembers_no_more_than_its_history() {
    let world = World::new();
    on_virtual_time(async {
        let supervisor = typed_props(&world)
            .with_supervision(SupervisionStrategy::Resume)
            .with_history_capacity(10)
            .with_stall_deadline(ms(1))
            .start();
        address(&supervisor).await.do_send(waiting(never()));
        actix_rt::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(failures(&supervisor).await.len(), 10);
    });
    assert_eq!(world.made(), 1);
}
