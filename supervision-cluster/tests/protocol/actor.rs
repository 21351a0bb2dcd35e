//! The actors of the world: each keeps the list of the messages that were applied to it.

use bytes::Bytes;
use supervision_cluster::protocol::{ActorEvent, Answer, Durability, Epoch, Request};

/// An incarnation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Actor {
    pub(crate) epoch: Epoch,
    pub(crate) applied: Vec<u8>,
    pub(crate) to_do: Vec<Work>,
}

/// What an actor has yet to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    Start,
    Handle(Vec<Request>),
    Pack,
}

impl Actor {
    pub(crate) fn new(epoch: Epoch, state: Option<&Bytes>) -> Self {
        Self {
            epoch,
            applied: state.map(|bytes| bytes.to_vec()).unwrap_or_default(),
            to_do: vec![Work::Start],
        }
    }

    /// Does the next thing. `fails` makes the handlers fail.
    pub(crate) fn step(&mut self, durability: Durability, fails: bool) -> ActorEvent {
        let state = |applied: &[u8]| Bytes::copy_from_slice(applied);
        match self.to_do.remove(0) {
            Work::Start => ActorEvent::Started,
            Work::Handle(requests) if fails => ActorEvent::Handled {
                answers: requests
                    .into_iter()
                    .map(|r| (r.id, Answer::Failed("x".into())))
                    .collect(),
                back: vec![],
                state: None,
            },
            Work::Handle(requests) => {
                self.applied
                    .extend(requests.iter().flat_map(|r| r.body.iter().copied()));
                let answers = requests
                    .into_iter()
                    .map(|r| (r.id, Answer::Done(r.body)))
                    .collect();
                let durable = durability == Durability::Durable;
                let state = durable.then(|| state(&self.applied));
                ActorEvent::Handled {
                    answers,
                    back: vec![],
                    state,
                }
            }
            Work::Pack => ActorEvent::Packed {
                state: (durability != Durability::Volatile).then(|| state(&self.applied)),
                luggage: Bytes::new(),
            },
        }
    }
}
