//! Messages beside being handled: how many there were, what is not handled, and the letterbox of an
//! actor with tracked addresses.

use std::{sync::Arc, task::Context as TaskContext, task::Poll};

use actix::{Actor, Context};

use super::{Shared, Status};
use crate::{
    control::call_of,
    dead_letters::{DeadLetter, DeadLetterReason, tell},
    handling::Turn,
    mailbox::Mailbox,
    mailbox_counts::MailboxCounts,
    panics::drop_guarded,
    tracked::{Letterbox, Said, Tally, TrackedAddr},
};

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Counts an envelope that is about to be handled. In 32 bits here, so that it takes no room.
    #[inline]
    pub(crate) fn count_dispatched(&self) {
        let (count, wrapped) = self.dispatched.get().overflowing_add(1);
        self.dispatched.set(count);
        if wrapped {
            self.count_a_wrap();
        }
    }

    #[cold]
    fn count_a_wrap(&self) {
        let wraps = &self.rare().dispatched_wraps;
        wraps.set(wraps.get() + 1);
    }

    /// The envelope being handled.
    pub(crate) fn turn(&self) -> Turn {
        Turn {
            actor: std::ptr::from_ref(self).addr(),
            number: self.dispatched.get(),
        }
    }

    /// Notes that the handling of this message has left a future that holds back the next one.
    pub(crate) fn note_wait(&self, turn: Turn, message: &'static str) {
        self.rare().holds_back.set(Some((turn, message)));
    }

    /// The message that left the future which holds back the next one, if that is known.
    pub(crate) fn holding_back(&self) -> Option<&'static str> {
        let (turn, message) = self.rare.get()?.holds_back.get()?;
        (turn == self.turn()).then_some(message)
    }

    /// Nothing holds back messages.
    pub(crate) fn forget_wait(&self) {
        if let Some(rare) = self.rare.get() {
            rare.holds_back.set(None);
        }
    }

    /// How many messages there were.
    pub(crate) fn mailbox_counts(&self) -> MailboxCounts {
        let rare = self.rare.get();
        let wraps = rare.map_or(0, |rare| rare.dispatched_wraps.get());
        MailboxCounts {
            dispatched: (u64::from(wraps) << u32::BITS) + u64::from(self.dispatched.get()),
            plain_dropped: rare.map_or(0, |rare| rare.plain_dropped.get()),
            tracked: rare.and_then(|rare| Some(rare.tally.get()?.counts())),
            dead_letters_missed: self
                .spec
                .settings
                .undertaker()
                .map_or(0, |own| own.missed()),
        }
    }
}

/// The letterbox.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// A tracked address, for as long as the actor has not ended. The mailbox gets its letterbox now
    /// if it has none.
    pub(crate) fn tracked_address(&self) -> Option<TrackedAddr<A>> {
        let mut slot = self.mailbox.borrow_mut();
        let has_one = slot
            .as_ref()
            .is_some_and(|mailbox| mailbox.letterbox().is_some());
        if !has_one {
            let mailbox = slot.take()?;
            let path = self.path();
            let own = self.spec.settings.undertaker().cloned();
            *slot = Some(mailbox.tracked(|| Tally::new(&path, own)));
        }
        let mailbox = slot.as_ref()?;
        let (address, letterbox) = (mailbox.address()?, mailbox.letterbox()?.clone());
        drop(slot);
        self.know_letterbox(&letterbox);
        if !has_one {
            // The actor's task has left its waker with the channel only; it is to look once more.
            call_of(self).call();
        }
        Some(TrackedAddr::new(address, letterbox))
    }

    /// Keeps the tally: it outlives the mailbox.
    pub(super) fn know_letterbox(&self, letterbox: &Arc<Letterbox<A>>) {
        self.rare().tally.get_or_init(|| letterbox.tally().clone());
    }
}

/// What is not handled.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Drops what is queued; senders get `Closed` from now on.
    pub(crate) fn close_mailbox(&self) {
        let mailbox = self.mailbox.borrow_mut().take();
        let reason = match self.status() {
            Status::Ended => DeadLetterReason::Ended,
            Status::Starting | Status::Running | Status::Waiting => {
                DeadLetterReason::ArbiterStopped
            }
        };
        self.say(reason);
        // What is stashed came first.
        let mut plain = self.drop_stashed();
        if let Some(mailbox) = mailbox {
            plain += mailbox.close();
        }
        self.count_plain_dropped(plain, reason);
    }

    /// Drops what is queued, and goes on taking messages.
    pub(crate) fn refuse_queued(&self, task: &mut TaskContext<'_>) {
        self.say(DeadLetterReason::NotRunning);
        let mut plain = self.drop_stashed();
        while let Some(queued) = self.poll_queued(task) {
            plain += u64::from(!queued.is_letter);
            drop_guarded(queued.envelope);
        }
        self.count_plain_dropped(plain, DeadLetterReason::NotRunning);
    }

    fn poll_queued(&self, task: &mut TaskContext<'_>) -> Option<crate::tracked::Queued<A>> {
        let mut mailbox = self.mailbox.borrow_mut();
        match mailbox
            .as_mut()
            .map(|mailbox: &mut Mailbox<A>| mailbox.poll_queued(task))
        {
            Some(Poll::Ready(queued)) => Some(queued),
            Some(Poll::Pending) | None => None,
        }
    }

    /// A stashed envelope is a plain one: letters are left where they are.
    fn drop_stashed(&self) -> u64 {
        let stashed = self.rare.get().and_then(|rare| rare.stash.take());
        let count = u64::from(stashed.is_some());
        drop_guarded(stashed);
        count
    }

    /// Says what there is to say of letters that are dropped from now on.
    fn say(&self, reason: DeadLetterReason) {
        if let Some(tally) = self.rare.get().and_then(|rare| rare.tally.get()) {
            tally.say(self.said(reason));
        }
    }

    fn said(&self, reason: DeadLetterReason) -> Said {
        Said {
            path: self.path().into(),
            incarnation: self.incarnation(),
            reason,
        }
    }

    fn count_plain_dropped(&self, count: u64, reason: DeadLetterReason) {
        if count == 0 {
            return;
        }
        let dropped = &self.rare().plain_dropped;
        dropped.set(dropped.get() + count);
        let own = self.spec.settings.undertaker();
        tell(own, || DeadLetter::of_unknown(self.said(reason), count));
    }
}
