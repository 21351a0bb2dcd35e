//! The mailbox of an actor with tracked addresses: letters, and the plain envelopes of the one
//! channel, in one order.
//!
//! actix lets nobody put an envelope of another make into its channel, so letters need a queue of
//! their own. Whoever sends a letter first moves to that queue what is in the channel, and puts the
//! letter behind it: what was sent before the letter, by whatever way, stays before it, and what is
//! sent after it comes after it. Sender and actor agree on this under a lock that is held for no code
//! of the user's.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context as TaskContext, Poll, Waker},
};

use actix::{
    Actor, Context,
    dev::{
        ContextParts, Envelope,
        channel::{AddressReceiver, AddressSender},
    },
};
use futures_core::Stream;
use tokio::sync::Notify;

use crate::panics::drop_guarded;

use super::tally::Tally;

/// Plain envelopes that one letter moves at most. Others may go on sending meanwhile; a letter does
/// not wait for more than these, and those beyond come after it.
const MOVED_AT_ONCE: usize = 1 << 20;
/// Room of an empty queue that is worth giving back.
const SPACIOUS: usize = 1_024;

/// The mailbox, as senders and actor share it.
pub(crate) struct Letterbox<A: Actor> {
    open: Mutex<Option<Open<A>>>,
    /// Called for each message that leaves while somebody waits for room.
    room: Notify,
    waiting: AtomicUsize,
    tally: Arc<Tally>,
}

/// What is there until it is closed.
struct Open<A: Actor> {
    queue: VecDeque<Queued<A>>,
    receiver: AddressReceiver<A>,
    /// The actor's task, if it sleeps until something comes.
    task: Option<Waker>,
}

/// An envelope that has left the channel, or never was in it.
pub(crate) struct Queued<A: Actor> {
    pub(crate) envelope: Envelope<A>,
    pub(crate) is_letter: bool,
}

/// Why a letter was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    Closed,
}

impl<A: Actor> Letterbox<A> {
    fn lock(&self) -> MutexGuard<'_, Option<Open<A>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Takes a letter, whatever there is in the mailbox if it is `forced`.
    pub(super) fn take<T>(
        &self,
        letter: T,
        forced: bool,
        pack: impl FnOnce(T) -> Envelope<A>,
    ) -> Result<(), (Refusal, T)> {
        let mut lock = self.lock();
        let Some(open) = lock.as_mut() else {
            return Err((Refusal::Closed, letter));
        };
        let capacity = open.receiver.capacity();
        if !forced && capacity != 0 && open.queue.len() >= capacity {
            return Err((Refusal::Full, letter));
        }
        open.move_plain();
        open.queue.push_back(Queued {
            envelope: pack(letter),
            is_letter: true,
        });
        // None: it is awake, and looks before it sleeps.
        let task = open.task.take();
        drop(lock);
        if let Some(task) = task {
            task.wake();
        }
        Ok(())
    }

    /// Calls `attempt` until it has room; it is called again when some may have become free.
    pub(super) async fn when_there_is_room(
        &self,
        mut attempt: impl FnMut() -> Result<(), Refusal>,
    ) {
        let _waiting = Waiting::new(&self.waiting);
        loop {
            let mut freed = std::pin::pin!(self.room.notified());
            // From here on no message leaves unnoticed.
            freed.as_mut().enable();
            match attempt() {
                Err(Refusal::Full) => freed.await,
                Ok(()) | Err(Refusal::Closed) => return,
            }
        }
    }
}

