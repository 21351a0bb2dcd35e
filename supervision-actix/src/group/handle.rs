//! A group as its users see it: addresses, requests, and its end.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::{Actor, Addr, Context};
use serde::{Deserialize, Serialize};
use supervision_core::{
    SupervisionStrategy,
    group::{ChildId, ChildStatus, EndReason, Request, RequestError},
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    group::{
        birth::{Address, Addresses},
        child::ChildProps,
        dynamic::DynamicSupervisor,
        newborn::Newborn,
        props::InvalidProps,
        task::Event,
    },
    snapshot::{NodeKind, UnderWay},
    supervisor::SupervisorActor,
};

/// The addresses of the children present. Shared with the group's task, which keeps it.
#[derive(Clone, Default)]
pub(super) struct Directory(Arc<Mutex<BTreeMap<ChildId, Address>>>);

impl Directory {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChildId, Address>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, id: ChildId, address: Address) {
        let replaced = self.lock().insert(id, address);
        drop(replaced);
    }

    pub(super) fn remove(&self, id: &ChildId) -> Option<Address> {
        self.lock().remove(id)
    }

    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.lock());
        drop(all);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn find<T: Any, R>(&self, id: &str, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().get(id)?.downcast_ref().map(f)
    }
}

/// How far a group is.
#[derive(Clone)]
pub(super) enum Progress {
    Starting,
    Started,
    Ended(Arc<GroupEnd>),
}

/// Why a group ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupEnd {
    /// Why; with the child, and the original cause of its failure.
    pub reason: EndReason,
    /// Paths of the groups below and of this one that escalated the failure, the first one first;
    /// empty where none did.
    pub escalated_by: Vec<String>,
}

/// A child could not be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The child's props are invalid; nothing was changed.
    #[error(transparent)]
    Invalid(#[from] InvalidProps),
    /// The group refused it.
    #[error(transparent)]
    Refused(#[from] RequestError),
}

/// A child, and what it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its id.
    pub id: ChildId,
    /// What it is doing.
    pub status: ChildStatus,
}

/// A running group. Cheap to clone, and may be sent to other threads.
///
/// As in OTP, nobody needs to hold it: the group runs until it ends by itself,
/// [`shutdown`](Self::shutdown) is called, or its arbiter stops.
#[derive(Clone)]
pub struct GroupHandle {
    path: Arc<str>,
    kind: NodeKind,
    under_way: UnderWay,
    events: mpsc::UnboundedSender<Event>,
    directory: Directory,
    progress: watch::Receiver<Progress>,
}

