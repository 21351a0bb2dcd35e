//! The strategy of a running group, or of one of its children, is changed.

use std::{sync::Arc, time::Duration};

use supervision_actix::{
    group::{
        ChildProps, DynamicProps, EndReason, GroupProps, GroupRule, GroupStrategy, RequestError,
    },
    prelude::*,
};

use crate::{
    group_stage::{Act, Stage, pass, player, secs},
    probe::restart,
    quiet::on_virtual_time,
};

const ONE: GroupStrategy = GroupStrategy::OneForOne;

/// `a` and `b`, of which `b` has a strategy of its own.
fn pair(stage: &Arc<Stage>, group: SupervisionStrategy, own: SupervisionStrategy) -> GroupProps {
    GroupProps::new("/pair", ONE, group)
        .child(stage.child("a"))
        .child(stage.child("b").with_strategy(own))
}

#[test]
fn a_changed_strategy_of_a_group_keeps_the_budget() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = pair(&stage, restart(1, 0), restart(1, 0)).start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        assert!(a.send(Act::panic()).await.is_err());
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
        assert_eq!(group.change_strategy(restart(2, 0)).await, Ok(()));
        assert!(a.send(Act::panic()).await.is_err());
        assert_eq!(a.send(Act::nothing()).await, Ok(3));
        assert!(a.send(Act::panic()).await.is_err());
        let end = group.ended().await;
        assert!(matches!(end.reason, EndReason::Exhausted { .. }), "{end:?}");
        let late = group.change_strategy(restart(2, 0)).await;
        assert_eq!(late, Err(RequestError::Ending));
    });
}

#[test]
fn the_strategy_of_one_child_is_changed_and_taken_away() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = pair(&stage, SupervisionStrategy::Stop, restart(0, 0)).start();
        assert_eq!(group.started().await, Ok(()));
        let b = player(&group, "b");
        let resume = Some(SupervisionStrategy::Resume);
        assert_eq!(group.change_child_strategy("b", resume).await, Ok(()));
        assert!(b.send(Act::panic()).await.is_err());
        assert_eq!(b.send(Act::nothing()).await, Ok(1), "the same value");
        assert_eq!(group.change_child_strategy("b", None).await, Ok(()));
        assert!(b.send(Act::panic()).await.is_err());
        pass(secs(1)).await;
        assert!(b.send(Act::nothing()).await.is_err(), "the group says stop");
        assert_eq!(player(&group, "a").send(Act::nothing()).await, Ok(1));
        let nobody = group.change_child_strategy("nobody", None).await;
        assert_eq!(nobody, Err(RequestError::NotFound));
    });
}

#[test]
fn an_invalid_strategy_is_refused_with_the_field_and_nothing_changes() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = pair(&stage, restart(1, 0), restart(1, 0)).start();
        assert_eq!(group.started().await, Ok(()));
        let invalid = SupervisionStrategy::Ladder { rungs: Vec::new() };
        for refused in [
            group.change_strategy(invalid.clone()).await,
            group.change_child_strategy("b", Some(invalid)).await,
        ] {
            let Err(RequestError::Invalid(error)) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(error.field, "strategy.rungs");
            assert!(matches!(error.rule, GroupRule::Strategy(_)));
        }
        for name in ["a", "b"] {
            let child = player(&group, name);
            assert!(child.send(Act::panic()).await.is_err());
            assert_eq!(child.send(Act::nothing()).await, Ok(2));
        }
        assert!(player(&group, "b").send(Act::panic()).await.is_err());
        assert!(!group.ended().await.reason.is_normal());
    });
}

