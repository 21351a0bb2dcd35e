//! The actor of all scenes: a clerk who stamps papers, counts them, and has accidents.

use actix::prelude::*;
use supervision_actix::prelude::*;

/// Asks for one more stamp; the answer is how many there are now.
#[derive(Message)]
#[rtype(result = "u32")]
pub(crate) struct Stamp;

/// Makes the clerk panic.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Panic;

/// Makes the clerk say that it cannot go on.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct GiveUp;

/// Makes the clerk read a number; a text that is none is an error for both, asker and supervisor.
#[derive(Message)]
#[rtype(result = "Result<u32, std::num::ParseIntError>")]
pub(crate) struct Count(pub(crate) &'static str);

/// The ink is dry.
#[derive(Debug, thiserror::Error)]
#[error("out of ink")]
pub(crate) struct InkError;

/// The archive does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the archive is closed")]
pub(crate) struct DatabaseError;

/// Stamps papers. Each incarnation is a clone of the first one. The strategy is each scene's own.
#[derive(Clone, Default, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/clerk")]
#[supervision(before_restart = Self::hand_over_stamps, after_restart = Self::take_stamps)]
pub(crate) struct Clerk {
    stamps: u32,
}

impl Actor for Clerk {
    type Context = Context<Self>;

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        println!("  clerk {}: stopped", ctx.incarnation());
    }
}

impl Clerk {
    fn hand_over_stamps(&mut self, ctx: &mut Context<Self>, _: Option<FailureInfo>) {
        println!(
            "  clerk {}: hands over {} stamps",
            ctx.incarnation(),
            self.stamps
        );
        ctx.hand_over(self.stamps)
            .expect("hooks run only under a supervisor");
    }

    fn take_stamps(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        // Nothing was handed over if the failure left no sound value to do it.
        self.stamps = ctx.take_handed().unwrap_or_default();
        let after = failure.map_or_else(String::new, |failure| failure.error);
        println!(
            "  clerk {}: has {} stamps, after {after:?}",
            ctx.incarnation(),
            self.stamps
        );
    }
}

impl Handler<Stamp> for Clerk {
    type Result = u32;

    fn handle(&mut self, _: Stamp, _: &mut Context<Self>) -> u32 {
        self.stamps += 1;
        self.stamps
    }
}

impl Handler<Panic> for Clerk {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        panic!("coffee on the papers");
    }
}

impl Handler<GiveUp> for Clerk {
    type Result = ();

    fn handle(&mut self, _: GiveUp, ctx: &mut Context<Self>) {
        ctx.fail(InkError);
    }
}

impl Handler<Count> for Clerk {
    type Result = FailOnErr<u32, std::num::ParseIntError>;

    fn handle(&mut self, Count(text): Count, _: &mut Context<Self>) -> Self::Result {
        FailOnErr::run(|| {
            let count: u32 = text.parse()?;
            self.stamps += count;
            Ok(self.stamps)
        })
    }
}
