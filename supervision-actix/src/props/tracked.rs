//! Starting an actor with a tracked address, and who is told of its dead letters.

use std::sync::Arc;

use actix::{Actor, Addr, ArbiterHandle, Context, Recipient};

use crate::{
    dead_letters::{DeadLetter, Subscriber},
    factory::Factory,
    mailbox::Mailbox,
    tracked::{Inlet, Tally, TrackedAddr},
};

use super::{ActorProps, Ready, StartError, runtime, started};

impl<A: Actor<Context = Context<A>>, F> ActorProps<A, F> {
    /// Has `to` told of this actor's [dead letters](crate::dead_letters), as much as there is room for
    /// in its mailbox. Default: only those are told who subscribed to all.
    ///
    /// The actor holds `to`, so it must not be the actor's own: it would keep itself.
    pub fn with_dead_letters(mut self, to: Recipient<DeadLetter>) -> Self {
        self.settings.extras_mut().undertaker = Some(Subscriber::new(to, None));
        self
    }
}

impl<A: Actor<Context = Context<A>>, F: Factory<A>> ActorProps<A, F> {
    /// Starts the actor on this arbiter and returns a tracked address.
    ///
    /// # Panics
    /// With the [`StartError`] that [`try_start_tracked`](Self::try_start_tracked) would return.
    pub fn start_tracked(self) -> TrackedAddr<A> {
        started(self.try_start_tracked())
    }

    /// Starts the actor on this arbiter and returns a tracked address.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start_tracked(self) -> Result<TrackedAddr<A>, StartError> {
        let ready = self.check()?;
        runtime()?;
        let (address, mailbox) = ready.tracked_mailbox();
        ready.spawn_with(mailbox, None);
        Ok(address)
    }
}

impl<A: Actor<Context = Context<A>>, F: Factory<A> + Send> ActorProps<A, F> {
    /// Starts the actor on another arbiter and returns a tracked address.
    ///
    /// # Panics
    /// With the [`StartError`] that
    /// [`try_start_tracked_in_arbiter`](Self::try_start_tracked_in_arbiter) would return.
    pub fn start_tracked_in_arbiter(self, arbiter: &ArbiterHandle) -> TrackedAddr<A> {
        started(self.try_start_tracked_in_arbiter(arbiter))
    }

    /// Starts the actor on another arbiter and returns a tracked address.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start_tracked_in_arbiter(
        self,
        arbiter: &ArbiterHandle,
    ) -> Result<TrackedAddr<A>, StartError> {
        let ready = self.check()?;
        let (address, mailbox) = ready.tracked_mailbox();
        let spawned = arbiter.spawn_fn(move || ready.spawn_with(mailbox, None));
        spawned.then_some(address).ok_or(StartError::ArbiterStopped)
    }
}

impl<A: Actor<Context = Context<A>>, F> Ready<A, F> {
    fn tracked_mailbox(&self) -> (TrackedAddr<A>, Mailbox<A>) {
        let settings = &self.spec.settings;
        let tally = Tally::new(self.spec.path.as_str(), settings.undertaker().cloned());
        tracked_mailbox(settings.mailbox_capacity, tally)
    }
}

/// A mailbox with its first address, a tracked one.
pub(crate) fn tracked_mailbox<A: Actor<Context = Context<A>>>(
    capacity: usize,
    tally: Arc<Tally>,
) -> (TrackedAddr<A>, Mailbox<A>) {
    let (address, mailbox): (Addr<A>, _) = Mailbox::new(capacity);
    let inlet = match mailbox {
        Mailbox::Plain(receiver) => Inlet::new(receiver, tally),
        Mailbox::Tracked(inlet) => inlet,
    };
    let tracked = TrackedAddr::new(address, inlet.letterbox().clone());
    (tracked, Mailbox::Tracked(inlet))
}