/// Somebody waits for room.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl<A: Actor> Open<A> {
    /// The next message of the channel; `Pending` leaves the task's waker here and there.
    fn poll_channel(&mut self, task: &mut TaskContext<'_>) -> Poll<Queued<A>> {
        if let Poll::Ready(Some(envelope)) = Pin::new(&mut self.receiver).poll_next(task) {
            return Poll::Ready(Queued {
                envelope,
                is_letter: false,
            });
        }
        let known = self.task.as_ref();
        if !known.is_some_and(|known| known.will_wake(task.waker())) {
            self.task = Some(task.waker().clone());
        }
        Poll::Pending
    }

    /// Moves what is in the channel.
    fn move_plain(&mut self) {
        // Looking into the channel leaves a waker there.
        let waker = self.task.clone().unwrap_or_else(|| Waker::noop().clone());
        let task = &mut TaskContext::from_waker(&waker);
        for _ in 0..MOVED_AT_ONCE {
            let Poll::Ready(Some(envelope)) = Pin::new(&mut self.receiver).poll_next(task) else {
                return;
            };
            self.queue.push_back(Queued {
                envelope,
                is_letter: false,
            });
        }
    }
}

/// The actor's end of a letterbox; when it is dropped nobody will handle what is in there.
pub(crate) struct Inlet<A: Actor<Context = Context<A>>>(Arc<Letterbox<A>>);

impl<A: Actor<Context = Context<A>>> Inlet<A> {
    /// Takes over a channel.
    pub(crate) fn new(receiver: AddressReceiver<A>, tally: Arc<Tally>) -> Self {
        Self(Arc::new(Letterbox {
            open: Mutex::new(Some(Open {
                queue: VecDeque::new(),
                receiver,
                task: None,
            })),
            room: Notify::new(),
            waiting: AtomicUsize::new(0),
            tally,
        }))
    }

    pub(crate) fn letterbox(&self) -> &Arc<Letterbox<A>> {
        &self.0
    }

    /// The next message; `Pending` leaves the task's waker registered.
    pub(crate) fn poll_next(&self, task: &mut TaskContext<'_>) -> Poll<Queued<A>> {
        let mut lock = self.0.lock();
        let Some(open) = lock.as_mut() else {
            return Poll::Pending;
        };
        if let Some(queued) = open.queue.pop_front() {
            if open.queue.is_empty() && open.queue.capacity() > SPACIOUS {
                open.queue.shrink_to(SPACIOUS);
            }
            drop(lock);
            if self.0.waiting.load(SeqCst) > 0 {
                self.0.room.notify_one();
            }
            return Poll::Ready(queued);
        }
        open.poll_channel(task)
    }

    /// Whether a message waits; if not, the task's waker is left registered.
    pub(crate) fn watch(&self, task: &mut TaskContext<'_>) -> bool {
        let mut lock = self.0.lock();
        let Some(open) = lock.as_mut() else {
            return false;
        };
        if open.queue.is_empty()
            && let Poll::Ready(plain) = open.poll_channel(task)
        {
            open.queue.push_back(plain);
        }
        !open.queue.is_empty()
    }

    /// Calls `f` with the channel, as long as it is there.
    pub(crate) fn with_channel<R>(
        &self,
        f: impl FnOnce(&mut AddressReceiver<A>) -> R,
    ) -> Option<R> {
        self.0.lock().as_mut().map(|open| f(&mut open.receiver))
    }

    pub(crate) fn sender(&self) -> Option<AddressSender<A>> {
        self.with_channel(|channel| channel.sender())
    }

    pub(crate) fn context_parts(&self) -> Option<ContextParts<A>> {
        self.with_channel(|channel| ContextParts::new(channel.sender_producer()))
    }

    /// Closes it; gives the channel and what had left it, to be dropped by the caller.
    pub(crate) fn close(&self) -> Option<(VecDeque<Queued<A>>, AddressReceiver<A>)> {
        let open = self.0.lock().take()?;
        self.0.room.notify_waiters();
        drop(open.task);
        Some((open.queue, open.receiver))
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Inlet<A> {
    fn drop(&mut self) {
        if let Some((queue, receiver)) = self.close() {
            for queued in queue {
                drop_guarded(queued.envelope);
            }
            drop_guarded(receiver);
        }
    }
}
