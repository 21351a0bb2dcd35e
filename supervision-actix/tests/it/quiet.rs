//! Runs a test on an actix system with the panics it provokes kept off the terminal.

use std::{sync::Once, time::Duration};

use actix::System;

/// The text every provoked panic carries, so that a panic nobody meant is still printed.
pub(crate) const MEANT: &str = "meant";

static SILENCE: Once = Once::new();

/// Keeps panics that say [`MEANT`] off the terminal; backtraces of a million would take hours.
pub(crate) fn silence() {
    SILENCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !says(info.payload(), MEANT) {
                print(info);
            }
        }));
    });
}

/// Runs `test` on a system of its own; one that does not end fails.
pub(crate) fn on_system<T>(test: impl Future<Output = T>) -> T {
    silence();
    System::new().block_on(async {
        let limit = Duration::from_secs(60);
        actix_rt::time::timeout(limit, test)
            .await
            .expect("the test hangs")
    })
}

/// Runs `test` on paused time: a delay passes at once when nothing else is left to do.
pub(crate) fn on_virtual_time<T>(test: impl Future<Output = T>) -> T {
    silence();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(test)
}

/// Whether a panic's payload holds `text`.
fn says(payload: &(dyn std::any::Any + Send), text: &str) -> bool {
    let literal = payload.downcast_ref::<&'static str>().copied();
    let said = literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    said.is_some_and(|said| said.contains(text))
}
