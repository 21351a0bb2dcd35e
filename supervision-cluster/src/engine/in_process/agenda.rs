//! What is to happen later, in order of time and, within the same instant, in the order it was noted.

use std::{collections::BTreeMap, fmt};

use supervision_core::Timestamp;

use super::world::World;
use crate::engine::{Key, Revision};

/// Something that will happen.
pub(super) enum Event {
    /// An entry's time is over, if it is still this one.
    Expire(Key, Revision),
    /// A deletion or expiry need not be told any longer.
    Forget(Key, Revision),
    /// Something arrives.
    Arrive(Box<dyn FnOnce(&mut World) + Send>),
}

/// When something happens; names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Appointment {
    pub(super) at: Timestamp,
    number: u64,
}

/// All that is to happen.
#[derive(Default)]
pub(super) struct Agenda {
    events: BTreeMap<Appointment, Event>,
    noted: u64,
}

impl Agenda {
    pub(super) fn note(&mut self, at: Timestamp, event: Event) -> Appointment {
        self.noted += 1;
        let number = self.noted;
        let appointment = Appointment { at, number };
        self.events.insert(appointment, event);
        appointment
    }

    pub(super) fn cancel(&mut self, appointment: Appointment) {
        self.events.remove(&appointment);
    }

    /// The next event if it is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let due = self.next()? <= now;
        let (appointment, event) = due.then(|| self.events.pop_first())??;
        Some((appointment.at, event))
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let (appointment, _) = self.events.first_key_value()?;
        Some(appointment.at)
    }
}

impl fmt::Debug for Agenda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events to come", self.events.len())
    }
}
