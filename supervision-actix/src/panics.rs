//! Turning a caught panic into a cause, without letting its payload do harm.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use supervision_core::Cause;

use crate::{current, handling, panic_notes::PanicNotes};

/// Runs `f`; a panic becomes a cause.
///
/// What `f` left half-changed is the caller's to discard, hence no `UnwindSafe` is asked for.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Cause> {
    payload_caught(f).map_err(cause_of_panic)
}

/// Runs `f` where speed matters; a panic is returned as it is, to be described by
/// [`cause_of_panic`].
#[inline]
pub(crate) fn payload_caught<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Describes a panic by its payload and the place where it happened, and drops the payload. To be
/// called in the poll that caught it.
#[cold]
pub(crate) fn cause_of_panic(payload: Payload) -> Cause {
    let cause = describe_panic(&*payload, |notes| notes.take(&*payload));
    drop_guarded(payload);
    cause
}

/// As [`cause_of_panic`], for a panic that goes on.
pub(crate) fn cause_of_passing_panic(payload: &(dyn Any + Send)) -> Cause {
    describe_panic(payload, |notes| notes.look(payload))
}

fn describe_panic(
    payload: &(dyn Any + Send),
    location: impl FnOnce(&PanicNotes) -> Option<String>,
) -> Cause {
    let message_type = current::turn().and_then(handling::panicked_in);
    let cause = Cause::panic(text_of_panic(payload)).handling(message_type);
    match current::with_notes(location).flatten() {
        Some(location) => cause.at(location),
        None => cause,
    }
}

/// A panic's payload as text.
fn text_of_panic(payload: &(dyn Any + Send)) -> String {
    let text = known_text(payload);
    text.unwrap_or("panic payload is not text").to_owned()
}

/// A payload that is text.
pub(crate) fn known_text(payload: &(dyn Any + Send)) -> Option<&str> {
    let literal = payload.downcast_ref::<&'static str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Drops a value whose destructor may panic; such a panic ends here.
///
/// Its payload may panic on drop in turn. That one is leaked: it is the third panic in a row from
/// the same value.
pub(crate) fn drop_guarded<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value)))
        && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        std::mem::forget(again);
    }
}
