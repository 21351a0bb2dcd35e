//! Requests, replies and other messages between nodes.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::{
    Step,
    trace::digest,
    world::{After, Caller, End, NodeId, World},
};
use crate::engine::{PublishError, RequestError, Subject};

/// Names one who serves.
pub(super) type ServingId = u64;
/// Names a request that waits for its reply.
pub(super) type AskId = u64;

/// Whom a reply goes to.
#[derive(Clone, Copy)]
pub(super) struct ReplyTo {
    pub(super) ask: AskId,
    pub(super) asker: NodeId,
}

/// A message on its way or waiting to be taken.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) payload: Bytes,
    pub(super) reply_to: Option<ReplyTo>,
}

struct Serving {
    caller: Caller,
    subject: Subject,
    queue: VecDeque<Message>,
    wake: Arc<Notify>,
}

type Reply = Result<Bytes, RequestError>;

/// A message that waits for the end of an outage.
struct Held {
    from: NodeId,
    to: Subject,
    payload: Bytes,
}

/// Who serves what, who waits for a reply, and what waits for the end of an outage.
#[derive(Default)]
pub(super) struct Messages {
    serving: BTreeMap<ServingId, Serving>,
    subjects: BTreeMap<Subject, Vec<ServingId>>,
    asks: BTreeMap<AskId, oneshot::Sender<Reply>>,
    held: Vec<Held>,
    made: u64,
}

/// A request that was sent, or not.
pub(super) enum Asked {
    Done(RequestError),
    Waiting(AskId, oneshot::Receiver<Reply>),
}

impl World {
    pub(super) fn serve(
        &mut self,
        caller: &Caller,
        subject: &Subject,
    ) -> Option<(ServingId, Arc<Notify>)> {
        if !caller.is_open() {
            return None;
        }
        self.trace(Some(caller.node), Step::Serve, subject.as_str(), || 0);
        self.messages.made += 1;
        let id = self.messages.made;
        let wake = Arc::new(Notify::new());
        let serving = Serving {
            caller: caller.clone(),
            subject: subject.clone(),
            queue: VecDeque::new(),
            wake: Arc::clone(&wake),
        };
        self.messages.serving.insert(id, serving);
        let served = self.messages.subjects.entry(subject.clone());
        served.or_default().push(id);
        Some((id, wake))
    }

    pub(super) fn end_serving(&mut self, id: ServingId) {
        let Some(serving) = self.messages.serving.remove(&id) else {
            return;
        };
        let subjects = &mut self.messages.subjects;
        if let Some(served) = subjects.get_mut(&serving.subject) {
            served.retain(|other| *other != id);
            if served.is_empty() {
                subjects.remove(&serving.subject);
            }
        }
        self.after.push(After::Wake(serving.wake));
    }

    /// Ends all serving of a node that is no more.
    pub(super) fn drop_serving(&mut self, node: NodeId) {
        let serving = self.messages.serving.iter();
        let of_node = serving.filter(|(_, serving)| serving.caller.node == node);
        let of_node: Vec<_> = of_node.map(|(id, _)| *id).collect();
        of_node.into_iter().for_each(|id| self.end_serving(id));
    }

    pub(super) fn wake_serving(&mut self) {
        let wakes = self.messages.serving.values();
        let wakes = wakes.map(|serving| After::Wake(Arc::clone(&serving.wake)));
        self.after.extend(wakes);
    }

    /// The next message, if there is one yet; `None` if nothing will come any more.
    pub(super) fn next_message(&mut self, id: ServingId) -> Option<Option<Message>> {
        let serving = self.messages.serving.get_mut(&id)?;
        let Some(message) = serving.queue.pop_front() else {
            return Some(None);
        };
        let (node, subject) = (serving.caller.node, serving.subject.clone());
        self.stats(node).delivered += 1;
        self.trace(Some(node), Step::Deliver, subject.as_str(), || {
            digest(&message.payload)
        });
        Some(Some(message))
    }

    pub(super) fn ask(&mut self, caller: &Caller, to: &Subject, payload: Bytes) -> Asked {
        let node = caller.node;
        if !caller.is_open() {
            return Asked::Done(RequestError::Closed);
        }
        self.trace(Some(node), Step::Request, to.as_str(), || digest(&payload));
        if let Some(denied) = self.denied_falsely(node, to) {
            return Asked::Done(denied);
        }
        let served = self.messages.subjects.get(to).cloned().unwrap_or_default();
        if served.is_empty() && self.is_calm() {
            return Asked::Done(self.nobody(node, to));
        }
        self.messages.made += 1;
        let (ask, (answer, reply)) = (self.messages.made, oneshot::channel());
        self.messages.asks.insert(ask, answer);
        if served.is_empty() {
            self.tell_of_nobody(ask, node, to);
        }
        let reply_to = Some(ReplyTo { ask, asker: node });
        let message = Message { payload, reply_to };
        self.post_to_all(node, to, &served, &message);
        Asked::Waiting(ask, reply)
    }

    pub(super) fn end_ask(&mut self, ask: AskId) {
        self.messages.asks.remove(&ask);
    }

