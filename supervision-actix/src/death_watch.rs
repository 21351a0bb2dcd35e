//! Death watch: to learn when a supervised actor or a group has ended for good, and why.

mod link;
mod targets;
mod watchers;

use std::{
    fmt,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context as TaskContext, Poll},
};

use actix::{Message, WeakRecipient};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{event::EndReason, group::GroupEnd};

use self::link::{Link, To};
pub(crate) use self::{
    link::Teller,
    targets::{Sealed, Target},
    watchers::Watchers,
};

/// The notice that something that was watched has ended for good.
///
/// There is exactly one for each watch that is not given up before. Restarts are not an end: not
/// those of the actor itself, nor those that come with its siblings or with the group above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Terminated {
    /// Path of what was watched; where it is not known, its type's name.
    pub path: String,
    /// The watch that this is the notice of.
    pub watch: WatchId,
    /// Why it ended.
    pub reason: Termination,
    /// Whether it had ended before the watch came to it.
    pub was_over: bool,
}

impl Message for Terminated {
    type Result = ();
}

/// Why something that was watched has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Termination {
    /// An actor.
    Actor(EndReason),
    /// A group, or a dynamic supervisor.
    Group(GroupEnd),
    /// The arbiter it ran on has stopped.
    ArbiterStopped,
    /// There is no such actor, and why is not known: it has ended and left, or never was (Erlang's
    /// `noproc`).
    Gone,
}

/// The name of one watch; no other in this process has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WatchId(u64);

impl WatchId {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl fmt::Display for WatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "watch {}", self.0)
    }
}

/// What can be watched: an actor through its
/// [supervisor](crate::SupervisorActor), a [group](crate::group::GroupHandle), a
/// [dynamic supervisor](crate::group::DynamicSupervisor), and a [child](crate::group::ChildRef) of
/// either.
///
/// ```
/// use actix::prelude::*;
/// use supervision_actix::{EndReason, Terminated, Termination, WatchGuard, prelude::*};
///
/// struct Worker;
/// impl Actor for Worker {
///     type Context = Context<Self>;
/// }
///
/// #[derive(Message)]
/// #[rtype(result = "()")]
/// struct Finish;
/// impl Handler<Finish> for Worker {
///     type Result = ();
///     fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
///         ctx.stop();
///     }
/// }
///
/// /// Watches a worker for as long as it lives itself.
/// struct Foreman {
///     worker: Addr<SupervisorActor<Worker>>,
///     watch: Option<WatchGuard>,
/// }
/// impl Actor for Foreman {
///     type Context = Context<Self>;
///     fn started(&mut self, ctx: &mut Context<Self>) {
///         self.watch = Some(self.worker.death_watch_by(ctx.address()));
///     }
/// }
/// impl Handler<Terminated> for Foreman {
///     type Result = ();
///     fn handle(&mut self, told: Terminated, ctx: &mut Context<Self>) {
///         assert_eq!(told.reason, Termination::Actor(EndReason::Finished));
///         ctx.stop();
///     }
/// }
///
/// System::new().block_on(async {
///     let worker = ActorProps::plain("/user/worker", || Worker).start();
///     let address = worker.send(GetActorAddr::new()).await.unwrap().unwrap();
///     Foreman { worker: worker.clone(), watch: None }.start();
///     // Without an actor: a future.
///     let end = worker.death_watch();
///     address.send(Finish).await.unwrap();
///     assert_eq!(end.await.path, "/user/worker");
/// });
/// ```
///
/// # What is promised
///
/// * One notice for each watch, unless it is given up before; two watches by one watcher are two.
/// * What has ended already is told of at once, as Erlang's monitors do. A child of a group has ended
///   when no start of it is due (messages to it are refused then); should it be started again by
///   request or along with a sibling, it takes a new watch to see its next end.
/// * The end comes before the notice: whatever is sent to an actor after its end was told is refused,
///   unless it was started again meanwhile.
/// * If the arbiter of the watched stops, the watchers are told ([`Termination::ArbiterStopped`]).
///   An actor that blocks its thread has not ended; the notice comes when it has.
/// * A watch keeps neither side alive, and goes with its guard or future: a watcher that holds it in
///   a field takes it along when it ends. A watcher that is restarted has lost it, too, and watches
///   again in `started`.
/// * Being watched costs nothing until it happens; a watch costs O(log n) among n watchers of one actor.
///
/// Of an actor started by [`start_actor`](crate::ActorProps::start_actor) nothing but its own address
/// is known outside; it can hand out its supervisor's, by
/// [`ctx.supervisor()`](crate::SupervisedContext::supervisor).
pub trait Watchable: Sealed {
    /// Watches, by a future that ends with the notice. To drop it is to give the watch up.
    fn death_watch(&self) -> DeathWatch {
        let (to, told) = oneshot::channel();
        let guard = watch(self, To::Future(to));
        DeathWatch { told, guard }
    }

