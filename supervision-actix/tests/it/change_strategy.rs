//! A running actor's strategy can be replaced, and replaced back, without losing its budgets.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    ChangeStrategy, ChangeStrategyError, Decision, InvalidStrategy, RestartReason, StopReason,
    prelude::*,
};
use tokio::time::Instant;

use crate::{
    probe::{Do, End, Meant, Probe, World, pass_a_second, restart, typed_props},
    quiet::on_virtual_time,
};

const CLOSED: Result<u64, MailboxError> = Err(MailboxError::Closed);
const EXHAUSTED: Decision = Decision::Stop {
    reason: StopReason::Exhausted,
};

type Supervisor = Addr<SupervisorActor<Probe>>;

async fn change(supervisor: &Supervisor, to: ChangeStrategy) -> Result<(), ChangeStrategyError> {
    supervisor.send(to).await.expect("the supervisor answers")
}

async fn change_to(supervisor: &Supervisor, to: SupervisionStrategy) {
    assert_eq!(change(supervisor, ChangeStrategy::to(to)).await, Ok(()));
}

async fn change_back(supervisor: &Supervisor) {
    assert_eq!(change(supervisor, ChangeStrategy::back()).await, Ok(()));
}

async fn probe_of(supervisor: &Supervisor) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address.expect("it answers").expect("the actor is up")
}

async fn last_decision(supervisor: &Supervisor) -> Decision {
    let records = supervisor.send(GetFailureRecords::new()).await;
    let records = records.expect("the supervisor answers");
    let last = records.last().expect("something failed");
    last.decision.clone().expect("it was decided")
}

fn restarts_after(millis: u64) -> Decision {
    Decision::Restart {
        after: Duration::from_millis(millis),
        reason: RestartReason::Policy,
    }
}

/// Has it fail and waits for the restart.
async fn fail_and_return(supervisor: &Supervisor) -> Decision {
    let probe = probe_of(supervisor).await;
    assert_eq!(probe.send(Do::panic()).await, CLOSED);
    assert!(probe.send(Do::nothing()).await.is_ok());
    last_decision(supervisor).await
}

/// Has it fail for the last time.
async fn fail_for_good(supervisor: &Supervisor) -> Decision {
    let probe = probe_of(supervisor).await;
    assert_eq!(probe.send(Do::panic()).await, CLOSED);
    assert_eq!(probe.send(Do::nothing()).await, CLOSED);
    last_decision(supervisor).await
}

#[test]
fn a_changed_strategy_decides_the_next_failure_and_keeps_the_budget() {
    on_virtual_time(async {
        let supervisor = typed_props(&World::new())
            .with_supervision(restart(5, 10))
            .start();
        for _ in 0..2 {
            assert_eq!(fail_and_return(&supervisor).await, restarts_after(10));
        }
        change_to(&supervisor, restart(3, 70)).await;
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(70));
        assert_eq!(fail_for_good(&supervisor).await, EXHAUSTED);
    });
}

#[test]
fn a_changed_strategy_goes_before_the_actors_own_across_restarts() {
    on_virtual_time(async {
        let world = World::new();
        *world.strategy.lock().unwrap() = Some(restart(9, 10));
        let supervisor = typed_props(&world).start();
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(10));
        change_to(&supervisor, restart(9, 20)).await;
        for _ in 0..3 {
            assert_eq!(fail_and_return(&supervisor).await, restarts_after(20));
        }
        // What the actor says at its start is read all the same, and goes again after a return.
        *world.strategy.lock().unwrap() = Some(restart(6, 30));
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(20));
        change_back(&supervisor).await;
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(30));
        assert_eq!(
            fail_for_good(&supervisor).await,
            EXHAUSTED,
            "all seven count"
        );
    });
}

#[test]
fn a_strategy_that_was_replaced_and_put_back_before_anything_failed_has_lost_nothing() {
    on_virtual_time(async {
        let supervisor = typed_props(&World::new())
            .with_supervision(restart(1, 0))
            .start();
        let _ = fail_and_return(&supervisor).await;
        change_to(&supervisor, SupervisionStrategy::Stop).await;
        change_back(&supervisor).await;
        assert_eq!(fail_for_good(&supervisor).await, EXHAUSTED);
    });
}

#[test]
fn a_rule_keeps_its_budget_by_its_error_type_and_others_start_afresh() {
    let rules = |first: &str, second: &str| SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Stop),
        matchers: vec![
            SupervisionMatcher::new(first, restart(1, 0)),
            SupervisionMatcher::new(second, restart(1, 0)),
        ],
    };
    on_virtual_time(async {
        let supervisor = typed_props(&World::new())
            .with_supervision(rules("panic", "std::io::Error"))
            .start();
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(0));
        change_to(&supervisor, rules("Meant", "panic")).await;
        let answer = supervisor.send(ReportFailure::of(Meant)).await;
        assert!(matches!(answer, Ok(Some(_))), "a rule of its own");
        assert_eq!(fail_for_good(&supervisor).await, EXHAUSTED);
    });
}

