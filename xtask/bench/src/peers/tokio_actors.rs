//! tokio-actors: children spawned by a supervising actor, found by their id, which outlives a
//! restart; a handle and a mailbox do not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio_actors::{
    ActorConfig, ActorError, ActorId, ActorResult, ActorSystem, StopReason, SupervisionConfig,
    actor::{Actor, ActorExt, context::ActorContext, handle::ActorHandle},
};

use crate::{
    peer::{Answer, Fail, How, Live, Peer, Place},
    remote::Tasks,
};

pub struct TokioActors {
    system: Arc<ActorSystem>,
    supervisor: ActorHandle<Root>,
}

/// Its handle, until that is closed, and its id to find the next one by.
pub struct Found {
    id: ActorId,
    first: ActorHandle<Probe>,
}

struct Root;

impl Actor for Root {
    type Message = ();
    type Response = ActorHandle<Probe>;

    async fn handle(
        &mut self,
        (): (),
        ctx: &mut ActorContext<Self>,
    ) -> ActorResult<ActorHandle<Probe>> {
        let made = AtomicU32::new(0);
        let make = move || Probe {
            incarnation: made.fetch_add(1, Ordering::Relaxed) + 1,
            count: 0,
            _live: Live::new(),
        };
        // Room for a burst: its mailboxes are bounded, and senders wait.
        let config = ActorConfig::default().with_mailbox_capacity(1_024);
        let spawned = ctx.spawn_child(make).with_config(config).await;
        spawned.map_err(|error| ActorError::user(error.to_string()))
    }
}

struct Probe {
    incarnation: u32,
    count: u32,
    _live: Live,
}

#[derive(Clone, Copy)]
enum Msg {
    Tell,
    Ask,
    Fail(Fail),
}

impl Actor for Probe {
    type Message = Msg;
    type Response = Answer;

    async fn handle(&mut self, message: Msg, _: &mut ActorContext<Self>) -> ActorResult<Answer> {
        match message {
            Msg::Tell => self.count += 1,
            Msg::Ask => {}
            Msg::Fail(fail) => {
                fail.wait();
                match fail.how {
                    How::Panic => panic!("measured"),
                    How::Error => return Err(ActorError::user("measured")),
                }
            }
        }
        Ok(Answer {
            incarnation: self.incarnation,
            count: self.count,
        })
    }
}

impl TokioActors {
    fn find(&self, actor: &Found) -> Option<ActorHandle<Probe>> {
        if actor.first.is_alive() {
            return Some(actor.first.clone());
        }
        self.system.get_by_id(&actor.id)
    }
}

impl Peer for TokioActors {
    type Ref = Found;

    async fn open(place: Place) -> Self {
        let tasks = Tasks::on(place);
        let config =
            SupervisionConfig::one_for_one().max_restarts(u32::MAX, Duration::from_secs(1));
        let spawn = async { Root.spawn().with_supervision(config).await };
        let supervisor = tasks.run(spawn).await.expect("it has started");
        Self {
            system: ActorSystem::default(),
            supervisor,
        }
    }

    async fn start(&self, _: u32) -> Found {
        let first = self.supervisor.send(()).await.expect("it has started");
        Found {
            id: first.id().clone(),
            first,
        }
    }

    async fn tell(&self, to: &Found) {
        if let Some(actor) = self.find(to) {
            // To an actor that is gone: lost, as the case is to find out.
            let _ = actor.notify(Msg::Tell).await;
        }
    }

    async fn ask(&self, to: &Found) -> Answer {
        loop {
            if let Some(actor) = self.find(to)
                && let Ok(answer) = actor.send(Msg::Ask).await
            {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn fail(&self, to: &Found, fail: Fail) {
        let actor = self.find(to).expect("it is up");
        actor
            .notify(Msg::Fail(fail))
            .await
            .expect("it is delivered");
    }

    async fn stop(self, all: Vec<Found>) {
        drop(all);
        self.supervisor
            .stop(StopReason::Cancelled)
            .await
            .expect("it runs");
    }
}
