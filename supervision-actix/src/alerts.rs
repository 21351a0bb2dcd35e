//! What the driver must look at besides messages, as bits, so that a poll with nothing special in
//! it pays for one look.

use std::cell::Cell;

/// A set of things to look at.
#[derive(Default)]
pub(crate) struct Alerts(Cell<u8>);

/// One thing to look at.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Alert {
    /// There is a way to the supervisor, through which calls may come.
    Port = 1,
    /// Failures were queued from outside the incarnation, which is not suspended for them yet.
    Reported = 2,
    /// Failures may be waiting for their decision.
    Entered = 4,
    /// The end was asked for through the supervisor.
    EndRequested = 8,
    /// The running incarnation has no pump.
    NoPump = 16,
    /// A message was taken out of the mailbox and not handled yet.
    Stashed = 32,
    /// Something panicked: where is to be forgotten before anything else is polled.
    Panicked = 64,
    /// A cluster hosts the actor: its inlet and its orders are to be looked at. Never cleared.
    Hosted = 128,
}

impl Alerts {
    #[inline]
    pub(crate) fn none(&self) -> bool {
        self.0.get() == 0
    }

    #[inline]
    pub(crate) fn is(&self, alert: Alert) -> bool {
        self.0.get() & alert as u8 != 0
    }

    /// Whether nothing is raised but that a cluster hosts the actor.
    #[inline]
    pub(crate) fn none_but_hosted(&self) -> bool {
        self.0.get() & !(Alert::Hosted as u8) == 0
    }

    /// Whether nothing else is raised.
    #[inline]
    pub(crate) fn only(&self, alert: Alert) -> bool {
        self.0.get() == alert as u8
    }

    pub(crate) fn raise(&self, alert: Alert) {
        self.0.set(self.0.get() | alert as u8);
    }

    pub(crate) fn clear(&self, alert: Alert) {
        self.0.set(self.0.get() & !(alert as u8));
    }

    /// Whether it was raised; it no longer is.
    pub(crate) fn take(&self, alert: Alert) -> bool {
        let raised = self.is(alert);
        self.clear(alert);
        raised
    }
}
