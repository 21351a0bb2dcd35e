//! Where the panics of one actor's poll happened, until they are caught.
//!
//! A panic's payload does not say where it came from; only the panic hook is told, and it is called
//! before anybody knows whether the panic reaches the supervisor: the actor may catch it itself, and
//! while one panic unwinds a destructor may raise and catch another. So the hook leaves a note of
//! each, and whoever has caught a payload looks for the note of just that one.

use std::{
    any::{Any, TypeId},
    cell::Cell,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::panics::known_text;

/// Notes kept in one poll: of an actor that catches its own panics, the last ones.
const MAX_NOTES: usize = 8;

/// The notes of one poll. Nothing is allocated before the first panic.
#[derive(Default)]
pub(crate) struct PanicNotes(Cell<Option<Box<Kept>>>);

#[derive(Default)]
struct Kept {
    notes: Vec<Note>,
}

struct Note {
    panic: Mark,
    location: String,
}

impl PanicNotes {
    /// Notes that the panic with this payload happened at `location`.
    pub(crate) fn add(&self, payload: &(dyn Any + Send), location: String) {
        let mut kept = self.0.take().unwrap_or_default();
        if kept.notes.len() == MAX_NOTES {
            kept.notes.remove(0);
        }
        kept.notes.push(Note {
            panic: Mark::of(payload),
            location,
        });
        self.0.set(Some(kept));
    }

    /// Where the panic with this payload happened, if it was noted. Its note goes, and with it those
    /// of the panics that were raised and caught while it unwound.
    pub(crate) fn take(&self, payload: &(dyn Any + Send)) -> Option<String> {
        let mut kept = self.0.take()?;
        let found = kept.find(payload).map(|at| {
            kept.notes.truncate(at + 1);
            kept.notes.pop().map(|note| note.location)
        });
        self.0.set(Some(kept));
        found?
    }

    /// Forgets all: what was not taken was caught by the actor itself.
    pub(crate) fn clear(&self) {
        self.0.set(None);
    }

    /// As [`take`](Self::take), for a panic that goes on: its note stays.
    pub(crate) fn look(&self, payload: &(dyn Any + Send)) -> Option<String> {
        let kept = self.0.take()?;
        let found = kept.find(payload);
        let location = found.map(|at| kept.notes[at].location.clone());
        self.0.set(Some(kept));
        location
    }
}

impl Kept {
    /// The last note that fits.
    fn find(&self, payload: &(dyn Any + Send)) -> Option<usize> {
        let mark = Mark::of(payload);
        self.notes.iter().rposition(|note| note.panic == mark)
    }
}

/// By what a payload is recognised: it moves between the hook and whoever catches it.
#[derive(PartialEq)]
struct Mark {
    payload: TypeId,
    /// A digest of the text, where it is one.
    text: Option<u64>,
}

impl Mark {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let text = known_text(payload).map(|text| {
            let mut digest = DefaultHasher::new();
            text.hash(&mut digest);
            digest.finish()
        });
        Self {
            payload: payload.type_id(),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Box<dyn Any + Send> {
        Box::new(text.to_owned())
    }

    #[test]
    fn a_panic_that_was_raised_and_caught_while_another_unwound_does_not_hide_it() {
        let notes = PanicNotes::default();
        notes.add(&*text("outer"), "a.rs:1:1".to_owned());
        notes.add(&*text("inner"), "b.rs:2:2".to_owned());
        assert_eq!(notes.take(&*text("outer")).as_deref(), Some("a.rs:1:1"));
        assert_eq!(notes.take(&*text("inner")), None, "it has gone with it");
    }

    #[test]
    fn of_panics_that_look_alike_the_last_is_meant() {
        let notes = PanicNotes::default();
        notes.add(&7_u8, "a.rs:1:1".to_owned());
        notes.add(&8_u8, "b.rs:2:2".to_owned());
        assert_eq!(notes.look(&9_u8).as_deref(), Some("b.rs:2:2"));
        assert_eq!(notes.take(&9_u8).as_deref(), Some("b.rs:2:2"));
        assert_eq!(notes.take(&9_u16), None);
        assert_eq!(notes.take(&9_u8).as_deref(), Some("a.rs:1:1"));
        assert_eq!(notes.take(&9_u8), None);
    }

    #[test]
    fn notes_are_bounded_and_the_last_ones_stay() {
        let notes = PanicNotes::default();
        for number in 0..100 {
            notes.add(&*text(&number.to_string()), format!("a.rs:{number}:1"));
        }
        assert_eq!(notes.look(&*text("91")), None);
        assert_eq!(notes.look(&*text("92")).as_deref(), Some("a.rs:92:1"));
        assert_eq!(notes.take(&*text("99")).as_deref(), Some("a.rs:99:1"));
    }
}
