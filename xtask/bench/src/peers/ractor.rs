//! ractor: it tells a supervisor of a failure and leaves the restart to it. The supervisor here is
//! the least that does it: it spawns the next actor and puts its reference where the caller looks.
//! A reference and a mailbox end with the actor.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent, call};

use crate::{
    peer::{Answer, Fail, How, Live, Peer, Place},
    remote::Tasks,
};

pub struct Ractor {
    supervisor: ActorRef<Start>,
}

pub struct Probe;

pub struct State {
    incarnation: u32,
    count: u32,
    _live: Live,
}

pub enum Msg {
    Tell,
    Ask(RpcReplyPort<Answer>),
    Fail(Fail),
}

impl Actor for Probe {
    type Msg = Msg;
    type State = State;
    type Arguments = u32;

    async fn pre_start(
        &self,
        _: ActorRef<Msg>,
        incarnation: u32,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            incarnation,
            count: 0,
            _live: Live::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        message: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Tell => state.count += 1,
            Msg::Ask(reply) => {
                let answer = Answer {
                    incarnation: state.incarnation,
                    count: state.count,
                };
                // An asker that is gone needs no answer.
                let _ = reply.send(answer);
            }
            Msg::Fail(fail) => {
                fail.wait();
                match fail.how {
                    How::Panic => panic!("measured"),
                    How::Error => return Err(Box::new(std::fmt::Error)),
                }
            }
        }
        Ok(())
    }
}

/// Where the reference of the actor that is up is found.
type Slot = Arc<Mutex<ActorRef<Msg>>>;

struct Root;

/// Start one more actor.
pub struct Start(RpcReplyPort<Slot>);

impl Actor for Root {
    type Msg = Start;
    type State = HashMap<ActorId, (u32, Slot)>;
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ActorRef<Start>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(HashMap::new())
    }

    async fn handle(
        &self,
        myself: ActorRef<Start>,
        Start(reply): Start,
        children: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (child, _) = Actor::spawn_linked(None, Probe, 1, myself.get_cell()).await?;
        let slot = Arc::new(Mutex::new(child.clone()));
        children.insert(child.get_id(), (1, slot.clone()));
        reply.send(slot)?;
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Start>,
        event: SupervisionEvent,
        children: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(failed, _) = event
            && let Some((incarnation, slot)) = children.remove(&failed.get_id())
        {
            let next = incarnation + 1;
            let (child, _) = Actor::spawn_linked(None, Probe, next, myself.get_cell()).await?;
            *slot.lock().expect("nobody panics with it") = child.clone();
            children.insert(child.get_id(), (next, slot));
        }
        Ok(())
    }
}

/// Asks until an actor answers.
pub async fn ask(current: impl Fn() -> Option<ActorRef<Msg>>) -> Answer {
    loop {
        if let Some(actor) = current()
            && let Ok(answer) = call!(actor, Msg::Ask)
        {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

impl Peer for Ractor {
    type Ref = Slot;

    async fn open(place: Place) -> Self {
        let tasks = Tasks::on(place);
        let supervisor = tasks
            .run(async { Actor::spawn(None, Root, ()).await })
            .await;
        Self {
            supervisor: supervisor.expect("it has started").0,
        }
    }

    async fn start(&self, _: u32) -> Slot {
        call!(self.supervisor, Start).expect("it has started")
    }

    async fn tell(&self, to: &Slot) {
        // To an actor that is gone: lost, as the case is to find out.
        let _ = to.lock().expect("nobody panics with it").cast(Msg::Tell);
    }

    async fn ask(&self, to: &Slot) -> Answer {
        ask(|| Some(to.lock().expect("nobody panics with it").clone())).await
    }

    async fn fail(&self, to: &Slot, fail: Fail) {
        let sent = to
            .lock()
            .expect("nobody panics with it")
            .cast(Msg::Fail(fail));
        sent.expect("it is delivered");
    }

    async fn stop(self, all: Vec<Slot>) {
        drop(all);
        self.supervisor.stop_children(None);
    }
}
