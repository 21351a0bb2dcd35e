//! Every strategy, every way for a failure to enter, and the hooks, as scenes that print what
//! happens and assert what they claim.

mod clerk;
mod stage;

mod composed;
mod entrances;
mod simple;

use std::time::Duration;

fn main() {
    stage::silence_the_clerk();
    actix::System::new().block_on(async {
        simple::restart().await;
        simple::stop().await;
        simple::escalate().await;
        simple::relocate().await;
        simple::resume().await;
        composed::by_error_type().await;
        composed::with_backoff().await;
        composed::ladder().await;
        entrances::panic().await;
        entrances::fail_from_inside().await;
        entrances::error_as_answer().await;
        entrances::report_from_outside().await;
    });
    println!("\nAll twelve scenes went as they said.");
}

/// A window longer than this program runs.
const WINDOW: Duration = Duration::from_secs(60);

/// Short, since somebody is waiting for the scenes to end.
const DELAY: Duration = Duration::from_millis(20);
