//! The receiving half of the one address, which outlives every incarnation.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, Addr, Context,
    dev::{
        ContextParts, Envelope,
        channel::{AddressReceiver, channel},
    },
};
use futures_core::Stream;

/// The messages of one supervised actor.
pub(crate) struct Mailbox<A: Actor<Context = Context<A>>> {
    receiver: AddressReceiver<A>,
    /// A waker can be registered only by trying to receive, so a mailbox that must be watched but
    /// not emptied keeps the envelope it got.
    stash: Option<Envelope<A>>,
}

impl<A: Actor<Context = Context<A>>> Mailbox<A> {
    /// A mailbox and its first address.
    pub(crate) fn new(capacity: usize) -> (Addr<A>, Self) {
        let (sender, receiver) = channel(capacity);
        (
            Addr::new(sender),
            Self {
                receiver,
                stash: None,
            },
        )
    }

    /// One more address.
    pub(crate) fn address(&self) -> Addr<A> {
        Addr::new(self.receiver.sender())
    }

    /// Whether an address is left.
    pub(crate) fn connected(&self) -> bool {
        self.receiver.connected()
    }

    /// Parts for a context whose `address()` is this mailbox's.
    pub(crate) fn context_parts(&self) -> ContextParts<A> {
        ContextParts::new(self.receiver.sender_producer())
    }

    /// Undoes a capacity that an earlier incarnation set.
    pub(crate) fn reset_capacity(&mut self, capacity: usize) {
        if self.receiver.capacity() != capacity {
            self.receiver.set_capacity(capacity);
        }
    }

    /// The next message; `Pending` leaves the task's waker registered.
    pub(crate) fn poll_next(&mut self, task: &mut TaskContext<'_>) -> Poll<Envelope<A>> {
        if let Some(envelope) = self.stash.take() {
            return Poll::Ready(envelope);
        }
        match Pin::new(&mut self.receiver).poll_next(task) {
            Poll::Ready(Some(envelope)) => Poll::Ready(envelope),
            // The stream ends only when the receiver is dropped, and it is ours.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Leaves the waker registered, for the next message or for the last address's end, without
    /// taking a message; tells whether one is waiting (then no waker is needed: somebody will
    /// come for it).
    pub(crate) fn watch(&mut self, task: &mut TaskContext<'_>) -> bool {
        if self.stash.is_none()
            && let Poll::Ready(envelope) = self.poll_next(task)
        {
            self.stash = Some(envelope);
        }
        self.stash.is_some()
    }
}
