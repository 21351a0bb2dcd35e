//! Where panics of supervised actors happen, learnt by a panic hook.
//!
//! What is caught of a panic does not say where it happened; only the process's panic hook
//! ([`std::panic::set_hook`]) is told. So the first start of a supervised actor installs one, once
//! for the process and for all its threads. It notes the place of a panic in a supervised actor or in
//! a [watched](crate::SupervisedContext::watch) task, for
//! [`FailureRecord::panic_location`](crate::FailureRecord), and calls the hook that was there before;
//! of any other panic it notes nothing.
//!
//! | what the program does | what happens |
//! |---|---|
//! | nothing | places are noted; panics are printed as ever |
//! | sets a hook before the first start | that one is called, after the place was noted |
//! | sets a hook later, and calls the one it took | both work |
//! | sets a hook later that replaces ours | that one is called; no place is known from then on |
//! | calls [`disable`] before the first start | no hook is installed, no place is known |
//! | raises a panic by [`std::panic::resume_unwind`] | no hook is called; of a payload that was caught in the same poll the place is known, of any other it is not |
//!
//! To replace a hook takes two steps, and what another thread installs in between is lost: a program
//! with a hook of its own sets it before it starts actors.

use std::{
    panic::PanicHookInfo,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::current;

static INSTALLED: Once = Once::new();
static DISABLED: AtomicBool = AtomicBool::new(false);
static SILENT: AtomicBool = AtomicBool::new(false);

/// Has no more places noted. Called before the first start of a supervised actor it keeps the hook
/// from being installed; called later it leaves the hook there, which does nothing any more but call
/// the one before. There is no way back.
pub fn disable() {
    DISABLED.store(true, Ordering::Relaxed);
}

/// Keeps panics of supervised actors and watched tasks from the hook that was there before, which
/// usually prints them to standard error, with a backtrace if one is asked for. They are logged and
/// recorded by their supervisors anyhow. Panics that an actor catches itself are kept away too.
/// Default: they are passed on. Without effect after [`disable`].
pub fn silence_supervised() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Installs the hook at the first call.
pub(crate) fn install() {
    // The hook must not be changed while this thread panics: an actor may be started by a
    // destructor. The next start will install it.
    if INSTALLED.is_completed() || DISABLED.load(Ordering::Relaxed) || std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let supervised = note(info);
            if !(supervised && SILENT.load(Ordering::Relaxed)) {
                before(info);
            }
        }));
    });
}

/// Notes where a panic happened if that is in a supervised poll. Must not panic, and calls no code of
/// the user's.
fn note(info: &PanicHookInfo<'_>) -> bool {
    if DISABLED.load(Ordering::Relaxed) {
        return false;
    }
    let noted = current::with_notes(|notes| {
        if let Some(location) = info.location() {
            notes.add(info.payload(), location.to_string());
        }
    });
    noted.is_some()
}
