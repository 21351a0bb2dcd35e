//! A child's task on its way to its arbiter. Should the arbiter stop before it is there, the group
//! would wait for it for ever; so it is told.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{
    control::Call,
    group::{newborn::Wiring, task::Event},
    order::{News, Order, Post, arbiter_stopped},
};

/// What a task is made of, until it is.
pub(super) struct Expected<P: Parts>(Option<(P, Post)>);

/// Parts by which a task would have learnt its orders.
pub(super) trait Parts {
    /// Orders that nobody will obey; none comes after them.
    fn leave(&mut self) -> Vec<Order>;
}

impl<P: Parts> Expected<P> {
    pub(super) fn new(parts: P, post: Post) -> Self {
        Self(Some((parts, post)))
    }

    /// It has arrived. `None` does not happen: it arrives once.
    pub(super) fn arrive(mut self) -> Option<(P, Post)> {
        self.0.take()
    }
}

impl<P: Parts> Drop for Expected<P> {
    fn drop(&mut self) {
        if let Some((mut parts, post)) = self.0.take() {
            for order in parts.leave() {
                post.decline(&order);
            }
        }
    }
}

impl Parts for Arc<Call> {
    fn leave(&mut self) -> Vec<Order> {
        Call::leave(self)
    }
}

impl Parts for Wiring {
    fn leave(&mut self) -> Vec<Order> {
        orders_left(&mut self.events)
    }
}

/// Takes what is left in a channel that nobody reads any more, one by one: what is being sent from
/// another thread just now is waited for. All but the orders is dropped, which tells who asked.
pub(super) fn orders_left(events: &mut mpsc::UnboundedReceiver<Event>) -> Vec<Order> {
    events.close();
    let left = std::iter::from_fn(|| events.try_recv().ok());
    let orders = left.filter_map(|event| match event {
        Event::Order(order) => Some(order),
        _ => None,
    });
    orders.collect()
}

impl Post {
    /// Tells the group that an order is not obeyed. Only that of a start is waited for.
    pub(crate) fn decline(&self, order: &Order) {
        if let Order::Start(life) = order {
            self.tell(*life, News::StartFailed(arbiter_stopped(), Vec::new()));
        }
    }
}
