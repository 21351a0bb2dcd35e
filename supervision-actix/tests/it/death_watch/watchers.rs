//! The other side: watches that are given up, watchers that fail or end, and that nothing is left.

use std::{cell::RefCell, fs, time::Duration};

use actix::prelude::*;
use supervision_actix::{EndReason, WatchGuard, prelude::*};

use super::{Mourner, address, end, stop, untold};
use crate::{
    child::alone,
    probe::{Do, World, eventually, pass_a_second, props, restart},
    quiet::on_virtual_time,
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
    fn of(idol: &Addr<SupervisorActor<crate::probe::Probe>>) -> Addr<Self> {
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
struct Adore(Addr<SupervisorActor<crate::probe::Probe>>);

impl Handler<Adore> for Fan {
    type Result = ();

    fn handle(&mut self, Adore(idol): Adore, ctx: &mut Context<Self>) {
        *self.0.borrow_mut() = Some(idol.death_watch_by(ctx.address()));
    }
}

impl Handler<Terminated> for Fan {
    type Result = ();
    fn handle(&mut self, _: Terminated, _: &mut Context<Self>) {}
}

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("resident pages");
    pages.parse::<usize>().expect("a number") * 4_096
}

#[test]
fn watchers_that_end_leave_nothing_with_one_who_lives_on() {
    let run = || {
        System::new().block_on(async {
            let idol = props(&World::new()).start();
            let probe = address(&idol).await;
            let mut sizes = Vec::new();
            for _ in 0..4 {
                let fans = (0..25_000).map(|_| Fan::of(&idol)).collect::<Vec<_>>();
                assert!(eventually(|| fans.iter().all(Addr::connected)).await);
                // All have been served when the last one has.
                let last = fans.last().expect("some");
                last.send(Adore(idol.clone())).await.expect("it lives");
                assert_eq!(probe.send(Do::nothing()).await, Ok(1));
                let weak = fans.iter().map(Addr::downgrade).collect::<Vec<_>>();
                drop(fans);
                assert!(
                    eventually(|| weak.iter().all(|weak| weak.upgrade().is_none())).await,
                    "a watch keeps no watcher alive"
                );
                drop(weak);
                sizes.push(resident());
            }
            println!("resident after each 25000 watches: {sizes:?}");
            assert!(sizes[3] < sizes[1] + 1_024 * 1_024, "grew: {sizes:?}");
        });
    };
    let name = "death_watch::watchers::watchers_that_end_leave_nothing_with_one_who_lives_on";
    alone(name, Duration::from_secs(120), run);
}