#[test]
fn an_invalid_strategy_is_refused_and_the_old_one_goes_on() {
    on_virtual_time(async {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let supervisor = typed_props(&World::new())
            .with_supervision(restart(2, 10))
            .with_observer(move |event| {
                if let SupervisionEvent::StrategyChanged { .. } = event {
                    seen.lock().unwrap().push(event.clone());
                }
            })
            .start();
        let _ = fail_and_return(&supervisor).await;
        let invalid = SupervisionStrategy::Restart {
            max_restarts: 3,
            window: Duration::ZERO,
            delay: Duration::ZERO,
        };
        let problem: InvalidStrategy = invalid.validate().expect_err("a window of zero");
        let refused = change(&supervisor, ChangeStrategy::to(invalid)).await;
        assert_eq!(refused, Err(ChangeStrategyError::Invalid(problem)));
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(10));
        assert_eq!(fail_for_good(&supervisor).await, EXHAUSTED);
        assert_eq!(*events.lock().unwrap(), []);
    });
}

#[test]
fn a_restart_that_waits_for_its_delay_is_carried_out_as_it_was_decided() {
    on_virtual_time(async {
        let supervisor = typed_props(&World::new())
            .with_supervision(restart(2, 500))
            .start();
        let probe = probe_of(&supervisor).await;
        assert_eq!(probe.send(Do::nothing()).await, Ok(1));
        let failed_at = Instant::now();
        assert_eq!(probe.send(Do::panic()).await, CLOSED);
        change_to(&supervisor, restart(2, 20)).await;
        assert_eq!(failed_at.elapsed(), Duration::ZERO, "answered at once");
        assert_eq!(probe.send(Do::nothing()).await, Ok(2));
        let waited = failed_at.elapsed().as_millis();
        assert!((500..=502).contains(&waited), "{waited} ms");
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(20));
        assert_eq!(fail_for_good(&supervisor).await, EXHAUSTED);
    });
}

#[test]
fn a_change_before_the_first_start_goes_for_the_first_failure() {
    on_virtual_time(async {
        let supervisor = typed_props(&World::new()).start();
        supervisor.do_send(ChangeStrategy::to(restart(9, 40)));
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(40));
    });
}

#[test]
fn an_actor_that_has_ended_has_no_strategy_to_change() {
    on_virtual_time(async {
        let supervisor = typed_props(&World::new()).start();
        let probe = probe_of(&supervisor).await;
        supervisor.send(End).await.expect("the supervisor answers");
        assert_eq!(probe.send(Do::nothing()).await, CLOSED);
        for message in [
            ChangeStrategy::to(SupervisionStrategy::Resume),
            ChangeStrategy::back(),
        ] {
            let refused = change(&supervisor, message).await;
            assert_eq!(refused, Err(ChangeStrategyError::Ended));
        }
    });
}

#[test]
fn there_is_no_way_back_to_an_invalid_strategy() {
    on_virtual_time(async {
        let world = World::new();
        let supervisor = typed_props(&world).start();
        let _ = fail_and_return(&supervisor).await;
        change_to(&supervisor, restart(9, 20)).await;
        let invalid = SupervisionStrategy::Ladder { rungs: vec![] };
        *world.strategy.lock().unwrap() = Some(invalid.clone());
        let _ = fail_and_return(&supervisor).await;
        let problem = invalid.validate().expect_err("a ladder without rungs");
        let refused = change(&supervisor, ChangeStrategy::back()).await;
        assert_eq!(refused, Err(ChangeStrategyError::Invalid(problem)));
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(20));
        *world.strategy.lock().unwrap() = Some(restart(9, 30));
        let _ = fail_and_return(&supervisor).await;
        change_back(&supervisor).await;
        assert_eq!(fail_and_return(&supervisor).await, restarts_after(30));
    });
}

#[test]
fn observers_are_told_of_each_change_and_of_nothing_that_changed_nothing() {
    on_virtual_time(async {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let supervisor = typed_props(&World::new())
            .with_supervision(restart(1, 10))
            .with_observer(move |event| seen.lock().unwrap().push(event.clone()))
            .start();
        change_back(&supervisor).await;
        change_to(&supervisor, restart(2, 20)).await;
        change_back(&supervisor).await;
        change_back(&supervisor).await;
        pass_a_second().await;
        let changed = |from, to, configured| SupervisionEvent::StrategyChanged {
            path: "/user/probe".to_owned(),
            from,
            to,
            configured,
        };
        let events = std::mem::take(&mut *events.lock().unwrap());
        let changes = events
            .into_iter()
            .filter(|event| !matches!(event, SupervisionEvent::Started { .. }));
        assert_eq!(
            changes.collect::<Vec<_>>(),
            [
                changed(restart(1, 10), restart(2, 20), false),
                changed(restart(2, 20), restart(1, 10), true),
            ]
        );
    });
}
