//! `before_restart` and `after_restart` on those that are restarted along with a sibling.

use actix::prelude::*;
use supervision_actix::{
    group::{ChildProps, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    group_stage::{Act, Stage, pass, player, records, secs},
    probe::restart,
    quiet::{MEANT, on_virtual_time},
};

const ALL: GroupStrategy = GroupStrategy::OneForAll;

#[test]
fn a_sibling_hands_over_what_it_knows() {
    on_virtual_time(async {
        let stage = Stage::new();
        stage.on("c", "before", |player, ctx| {
            let _ = ctx.hand_over(player.number);
        });
        stage.on("c", "after", |player, ctx| {
            let handed: Option<usize> = ctx.take_handed();
            player.stage.log(format_args!("handed {handed:?}"));
        });
        let group = stage.trio(ALL).start();
        assert_eq!(group.started().await, Ok(()));
        player(&group, "a").do_send(Act::panic());
        pass(secs(1)).await;
        assert!(
            stage
                .story()
                .ends_with("c2:started c2:after handed Some(1)")
        );
    });
}

#[test]
fn a_veto_comes_after_the_hook_and_the_sibling_goes_on_until_it_stops() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(ALL).start();
        assert_eq!(group.started().await, Ok(()));
        let c = player(&group, "c");
        let _ = c.send(Act::new(|player, _| player.vetoes = true)).await;
        stage.take_log();
        player(&group, "a").do_send(Act::fail());
        pass(secs(1)).await;
        assert_eq!(stage.story(), "a1:before! a1:stopped c1:before");
        assert_eq!(c.send(Act::nothing()).await, Ok(1), "it goes on");
        c.do_send(Act::new(|player, ctx| {
            player.vetoes = false;
            ctx.stop();
        }));
        pass(secs(1)).await;
        let story = stage.story();
        assert!(
            story.starts_with("c1:stopped b1:before b1:stopped a2:started"),
            "{story}"
        );
    });
}

#[test]
fn a_sibling_that_fails_after_its_veto_is_not_told_twice() {
    on_virtual_time(async {
        for act in [Act::fail, Act::panic] {
            let stage = Stage::new();
            let group = stage.trio(ALL).start();
            assert_eq!(group.started().await, Ok(()));
            let c = player(&group, "c");
            let _ = c.send(Act::new(|player, _| player.vetoes = true)).await;
            stage.take_log();
            player(&group, "a").do_send(Act::fail());
            pass(secs(1)).await;
            c.do_send(act());
            pass(secs(1)).await;
            let story = stage.story();
            let expected = "a1:before! a1:stopped c1:before c1:stopped b1:before";
            assert!(story.starts_with(expected), "{story}");
        }
    });
}

#[test]
fn a_sibling_that_cannot_be_reached_is_stopped_without_the_hook() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(ALL).start();
        assert_eq!(group.started().await, Ok(()));
        stage.take_log();
        player(&group, "c").do_send(Act::new(|player, ctx| {
            ctx.wait(pass(secs(3)).into_actor(player));
        }));
        pass(secs(1)).await;
        player(&group, "a").do_send(Act::panic());
        pass(secs(1)).await;
        let story = stage.story();
        assert!(
            story.starts_with("a1:before! a1:stopped c1:stopped b1:before"),
            "{story}"
        );
    });
}

#[test]
fn one_that_has_not_finished_its_start_is_stopped_without_the_hook() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = GroupProps::new("/top/inner", GroupStrategy::OneForOne, restart(9, 0))
            .child(stage.child("b"));
        let root = GroupProps::new("/top", ALL, restart(9, 0))
            .child(stage.child("a"))
            .child(ChildProps::group("inner", inner))
            .start();
        assert_eq!(root.started().await, Ok(()));
        stage.on("b", "started", |player, ctx| {
            if player.number == 2 {
                ctx.wait(pass(secs(9)).into_actor(player));
            }
        });
        let inner = root.group("inner").expect("a group");
        player(&inner, "b").do_send(Act::die());
        pass(secs(1)).await;
        stage.take_log();
        player(&root, "a").do_send(Act::fail());
        pass(secs(1)).await;
        assert_eq!(
            stage.story(),
            "a1:before! a1:stopped b2:stopped a2:started a2:after! b3:started b3:after"
        );
    });
}

