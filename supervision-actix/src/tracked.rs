//! Our own send path: an address whose messages are known by their type and come to exactly one
//! counted end.

mod letter;
mod letterbox;
mod request;
mod tally;

use std::{fmt, marker::PhantomData, sync::Arc};

use actix::{Actor, Addr, Context, Handler, Message, dev::Envelope, prelude::SendError};
use tokio::sync::oneshot;

use crate::{
    dead_letters::DeadLetterReason,
    supervisor::{SupervisorActor, SupervisorContext},
};

use self::{letter::Letter, letterbox::Refusal};

pub(crate) use self::{
    letterbox::{Inlet, Letterbox, Queued},
    tally::{Said, Tally},
};
pub use self::{request::TrackedRequest, tally::TrackedCounts};

/// An address of a supervised actor that keeps track of its messages.
///
/// It sends to the same mailbox as the actor's plain `Addr`, and the actor needs nothing for it but
/// the handlers it has. What it sends is
///
/// * **known by its type**: a failure while it is handled names the type in its record
///   ([`FailureRecord::message_type`](crate::FailureRecord));
/// * **counted**: each message comes to exactly one end, and the [sums](TrackedCounts) are exact;
/// * **not lost in silence**: what cannot be handled goes to those who
///   [subscribed to dead letters](crate::dead_letters), with the message itself.
///
/// It is called tracked because that is all it adds: delivery is at most once, as with an `Addr`. A
/// `Recipient` cannot be made of it: only actix makes those, and of plain addresses.
///
/// ```
/// # use actix::prelude::*;
/// # use supervision_actix::prelude::*;
/// # struct Divider;
/// # impl Actor for Divider { type Context = Context<Self>; }
/// # #[derive(Message)] #[rtype(result = "i32")] struct Divide(i32, i32);
/// # impl Handler<Divide> for Divider {
/// #     type Result = i32;
/// #     fn handle(&mut self, msg: Divide, _: &mut Context<Self>) -> i32 { msg.0 / msg.1 }
/// # }
/// System::new().block_on(async {
///     let divider = ActorProps::plain("/user/divider", || Divider).start_tracked();
///     assert_eq!(divider.send(Divide(6, 3)).await, Ok(2));
///     assert!(divider.send(Divide(1, 0)).await.is_err()); // panics
///     let counts = divider.counts();
///     assert_eq!((counts.sent, counts.handled, counts.failed), (2, 1, 1));
/// });
/// ```
///
/// # Where it comes from
///
/// [`ActorProps::start_tracked`](crate::ActorProps::start_tracked), the supervisor's answer to
/// [`GetTrackedAddr`], [`DynamicSupervisor::add_tracked`](crate::group::DynamicSupervisor::add_tracked),
/// and [`tracked_address`](crate::SupervisedContext::tracked_address) inside the actor. All of one
/// actor count together. An actor that was never asked for one pays nothing.
///
/// # Order and room
///
/// Messages of one sender are handled in the order in which they were sent, also where it sends some
/// by the plain address and some by this one. (Where more than a million plain ones wait, those
/// beyond may come after.)
///
/// `try_send` and `send` find the mailbox full when it holds as many messages as its capacity says;
/// plain ones that have not been overtaken by a tracked one yet do not count. The asker waits, and
/// other than with a plain address it is woken when there is room. `do_send` is never refused.
///
/// A message costs a lock and some atomics more than a plain one: a tell in a burst about twice as
/// much, an ask about a tenth more.
///
/// # The type of the message, without a tracked address
///
/// A plain envelope of actix's does not tell what is in it. [`FailOnErr`](crate::FailOnErr) does
/// know its message; [`handling`](crate::SupervisedContext::handling) says it for the rest of a
/// handler. (The derive stands on the actor, not on its handlers, and can do nothing about it.)
pub struct TrackedAddr<A: Actor<Context = Context<A>>> {
    address: Addr<A>,
    letterbox: Arc<Letterbox<A>>,
}

impl<A: Actor<Context = Context<A>>> TrackedAddr<A> {
    pub(crate) fn new(address: Addr<A>, letterbox: Arc<Letterbox<A>>) -> Self {
        Self { address, letterbox }
    }

    /// The actor's plain address. What is sent by it is neither known nor counted.
    pub fn address(&self) -> &Addr<A> {
        &self.address
    }

    /// Whether the actor has not ended.
    pub fn connected(&self) -> bool {
        self.address.connected()
    }

