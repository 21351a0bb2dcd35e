//! The other side: watches that are given up, watchers that fail or end, and that nothing is left.

use std::cell::RefCell;

use actix::prelude::*;
use supervision_actix::{EndReason, GetSnapshot, WatchGuard, prelude::*};

use super::{Mourner, address, end, stop, untold};
use crate::{
    probe::{Probe, World, eventually, pass_a_second, props, restart},
    quiet::{on_system, on_virtual_time},
};

#[test]
fn a_watch_given_up_in_time_has_no_notice() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let (dropped, called, kept) = (Mourner::default(), Mourner::default(), Mourner::default());
        let mourning = [&dropped, &called, &kept].map(|mourner| mourner.clone().start());
        let [by_drop, by_call, for_good] = mourning
            .each_ref()
            .map(|mourner| supervisor.death_watch_by(mourner.clone()));
        pass_a_second().await;
        drop(by_drop);
        assert!(by_call.unwatch());
        for_good.detach();
        address(&supervisor).await.do_send(stop());
        assert!(eventually(|| kept.notices() == 1).await);
        pass_a_second().await;
        let told = [&dropped, &called, &kept].map(Mourner::notices);
        assert_eq!(told, [0, 0, 1]);
    });
}

#[test]
fn a_watch_given_up_before_it_arrived_has_no_notice() {
    on_virtual_time(async {
        let supervisor = props(&World::new()).start();
        let mourner = Mourner::default();
        let mourning = mourner.clone().start();
        assert!(supervisor.death_watch_by(mourning.clone()).unwatch());
        let watch = supervisor.death_watch();
        address(&supervisor).await.do_send(stop());
        end(watch).await;
        pass_a_second().await;
        assert_eq!(mourner.notices(), 0);
    });
}

#[test]
fn a_watcher_that_panics_over_the_notice_harms_only_itself() {
    on_virtual_time(async {
        let victim = props(&World::new()).start();
        let other = props(&World::new()).start();
        let mourner = Mourner {
            panics: true,
            ..Mourner::default()
        };
        let make = mourner.clone();
        let mourning = ActorProps::plain("/user/mourner", move || make.clone())
            .with_supervision(restart(5, 0))
            .start_actor();
        let guards = [&victim, &other].map(|watched| watched.death_watch_by(mourning.clone()));
        let watch = victim.death_watch();
        address(&victim).await.do_send(stop());
        assert_eq!(end(watch).await, EndReason::Finished);
        assert!(eventually(|| mourner.notices() == 1).await);
        // A watcher that is back hears of the others: its address is the same.
        let watch = untold(other.death_watch()).await;
        address(&other).await.do_send(stop());
        assert_eq!(end(watch).await, EndReason::Finished);
        assert!(eventually(|| mourner.notices() == 2).await);
        drop(guards);
    });
}

/// Watches somebody for as long as it lives.
struct Fan(RefCell<Option<WatchGuard>>);

impl Fan {
    fn of(idol: &Addr<SupervisorActor<Probe>>) -> Addr<Self> {
        let fan = Self(RefCell::default()).start();
        fan.do_send(Adore(idol.clone()));
        fan
    }
}

impl Actor for Fan {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Adore(Addr<SupervisorActor<Probe>>);

impl Handler<Adore> for Fan {
    type Result = ();

    fn handle(&mut self, Adore(idol): Adore, ctx: &mut Context<Self>) {
        *self.0.borrow_mut() = Some(idol.death_watch_by(ctx.address()));
    }
}

/// Asks whether it watches.
#[derive(Message)]
#[rtype(result = "bool")]
struct Adores;

impl Handler<Adores> for Fan {
    type Result = bool;

    fn handle(&mut self, _: Adores, _: &mut Context<Self>) -> bool {
        self.0.borrow().is_some()
    }
}

impl Handler<Terminated> for Fan {
    type Result = ();
    fn handle(&mut self, _: Terminated, _: &mut Context<Self>) {}
}

/// How many watches an actor's own task knows of.
async fn watchers_of(supervisor: &Addr<SupervisorActor<Probe>>) -> usize {
    let node = supervisor.send(GetSnapshot::new()).await;
    node.expect("the supervisor answers").watchers
}

#[test]
fn a_hundred_thousand_watchers_that_end_leave_nothing_with_one_who_lives_on() {
    on_system(async {
        let idol = props(&World::new()).start();
        for _ in 0..4 {
            let fans = (0..25_000).map(|_| Fan::of(&idol)).collect::<Vec<_>>();
            // The fans have come to watch before they are asked, and what they sent comes before
            // what is sent now.
            for fan in &fans {
                assert_eq!(fan.send(Adores).await, Ok(true));
            }
            assert_eq!(watchers_of(&idol).await, 25_000);
            let weak = fans.iter().map(Addr::downgrade).collect::<Vec<_>>();
            drop(fans);
            let gone = || weak.iter().all(|weak| weak.upgrade().is_none());
            assert!(eventually(gone).await, "a watch keeps no watcher alive");
            // Their values go after their mailboxes.
            pass_a_moment(&idol).await;
            assert_eq!(watchers_of(&idol).await, 0);
        }
        let watch = idol.death_watch();
        address(&idol).await.do_send(stop());
        assert_eq!(end(watch).await, EndReason::Finished);
    });
}

/// Lets what is about to end, end.
async fn pass_a_moment(idol: &Addr<SupervisorActor<Probe>>) {
    for _ in 0..10_000 {
        if watchers_of(idol).await == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}
