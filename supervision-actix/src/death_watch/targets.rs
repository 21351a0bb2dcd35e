//! What can be watched, and how a watch gets to it.

use std::any::type_name;

use actix::{Actor, Addr, Context, Handler, Message};

use super::Teller;
use crate::supervisor::{SupervisorActor, SupervisorContext};

/// Something that a watch can be brought to. Only this crate knows how.
pub trait Sealed {
    #[doc(hidden)]
    fn target(&self) -> Target<'_>;
}

/// How a watch is brought there.
pub struct Target<'a> {
    /// As far as it is known here.
    pub(crate) path: String,
    pub(crate) bring: Box<dyn FnOnce(Teller) + 'a>,
}

/// The question, on its way to the actor's task.
pub(crate) struct WatchMe(Teller);

impl Message for WatchMe {
    type Result = ();
}

impl<A: Actor<Context = Context<A>>> Handler<WatchMe> for SupervisorActor<A> {
    type Result = ();

    fn handle(&mut self, WatchMe(teller): WatchMe, _: &mut SupervisorContext<A>) {
        self.shared().be_watched(teller);
    }
}

impl<A: Actor<Context = Context<A>>> Sealed for Addr<SupervisorActor<A>> {
    fn target(&self) -> Target<'_> {
        Target {
            path: type_name::<A>().to_owned(),
            // Whatever is in a supervisor's channel when its actor's task goes, goes too.
            bring: Box::new(|teller| self.do_send(WatchMe(teller))),
        }
    }
}
