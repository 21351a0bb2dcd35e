//! Changes of a running group: add, terminate, restart, delete, and their races.

use actix::prelude::*;
use futures_util::future::{join, join_all};
use supervision_actix::{
    group::{
        AddError, ChildProps, GroupProps, GroupRule, GroupStrategy, InvalidProps, RequestError,
    },
    prelude::*,
};

use crate::{
    group_stage::{Act, Player, Stage, pass, player, secs},
    probe::restart,
    quiet::{MEANT, on_virtual_time},
};

#[test]
fn children_are_added_terminated_restarted_and_deleted() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        assert_eq!(group.add(stage.child("d")).await, Ok(()));
        let d = player(&group, "d");
        assert_eq!(d.send(Act::nothing()).await, Ok(1));
        let running = Err(AddError::Refused(RequestError::AlreadyStarted));
        assert_eq!(group.add(stage.child("d")).await, running);
        assert_eq!(group.restart("d").await, Err(RequestError::Running));
        assert_eq!(group.delete("d").await, Err(RequestError::Running));
        assert_eq!(group.terminate("d").await, Ok(()));
        assert_eq!(d.send(Act::nothing()).await, Err(MailboxError::Closed));
        let present = Err(AddError::Refused(RequestError::AlreadyPresent));
        assert_eq!(group.add(stage.child("d")).await, present);
        assert_eq!(group.restart("d").await, Ok(()));
        assert_eq!(d.send(Act::nothing()).await, Ok(2), "the same address");
        assert_eq!(group.terminate("d").await, Ok(()));
        assert_eq!(group.delete("d").await, Ok(()));
        assert!(group.actor::<Player>("d").is_none());
        assert!(d.send(Act::nothing()).await.is_err());
        for gone in [
            group.terminate("d").await,
            group.restart("d").await,
            group.delete("d").await,
        ] {
            assert_eq!(gone, Err(RequestError::NotFound));
        }
        assert_eq!(group.add(stage.child("d")).await, Ok(()));
        assert_eq!(player(&group, "d").send(Act::nothing()).await, Ok(1));
        assert!(group.shutdown().await.reason.is_normal());
        assert_eq!(group.terminate("a").await, Err(RequestError::Ending));
        let ending = Err(AddError::Refused(RequestError::Ending));
        assert_eq!(group.add(stage.child("e")).await, ending);
    });
}

#[test]
fn a_child_that_cannot_start_is_not_added() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::RestForOne).start();
        for place in ["made", "started", "after"] {
            stage.on("d", place, |_, _| panic!("{MEANT}"));
            let added = group.add(stage.child("d")).await;
            // Nothing is called after a first start.
            let expected = place == "after";
            assert_eq!(added.is_ok(), expected, "{place}: {added:?}");
            assert_eq!(group.actor::<Player>("d").is_some(), expected);
        }
        let invalid = ChildProps::actor("", stage.props("e"));
        let refused = group.add(invalid).await;
        assert!(matches!(
            refused,
            Err(AddError::Refused(RequestError::Invalid(_)))
        ));
    });
}

#[test]
fn invalid_groups_are_refused_before_anything_starts() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = |child: ChildProps| {
            let group = GroupProps::new("/g", GroupStrategy::OneForOne, restart(1, 0));
            let inner = GroupProps::new("/g/inner", GroupStrategy::OneForOne, restart(1, 0));
            group
                .child(stage.child("a"))
                .group(inner.child(child))
                .try_start()
        };
        let significant = group(stage.child("b").significant());
        let Err(InvalidProps::Group { path, error }) = significant else {
            panic!("{significant:?}");
        };
        assert_eq!(path, "/g/inner");
        assert_eq!(error.rule, GroupRule::SignificantWithoutShutdown);
        let capacity = stage.props("b").with_mailbox_capacity(usize::MAX);
        let capacity = group(ChildProps::actor("b", capacity));
        assert!(matches!(capacity, Err(InvalidProps::Child { id, .. }) if id == "b"));
        let path = GroupProps::new("", GroupStrategy::OneForOne, restart(1, 0)).try_start();
        assert!(matches!(
            path,
            Err(InvalidProps::Start(StartError::Path(_)))
        ));
        pass(secs(1)).await;
        assert_eq!(stage.story(), "");
    });
}

