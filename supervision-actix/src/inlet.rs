//! A second way to an actor's handlers, for whoever hosts it: envelopes of its own making, which it
//! gets back, by their being dropped, if the actor goes before they are handled.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use actix::{Actor, dev::Envelope};
use futures_util::task::AtomicWaker;

/// The host's way to an actor. Cheap to clone, from any thread.
///
/// Unlike an address it does not keep the actor alive. Its messages and those of the mailbox take
/// turns; among themselves its messages stay in order. It is not bounded: the host bounds what it puts in.
pub struct Inlet<A: Actor>(Arc<Room<A>>);

struct Room<A: Actor> {
    queue: Mutex<Queue<A>>,
    task: AtomicWaker,
    halted: AtomicBool,
}

struct Queue<A: Actor> {
    waiting: VecDeque<Envelope<A>>,
    closed: bool,
}

impl<A: Actor> Inlet<A> {
    /// An inlet that no actor listens to yet: what is put in waits.
    pub fn new() -> Self {
        Self(Arc::new(Room {
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                closed: false,
            }),
            task: AtomicWaker::new(),
            halted: AtomicBool::new(false),
        }))
    }

    /// Lets the actor handle an envelope. One that comes after the actor's end is dropped.
    pub fn put(&self, envelope: Envelope<A>) {
        let mut queue = self.queue();
        if queue.closed {
            // Its destructor may put it in again elsewhere, or ask this inlet something.
            drop(queue);
            return drop(envelope);
        }
        queue.waiting.push_back(envelope);
        drop(queue);
        self.0.task.wake();
    }

    /// Ends the actor: its current incarnation is stopped without being asked, and none comes after.
    pub fn halt(&self) {
        self.0.halted.store(true, Ordering::Release);
        self.0.task.wake();
    }

    /// How many envelopes wait.
    pub fn len(&self) -> usize {
        self.queue().waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.0.task.register(waker);
    }

    pub(crate) fn take_halt(&self) -> bool {
        self.0.halted.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn next(&self) -> Option<Envelope<A>> {
        self.queue().waiting.pop_front()
    }

    /// Takes nothing any more; gives what was not handled.
    pub(crate) fn close(&self) -> VecDeque<Envelope<A>> {
        let mut queue = self.queue();
        queue.closed = true;
        std::mem::take(&mut queue.waiting)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<A>> {
        // Nothing of the user's runs while it is held.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Actor> Default for Inlet<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor> Clone for Inlet<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Actor> fmt::Debug for Inlet<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet")
            .field("waiting", &self.len())
            .finish()
    }
}