#[test]
fn a_panic_in_the_hook_of_a_sibling_is_recorded_and_changes_nothing() {
    on_virtual_time(async {
        let stage = Stage::new();
        stage.on("b", "before", |_, _| panic!("{MEANT}: in the hook"));
        let group = stage.trio(ALL).start();
        assert_eq!(group.started().await, Ok(()));
        stage.take_log();
        player(&group, "a").do_send(Act::fail());
        pass(secs(1)).await;
        let story = stage.story();
        assert!(
            story.starts_with("a1:before! a1:stopped c1:before c1:stopped b1:before b1:stopped"),
            "{story}"
        );
        let records = records(&group, "b").await;
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].decision, None);
        assert!(records[0].info.error.contains("in the hook"));
    });
}

#[test]
fn who_failed_too_but_is_restarted_along_is_told_of_no_failure() {
    on_virtual_time(async {
        let stage = Stage::new();
        // While `c` stops slowly, what fails waits for a turn that does not come.
        let group = stage.trio(ALL).start();
        assert_eq!(group.started().await, Ok(()));
        let c = player(&group, "c");
        let _ = c.send(Act::new(|player, _| player.vetoes = true)).await;
        stage.take_log();
        player(&group, "a").do_send(Act::fail());
        pass(secs(1)).await;
        player(&group, "b").do_send(Act::fail());
        pass(secs(9)).await;
        let story = stage.story();
        // `c` was killed.
        assert_eq!(
            story,
            "a1:before! a1:stopped c1:before b1:before b1:stopped \
             a2:started a2:after! b2:started b2:after c2:started c2:after"
        );
    });
}

#[test]
fn those_who_are_stopped_for_good_or_by_request_are_not_told() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(ALL).start();
        assert_eq!(group.started().await, Ok(()));
        assert_eq!(group.terminate("b").await, Ok(()));
        assert_eq!(group.restart("b").await, Ok(()));
        stage.take_log();
        assert_eq!(group.terminate("b").await, Ok(()));
        assert!(group.shutdown().await.reason.is_normal());
        assert_eq!(stage.story(), "b2:stopped c1:stopped a1:stopped");
    });
}

#[test]
fn temporary_siblings_are_not_told_for_they_do_not_come_back() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", ALL, restart(9, 0))
            .child(stage.child("a"))
            .child(stage.child("b").with_restart_type(RestartType::Temporary))
            .start();
        assert_eq!(group.started().await, Ok(()));
        stage.take_log();
        player(&group, "a").do_send(Act::fail());
        pass(secs(1)).await;
        assert_eq!(
            stage.story(),
            "a1:before! a1:stopped b1:stopped a2:started a2:after!"
        );
    });
}

#[test]
fn the_children_of_a_group_that_is_restarted_along_are_told_but_not_those_that_were_added() {
    on_virtual_time(async {
        let stage = Stage::new();
        let inner = GroupProps::new("/top/inner", GroupStrategy::OneForOne, restart(9, 0))
            .child(stage.child("b"))
            .child(stage.child("c").with_restart_type(RestartType::Temporary));
        let root = GroupProps::new("/top", ALL, restart(9, 0))
            .child(stage.child("a"))
            .child(ChildProps::group("inner", inner))
            .start();
        assert_eq!(root.started().await, Ok(()));
        let inner = root.group("inner").expect("a group");
        assert_eq!(inner.add(stage.child("d")).await, Ok(()));
        stage.take_log();
        player(&root, "a").do_send(Act::die());
        pass(secs(1)).await;
        assert_eq!(
            stage.story(),
            "d1:stopped c1:before c1:stopped b1:before b1:stopped \
             a2:started a2:after! b2:started b2:after c2:started c2:after"
        );
        // Later stops of the group are not for a restart.
        assert!(root.shutdown().await.reason.is_normal());
        assert_eq!(stage.story(), "c2:stopped b2:stopped a2:stopped");
    });
}
