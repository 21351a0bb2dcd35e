//! Children of a group that have a stall deadline, and where their panics happened.

use actix::prelude::*;
use supervision_actix::{
    group::{ChildProps, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    group_stage::{Act, Stage, pass, player, records, secs},
    probe::restart,
    quiet::on_virtual_time,
};

#[test]
fn a_child_of_a_group_that_waits_too_long_is_restarted() {
    on_virtual_time(async {
        let stage = Stage::new();
        let props = stage.props("a").with_stall_deadline(secs(5));
        let group = GroupProps::new("/stalling", GroupStrategy::OneForOne, restart(3, 0))
            .child(ChildProps::actor("a", props))
            .start();
        assert_eq!(group.started().await, Ok(()));
        player(&group, "a").do_send(Act::new(|player, ctx| {
            ctx.wait(pass(secs(3_600)).into_actor(player));
        }));
        let begun = tokio::time::Instant::now();
        assert!(player(&group, "a").send(Act::nothing()).await.is_ok());
        assert_eq!(begun.elapsed().as_secs(), 5);
        let record = &records(&group, "a").await[0];
        assert_eq!(record.info.error_type, "stall");
        assert_eq!(record.outcome, Outcome::Restarted);
        assert!(group.shutdown().await.reason.is_normal());
    });
}

#[test]
fn the_place_of_a_panic_in_a_child_of_a_group_is_recorded() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        assert!(player(&group, "b").send(Act::panic()).await.is_err());
        assert!(player(&group, "b").send(Act::nothing()).await.is_ok());
        let place = records(&group, "b").await[0].panic_location.clone();
        assert!(
            place
                .as_ref()
                .is_some_and(|place| place.contains("group_stage.rs")),
            "{place:?}"
        );
    });
}
