//! One message on its way by a tracked address: the envelope that knows what is in it, and sees to
//! it that the message comes to exactly one end.

use std::{any::type_name, sync::Arc};

use actix::{
    Actor, Context, Handler, Message,
    dev::{EnvelopeProxy, MessageResponse, OneshotSender},
};

use crate::{
    current, dead_letters::DeadLetterReason, handling::Handling, panics::drop_guarded,
    shared::Shared,
};

use super::tally::{Fate, Tally};

/// A message with its way back.
pub(super) struct Letter<M: Message + Send + 'static> {
    /// `None` once its fate is known, or is its handler's to make.
    message: Option<M>,
    reply: Option<OneshotSender<M::Result>>,
    tally: Arc<Tally>,
}

impl<M: Message + Send + 'static> Letter<M> {
    pub(super) fn new(
        message: M,
        reply: Option<OneshotSender<M::Result>>,
        tally: &Arc<Tally>,
    ) -> Box<Self> {
        Box::new(Self {
            message: Some(message),
            reply,
            tally: tally.clone(),
        })
    }

    /// The message, for a sender who gets it back.
    pub(super) fn take_back(&mut self) -> Option<M> {
        self.message.take()
    }

    /// Ends as a message that nobody will handle, for this reason or the one its actor has said.
    pub(super) fn end_unhandled(&mut self, reason: Option<DeadLetterReason>) {
        let Some(message) = self.message.take() else {
            return;
        };
        if self.is_cancelled() {
            self.tally.count(Fate::Cancelled);
            drop_guarded(message);
        } else {
            self.tally.bury(message, reason);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.reply.as_ref().is_some_and(OneshotSender::is_closed)
    }
}

impl<M: Message + Send + 'static> Drop for Letter<M> {
    fn drop(&mut self) {
        // Before the reply goes: an asker who learns of it finds it counted.
        self.end_unhandled(None);
    }
}

impl<A, M> EnvelopeProxy<A> for Letter<M>
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn handle(&mut self, actor: &mut A, ctx: &mut Context<A>) {
        if self.is_cancelled() {
            return self.end_unhandled(None);
        }
        let Some(message) = self.message.take() else {
            return;
        };
        let reply = self.reply.take();
        let mut ending = Ending::new(&self.tally);
        // The pump of a supervised `A` is the only one that handles letters.
        let handled = current::with(|shared: &Shared<A>| {
            let handling = Handling::begin(shared, type_name::<M>());
            actor.handle(message, ctx).handle(ctx, reply);
            let failed = handling.end(shared, ctx);
            ending.fate = if failed { Fate::Failed } else { Fate::Handled };
        });
        debug_assert!(handled.is_some());
    }
}

/// Counts the fate of a message whose handler is called; a panic leaves the worst.
struct Ending<'a> {
    tally: &'a Tally,
    fate: Fate,
}

impl<'a> Ending<'a> {
    fn new(tally: &'a Tally) -> Self {
        Self {
            tally,
            fate: Fate::Failed,
        }
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.tally.count(self.fate);
    }
}
