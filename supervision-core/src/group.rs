//! One supervisor and its children: who is stopped and started, in which order, when one fails.
//!
//! Children often depend on one another: a cache on its database, a writer on its queue. A
//! [`Group`] knows the order in which they start and what one's failure means for the others. It
//! is a state machine without a runtime: [`Input`]s go in with the time and random bits,
//! [`Command`]s come out, and somebody else carries them out. The rules are those of OTP's
//! `supervisor`; a differential test (`cargo xtask otp`) runs both on the same schedules.
//!
//! ```
//! use std::time::Duration;
//! use supervision_core::{
//!     Cause, SupervisionStrategy, Timestamp,
//!     group::{ChildSpec, Command, Exit, Group, GroupSpec, GroupStrategy, Incarnation, Input},
//! };
//!
//! /// Does at once what the group wants, and tells what was done.
//! fn run(group: &mut Group, input: Input) -> Vec<(String, Incarnation)> {
//!     let (mut inputs, mut done) = (vec![input], Vec::new());
//!     while let Some(input) = inputs.pop() {
//!         group.handle(input, Timestamp::from_secs(1), 0);
//!         while let Some(command) = group.poll_command() {
//!             match command {
//!                 Command::Start { child, incarnation, .. } => {
//!                     done.push((format!("start {child}"), incarnation));
//!                     inputs.push(Input::Started(incarnation));
//!                 }
//!                 Command::Stop { child, incarnation, .. } => {
//!                     done.push((format!("stop {child}"), incarnation));
//!                     inputs.push(Input::Stopped(incarnation));
//!                 }
//!                 _ => {}
//!             }
//!         }
//!     }
//!     done
//! }
//!
//! let restart = SupervisionStrategy::Restart {
//!     max_restarts: 3,
//!     window: Duration::from_secs(60),
//!     delay: Duration::ZERO,
//! };
//! let spec = GroupSpec::new(GroupStrategy::RestForOne, restart)
//!     .with_child(ChildSpec::new("queue"))
//!     .with_child(ChildSpec::new("database"))
//!     .with_child(ChildSpec::new("cache"));
//! let mut group = Group::new(spec)?;
//! let started = run(&mut group, Input::Start);
//!
//! let (_, database) = started[1];
//! let failure = Input::Exited(database, Exit::Failed(Cause::panic("disk full")));
//! let done: Vec<_> = run(&mut group, failure).into_iter().map(|(what, _)| what).collect();
//! assert_eq!(done, ["stop cache", "start database", "start cache"]);
//! # Ok::<(), supervision_core::group::InvalidGroup>(())
//! ```
//!
//! # Steps
//!
//! 1. [`Input::Start`] starts the children in order, each when the one before it has started. If
//!    one cannot be started, those before it are stopped and the group ends
//!    ([`EndReason::StartFailed`]); nothing is charged (OTP). Else [`Command::Ready`] follows.
//! 2. A child exits, or fails and is suspended. If the group is in the middle of something, the
//!    report waits in a queue; what else comes in waits behind it (OTP's mailbox).
//! 3. [`decide`](crate::decide) charges the budget, the group's or the child's own, once for the
//!    failure, however many siblings restart along.
//! 4. *Restart* or *relocate*: those that restart along are stopped, the last one first, one at a
//!    time, each in its own [`Shutdown`]; a suspended child that failed goes first of all. After
//!    the delay, counted from the decision, they are started in order.
//! 5. A start that fails in the middle is a failure again (step 3), after what came in meanwhile.
//!    It is retried from that child on (rest-for-one), or all are stopped and started again
//!    (one-for-all).
//! 6. *Stop*: the child has ended, its siblings go on. If it is significant this may end the group
//!    ([`EndReason::AutoShutdown`]).
//! 7. *Escalate*: the parent is asked about a suspended child, and may let it go on. A child that
//!    is gone cannot: the group ends ([`EndReason::Escalated`]).
//! 8. *Exhausted*: the group gives up and ends ([`EndReason::Exhausted`]).
//! 9. To end, the group stops all children, the last one first, one at a time, then says
//!    [`Command::Done`]. Queued reports and pending delays are void, queued requests are refused.
//!
//! # What changes while it runs
//!
//! [`Request`]s add, terminate, restart and delete children, each in its turn: between two steps of
//! what is done to several children, not in the middle. A request to change a strategy is granted at
//! once, whatever the group is doing, and goes for every failure that is not decided yet; whatever is
//! decided is carried out as it was.
//!
//! # What an end means
//!
//! | restart type | normal or shutdown | failed | stopped by the group or by request |
//! |---|---|---|---|
//! | permanent | a failure: decided, charged | decided, charged | stays, not running |
//! | transient | it has ended: stays, not running | decided, charged | stays, not running |
//! | temporary | it has ended: leaves the group | decided, never restarted or charged; leaves the group | leaves the group |
//!
//! A restart of its siblings takes in a child that has ended but stays, as in OTP. Only an end of
//! its own counts for the auto-shutdown, not one that the group or a request brought about (OTP).
//! A child that ends by itself while it is being stopped, or before its turn to be, counts as
//! stopped: nothing is charged (OTP).
//!
//! # Invariants
//!
//! - One function decides; a failure is decided and charged exactly once.
//! - At most one life of a child at a time; the next one is begun after the last one is gone.
//! - In an ordered group (one-for-all, rest-for-one) one child is started or stopped at a time; in
//!   every group so while all are started or stopped.
//! - Every command carries the life or wait it is meant for, every input the one it is about; one
//!   that is out of date changes nothing.
//! - Every request gets exactly one reply, and a group that has ended says so exactly once, last.
//! - One-for-one: an event costs O(log n) for n children. Otherwise it costs as much as the
//!   children it stops and starts.
//!
//! # Where it differs from OTP on purpose
//!
//! | OTP | here | why |
//! |---|---|---|
//! | gives up with reason `shutdown` | [`EndReason::Exhausted`], with the child and its failure | a transient supervisor that gave up looked like a normal exit |
//! | restarts at once, always | a delay (or backoff) passes between stopping and starting; nothing else waits for it | a dependency that is down needs time |
//! | one strategy | a child's own strategy and the whole vocabulary; *Stop* ends the one child | |
//! | a dead child is all it knows | a suspended child can be resumed, by the group or its parent | |
//! | one-for-one starts and stops one child at a time | restarts and requests of different children go on at the same time, unless the group ends with all its significant children | one slow start must not hold up the others |
//! | a shutdown waits until a restart under way is complete | it is taken up at once, a child that is being started is stopped | a shutdown takes no longer than the children's timeouts |
//! | siblings waiting for a failed start to be retried count as ended for `all_significant` | they count as not ended | they will run again |
//! | if the child whose start is to be retried is terminated by request, its siblings stay down | they are started without it | no child is forgotten |
//! | a start may return `ignore` | a child starts or fails | |
//! | the default restart type is permanent | transient, as everywhere in this crate | |
//! | a timeout of 0 is allowed | refused: say `Kill` | |
//! | `simple_one_for_one` | one-for-one, with children added as the group runs | an event costs O(log n) there too |

mod check;
mod message;
mod spec;

mod roster;
mod ruling;

mod machine;

mod arrival;
mod failing;
mod request;
mod sequence;

mod view;

pub use self::{
    check::{GroupRule, InvalidGroup, MAX_CHILD_ID},
    machine::Group,
    message::{
        ChildId, Command, DelayToken, EndReason, Exit, Incarnation, Input, Request, RequestError,
        RequestId, Verdict,
    },
    spec::{AutoShutdown, ChildSpec, GroupSpec, GroupStrategy, Shutdown},
    view::{ChildStatus, ChildView, GroupStatus},
};
