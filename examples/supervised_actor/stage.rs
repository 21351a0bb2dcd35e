//! What the scenes share: starting a clerk whose supervisor thinks aloud.

use std::path::Path;

use actix::prelude::*;
use supervision_actix::prelude::*;
use tokio::sync::watch;

use crate::clerk::{Clerk, DatabaseError};

/// A clerk, the clerk's supervisor, and why it ended once it has.
pub(crate) struct Scene {
    pub(crate) clerk: Addr<Clerk>,
    pub(crate) supervisor: Addr<SupervisorActor<Clerk>>,
    end: watch::Receiver<Option<EndReason>>,
}

impl Scene {
    /// Starts a clerk under a strategy.
    pub(crate) async fn open(title: &str, strategy: SupervisionStrategy) -> Self {
        println!("\n{title}");
        let (ended, end) = watch::channel(None);
        let supervisor = ActorProps::new(Clerk::default())
            .with_supervision(strategy)
            .with_error_type::<DatabaseError>()
            .with_observer(move |event| {
                tell(event);
                if let SupervisionEvent::Ended { reason, .. } = event {
                    ended.send_replace(Some(reason.clone()));
                }
            })
            .start();
        let clerk = supervisor.send(GetActorAddr::new()).await;
        let clerk = clerk
            .expect("a supervisor answers")
            .expect("the clerk has begun");
        Self {
            clerk,
            supervisor,
            end,
        }
    }

    /// The failures with what was decided and what came of it.
    pub(crate) async fn records(&self) -> Vec<FailureRecord> {
        let records = self.supervisor.send(GetFailureRecords::new()).await;
        records.expect("a supervisor answers, even after the end")
    }

    /// Only what came of them.
    pub(crate) async fn outcomes(&self) -> Vec<Outcome> {
        let records = self.records().await;
        records.iter().map(|record| record.outcome).collect()
    }

    /// Why the clerk ended, if so.
    pub(crate) fn end(&self) -> Option<EndReason> {
        self.end.borrow().clone()
    }

    /// Lets go of the clerk, and waits until it has gone home.
    pub(crate) async fn close(self) {
        let Self {
            clerk,
            supervisor,
            mut end,
        } = self;
        drop((clerk, supervisor));
        let gone = end.wait_for(Option::is_some).await;
        gone.expect("the observer outlives the clerk");
    }

    /// Has the clerk panic. The asker learns of it as of any lost answer.
    pub(crate) async fn panic(&self) {
        let answer = self.clerk.send(crate::clerk::Panic).await;
        assert_eq!(answer, Err(MailboxError::Closed));
    }

    /// Has the clerk stamp, and checks how many stamps there are then.
    pub(crate) async fn stamp(&self, expected: u32) {
        let stamps = self.clerk.send(crate::clerk::Stamp).await;
        println!("  asker: stamp please - {stamps:?}");
        assert_eq!(stamps, Ok(expected));
    }

    /// Checks that nobody is there any more.
    pub(crate) async fn assert_gone(&self) {
        let answer = self.clerk.send(crate::clerk::Stamp).await;
        println!("  asker: stamp please - {answer:?}");
        assert_eq!(answer, Err(MailboxError::Closed));
        assert!(!self.clerk.connected());
    }
}

fn tell(event: &SupervisionEvent) {
    match event {
        SupervisionEvent::Started { .. } => println!("  supervisor: started"),
        SupervisionEvent::Failed {
            failure, decision, ..
        } => {
            let (error_type, error) = (&failure.error_type, &failure.error);
            println!("  supervisor: failed with {error_type} ({error}) - {decision:?}");
        }
        SupervisionEvent::Restarted {
            incarnation,
            outcome,
            ..
        } => println!("  supervisor: clerk {incarnation} is up ({outcome:?})"),
        SupervisionEvent::Ended { reason, .. } => println!("  supervisor: ended, {}", why(reason)),
        other => println!("  supervisor: {other:?}"),
    }
}

fn why(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::Stopped { .. } => "as the strategy says",
        EndReason::Escalated {
            exhausted: false, ..
        } => "escalated as the strategy says",
        EndReason::Escalated {
            exhausted: true, ..
        } => "escalated, the budget is used up",
        EndReason::Exhausted { .. } => "the budget is used up",
        EndReason::Unreferenced => "nobody needs it any more",
        _ => "for another reason",
    }
}

/// Keeps the clerk's panics off the terminal, which has the scenes to show; a failed claim is
/// still printed.
pub(crate) fn silence_the_clerk() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let file = info.location().map(|location| Path::new(location.file()));
        if !file.is_some_and(|file| file.ends_with("supervised_actor/clerk.rs")) {
            print(info);
        }
    }));
}
