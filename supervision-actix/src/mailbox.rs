//! The receiving half of the one address, which outlives every incarnation.

use std::{
    pin::Pin,
    sync::Arc,
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

use crate::{
    panics::drop_guarded,
    tracked::{Inlet, Letterbox, Queued, Tally},
};

/// Messages that are dropped one by one when a mailbox closes.
const CLOSED_ONE_BY_ONE: usize = 1 << 20;

/// The messages of one supervised actor.
pub(crate) enum Mailbox<A: Actor<Context = Context<A>>> {
    /// All come by plain addresses.
    Plain(AddressReceiver<A>),
    /// Some may come by tracked ones.
    Tracked(Inlet<A>),
}

impl<A: Actor<Context = Context<A>>> Mailbox<A> {
    /// A mailbox and its first address.
    pub(crate) fn new(capacity: usize) -> (Addr<A>, Self) {
        let (sender, receiver) = channel(capacity);
        (Addr::new(sender), Self::Plain(receiver))
    }

    /// The same mailbox, with a letterbox.
    pub(crate) fn tracked(self, tally: impl FnOnce() -> Arc<Tally>) -> Self {
        match self {
            Self::Plain(receiver) => Self::Tracked(Inlet::new(receiver, tally())),
            Self::Tracked(_) => self,
        }
    }

    pub(crate) fn letterbox(&self) -> Option<&Arc<Letterbox<A>>> {
        match self {
            Self::Plain(_) => None,
            Self::Tracked(inlet) => Some(inlet.letterbox()),
        }
    }

    /// One more address; `None` if it was closed.
    pub(crate) fn address(&self) -> Option<Addr<A>> {
        match self {
            Self::Plain(receiver) => Some(Addr::new(receiver.sender())),
            Self::Tracked(inlet) => inlet.sender().map(Addr::new),
        }
    }

    /// Whether an address is left.
    #[inline]
    pub(crate) fn connected(&self) -> bool {
        match self {
            Self::Plain(receiver) => receiver.connected(),
            Self::Tracked(inlet) => inlet.with_channel(|channel| channel.connected()) == Some(true),
        }
    }

    /// Parts for a context whose `address()` is this mailbox's.
    pub(crate) fn context_parts(&self) -> Option<ContextParts<A>> {
        match self {
            Self::Plain(receiver) => Some(ContextParts::new(receiver.sender_producer())),
            Self::Tracked(inlet) => inlet.context_parts(),
        }
    }

    /// Undoes a capacity that an earlier incarnation set.
    pub(crate) fn reset_capacity(&mut self, capacity: usize) {
        let reset = |receiver: &mut AddressReceiver<A>| {
            if receiver.capacity() != capacity {
                receiver.set_capacity(capacity);
            }
        };
        match self {
            Self::Plain(receiver) => reset(receiver),
            Self::Tracked(inlet) => {
                inlet.with_channel(reset);
            }
        }
    }

    /// Drops what is in it, each message for itself: a destructor that panics must not keep those
    /// behind it, whose askers wait, in a channel that nobody empties any more. Returns how many
    /// were plain.
    pub(crate) fn close(self) -> u64 {
        let mut plain = 0;
        let receiver = match self {
            Self::Plain(receiver) => receiver,
            Self::Tracked(inlet) => {
                let Some((queue, receiver)) = inlet.close() else {
                    return 0;
                };
                for Queued {
                    envelope,
                    is_letter,
                } in queue
                {
                    drop_guarded(envelope);
                    plain += u64::from(!is_letter);
                }
                receiver
            }
        };
        plain + empty(receiver)
    }

    /// The next message; `Pending` leaves the task's waker registered.
    #[inline]
    pub(crate) fn poll_next(&mut self, task: &mut TaskContext<'_>) -> Poll<Envelope<A>> {
        match self {
            Self::Plain(receiver) => poll_channel(receiver, task),
            Self::Tracked(inlet) => inlet.poll_next(task).map(|queued| queued.envelope),
        }
    }

    /// As [`poll_next`](Self::poll_next), and tells whether it is a letter.
    pub(crate) fn poll_queued(&mut self, task: &mut TaskContext<'_>) -> Poll<Queued<A>> {
        match self {
            Self::Plain(receiver) => poll_channel(receiver, task).map(|envelope| Queued {
                envelope,
                is_letter: false,
            }),
            Self::Tracked(inlet) => inlet.poll_next(task),
        }
    }
}

#[inline]
fn poll_channel<A: Actor>(
    receiver: &mut AddressReceiver<A>,
    task: &mut TaskContext<'_>,
) -> Poll<Envelope<A>> {
    match Pin::new(receiver).poll_next(task) {
        Poll::Ready(Some(envelope)) => Poll::Ready(envelope),
        // The stream ends only when the receiver is dropped, and it is ours.
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    }
}

/// Drops what is in the channel, and the channel.
fn empty<A: Actor>(mut receiver: AddressReceiver<A>) -> u64 {
    let task = &mut TaskContext::from_waker(Waker::noop());
    let mut dropped = 0;
    // Senders on other threads may go on; whatever they add is dropped with the receiver.
    for _ in 0..CLOSED_ONE_BY_ONE {
        match poll_channel(&mut receiver, task) {
            Poll::Ready(envelope) => drop_guarded(envelope),
            Poll::Pending => break,
        }
        dropped += 1;
    }
    drop_guarded(receiver);
    dropped
}