    /// The server's word that nobody serves takes its way, too.
    fn tell_of_nobody(&mut self, ask: AskId, node: NodeId, to: &Subject) {
        let (here, server) = (End::Node(node), End::Store);
        let Some(there) = self.travel(node, here, server, to.as_str()) else {
            return;
        };
        let Some(back) = self.travel(node, server, here, to.as_str()) else {
            return;
        };
        let way = there.as_nanos() - self.now.as_nanos();
        let due = back.saturating_add(std::time::Duration::from_nanos(way));
        let to = to.clone();
        self.at(due, move |world| {
            if !world.is_severed(node, server, here, to.as_str()) {
                let nobody = world.nobody(node, &to);
                world.finish(ask, Err(nobody));
            }
        });
    }

    fn nobody(&mut self, node: NodeId, to: &Subject) -> RequestError {
        self.stats(node).no_responders += 1;
        self.trace(Some(node), Step::NoResponders, to.as_str(), || 0);
        RequestError::NoResponders
    }

    /// What is said though it proves nothing: that the connection is lost, or that nobody serves when
    /// all who do are on the other side of a partition.
    fn denied_falsely(&mut self, node: NodeId, to: &Subject) -> Option<RequestError> {
        let chance = self.faults().false_denial;
        if self.severed.outage {
            let hit = chance.hits(&mut self.rng);
            self.stats(node).false_denials += u64::from(hit);
            return hit.then_some(RequestError::Disconnected);
        }
        if self.severed.cuts.is_empty() {
            return None;
        }
        let served = self.messages.subjects.get(to)?;
        let all_cut = served.iter().all(|id| {
            let server = self.messages.serving.get(id);
            let server = server.map(|serving| End::Node(serving.caller.node));
            server.is_none_or(|server| self.severed.cuts.contains(&(End::Node(node), server)))
        });
        if !all_cut || !chance.hits(&mut self.rng) {
            return None;
        }
        self.stats(node).false_denials += 1;
        Some(self.nobody(node, to))
    }

    pub(super) fn publish(
        &mut self,
        caller: &Caller,
        to: &Subject,
        payload: Bytes,
    ) -> Result<(), PublishError> {
        if !caller.is_open() {
            return Err(PublishError::Closed);
        }
        let node = caller.node;
        self.trace(Some(node), Step::Publish, to.as_str(), || digest(&payload));
        if self.severed.outage && self.rng.bool() {
            self.stats(node).held_in_outage += 1;
            let (from, to) = (node, to.clone());
            self.messages.held.push(Held { from, to, payload });
            return Ok(());
        }
        self.post(node, to, payload);
        Ok(())
    }

    /// Sends what was held back in an outage.
    pub(super) fn post_held(&mut self) {
        for Held { from, to, payload } in std::mem::take(&mut self.messages.held) {
            self.post(from, &to, payload);
        }
    }

    fn post(&mut self, from: NodeId, to: &Subject, payload: Bytes) {
        let served = self.messages.subjects.get(to).cloned().unwrap_or_default();
        let reply_to = None;
        let message = Message { payload, reply_to };
        self.post_to_all(from, to, &served, &message);
    }

    fn post_to_all(&mut self, from: NodeId, to: &Subject, served: &[ServingId], message: &Message) {
        for id in served {
            let Some(serving) = self.messages.serving.get(id) else {
                continue;
            };
            let server = serving.caller.node;
            self.post_to(from, server, *id, to, message.clone());
            let link = self.link(End::Node(from), End::Node(server));
            if link.duplicate.hits(&mut self.rng) {
                self.stats(from).duplicated += 1;
                self.trace(Some(from), Step::Duplicate, to.as_str(), || 0);
                self.post_to(from, server, *id, to, message.clone());
            }
        }
    }

    fn post_to(
        &mut self,
        from: NodeId,
        server: NodeId,
        id: ServingId,
        to: &Subject,
        message: Message,
    ) {
        let (here, there) = (End::Node(from), End::Node(server));
        let Some(due) = self.travel(from, here, there, to.as_str()) else {
            return;
        };
        if due <= self.now {
            return self.deliver(id, message);
        }
        let subject = to.text();
        self.later(due, move |world| {
            if !world.is_severed(from, here, there, &subject) {
                world.deliver(id, message);
            }
        });
    }

    fn deliver(&mut self, id: ServingId, message: Message) {
        let Some(serving) = self.messages.serving.get_mut(&id) else {
            return;
        };
        if serving.queue.len() < self.options.capacity {
            serving.queue.push_back(message);
            self.after.push(After::Wake(Arc::clone(&serving.wake)));
            return;
        }
        let (node, subject) = (serving.caller.node, serving.subject.clone());
        self.stats(node).overflowed += 1;
        self.trace(Some(node), Step::Overflow, subject.as_str(), || 0);
    }

    pub(super) fn reply(
        &mut self,
        caller: &Caller,
        to: ReplyTo,
        payload: Bytes,
    ) -> Result<(), PublishError> {
        if !caller.is_open() {
            return Err(PublishError::Closed);
        }
        let node = caller.node;
        self.stats(node).replies += 1;
        self.trace(Some(node), Step::Reply, "", || digest(&payload));
        let (here, there) = (End::Node(node), End::Node(to.asker));
        if let Some(due) = self.travel(node, here, there, "") {
            self.at(due, move |world| {
                if !world.is_severed(node, here, there, "") {
                    world.finish(to.ask, Ok(payload));
                }
            });
        }
        Ok(())
    }

    fn finish(&mut self, ask: AskId, reply: Reply) {
        if let Some(answer) = self.messages.asks.remove(&ask) {
            self.afterwards(move || {
                // Whoever asked may have gone in this very moment.
                let _ = answer.send(reply);
            });
        }
    }
}
