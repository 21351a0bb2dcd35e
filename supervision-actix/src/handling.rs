//! Which message is being handled, where that is known: from here a failure learns the type of the
//! message it belongs to, and a message learns that it failed.
//!
//! A plain envelope of actix says nothing about what is in it. A letter of our own send path does,
//! and so does a handler that calls [`handling`](crate::SupervisedContext::handling).

use std::cell::Cell;

use actix::{Actor, AsyncContext, Context};
use supervision_core::Cause;

use crate::{shared::Shared, stalls::slot::here};

thread_local! {
    static NOW: Cell<Option<Now>> = const { Cell::new(None) };
    /// What was being handled where a panic passed. Whoever catches it asks for it.
    static PANICKED: Cell<Option<(Turn, &'static str)>> = const { Cell::new(None) };
}

/// One actor's handling of one envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Where the actor's shared state is.
    pub(crate) actor: usize,
    /// The number of the envelope.
    pub(crate) number: u32,
}

#[derive(Clone, Copy)]
struct Now {
    turn: Turn,
    message: &'static str,
    failed: bool,
}

/// Kept while a message is handled. One that is dropped without [`end`](Self::end) was unwound by a
/// panic.
pub(crate) struct Handling {
    turn: Turn,
    outer: Option<Now>,
    has_deadline: bool,
}

impl Handling {
    /// The actor begins to handle a message of this type.
    pub(crate) fn begin<A>(shared: &Shared<A>, message: &'static str) -> Self
    where
        A: Actor<Context = Context<A>>,
    {
        let turn = shared.turn();
        let has_deadline = shared.spec().settings.stall_deadline().is_some();
        if has_deadline {
            here().handle(Some(message));
        }
        let now = Now {
            turn,
            message,
            failed: false,
        };
        Self {
            turn,
            outer: NOW.replace(Some(now)),
            has_deadline,
        }
    }

    /// The handler has returned; tells whether the actor reported a failure meanwhile.
    pub(crate) fn end<A>(self, shared: &Shared<A>, ctx: &Context<A>) -> bool
    where
        A: Actor<Context = Context<A>>,
    {
        let now = self.leave();
        let (turn, has_deadline) = (self.turn, self.has_deadline);
        std::mem::forget(self);
        let Some(now) = now else { return false };
        if has_deadline && ctx.waiting() {
            shared.note_wait(turn, now.message);
        }
        now.failed
    }

    /// Goes back to what was being handled around it.
    fn leave(&self) -> Option<Now> {
        if self.has_deadline {
            here().handle(self.outer.map(|outer| outer.message));
        }
        let now = NOW.replace(self.outer);
        if now.is_some_and(|now| now.failed)
            && let Some(mut outer) = self.outer
            && outer.turn == self.turn
        {
            outer.failed = true;
            NOW.set(Some(outer));
        }
        now
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        if let Some(now) = self.leave() {
            PANICKED.set(Some((self.turn, now.message)));
        }
    }
}

/// The type of what is being handled on this thread.
pub(crate) fn message_type() -> Option<&'static str> {
    NOW.get().map(|now| now.message)
}

/// A failure that an actor reports from inside: of what it is handling, if it handles anything.
pub(crate) fn blame<A>(shared: &Shared<A>, cause: Cause) -> Cause
where
    A: Actor<Context = Context<A>>,
{
    match NOW.get() {
        Some(now) if now.turn.actor == shared.turn().actor => {
            NOW.set(Some(Now {
                failed: true,
                ..now
            }));
            cause.handling(Some(now.message))
        }
        _ => cause,
    }
}

/// What was being handled in this turn when it panicked.
pub(crate) fn panicked_in(turn: Turn) -> Option<&'static str> {
    let (of, message) = PANICKED.get()?;
    if of != turn {
        return None;
    }
    PANICKED.set(None);
    Some(message)
}