#[test]
fn requests_at_the_same_time_are_each_answered_once() {
    for strategy in [
        GroupStrategy::OneForOne,
        GroupStrategy::OneForAll,
        GroupStrategy::RestForOne,
    ] {
        on_virtual_time(async {
            let stage = Stage::new();
            let group = stage.trio(strategy).start();
            let adds = join_all((0..5).map(|_| group.add(stage.child("d"))));
            let (added, ()) = join(adds, async {
                player(&group, "a").do_send(Act::panic());
            })
            .await;
            assert_eq!(
                added.iter().filter(|added| added.is_ok()).count(),
                1,
                "{added:?}"
            );
            let stops = join_all((0..5).map(|_| group.terminate("d"))).await;
            assert!(stops.contains(&Ok(())));
            let starts = join_all((0..5).map(|_| group.restart("d"))).await;
            assert_eq!(
                starts.iter().filter(|start| start.is_ok()).count(),
                1,
                "{starts:?}"
            );
            assert!(player(&group, "d").send(Act::nothing()).await.is_ok());
            let (end, late) = join(group.shutdown(), group.terminate("d")).await;
            assert!(end.reason.is_normal());
            assert!(matches!(late, Err(RequestError::Ending)), "{late:?}");
            assert_eq!(stage.alive(), 0);
        });
    }
}

#[test]
fn a_child_terminated_while_its_restart_is_pending_stays_down() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = GroupProps::new("/g", GroupStrategy::OneForOne, restart(9, 500))
            .child(stage.child("a"))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        a.do_send(Act::panic());
        pass(std::time::Duration::from_millis(100)).await;
        assert_eq!(group.restart("a").await, Err(RequestError::Restarting));
        let waiting = a.send(Act::nothing());
        let (stopped, answer) = join(group.terminate("a"), waiting).await;
        assert_eq!(stopped, Ok(()));
        assert_eq!(answer, Err(MailboxError::Closed), "nobody waits for ever");
        pass(secs(9)).await;
        assert_eq!(stage.alive(), 0);
        assert_eq!(group.restart("a").await, Ok(()));
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
    });
}

#[test]
fn a_suspended_child_can_be_terminated_before_it_is_decided_about() {
    on_virtual_time(async {
        let stage = Stage::new();
        // While `c` starts slowly, what fails waits for its turn.
        stage.on("c", "started", |player, ctx| {
            if player.number > 1 {
                ctx.wait(pass(secs(1)).into_actor(player));
            }
        });
        let group = stage.trio(GroupStrategy::RestForOne).start();
        assert_eq!(group.started().await, Ok(()));
        player(&group, "c").do_send(Act::panic());
        pass(std::time::Duration::from_millis(100)).await;
        let a = player(&group, "a");
        assert!(a.send(Act::panic()).await.is_err());
        let stopped = group.terminate("a").await;
        assert!(
            matches!(stopped, Ok(()) | Err(RequestError::Running)),
            "{stopped:?}"
        );
        assert!(group.shutdown().await.reason.is_normal());
        assert_eq!(stage.alive(), 0);
    });
}

#[test]
fn a_group_goes_on_when_its_handle_is_dropped() {
    on_virtual_time(async {
        let stage = Stage::new();
        let group = stage.trio(GroupStrategy::OneForOne).start();
        assert_eq!(group.started().await, Ok(()));
        let a = player(&group, "a");
        drop(group);
        assert!(a.send(Act::panic()).await.is_err());
        assert_eq!(a.send(Act::nothing()).await, Ok(2));
    });
}
