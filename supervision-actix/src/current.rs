//! Which supervised actor is being polled on this thread.
//!
//! `ctx.fail(..)` has a `&mut Context<A>` and nothing else: actix offers no place in a context for
//! data of ours. All code of an actor runs inside a poll of its supervision, so that poll leaves
//! its shared state here while it lasts.

use std::{any::Any, cell::RefCell, rc::Rc};

use actix::{Actor, AsyncContext, Context};

use crate::shared::Shared;

thread_local! {
    static CURRENT: RefCell<Option<Rc<dyn Any>>> = const { RefCell::new(None) };
}

/// Restores what was current before; polls can nest.
pub(crate) struct Entered {
    before: Option<Rc<dyn Any>>,
}

/// Makes `shared` the current one until the guard is dropped.
pub(crate) fn enter(shared: Rc<dyn Any>) -> Entered {
    Entered {
        before: CURRENT.with(|current| current.replace(Some(shared))),
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        // Outside the borrow: the last reference to a shared state may go with it.
        let ended = CURRENT.with(|current| current.replace(before));
        drop(ended);
    }
}

/// The state of the actor that `ctx` belongs to, if it is supervised and being polled.
pub(crate) fn of<A>(ctx: &Context<A>) -> Option<Rc<Shared<A>>>
where
    A: Actor<Context = Context<A>>,
{
    let current = CURRENT.with(|current| current.borrow().clone())?;
    let shared = current.downcast::<Shared<A>>().ok()?;
    // A handler may hold another context of its own type: that of an actor it is creating.
    shared.is_address(&ctx.address()).then_some(shared)
}
