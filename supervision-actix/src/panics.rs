//! Turning a caught panic into a cause, without letting its payload do harm.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use supervision_core::Cause;

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

/// Describes a panic by its payload, and drops the payload.
#[cold]
pub(crate) fn cause_of_panic(payload: Payload) -> Cause {
    let message = text_of_panic(&*payload);
    drop_guarded(payload);
    Cause::panic(message)
}

/// A panic's payload as text.
pub(crate) fn text_of_panic(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic payload is not text".to_owned()
    }
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
