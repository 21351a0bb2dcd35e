//! kameo: children of one supervisor, spawned as its documentation says, with unbounded mailboxes,
//! which are its fastest. The reference stays valid, and the mailbox outlives a restart.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use kameo::{
    error::Infallible,
    mailbox::{MailboxReceiver, MailboxSender, unbounded},
    prelude::*,
    supervision::RestartPolicy,
};

use crate::{
    peer::{Answer, Fail, How, Live, Peer, Place},
    remote::Tasks,
};

pub struct Kameo {
    tasks: Tasks,
    supervisor: ActorRef<Root>,
}

pub struct Root;

impl Actor for Root {
    type Args = ();
    type Error = Infallible;

    async fn on_start(_: (), _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self)
    }

    async fn on_link_died(
        &mut self,
        _: WeakActorRef<Self>,
        _: ActorId,
        _: ActorStopReason,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        Ok(ControlFlow::Continue(()))
    }
}

pub struct Probe {
    incarnation: u32,
    count: u32,
    _live: Live,
}

impl Actor for Probe {
    type Args = u32;
    type Error = Infallible;

    async fn on_start(incarnation: u32, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self {
            incarnation,
            count: 0,
            _live: Live::new(),
        })
    }
}

pub struct Tell;
pub struct Ask;

impl Message<Tell> for Probe {
    type Reply = ();

    async fn handle(&mut self, _: Tell, _: &mut Context<Self, ()>) {
        self.count += 1;
    }
}

impl Message<Ask> for Probe {
    type Reply = Answer;

    async fn handle(&mut self, _: Ask, _: &mut Context<Self, Answer>) -> Answer {
        Answer {
            incarnation: self.incarnation,
            count: self.count,
        }
    }
}

/// An error returned to a tell fails the actor.
impl Message<Fail> for Probe {
    type Reply = Result<(), std::fmt::Error>;

    async fn handle(&mut self, fail: Fail, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        fail.wait();
        match fail.how {
            How::Panic => panic!("measured"),
            How::Error => Err(std::fmt::Error),
        }
    }
}

/// A supervised child with the given mailbox.
pub async fn spawn(
    supervisor: ActorRef<Root>,
    mailbox: (MailboxSender<Probe>, MailboxReceiver<Probe>),
) -> ActorRef<Probe> {
    let made = AtomicU32::new(0);
    Probe::supervise_with(&supervisor, move || {
        made.fetch_add(1, Ordering::Relaxed) + 1
    })
    .restart_policy(RestartPolicy::Transient)
    .restart_limit(u32::MAX, Duration::from_secs(1))
    .spawn_with_mailbox(mailbox)
    .await
}

/// The supervisor, in the place where its children are to be.
pub async fn root(tasks: &Tasks) -> ActorRef<Root> {
    tasks.run(async { Root::spawn(()) }).await
}

impl Peer for Kameo {
    type Ref = ActorRef<Probe>;

    async fn open(place: Place) -> Self {
        let tasks = Tasks::on(place);
        Self {
            supervisor: root(&tasks).await,
            tasks,
        }
    }

    async fn start(&self, _: u32) -> ActorRef<Probe> {
        self.tasks
            .run(spawn(self.supervisor.clone(), unbounded()))
            .await
    }

    async fn tell(&self, to: &ActorRef<Probe>) {
        to.tell(Tell).try_send().expect("it is delivered");
    }

    async fn ask(&self, to: &ActorRef<Probe>) -> Answer {
        to.ask(Ask).send().await.expect("an answer")
    }

    async fn fail(&self, to: &ActorRef<Probe>, fail: Fail) {
        to.tell(fail).try_send().expect("it is delivered");
    }

    async fn stop(self, all: Vec<ActorRef<Probe>>) {
        drop(all);
        self.supervisor.stop_gracefully().await.expect("it runs");
    }
}
