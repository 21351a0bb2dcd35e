//! Asking a tree. A group answers for itself, passes the question on to its children and hands over
//! the ends of the ways by which they will answer; so no group waits for anybody, and whoever asked
//! waits for all of them at once.

use std::time::Duration;

use actix::{Actor, Context, Handler, Message, MessageResult};
use futures_util::future::join_all;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{NodeSnapshot, SnapshotOptions};
use crate::supervisor::{SupervisorActor, SupervisorContext};

/// The question.
pub(crate) struct Ask {
    pub(crate) options: SnapshotOptions,
    pub(crate) reply: oneshot::Sender<Answer>,
}

impl Ask {
    pub(crate) fn new(options: SnapshotOptions) -> (Self, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        (Self { options, reply }, answer)
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
            // Too late, or nobody is there.
            Ok(Err(_)) | Err(_) => self.known.without_answer(),
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