    /// What became of the messages sent by all tracked addresses of this actor so far.
    pub fn counts(&self) -> TrackedCounts {
        self.letterbox.tally().counts()
    }

    /// Sends a message, however full the mailbox is. If the actor has ended it is a dead letter.
    pub fn do_send<M>(&self, message: M)
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.tally().count_sent();
        let letter = Letter::new(message, None, self.tally());
        if let Err((_, mut letter)) = self.letterbox.take(letter, true, seal) {
            letter.end_unhandled(Some(DeadLetterReason::Closed));
        }
    }

    /// Sends a message if there is room.
    ///
    /// # Errors
    /// `Full` or `Closed` give the message back; it is counted as refused and not as sent.
    pub fn try_send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let letter = Letter::new(message, None, self.tally());
        let taken = self.letterbox.take(letter, false, |letter| {
            self.tally().count_sent();
            seal(letter)
        });
        let Err((refusal, mut letter)) = taken else {
            return Ok(());
        };
        self.tally().count_refused();
        match (letter.take_back(), refusal) {
            (Some(message), Refusal::Full) => Err(SendError::Full(message)),
            (Some(message), Refusal::Closed) => Err(SendError::Closed(message)),
            (None, _) => unreachable!("a letter that was not taken holds its message"),
        }
    }

    /// Sends a message and waits for the answer; first for room if the mailbox is full.
    ///
    /// The request's errors are `Closed` if the message failed, was dead-lettered or gets no answer,
    /// and `Timeout`.
    pub fn send<M>(&self, message: M) -> TrackedRequest<M::Result>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.tally().count_sent();
        let (reply, answer) = oneshot::channel();
        let letter = Letter::new(message, Some(reply), self.tally());
        match self.letterbox.take(letter, false, seal) {
            Ok(()) => TrackedRequest::new(answer, None),
            Err((Refusal::Closed, mut letter)) => {
                letter.end_unhandled(Some(DeadLetterReason::Closed));
                TrackedRequest::new(answer, None)
            }
            Err((Refusal::Full, letter)) => {
                let entering = enter(self.clone(), letter);
                TrackedRequest::new(answer, Some(Box::pin(entering)))
            }
        }
    }

    fn tally(&self) -> &Arc<Tally> {
        self.letterbox.tally()
    }
}

fn seal<A, M>(letter: Box<Letter<M>>) -> Envelope<A>
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    Envelope::with_proxy(letter)
}

/// Takes a letter to a mailbox that was full, when there is room.
async fn enter<A, M>(to: TrackedAddr<A>, letter: Box<Letter<M>>)
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    let mut outside = Some(letter);
    let attempt = || {
        let Some(letter) = outside.take() else {
            return Ok(());
        };
        let taken = to.letterbox.take(letter, false, seal);
        taken.map_err(|(refusal, letter)| {
            outside = Some(letter);
            refusal
        })
    };
    to.letterbox.when_there_is_room(attempt).await;
    if let Some(mut letter) = outside {
        letter.end_unhandled(Some(DeadLetterReason::Closed));
    }
}

impl<A: Actor<Context = Context<A>>> Clone for TrackedAddr<A> {
    fn clone(&self) -> Self {
        Self::new(self.address.clone(), self.letterbox.clone())
    }
}

impl<A: Actor<Context = Context<A>>> PartialEq for TrackedAddr<A> {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl<A: Actor<Context = Context<A>>> Eq for TrackedAddr<A> {}

impl<A: Actor<Context = Context<A>>> fmt::Debug for TrackedAddr<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedAddr")
            .field("connected", &self.connected())
            .field("counts", &self.counts())
            .finish()
    }
}

/// Asks a supervisor for a tracked address of its actor: `None` once the actor has ended.
pub struct GetTrackedAddr<A>(PhantomData<fn() -> A>);

impl<A> GetTrackedAddr<A> {
    /// The question.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Default for GetTrackedAddr<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor<Context = Context<A>>> Message for GetTrackedAddr<A> {
    type Result = Option<TrackedAddr<A>>;
}

impl<A: Actor<Context = Context<A>>> Handler<GetTrackedAddr<A>> for SupervisorActor<A> {
    type Result = Option<TrackedAddr<A>>;

    fn handle(&mut self, _: GetTrackedAddr<A>, _: &mut SupervisorContext<A>) -> Self::Result {
        self.shared().tracked_address()
    }
}
