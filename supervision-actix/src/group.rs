//! Groups of actors that depend on one another, trees of groups, and dynamic supervisors.
//!
//! The rules are those of [`supervision_core::group`], which decides; a group's task carries out
//! what it says. In a group an actor decides nothing about itself: its failure is told to its
//! group, and it stays suspended until the answer comes. Its mailbox and its address live on
//! between its incarnations, and messages wait.
//!
//! * [`GroupProps`] describe a group of different children, [`ChildProps`] one of them: an actor, or
//!   another group. Groups in groups are a tree.
//! * [`DynamicProps`] describe a supervisor of many children of one kind that come and go.
//!
//! # What happens to a child
//!
//! | event | on the incarnation | on the next one |
//! |---|---|---|
//! | its own failure is answered by a restart, and its value is sound | `before_restart`, `stopped`, drop | `started`, `after_restart` with the failure |
//! | the same, and its value is lost | drop | the same |
//! | it is restarted along with a sibling | `before_restart` without a failure, `stopping`, `stopped`, drop | `started`, `after_restart` without a failure |
//! | it is stopped, and started again by request | `stopping`, `stopped`, drop | `started`, `after_restart` without a failure |
//! | its group escalates: suspended until a parent has decided | `before_restart` if it is restarted then, `stopped`, drop, unless it is resumed | `started`, `after_restart` with the failure |
//! | it is killed | drop | `started`, `after_restart` without a failure |
//!
//! To stop a child is to call `ctx.stop()` on it. Where `stopping` returns `Running::Continue`, it
//! goes on, and stops when it calls `ctx.stop()` itself; but it is killed when the time of its
//! [`Shutdown`] is over, so a veto can buy time and nothing else.
//!
//! Those that restart along are stopped one after the other, the last one first, each with all of its
//! row before the next one's begins; then they are started in start order, each with all of its row
//! too. `before_restart` comes before `stopping`: a child that vetoes goes on after it. It is not
//! called on one that cannot be reached, because it waits for a future it gave to `ctx.wait`, nor on
//! one that has not finished its start. A group that is restarted from above calls the hook on its own
//! children, unless it had ended by itself before: then nobody knew whether they would come back.
//!
//! While a child is not running and no start is due (it has ended for good, or was terminated by
//! request), messages to it are refused with `MailboxError::Closed`, until it is started again.
//! While a start is due they wait.
//!
//! # Escalation
//!
//! A group whose strategy says `Escalate`, or whose budget is used up, asks the group above. The
//! group above sees a failure of that child of its, with the original cause: its answer (resume,
//! restart, stop) is for the whole subtree. The record of the failure, in the history of the actor
//! that failed, names the groups that escalated it. A root that gives up stops its tree in order,
//! and [`GroupHandle::ended`] tells why.
//!
//! # How long a stop takes
//!
//! Children stop one at a time, so a group ends within the sum of its children's timeouts. The bound
//! does not hold where a child blocks the thread that its group runs on: nothing else runs there
//! meanwhile. A child that blocks another arbiter's thread is left behind 1 s after it was killed;
//! should it ever return from its handler, it ends then.

mod birth;
mod changing;
mod child;
mod dynamic;
mod execute;
mod expected;
mod handle;
mod newborn;
mod order_taking;
mod props;
mod roster;
mod snapshot;
mod task;
mod timers;
mod watching;

pub(crate) use self::task::Event;

pub use self::{
    child::ChildProps,
    dynamic::{DynamicProps, DynamicSupervisor},
    handle::{AddError, ChildInfo, GroupEnd, GroupHandle},
    props::{GroupProps, InvalidProps},
    watching::ChildRef,
};
pub use supervision_core::group::{
    AutoShutdown, ChildId, ChildStatus, EndReason, GroupRule, GroupStrategy, InvalidGroup,
    RequestError, Shutdown,
};
