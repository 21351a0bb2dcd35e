//! Children of a group whose restarts go through a shared limiter.

use std::time::Duration;

use supervision_actix::{
    RestartRate, SharedLimiter,
    group::{ChildProps, GroupProps, GroupStrategy},
};
use tokio::time::Instant;

use crate::{
    group_stage::{Act, Stage, pass, player, records, secs},
    probe::restart,
    quiet::on_virtual_time,
};

/// One restart a second, the first at once.
fn postgres() -> SharedLimiter {
    let rate = RestartRate::new(1, secs(1)).and_then(|rate| rate.with_burst(1));
    let rate = rate.and_then(|rate| rate.with_spread(Duration::ZERO));
    SharedLimiter::new("postgres", rate.expect("a valid rate"))
}

fn limited(stage: &std::sync::Arc<Stage>, limiter: &SharedLimiter) -> GroupProps {
    let group = GroupProps::new("/limited", GroupStrategy::OneForOne, restart(usize::MAX, 0));
    ["a", "b", "c"].into_iter().fold(group, |group, name| {
        let props = stage.props(name).with_restart_limiter(limiter.clone());
        group.child(ChildProps::actor(name, props))
    })
}

#[test]
fn children_of_a_group_that_fail_at_once_come_back_at_the_rate_of_their_limiter() {
    on_virtual_time(async {
        let (stage, limiter) = (Stage::new(), postgres());
        let group = limited(&stage, &limiter).start();
        assert_eq!(group.started().await, Ok(()));
        let begun = Instant::now();
        for name in ["a", "b", "c"] {
            player(&group, name).do_send(Act::panic());
        }
        let mut back = Vec::new();
        for name in ["a", "b", "c"] {
            let answer = player(&group, name).send(Act::nothing()).await;
            assert!(answer.is_ok());
            back.push(begun.elapsed().as_secs());
        }
        back.sort_unstable();
        assert_eq!(back, [0, 1, 2]);
        let delayed = records(&group, "c").await[0].delayed_by;
        assert!(delayed.is_some_and(|by| by > secs(1)), "{delayed:?}");
        assert!(group.shutdown().await.reason.is_normal());
    });
}

#[test]
fn a_child_that_is_held_back_can_be_stopped() {
    on_virtual_time(async {
        let (stage, limiter) = (Stage::new(), postgres());
        let group = limited(&stage, &limiter).start();
        assert_eq!(group.started().await, Ok(()));
        for name in ["a", "b", "c"] {
            player(&group, name).do_send(Act::panic());
        }
        pass(Duration::from_millis(500)).await;
        let begun = Instant::now();
        assert!(group.shutdown().await.reason.is_normal());
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(stage.alive(), 0);
    });
}
