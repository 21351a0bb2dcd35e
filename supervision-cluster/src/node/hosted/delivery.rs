//! What is put into a hosted actor's inlet: one message each, or the order to go.

use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, WrapFuture, dev::EnvelopeProxy};
use supervision_actix::depart;
use supervision_core::NodeId;

use super::cell::Cell;
use crate::{kind::Delivered, protocol::Answer};

/// One item on its way to its handler; or, without one, the end of a batch of which the rest was
/// taken back.
pub(super) struct Delivery<A: Actor<Context = Context<A>>> {
    cell: Arc<Cell<A>>,
    item: Option<u64>,
}

impl<A: Actor<Context = Context<A>>> Delivery<A> {
    pub(super) fn new(cell: &Arc<Cell<A>>, item: u64) -> Self {
        Self {
            cell: Arc::clone(cell),
            item: Some(item),
        }
    }

    pub(super) fn last(cell: &Arc<Cell<A>>) -> Self {
        Self {
            cell: Arc::clone(cell),
            item: None,
        }
    }
}

impl<A: Actor<Context = Context<A>>> EnvelopeProxy<A> for Delivery<A> {
    fn handle(&mut self, actor: &mut A, ctx: &mut Context<A>) {
        let Some(item) = self.item else {
            return self.cell.finish_batch(actor, ctx);
        };
        // It may have been taken back, or the node may not act any more.
        let Some(body) = self.cell.begin(item) else {
            return;
        };
        let guard = Begun {
            cell: &self.cell,
            item,
        };
        let delivered = guard.cell.call(actor, ctx, &body);
        std::mem::forget(guard);
        match delivered {
            Delivered::Now(answer) => self.cell.finish(item, answer, actor, ctx),
            Delivered::Later(answer) => {
                let cell = Arc::clone(&self.cell);
                let finish = answer
                    .into_actor(actor)
                    .map(move |answer, actor, ctx| cell.finish(item, answer, actor, ctx));
                ctx.spawn(finish);
            }
        }
    }
}

/// A message whose handler runs. Dropped while it does, the handler has panicked.
struct Begun<'a, A: Actor<Context = Context<A>>> {
    cell: &'a Cell<A>,
    item: u64,
}

impl<A: Actor<Context = Context<A>>> Drop for Begun<'_, A> {
    fn drop(&mut self) {
        let why = "the handler panicked".to_owned();
        self.cell.fail(self.item, Answer::Failed(why));
    }
}

/// The order to go.
pub(super) struct Departure(pub(super) NodeId);

impl<A: Actor<Context = Context<A>>> EnvelopeProxy<A> for Departure {
    fn handle(&mut self, _: &mut A, ctx: &mut Context<A>) {
        depart(ctx, self.0.clone());
    }
}
