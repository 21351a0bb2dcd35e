//! The least that a recovery from a panic can cost in actix: the panic is caught around the poll of
//! actix's own future, and the next message finds a fresh actor. Its address changes, and what was
//! queued is lost.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};

use actix::{
    dev::{AsyncContextParts, ContextFut, channel::channel},
    prelude::*,
};

use crate::{
    cases::Job,
    peer::{Answer, Fail, How, Peer, Place},
    probe::{Ask, FailNow, Probe, Tell},
};

pub struct BareCatch {
    running: RefCell<Option<ContextFut<Probe, Context<Probe>>>>,
    made: Cell<u32>,
}

impl BareCatch {
    fn make(&self) -> Addr<Probe> {
        self.made.set(self.made.get() + 1);
        let (tx, rx) = channel(16);
        let future = Context::with_receiver(rx).into_future(Probe::new(self.made.get()));
        *self.running.borrow_mut() = Some(future);
        Addr::new(tx)
    }

    /// Polls once; whether there was no panic.
    async fn poll(&self) -> bool {
        std::future::poll_fn(|cx| {
            let mut running = self.running.borrow_mut();
            let running = running.as_mut().expect("one runs");
            let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(running).poll(cx).is_ready()));
            Poll::Ready(polled.is_ok())
        })
        .await
    }
}

impl Peer for BareCatch {
    type Ref = RefCell<Addr<Probe>>;

    fn cannot(job: Job, place: Place) -> Option<&'static str> {
        let can = job == Job::Restart(How::Panic) && place == Place::Same;
        (!can).then_some("it is the limit of one case only: a panic, on the same thread")
    }

    fn enter<T>(work: impl Future<Output = T>) -> T {
        System::new().block_on(work)
    }

    async fn open(_: Place) -> Self {
        Self {
            running: RefCell::new(None),
            made: Cell::new(0),
        }
    }

    async fn start(&self, _: u32) -> Self::Ref {
        RefCell::new(self.make())
    }

    async fn tell(&self, to: &Self::Ref) {
        to.borrow().do_send(Tell);
    }

    async fn ask(&self, to: &Self::Ref) -> Answer {
        if !self.poll().await {
            if let Some(mut broken) = self.running.take() {
                broken.ctx().parts().terminate();
            }
            to.replace(self.make());
        }
        let answer = to.borrow().send(Ask);
        assert!(self.poll().await);
        answer.await.expect("an answer").0
    }

    async fn fail(&self, to: &Self::Ref, fail: Fail) {
        to.borrow().do_send(FailNow { fail, stops: false });
    }

    async fn stop(self, _: Vec<Self::Ref>) {}
}
