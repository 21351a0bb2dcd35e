//! Messages that will never be handled, and who is told of them.
//!
//! A message that was sent by a [`TrackedAddr`](crate::TrackedAddr) and cannot be handled is not
//! dropped in silence: whoever subscribed is told what it was, whose it was and why, and can have the
//! message itself. Of messages by a plain `Addr` only the mailbox knows, and only that they were
//! there: of those that are dropped at once one dead letter tells how many they were.
//!
//! ```
//! # use actix::prelude::*;
//! # use supervision_actix::{dead_letters::{self, DeadLetter}, prelude::*};
//! # struct Worker;
//! # impl Actor for Worker { type Context = Context<Self>; }
//! # #[derive(Message)] #[rtype(result = "()")] struct Job(u32);
//! # impl Handler<Job> for Worker {
//! #     type Result = ();
//! #     fn handle(&mut self, _: Job, ctx: &mut Context<Self>) { ctx.stop() }
//! # }
//! struct Undertaker;
//! # impl Actor for Undertaker { type Context = Context<Self>; }
//!
//! impl Handler<DeadLetter> for Undertaker {
//!     type Result = ();
//!
//!     fn handle(&mut self, letter: DeadLetter, _: &mut Context<Self>) {
//!         println!("{}: {:?}", letter.path, letter.reason);
//!         if let Some(Job(number)) = letter.take() {
//!             println!("job {number} is to be done by somebody else");
//!         }
//!         System::current().stop();
//!     }
//! }
//!
//! let system = System::new();
//! let subscription = system.block_on(async {
//!     let worker = ActorProps::plain("/user/worker", || Worker).start_tracked();
//!     worker.do_send(Job(1));
//!     worker.do_send(Job(2)); // the worker has stopped by then
//!     dead_letters::subscribe(Undertaker.start().recipient())
//! });
//! system.run().unwrap();
//! # drop(subscription);
//! ```
//!
//! # Bounds
//!
//! A dead letter is told by `try_send`: a subscriber is told no more than there is room for in its
//! mailbox, whose capacity is its own to set (`ctx.set_mailbox_capacity`; 16 is actix's default).
//! What it has no room for it is not told, which is [counted](Subscription::missed). So however many
//! messages are lost at once, nobody waits and nothing grows. Where nobody subscribes, a message is
//! counted and dropped.

mod letter;
mod subscriber;

pub(crate) use self::subscriber::{Subscriber, is_wanted, tell};
pub use self::{
    letter::{DeadLetter, DeadLetterReason},
    subscriber::{Subscription, subscribe, subscribe_to},
};
