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

/// How an actor does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Manner {
    Well,
    /// Its handlers fail.
    Failing,
    /// It begins with the first message only.
    OneOnly,
    /// Its supervision ends instead.
    Ending,
}

impl Actor {
    pub(crate) fn new(epoch: Epoch, state: Option<&Bytes>) -> Self {
        Self {
            epoch,
            applied: state.map(|bytes| bytes.to_vec()).unwrap_or_default(),
            to_do: vec![Work::Start],
        }
    }

    /// Does the next thing. Returns what it tells of it, and which messages it has applied.
    pub(crate) fn step(&mut self, durability: Durability, how: Manner) -> (ActorEvent, Vec<u8>) {
        // One that is told to pack does so at once, whatever it has been given before.
        let packs = |work: &Work| *work == Work::Pack;
        let next = self.to_do.iter().position(packs).unwrap_or(0);
        let work = self.to_do.remove(next);
        if how == Manner::Ending {
            self.to_do.clear();
            return (ActorEvent::Ended, vec![]);
        }
        match work {
            Work::Start => (ActorEvent::Started, vec![]),
            Work::Handle(requests) => self.handle(requests, durability, how),
            Work::Pack => {
                let state = Bytes::copy_from_slice(&self.applied);
                let packed = ActorEvent::Packed {
                    state: (durability != Durability::Volatile).then_some(state),
                    luggage: Bytes::new(),
                };
                (packed, vec![])
            }
        }
    }

    fn handle(
        &mut self,
        mut requests: Vec<Request>,
        durability: Durability,
        how: Manner,
    ) -> (ActorEvent, Vec<u8>) {
        let back = match how {
            Manner::OneOnly => requests.split_off(1),
            _ => vec![],
        };
        let fails = how == Manner::Failing;
        let new: Vec<u8> = match fails {
            true => vec![],
            false => requests.iter().map(|r| r.body[0]).collect(),
        };
        self.applied.extend(&new);
        let answer = |request: Request| match fails {
            true => (request.id, Answer::Failed("x".into())),
            false => (request.id, Answer::Done(request.body)),
        };
        let stored = durability == Durability::Durable && !fails;
        let event = ActorEvent::Handled {
            answers: requests.into_iter().map(answer).collect(),
            back,
            state: stored.then(|| Bytes::copy_from_slice(&self.applied)),
        };
        (event, new)
    }
}
