//! Which supervised actor is being polled on this thread.
//!
//! `ctx.fail(..)` has a `&mut Context<A>` and nothing else: actix offers no place in a context for
//! data of ours. All code of an actor runs inside a poll of its supervision, so that poll leaves
//! its shared state here while it lasts. Polls can nest; the outer one's comes back.

use std::{any::Any, cell::Cell, mem::ManuallyDrop, rc::Rc};

use actix::{Actor, Context};
use scoped_tls::scoped_thread_local;

use crate::{handling::Turn, panic_notes::PanicNotes, shared::Shared};

thread_local! {
    // Nothing is left in here at a thread's end: what is put in is taken out by `Scope`. Declared to
    // need no destructor, it costs no look at whether that has run.
    static CURRENT: Cell<Slot> = const { Cell::new(None) };
}

type Slot = Option<ManuallyDrop<Rc<dyn Polled>>>;

// A task of its own that works for an actor.
scoped_thread_local!(static TASK: PanicNotes);

/// The shared state of a supervised actor of any type.
pub(crate) trait Polled: Any {
    /// Where the panics of this poll are noted. They are forgotten before the next one.
    fn panic_notes(&self) -> &PanicNotes;

    /// The envelope it is handling, or handled last.
    fn turn(&self) -> Turn;
}

/// Runs `work` with `shared` as the current one.
pub(crate) fn scope<R>(shared: Rc<dyn Polled>, work: impl FnOnce() -> R) -> R {
    let _scope = Scope {
        outer: CURRENT.replace(Some(ManuallyDrop::new(shared))),
    };
    work()
}

/// Brings the outer poll's state back, also while a panic unwinds.
struct Scope {
    outer: Slot,
}

impl Drop for Scope {
    fn drop(&mut self) {
        let inner = CURRENT.replace(self.outer.take());
        drop(inner.map(ManuallyDrop::into_inner));
    }
}

fn current() -> Option<Rc<dyn Polled>> {
    CURRENT.with(|slot| {
        let taken = slot.take()?;
        let current = Rc::clone(&taken);
        slot.set(Some(taken));
        Some(current)
    })
}

/// Runs a watched task's `work`; inside an actor it belongs to that.
pub(crate) fn task_scope<R>(work: impl FnOnce() -> R) -> R {
    if current().is_some() {
        return work();
    }
    TASK.set(&PanicNotes::default(), work)
}

/// Runs `work` with the notes of the actor or task being polled, if there is one.
pub(crate) fn with_notes<R>(work: impl FnOnce(&PanicNotes) -> R) -> Option<R> {
    if let Some(current) = current() {
        return Some(work(current.panic_notes()));
    }
    TASK.is_set().then(|| TASK.with(work))
}

/// The envelope that the actor being polled is handling, or handled last.
pub(crate) fn turn() -> Option<Turn> {
    current().map(|current| current.turn())
}

/// Runs `work` with the state of the actor being polled, if that is a supervised `A`.
pub(crate) fn with<A, R>(work: impl FnOnce(&Shared<A>) -> R) -> Option<R>
where
    A: Actor<Context = Context<A>>,
{
    let current = current()?;
    let current: &dyn Any = &*current;
    current.downcast_ref().map(work)
}

/// The state of the actor that `ctx` belongs to, if it is supervised and being polled.
pub(crate) fn of<A>(ctx: &Context<A>) -> Option<Rc<Shared<A>>>
where
    A: Actor<Context = Context<A>>,
{
    let shared: Rc<dyn Any> = current()?;
    let shared = shared.downcast::<Shared<A>>().ok()?;
    // A handler may hold another context of its own type: that of an actor it is creating.
    shared.is_context(ctx).then_some(shared)
}
