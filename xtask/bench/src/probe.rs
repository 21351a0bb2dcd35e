//! The actor that is measured, for every peer whose actors are actix actors.

use actix::prelude::*;
use supervision_actix::prelude::*;

use crate::{
    cases::Job,
    peer::{Answer, Fail, How, Live, Peer, Place},
};

/// Counts what it gets.
pub struct Probe {
    incarnation: u32,
    count: u32,
    _live: Live,
}

impl Probe {
    pub fn new(incarnation: u32) -> Self {
        Self {
            incarnation,
            count: 0,
            _live: Live::new(),
        }
    }
}

impl Actor for Probe {
    type Context = Context<Self>;
}

impl Supervised for Probe {
    fn restarting(&mut self, _: &mut Context<Self>) {
        self.incarnation += 1;
    }
}

/// Tell.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell;

/// Ask.
#[derive(Message)]
#[rtype(result = "Said")]
pub struct Ask;

/// The answer, as actix wants it.
#[derive(MessageResponse)]
pub struct Said(pub Answer);

/// Fail; `stops` for those who know of no other failure than a stop.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FailNow {
    pub fail: Fail,
    pub stops: bool,
}

impl Handler<Tell> for Probe {
    type Result = ();
    fn handle(&mut self, _: Tell, _: &mut Context<Self>) {
        self.count += 1;
    }
}

impl Handler<Ask> for Probe {
    type Result = Said;
    fn handle(&mut self, _: Ask, _: &mut Context<Self>) -> Said {
        Said(Answer {
            incarnation: self.incarnation,
            count: self.count,
        })
    }
}

impl Handler<FailNow> for Probe {
    type Result = ();
    fn handle(&mut self, FailNow { fail, stops }: FailNow, ctx: &mut Context<Self>) {
        fail.wait();
        match fail.how {
            How::Panic => panic!("measured"),
            How::Error if stops => ctx.stop(),
            How::Error => ctx.fail(std::fmt::Error),
        }
    }
}

/// A started actor; what keeps it alive is kept with it.
pub struct Started<K> {
    pub addr: Addr<Probe>,
    /// Held, and otherwise not used.
    pub _kept: K,
}

/// One way of starting an actix actor.
#[allow(async_fn_in_trait, reason = "no bound on these futures is needed")]
pub trait Start: Sized {
    /// What is held beside the actor's address.
    type Kept;
    /// A reported failure is a stop.
    const STOPS: bool = false;

    fn cannot(_job: Job, _place: Place) -> Option<&'static str> {
        None
    }

    async fn open(place: Place) -> Self;

    async fn start(&self, index: u32) -> Started<Self::Kept>;

    /// What has to be done so that actors end, beside dropping their addresses.
    async fn close(self) {}
}

/// A peer whose actors are [`Probe`]s.
pub struct OnActix<S>(S);

impl<S: Start> Peer for OnActix<S> {
    type Ref = Started<S::Kept>;

    fn cannot(job: Job, place: Place) -> Option<&'static str> {
        S::cannot(job, place)
    }

    fn enter<T>(work: impl Future<Output = T>) -> T {
        System::new().block_on(work)
    }

    async fn open(place: Place) -> Self {
        Self(S::open(place).await)
    }

    async fn start(&self, index: u32) -> Self::Ref {
        self.0.start(index).await
    }

    async fn tell(&self, to: &Self::Ref) {
        to.addr.do_send(Tell);
    }

    async fn ask(&self, to: &Self::Ref) -> Answer {
        to.addr.send(Ask).await.expect("an answer").0
    }

    async fn fail(&self, to: &Self::Ref, fail: Fail) {
        to.addr.do_send(FailNow {
            fail,
            stops: S::STOPS,
        });
    }

    async fn stop(self, all: Vec<Self::Ref>) {
        drop(all);
        self.0.close().await;
    }
}

/// The arbiter for [`Place::Other`].
pub fn arbiter(place: Place) -> Option<Arbiter> {
    (place == Place::Other).then(Arbiter::new)
}

/// Restarts without limit and at once.
pub const UNLIMITED: SupervisionStrategy = SupervisionStrategy::Restart {
    max_restarts: usize::MAX,
    window: std::time::Duration::from_secs(1),
    delay: std::time::Duration::ZERO,
};

/// A factory whose products know which incarnation they are.
pub fn factory() -> impl FnMut() -> Probe + Send + 'static {
    let mut made = 0;
    move || {
        made += 1;
        Probe::new(made)
    }
}
