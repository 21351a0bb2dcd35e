//! What happens to a supervised actor whose arbiter goes down under it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::quiet::{MEANT, silence};

/// Tells in `stopped` which incarnation it takes itself for.
struct Witness(Arc<AtomicU64>);

impl Actor for Witness {
    type Context = Context<Self>;

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.0.store(ctx.incarnation(), Ordering::SeqCst);
    }
}

/// A message whose destructor panics.
struct Explosive(Arc<AtomicU64>);

impl Message for Explosive {
    type Result = ();
}

impl Drop for Explosive {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("{MEANT}: drop");
    }
}

impl Handler<Explosive> for Witness {
    type Result = ();
    fn handle(&mut self, message: Explosive, _: &mut Context<Self>) {
        std::mem::forget(message);
    }
}

#[test]
fn an_actor_stopped_with_its_arbiter_is_supervised_to_the_end() {
    silence();
    let seen = Arc::new(AtomicU64::new(0));
    let witness = seen.clone();
    System::new().block_on(async {
        let props = ActorProps::plain("/user/witness", move || Witness(witness.clone()));
        let address = props.start_actor();
        tokio::task::yield_now().await;
        std::mem::forget(address);
    });
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[test]
fn messages_whose_destructors_panic_do_not_harm_the_arbiter_that_stops() {
    silence();
    let (seen, dropped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let witness = seen.clone();
    System::new().block_on(async {
        let props = ActorProps::plain("/user/witness", move || Witness(witness.clone()));
        let address = props.start_actor();
        tokio::task::yield_now().await;
        for _ in 0..3 {
            address.do_send(Explosive(dropped.clone()));
        }
        std::mem::forget(address);
    });
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
}