#[test]
fn a_change_while_children_are_stopped_and_started_waits_for_nothing() {
    on_virtual_time(async {
        let stage = Stage::new();
        let all = GroupProps::new("/all", GroupStrategy::OneForAll, restart(9, 2_000))
            .child(stage.child("a"))
            .child(stage.child("b"));
        let group = all.start();
        assert_eq!(group.started().await, Ok(()));
        let (a, b) = (player(&group, "a"), player(&group, "b"));
        let _ = b.send(Act::new(|player, _| player.vetoes = true)).await;
        let begun = tokio::time::Instant::now();
        a.do_send(Act::die());
        pass(secs(1)).await;
        // `b` is being stopped.
        assert_eq!(group.change_strategy(restart(9, 500)).await, Ok(()));
        assert_eq!(begun.elapsed(), secs(1));
        // Killed after 5 s; the delay is over then.
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
        assert_eq!(begun.elapsed(), secs(5));
        a.do_send(Act::panic());
        pass(Duration::from_millis(100)).await;
        // While the delay of half a second runs.
        assert_eq!(
            group.change_strategy(SupervisionStrategy::Stop).await,
            Ok(())
        );
        assert_eq!(a.send(Act::nothing()).await, Ok(3));
        assert_eq!(begun.elapsed(), Duration::from_millis(5_500));
        a.do_send(Act::panic());
        pass(secs(1)).await;
        assert!(a.send(Act::nothing()).await.is_err(), "now it is stopped");
        assert_eq!(b.send(Act::nothing()).await, Ok(3));
    });
}

#[test]
fn a_change_stays_in_force_when_the_group_is_restarted_from_above() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = pair(&stage, restart(0, 0), restart(0, 0));
        let root = GroupProps::new("/top", ONE, restart(9, 0))
            .child(ChildProps::group("inner", inner))
            .start();
        assert_eq!(root.started().await, Ok(()));
        let inner = root.group("inner").expect("a group");
        let resume = SupervisionStrategy::Resume;
        assert_eq!(inner.change_strategy(resume.clone()).await, Ok(()));
        let own = inner.change_child_strategy("b", Some(resume)).await;
        assert_eq!(own, Ok(()));
        // One that was added is forgotten, and so is what was said of it.
        assert_eq!(inner.add(stage.child("c")).await, Ok(()));
        assert_eq!(inner.change_child_strategy("c", None).await, Ok(()));
        let (a, b) = (player(&inner, "a"), player(&inner, "b"));
        a.do_send(Act::stop());
        assert_eq!(root.terminate("inner").await, Ok(()));
        assert_eq!(
            inner.change_strategy(restart(1, 0)).await,
            Err(RequestError::Ending),
            "between two lives"
        );
        assert_eq!(root.restart("inner").await, Ok(()));
        for child in [a, b] {
            assert!(child.send(Act::panic()).await.is_err());
            assert_eq!(child.send(Act::nothing()).await, Ok(2), "resumed");
        }
    });
}

#[test]
fn a_dynamic_supervisor_changes_its_strategy_too() {
    struct Session;
    impl actix::Actor for Session {
        type Context = actix::Context<Self>;
    }
    #[derive(actix::Message)]
    #[rtype(result = "()")]
    struct Fail;
    impl actix::Handler<Fail> for Session {
        type Result = ();
        fn handle(&mut self, _: Fail, ctx: &mut Self::Context) {
            ctx.fail(crate::probe::Meant);
        }
    }
    on_virtual_time(async {
        let sessions = DynamicProps::new("/s", restart(0, 0), |(): &()| Session).start();
        let seven = sessions.add("7", ()).await.expect("added");
        let eight = sessions.add("8", ()).await.expect("added");
        assert_eq!(sessions.change_strategy(restart(2, 0)).await, Ok(()));
        let own = sessions
            .change_child_strategy("8", Some(SupervisionStrategy::Stop))
            .await;
        assert_eq!(own, Ok(()));
        for _ in 0..2 {
            seven.do_send(Fail);
            pass(secs(1)).await;
        }
        eight.do_send(Fail);
        pass(secs(1)).await;
        assert_eq!(sessions.count(), 1, "8 has left");
        let nobody = sessions.change_child_strategy("8", None).await;
        assert_eq!(nobody, Err(RequestError::NotFound));
        seven.do_send(Fail);
        assert!(!sessions.ended().await.reason.is_normal());
    });
}
