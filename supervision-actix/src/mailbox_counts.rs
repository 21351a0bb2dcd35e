//! How many messages an actor was given, and how many it was not: asked through its supervisor.

use actix::{Actor, Context, Handler, Message, dev::MessageResponse, dev::OneshotSender};
use serde::{Deserialize, Serialize};

use crate::{
    supervisor::{SupervisorActor, SupervisorContext},
    tracked::TrackedCounts,
};

/// What became of an actor's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MailboxCounts {
    /// Messages of all senders that left the mailbox for their handlers, in all incarnations. An ask
    /// whose asker has gone is among them, although actix calls no handler for it.
    pub dispatched: u64,
    /// Messages by plain addresses that were dropped unhandled: the actor ended, or is a child that
    /// its group has stopped. What another thread sends in the very moment in which the mailbox
    /// closes may be missing here.
    pub plain_dropped: u64,
    /// Messages by [`TrackedAddr`](crate::TrackedAddr)s; `None` if there never was one.
    pub tracked: Option<TrackedCounts>,
    /// Messages that the actor's own
    /// [subscriber to dead letters](crate::ActorProps::with_dead_letters) had no room for.
    pub dead_letters_missed: u64,
}

/// Asks a supervisor for the counts of its actor's messages; it knows them after the actor's end too.
#[derive(Clone, Copy, Debug, Default)]
pub struct GetMailboxCounts(());

impl GetMailboxCounts {
    /// The question.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Message for GetMailboxCounts {
    type Result = MailboxCounts;
}

impl<A: Actor<Context = Context<A>>> Handler<GetMailboxCounts> for SupervisorActor<A> {
    type Result = MailboxCounts;

    fn handle(&mut self, _: GetMailboxCounts, _: &mut SupervisorContext<A>) -> MailboxCounts {
        self.shared().mailbox_counts()
    }
}

impl<A: Actor> MessageResponse<A, GetMailboxCounts> for MailboxCounts {
    fn handle(self, _: &mut A::Context, reply: Option<OneshotSender<Self>>) {
        if let Some(reply) = reply {
            // An asker that went away needs no answer.
            let _ = reply.send(self);
        }
    }
}