    /// Watches for an actor: it gets the notice as a message, whatever its mailbox holds.
    ///
    /// The watcher's address (an `Addr`, a `WeakAddr` or a `Recipient` of its) is held weakly, so a
    /// watcher can end while it watches. To drop the guard is to give the watch up, see [`WatchGuard`].
    fn death_watch_by(&self, watcher: impl Into<WeakRecipient<Terminated>>) -> WatchGuard {
        watch(self, To::Actor(watcher.into()))
    }
}

impl<T: Sealed> Watchable for T {}

fn watch(target: &(impl Sealed + ?Sized), to: To) -> WatchGuard {
    let Target { path, bring } = target.target();
    let (link, teller) = Link::new(WatchId::next(), to, path);
    bring(teller);
    WatchGuard { link: Some(link) }
}

/// A watch by an actor. Dropped, it gives the watch up: no notice comes unless it was sent before.
#[must_use = "a watch ends with its guard; keep it, or let go of it by `detach`"]
pub struct WatchGuard {
    /// `None` once it is detached.
    link: Option<std::sync::Arc<Link>>,
}

impl WatchGuard {
    /// The name of the watch, which its notice will carry.
    pub fn id(&self) -> WatchId {
        // Only `detach` takes it, and that takes the guard.
        self.link.as_ref().map_or(WatchId(0), |link| link.id())
    }

    /// Gives the watch up. Tells whether there will be no notice: `false` if it was sent already.
    pub fn unwatch(mut self) -> bool {
        self.link.take().is_some_and(|link| link.unwatch())
    }

    /// Lets the watch go on without a guard, until its notice or until the watcher has ended. What is
    /// left of watches whose watchers have ended is removed while others come, so that no more than
    /// half of them, and 64, are such remains.
    pub fn detach(mut self) -> WatchId {
        let id = self.id();
        self.link = None;
        id
    }
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.unwatch();
        }
    }
}

impl fmt::Debug for WatchGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchGuard").field(&self.id()).finish()
    }
}

/// A watch by a future: its output is the notice. It can be awaited on any runtime and thread.
///
/// # Panics
/// If it is polled again after it has given the notice.
#[must_use = "a watch ends when its future is dropped"]
#[derive(Debug)]
pub struct DeathWatch {
    told: oneshot::Receiver<Terminated>,
    guard: WatchGuard,
}

impl DeathWatch {
    /// The name of the watch, which its notice will carry.
    pub fn id(&self) -> WatchId {
        self.guard.id()
    }
}

impl Future for DeathWatch {
    type Output = Terminated;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Terminated> {
        let told = Pin::new(&mut self.told).poll(task);
        // The sender is dropped unused only when the watch is given up, and the guard is here.
        told.map(|told| told.unwrap_or_else(|_| Terminated::gone(self.id())))
    }
}

impl Terminated {
    fn gone(watch: WatchId) -> Self {
        Self {
            path: String::new(),
            watch,
            reason: Termination::Gone,
            was_over: true,
        }
    }
}