impl fmt::Debug for GroupHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupHandle")
            .field("path", &self.path)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl GroupHandle {
    pub(super) fn new(
        path: Arc<str>,
        kind: NodeKind,
        events: mpsc::UnboundedSender<Event>,
        directory: Directory,
        progress: watch::Receiver<Progress>,
    ) -> Self {
        Self {
            path,
            kind,
            under_way: UnderWay::default(),
            events,
            directory,
            progress,
        }
    }

    pub(super) fn events(&self) -> mpsc::UnboundedSender<Event> {
        self.events.clone()
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The group's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of the child `id`, if it is in the group and an `A`: the same in all its lives.
    pub fn actor<A: Actor<Context = Context<A>>>(&self, id: &str) -> Option<Addr<A>> {
        self.directory
            .find(id, |found: &Addresses<A>| found.actor.clone())
    }

    /// The address of the supervisor of the child `id`, for its failure history, if it is in the
    /// group and an `A`.
    pub fn supervisor<A: Actor<Context = Context<A>>>(
        &self,
        id: &str,
    ) -> Option<Addr<SupervisorActor<A>>> {
        self.directory
            .find(id, |found: &Addresses<A>| found.supervisor.clone())
    }

    /// The handle of the child `id`, if it is in the group and a group itself.
    pub fn group(&self, id: &str) -> Option<Self> {
        self.directory.find(id, Self::clone)
    }

    /// The child `id`, if it is in the group and a dynamic supervisor of these.
    pub fn dynamic<A, T>(&self, id: &str) -> Option<DynamicSupervisor<A, T>>
    where
        A: Actor<Context = Context<A>>,
        T: Send + 'static,
    {
        self.directory.find(id, DynamicSupervisor::clone)
    }

    /// Starts one more child, the last in order.
    ///
    /// It is not among those that come back when a group above restarts this one.
    ///
    /// # Errors
    /// [`AddError`]; the child is not in the group, but for
    /// [`RequestError::Interrupted`], with which it is in it and not running.
    pub async fn add(&self, child: ChildProps) -> Result<(), AddError> {
        let ChildProps {
            spec,
            birth,
            arbiter,
        } = child;
        let newborn = Newborn::new(&spec, birth?, arbiter);
        self.request(Request::Add(spec), Some(newborn)).await?;
        Ok(())
    }

    /// Stops a child. It stays in the group, not running, and refuses messages; a temporary one
    /// leaves the group.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was changed.
    pub async fn terminate(&self, id: &str) -> Result<(), RequestError> {
        self.request(Request::Terminate(id.into()), None).await
    }

    /// Starts a child that does not run.
    ///
    /// # Errors
    /// [`RequestError`]; the child does not run, or was running already.
    pub async fn restart(&self, id: &str) -> Result<(), RequestError> {
        self.request(Request::Restart(id.into()), None).await
    }

    /// Removes a child that does not run.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was changed.
    pub async fn delete(&self, id: &str) -> Result<(), RequestError> {
        self.request(Request::Delete(id.into()), None).await
    }

    /// Has another strategy decide about failed children, all but those with one of their own.
    ///
    /// It goes from now on, for every failure that is not decided yet, and is granted at once, whatever
    /// the group is doing:
    ///
    /// | when | what happens |
    /// |---|---|
    /// | a child has failed, is suspended, and waits for its turn to be decided about | it is decided by the new strategy |
    /// | a delay runs before a restart | the restart comes as it was decided |
    /// | several children are being stopped and started | that goes on as it was decided; a start that fails in it is decided by the new strategy |
    /// | a failure is escalated, and a group above has not decided | the group above decides |
    /// | the group is ending, or waits for a group above to restart it | refused with [`RequestError::Ending`] |
    ///
    /// Budgets are kept as with [`ChangeStrategy`](crate::ChangeStrategy): a rule or a rung of the same
    /// name, or else at the same place, that is of the same kind goes on with what it has used. The
    /// change stays in force until the next one, also when a group above restarts this one; budgets are
    /// new then, as ever.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was changed. An invalid strategy is [`RequestError::Invalid`], which
    /// names the field and the rule.
    pub async fn change_strategy(&self, strategy: SupervisionStrategy) -> Result<(), RequestError> {
        self.request(Request::ChangeStrategy(strategy), None).await
    }

    /// Has another strategy decide about the child `id`; `None` leaves it to the group's. When it
    /// goes, and for what, is as with [`change_strategy`](Self::change_strategy).
    ///
    /// A child whose own strategy is replaced keeps its budgets. Its first one starts afresh, and
    /// without one it is counted with the group's others.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was changed.
    pub async fn change_child_strategy(
        &self,
        id: &str,
        strategy: Option<SupervisionStrategy>,
    ) -> Result<(), RequestError> {
        let change = Request::ChangeChildStrategy(id.into(), strategy);
        self.request(change, None).await
    }

    /// The children in start order; none once the group has ended.
    pub async fn children(&self) -> Vec<ChildInfo> {
        let (reply, answer) = oneshot::channel();
        if self.events.send(Event::List(reply)).is_err() {
            return Vec::new();
        }
        answer.await.unwrap_or_default()
    }

    /// How many children are in the group, running or not.
    pub fn count(&self) -> usize {
        self.directory.len()
    }

    /// Waits until all children have been started for the first time.
    ///
    /// # Errors
    /// [`GroupEnd`] if the group ended before; its reason says why.
    pub async fn started(&self) -> Result<(), GroupEnd> {
        match self
            .reach(|progress| !matches!(progress, Progress::Starting))
            .await
        {
            Progress::Ended(end) => Err((*end).clone()),
            Progress::Starting | Progress::Started => Ok(()),
        }
    }

    /// Stops all children, the last one first, one at a time, and waits until the group has ended.
    /// Restarts and starts under way are not waited for.
    ///
    /// A group that is a child of another one ends in the normal way; what comes then is the other
    /// one's to decide.
    pub async fn shutdown(&self) -> GroupEnd {
        // One that has ended already takes no event, and says so below.
        let _ = self.events.send(Event::ShutDown);
        self.ended().await
    }

    /// Waits until the group has ended, and tells why.
    ///
    /// A group that is a child of another one has ended for good when it will not be restarted.
    pub async fn ended(&self) -> GroupEnd {
        match self
            .reach(|progress| matches!(progress, Progress::Ended(_)))
            .await
        {
            Progress::Ended(end) => (*end).clone(),
            Progress::Starting | Progress::Started => GroupEnd::cut_short(),
        }
    }

    async fn reach(&self, reached: impl FnMut(&Progress) -> bool) -> Progress {
        let mut progress = self.progress.clone();
        let found = progress.wait_for(reached).await.map(|found| found.clone());
        // The task is gone without a word: its arbiter has stopped.
        found.unwrap_or_else(|_| match &*self.progress.borrow() {
            ended @ Progress::Ended(_) => ended.clone(),
            Progress::Starting | Progress::Started => {
                Progress::Ended(Arc::new(GroupEnd::cut_short()))
            }
        })
    }

    /// Its end, if it has ended.
    pub(super) fn end_if_ended(&self) -> Option<GroupEnd> {
        match &*self.progress.borrow() {
            Progress::Ended(end) => Some((**end).clone()),
            Progress::Starting | Progress::Started => None,
        }
    }

    /// Whether its task is not there any more.
    pub(super) fn is_gone(&self) -> bool {
        self.events.is_closed()
    }

    /// The questions on their way to the group's task.
    pub(super) fn under_way(&self) -> &UnderWay {
        &self.under_way
    }

    pub(super) fn kind(&self) -> NodeKind {
        self.kind
    }

    /// Tells the group's task something; gives it back if nobody is there.
    pub(super) fn send(&self, event: Event) -> Option<Event> {
        self.events.send(event).err().map(|unsent| unsent.0)
    }

    pub(super) async fn request(
        &self,
        request: Request,
        newborn: Option<Newborn>,
    ) -> Result<(), RequestError> {
        let (reply, answer) = oneshot::channel();
        let event = Event::Request {
            request,
            newborn,
            reply,
        };
        if self.events.send(event).is_err() {
            return Err(RequestError::Ending);
        }
        answer.await.unwrap_or(Err(RequestError::Ending))
    }
}

impl GroupEnd {
    /// The end of a group whose arbiter has stopped, or that never ran.
    pub(super) fn cut_short() -> Self {
        Self {
            reason: EndReason::Shutdown,
            escalated_by: Vec::new(),
        }
    }
}
