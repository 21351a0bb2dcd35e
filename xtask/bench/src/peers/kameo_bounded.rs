//! kameo with what `spawn()` gives: a mailbox of 64, whose senders wait. Only the messages differ.

use kameo::{actor::ActorRef, mailbox::bounded};

use crate::{
    cases::Job,
    peer::{Answer, Fail, Peer, Place},
    peers::kameo::{Ask, Probe, Root, Tell, root, spawn},
    remote::Tasks,
};

pub struct KameoBounded {
    tasks: Tasks,
    supervisor: ActorRef<Root>,
}

impl Peer for KameoBounded {
    type Ref = ActorRef<Probe>;

    fn cannot(job: Job, _: Place) -> Option<&'static str> {
        let measured = matches!(
            job,
            Job::Tell | Job::TellOnePerWakeup | Job::Ask | Job::Bytes
        );
        (!measured).then_some("see kameo: the mailbox makes no difference here")
    }

    async fn open(place: Place) -> Self {
        let tasks = Tasks::on(place);
        Self {
            supervisor: root(&tasks).await,
            tasks,
        }
    }

    async fn start(&self, _: u32) -> ActorRef<Probe> {
        self.tasks
            .run(spawn(self.supervisor.clone(), bounded(64)))
            .await
    }

    async fn tell(&self, to: &ActorRef<Probe>) {
        to.tell(Tell).send().await.expect("it is delivered");
    }

    async fn ask(&self, to: &ActorRef<Probe>) -> Answer {
        to.ask(Ask).send().await.expect("an answer")
    }

    async fn fail(&self, to: &ActorRef<Probe>, fail: Fail) {
        to.tell(fail).send().await.expect("it is delivered");
    }

    async fn stop(self, all: Vec<ActorRef<Probe>>) {
        drop(all);
        self.supervisor.stop_gracefully().await.expect("it runs");
    }
}
