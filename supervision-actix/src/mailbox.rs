//! The receiving half of the one address, which outlives every incarnation.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll, Waker},
};

use actix::{
    Actor, Addr, Context,
    dev::{
        ContextParts, Envelope,
        channel::{AddressReceiver, channel},
    },
};
use futures_core::Stream;

use crate::panics::drop_guarded;

/// Messages that are dropped one by one when a mailbox closes.
const CLOSED_ONE_BY_ONE: usize = 1 << 20;

/// The messages of one supervised actor.
pub(crate) struct Mailbox<A: Actor<Context = Context<A>>>(AddressReceiver<A>);

impl<A: Actor<Context = Context<A>>> Mailbox<A> {
    /// A mailbox and its first address.
    pub(crate) fn new(capacity: usize) -> (Addr<A>, Self) {
        let (sender, receiver) = channel(capacity);
        (Addr::new(sender), Self(receiver))
    }

    /// One more address.
    pub(crate) fn address(&self) -> Addr<A> {
        Addr::new(self.0.sender())
    }

    /// Whether an address is left.
    #[inline]
    pub(crate) fn connected(&self) -> bool {
        self.0.connected()
    }

    /// Parts for a context whose `address()` is this mailbox's.
    pub(crate) fn context_parts(&self) -> ContextParts<A> {
        ContextParts::new(self.0.sender_producer())
    }

    /// Undoes a capacity that an earlier incarnation set.
    pub(crate) fn reset_capacity(&mut self, capacity: usize) {
        if self.0.capacity() != capacity {
            self.0.set_capacity(capacity);
        }
    }

    /// Drops what is in it, each message for itself: a destructor that panics must not keep those
    /// behind it, whose askers wait, in a channel that nobody empties any more.
    pub(crate) fn close(mut self) {
        let task = &mut TaskContext::from_waker(Waker::noop());
        // Senders on other threads may go on; whatever they add is dropped with the receiver.
        for _ in 0..CLOSED_ONE_BY_ONE {
            match self.poll_next(task) {
                Poll::Ready(envelope) => drop_guarded(envelope),
                Poll::Pending => break,
            }
        }
        drop_guarded(self);
    }

    /// The next message; `Pending` leaves the task's waker registered.
    #[inline]
    pub(crate) fn poll_next(&mut self, task: &mut TaskContext<'_>) -> Poll<Envelope<A>> {
        match Pin::new(&mut self.0).poll_next(task) {
            Poll::Ready(Some(envelope)) => Poll::Ready(envelope),
            // The stream ends only when the receiver is dropped, and it is ours.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
