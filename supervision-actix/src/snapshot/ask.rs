//! Asking a tree. A group answers for itself, passes the question on to its children and hands over
//! the ends of the ways by which they will answer; so no group waits for anybody, and whoever asked
//! waits for all of them at once.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use actix::{Actor, Context, Handler, Message, MessageResult};
use futures_util::future::join_all;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{NodeSnapshot, SnapshotOptions};
use crate::supervisor::{SupervisorActor, SupervisorContext};

/// Questions that may be on their way to one group. More can only be if its thread is blocked, and
/// somebody who asks it every second must not fill the memory meanwhile.
const MAX_UNDER_WAY: usize = 16;

/// The question.
pub(crate) struct Ask {
    pub(crate) options: SnapshotOptions,
    reply: oneshot::Sender<Answer>,
    /// Its place among those that are on their way to a group, for as long as it is.
    _place: Option<Arc<()>>,
}

/// The questions on their way to one group.
#[derive(Clone, Default)]
pub(crate) struct UnderWay(Arc<Mutex<Weak<()>>>);

impl UnderWay {
    /// Gives a question its place; `None` if there are too many.
    pub(crate) fn admit(&self, ask: Ask) -> Option<Ask> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.upgrade().unwrap_or_default();
        *places = Arc::downgrade(&place);
        drop(places);
        let has_room = Arc::strong_count(&place) <= MAX_UNDER_WAY;
        has_room.then_some(Ask {
            _place: Some(place),
            ..ask
        })
    }
}

impl Ask {
    pub(crate) fn new(options: SnapshotOptions) -> (Self, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        let ask = Self {
            options,
            reply,
            _place: None,
        };
        (ask, answer)
    }

    /// Whether nobody waits for the answer any more.
    pub(crate) fn is_stale(&self) -> bool {
        self.reply.is_closed()
    }

    /// Answers for something without children.
    pub(crate) fn answer(self, node: NodeSnapshot) {
        self.answer_with(node, Vec::new());
    }

    pub(crate) fn answer_with(self, node: NodeSnapshot, children: Vec<Pending>) {
        // Who does not wait for the answer needs none.
        let _ = self.reply.send(Answer { node, children });
    }
}

/// What a node says of itself, and its children that have been asked.
pub(crate) struct Answer {
    node: NodeSnapshot,
    children: Vec<Pending>,
}

/// A child that has been asked.
pub(crate) struct Pending {
    /// What its group knows of it.
    pub(crate) known: NodeSnapshot,
    pub(crate) answer: oneshot::Receiver<Answer>,
}

impl Pending {
    async fn arrive(self, until: Instant, patience: Duration) -> NodeSnapshot {
        match timeout_at(until, self.answer).await {
            Ok(Ok(answer)) => gather(answer, patience).await.completed_by(self.known),
            // Nobody is there.
            Ok(Err(_)) => self.known.without_answer(),
            Err(_) => self.known.unresponsive(),
        }
    }
}

/// Waits for the answers of all below, each for at most `patience`.
pub(crate) async fn gather(answer: Answer, patience: Duration) -> NodeSnapshot {
    let Answer { mut node, children } = answer;
    let until = Instant::now() + patience;
    let children = children.into_iter();
    // Boxed: a tree may be deep.
    let arriving = children.map(|child| Box::pin(child.arrive(until, patience)));
    node.children = join_all(arriving).await;
    node
}

/// Asks a supervisor what its actor is doing: the actor's part of a
/// [`TreeSnapshot`](crate::TreeSnapshot).
///
/// It is answered on the actor's arbiter, also while a restart waits and after the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct GetSnapshot(());

impl GetSnapshot {
    /// The question.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Message for GetSnapshot {
    type Result = NodeSnapshot;
}

impl<A: Actor<Context = Context<A>>> Handler<GetSnapshot> for SupervisorActor<A> {
    type Result = MessageResult<GetSnapshot>;

    fn handle(&mut self, _: GetSnapshot, _: &mut SupervisorContext<A>) -> Self::Result {
        MessageResult(self.shared().snapshot())
    }
}
