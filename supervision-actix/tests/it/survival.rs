//! A failing actor keeps its address and its messages.

use std::time::Duration;

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::quiet::{MEANT, on_system, on_virtual_time};

struct Counter(u32);

impl Actor for Counter {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u32")]
struct Add(u32);

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

impl Handler<Add> for Counter {
    type Result = u32;
    fn handle(&mut self, msg: Add, _: &mut Context<Self>) -> u32 {
        self.0 += msg.0;
        self.0
    }
}

impl Handler<Panic> for Counter {
    type Result = ();
    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        panic!("{MEANT}");
    }
}

#[test]
fn messages_behind_a_panic_are_handled_by_the_next_incarnation() {
    on_virtual_time(async {
        let counter = ActorProps::plain("/user/counter", || Counter(0)).start_actor();
        assert_eq!(counter.send(Add(5)).await, Ok(5));
        let failed = counter.send(Panic);
        let (first, second) = (counter.send(Add(1)), counter.send(Add(2)));
        assert_eq!(failed.await, Err(MailboxError::Closed));
        assert_eq!(first.await, Ok(1));
        assert_eq!(second.await, Ok(3));
    });
}

#[test]
fn resume_keeps_the_state() {
    on_system(async {
        let counter = ActorProps::plain("/user/counter", || Counter(0))
            .with_supervision(SupervisionStrategy::Resume)
            .start_actor();
        assert_eq!(counter.send(Add(5)).await, Ok(5));
        assert_eq!(counter.send(Panic).await, Err(MailboxError::Closed));
        assert_eq!(counter.send(Add(1)).await, Ok(6));
    });
}

#[test]
fn an_exhausted_budget_closes_the_address() {
    on_virtual_time(async {
        let counter = ActorProps::plain("/user/counter", || Counter(0))
            .with_supervision(SupervisionStrategy::Restart {
                max_restarts: 2,
                window: Duration::from_secs(1),
                delay: Duration::ZERO,
            })
            .start_actor();
        for _ in 0..3 {
            assert_eq!(counter.send(Panic).await, Err(MailboxError::Closed));
        }
        assert!(!counter.connected());
        assert_eq!(counter.send(Add(1)).await, Err(MailboxError::Closed));
    });
}
