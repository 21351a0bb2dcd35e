//! How a call gets to the store and its answer back, and what can become of it.
//!
//! 1. The call is sent. It may be lost, or wait in the store for its decision.
//! 2. It arrives, if nothing cuts it off, and is decided at that instant; its caller may have given up.
//! 3. The answer is sent. It may be lost, and what was decided stays decided.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{
    Step,
    world::{Caller, End, World},
};

/// Why a call brought no answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It was not sent: the handle is closed.
    Closed,
    /// It was decided not to be executed.
    Unavailable,
    /// It was not executed: the store is another one.
    Replaced,
    /// It was sent, and nobody knows.
    Timeout,
    /// It was sent, and the handle was closed before an answer came.
    Gone,
}

/// A call that was sent.
pub(super) enum Sent<T> {
    Done(Result<T, Broken>),
    /// The sending half is dropped when the answer is lost.
    Waiting(oneshot::Receiver<Result<T, Broken>>),
}

/// A call on its way.
struct Call<T> {
    caller: Caller,
    about: Arc<str>,
    is_late: bool,
    answer: oneshot::Sender<Result<T, Broken>>,
}

impl World {
    /// Sends a call that `execute` carries out in the store; `decides` if it can change something.
    pub(super) fn call<T: Send + 'static>(
        &mut self,
        caller: &Caller,
        about: impl FnOnce() -> Arc<str>,
        decides: bool,
        execute: impl FnOnce(&mut Self) -> T + Send + 'static,
    ) -> Sent<T> {
        if !caller.is_open() {
            return Sent::Done(Err(Broken::Closed));
        }
        if self.is_calm() {
            if caller.store != self.incarnation {
                return Sent::Done(Err(Broken::Replaced));
            }
            return Sent::Done(Ok(execute(self)));
        }
        let (answer, waiting) = oneshot::channel();
        let (node, about) = (caller.node, about());
        if let Some(mut due) = self.travel(node, End::Node(node), End::Store, &about) {
            let store = self.options.faults.store.clone();
            let is_late = decides && store.late_commit.hits(&mut self.rng);
            if is_late {
                due = due.saturating_add(store.late_by.draw(&mut self.rng));
            }
            let call = Call {
                caller: caller.clone(),
                about,
                is_late,
                answer,
            };
            self.at(due, move |world| world.arrive(call, execute));
        }
        Sent::Waiting(waiting)
    }

    fn arrive<T: Send + 'static>(&mut self, call: Call<T>, execute: impl FnOnce(&mut Self) -> T) {
        let node = call.caller.node;
        if self.is_severed(node, End::Node(node), End::Store, &call.about) {
            return;
        }
        if call.caller.store != self.incarnation {
            return self.answer(call, Err(Broken::Replaced), false);
        }
        if self.severed.no_leader {
            self.stats(node).met_no_leader += 1;
            self.trace(Some(node), Step::MeetNoLeader, &call.about, || 0);
            if self.rng.bool() {
                self.answer(call, Err(Broken::Unavailable), false);
            }
            return;
        }
        let unavailable = self.faults().store.unavailable;
        if unavailable.hits(&mut self.rng) {
            self.stats(node).refused += 1;
            self.trace(Some(node), Step::Refuse, &call.about, || 0);
            return self.answer(call, Err(Broken::Unavailable), false);
        }
        if call.is_late {
            self.stats(node).late_commits += 1;
            self.trace(Some(node), Step::CommitLate, &call.about, || 0);
        }
        let before = self.stats(node).committed;
        let value = execute(self);
        let committed = self.stats(node).committed > before;
        self.answer(call, Ok(value), committed);
    }

    fn answer<T: Send + 'static>(
        &mut self,
        call: Call<T>,
        answer: Result<T, Broken>,
        committed: bool,
    ) {
        let node = call.caller.node;
        let Some(due) = self.travel(node, End::Store, End::Node(node), &call.about) else {
            self.stats(node).committed_unheard += u64::from(committed);
            return;
        };
        self.at(due, move |world| {
            let cut = world.is_severed(node, End::Store, End::Node(node), &call.about);
            if cut || call.answer.is_closed() {
                world.stats(node).committed_unheard += u64::from(committed);
            } else {
                world.afterwards(move || {
                    // Whoever waited may have gone in this very moment.
                    let _ = call.answer.send(answer);
                });
            }
        });
    }
}
