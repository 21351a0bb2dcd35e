//! What the supervisor of a lone actor says of it.

use std::time::Duration;

use actix::prelude::*;
use supervision_actix::{
    ChangeStrategy, Decision, EndReason, GetSnapshot, NodeKind, NodeSnapshot, NodeState,
    PlacementStrategy, RestartRate, SharedLimiter, Termination, prelude::*,
};

use crate::{
    group_stage::{pass, secs},
    probe::{Do, End, Probe, World, on, pass_a_second, props, restart},
    quiet::on_virtual_time,
};

async fn snapshot(supervisor: &Addr<SupervisorActor<Probe>>) -> NodeSnapshot {
    let node = supervisor.send(GetSnapshot::new()).await;
    node.expect("the supervisor answers")
}

async fn address(supervisor: &Addr<SupervisorActor<Probe>>) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address.expect("the supervisor answers").expect("it is up")
}

#[test]
fn an_actor_is_told_of_from_its_start_to_its_end() {
    on_virtual_time(async {
        let supervisor = props(&World::new())
            .with_supervision(restart(2, 5_000))
            .start();
        let probe = address(&supervisor).await;
        let fresh = snapshot(&supervisor).await;
        assert_eq!(
            (&*fresh.path, fresh.kind, fresh.id),
            ("/user/probe", NodeKind::Actor, None)
        );
        assert_eq!(
            fresh.actor_type.as_deref(),
            Some(std::any::type_name::<Probe>())
        );
        assert_eq!(
            (fresh.state, fresh.incarnation, fresh.restarts),
            (NodeState::Running, 1, 0)
        );
        assert_eq!(fresh.budgets[0].left, Some(2));
        assert_eq!(fresh.last_failure, None);

        probe.do_send(Do::panic());
        pass_a_second().await;
        let waiting = snapshot(&supervisor).await;
        let left = Duration::from_millis(4_000);
        assert!(
            matches!(waiting.state, NodeState::BackingOff { left: l } if l <= left && l > left / 2),
            "{waiting}"
        );
        assert_eq!(waiting.budgets[0].left, Some(1));
        let failure = waiting.last_failure.expect("it failed");
        assert!(matches!(failure.decision, Some(Decision::Restart { .. })));

        pass(secs(10)).await;
        let back = snapshot(&supervisor).await;
        assert_eq!(
            (back.state, back.incarnation, back.restarts),
            (NodeState::Running, 2, 1)
        );
        pass(secs(60)).await;
        let forgiven = snapshot(&supervisor).await;
        assert_eq!(forgiven.budgets[0].left, Some(2), "the window has slid");

        let _watch = supervisor.death_watch();
        assert_eq!(snapshot(&supervisor).await.watchers, 1);
        supervisor.do_send(End);
        pass_a_second().await;
        let ended = snapshot(&supervisor).await;
        let reason = Some(Termination::Actor(EndReason::Requested));
        assert_eq!(
            (ended.state, ended.watchers),
            (NodeState::Stopped { reason }, 0)
        );
        assert_eq!(ended.incarnation, 2);
    });
}

#[test]
fn a_start_that_waits_for_something_is_starting() {
    on_virtual_time(async {
        let world = World::new();
        on(&world.on_started, |_, ctx| {
            ctx.wait(actix::fut::wrap_future(pass(secs(5))));
        });
        let supervisor = props(&world).start();
        pass_a_second().await;
        assert_eq!(snapshot(&supervisor).await.state, NodeState::Starting);
        pass(secs(5)).await;
        assert_eq!(snapshot(&supervisor).await.state, NodeState::Running);
    });
}

#[test]
fn what_a_changed_strategy_leaves_is_told_before_it_decides() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).with_supervision(restart(5, 0)).start();
        let probe = address(&supervisor).await;
        for _ in 0..2 {
            probe.do_send(Do::fail());
        }
        pass_a_second().await;
        assert_eq!(snapshot(&supervisor).await.budgets[0].left, Some(3));
        let change = ChangeStrategy::to(restart(10, 0));
        assert_eq!(supervisor.send(change).await, Ok(Ok(())));
        let budgets = snapshot(&supervisor).await.budgets;
        assert_eq!((budgets[0].max, budgets[0].left), (Some(10), Some(8)));
    });
}

#[test]
fn relocations_are_counted_apart_and_used_up() {
    on_virtual_time(async {
        let relocate = SupervisionStrategy::Relocate {
            placement: PlacementStrategy::RoundRobin,
            max_relocations: 3,
            delay: Duration::ZERO,
        };
        let strategy = SupervisionStrategy::Ladder {
            rungs: vec![restart(1, 0), relocate],
        };
        let supervisor = props(&World::new()).with_supervision(strategy).start();
        let probe = address(&supervisor).await;
        for _ in 0..3 {
            probe.do_send(Do::fail());
        }
        pass_a_second().await;
        let node = snapshot(&supervisor).await;
        assert_eq!((node.restarts, node.relocations), (3, 2));
        let left = node
            .budgets
            .iter()
            .map(|budget| (budget.rule.as_str(), budget.left));
        let left = left.collect::<Vec<_>>();
        assert_eq!(left, [("rung 1", Some(0)), ("rung 2", Some(1))]);
    });
}

#[test]
fn an_actor_that_a_limiter_holds_back_says_which() {
    on_virtual_time(async {
        let rate = RestartRate::new(1, secs(60)).expect("a sensible rate");
        let limiter = SharedLimiter::new("postgres", rate);
        let start = || {
            let props = props(&World::new()).with_restart_limiter(limiter.clone());
            props.with_supervision(restart(5, 1_000)).start()
        };
        let (first, second) = (start(), start());
        for supervisor in [&first, &second] {
            address(supervisor).await.do_send(Do::panic());
        }
        pass(secs(2)).await;
        assert_eq!(snapshot(&first).await.state, NodeState::Running);
        let held = snapshot(&second).await.state;
        assert!(
            matches!(&held, NodeState::HeldBack { limiter, left } if limiter == "postgres" && *left > secs(10)),
            "{held}"
        );
    });
}
