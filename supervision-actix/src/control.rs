//! The way to a supervised actor's supervisor: a channel that is served by the actor's own task.
//!
//! The supervisor has no task of its own. Its messages wake the actor's task through a waker that
//! also raises a flag (`bell`), so a task that was woken for anything else pays one look at the flag.

use std::{
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as TaskContext, Poll, Wake, Waker},
};

use actix::{
    Actor, Addr, Context,
    dev::{
        Envelope, EnvelopeProxy,
        channel::{AddressReceiver, channel},
    },
};
use futures_core::Stream;
use supervision_core::Cause;

use crate::{
    alerts::Alert,
    bell::Bell,
    managed::Managed,
    order::Order,
    panics::caught,
    settings::DEFAULT_MAILBOX_CAPACITY,
    shared::Shared,
    supervisor::{SupervisorActor, SupervisorContext},
};

/// Remarks that can wait to be read; more than this from tasks of one actor are dropped, and the
/// drop is logged.
const MAX_REMARKS: usize = 1_024;

/// A call from another task or thread.
pub(crate) struct Call {
    bell: Bell,
    /// Nobody serves it any more.
    gone: AtomicBool,
    said: Mutex<Vec<Said>>,
}

/// What a call is about.
enum Said {
    Remark(Remark),
    Order(Order),
}

/// A failure seen by a task that works for an incarnation.
pub(crate) struct Remark {
    pub(crate) cause: Cause,
    pub(crate) incarnation: u64,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bell.ring();
    }
}

impl Call {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            bell: Bell::new(),
            gone: AtomicBool::new(false),
            said: Mutex::default(),
        })
    }

    /// Calls, with nothing to say.
    pub(crate) fn call(self: &Arc<Self>) {
        self.wake_by_ref();
    }

    /// Leaves a remark and calls.
    pub(crate) fn remark(self: &Arc<Self>, remark: Remark) {
        let mut said = self.said();
        if said.len() < MAX_REMARKS {
            said.push(Said::Remark(remark));
        } else {
            tracing::warn!(
                error = remark.cause.message(),
                "too many failures at once; one dropped"
            );
        }
        drop(said);
        self.wake_by_ref();
    }

    /// Leaves an order and calls; `false` if nobody is there to obey.
    pub(crate) fn order(self: &Arc<Self>, order: Order) -> bool {
        let mut said = self.said();
        // Looked at under the lock: what is pushed before it is raised is still found.
        if self.gone.load(Ordering::Relaxed) {
            return false;
        }
        // Whoever asks again and again does not fill the memory of an actor that cannot answer.
        if let Order::Show(_) = order {
            said.retain(|said| !matches!(said, Said::Order(Order::Show(ask)) if ask.is_stale()));
        }
        said.push(Said::Order(order));
        drop(said);
        self.wake_by_ref();
        true
    }

    /// Takes no orders any more; gives those that nobody obeyed.
    pub(crate) fn leave(&self) -> Vec<Order> {
        let mut said = self.said();
        self.gone.store(true, Ordering::Relaxed);
        let said = std::mem::take(&mut *said).into_iter();
        said.filter_map(|said| match said {
            Said::Order(order) => Some(order),
            Said::Remark(_) => None,
        })
        .collect()
    }

    fn said(&self) -> MutexGuard<'_, Vec<Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The actor's end of it.
pub(crate) struct Port<A: Actor<Context = Context<A>>> {
    call: Arc<Call>,
    inbox: Option<AddressReceiver<SupervisorActor<A>>>,
    /// What it has to do with its group, if a group decides about it.
    pub(crate) managed: Option<Box<Managed>>,
}

impl<A: Actor<Context = Context<A>>> Port<A> {
    /// A port without an address.
    fn new() -> Self {
        Self::called_by(Call::new())
    }

    fn called_by(call: Arc<Call>) -> Self {
        Self {
            call,
            inbox: None,
            managed: None,
        }
    }

    /// A port through which a group gives its orders.
    pub(crate) fn managed(
        call: Arc<Call>,
        inbox: Option<AddressReceiver<SupervisorActor<A>>>,
        managed: Managed,
    ) -> Self {
        Self {
            inbox,
            managed: Some(Box::new(managed)),
            ..Self::called_by(call)
        }
    }

    /// A port for the receiving half of a supervisor's channel.
    pub(crate) fn with_inbox(inbox: AddressReceiver<SupervisorActor<A>>) -> Self {
        Self {
            inbox: Some(inbox),
            ..Self::new()
        }
    }

    /// Whether there is a supervisor's channel.
    pub(crate) fn has_inbox(&self) -> bool {
        self.inbox.is_some()
    }

    /// Whether anybody holds the supervisor's address, or a group has the actor.
    pub(crate) fn connected(&self) -> bool {
        self.managed.is_some() || self.inbox.as_ref().is_some_and(AddressReceiver::connected)
    }
}

/// A supervisor's channel.
pub(crate) fn supervisor_channel<A: Actor<Context = Context<A>>>() -> (
    Addr<SupervisorActor<A>>,
    AddressReceiver<SupervisorActor<A>>,
) {
    let (sender, receiver) = channel(DEFAULT_MAILBOX_CAPACITY);
    (Addr::new(sender), receiver)
}

/// The supervisor's address; its channel is made now if there is none.
pub(crate) fn supervisor_of<A: Actor<Context = Context<A>>>(
    shared: &Shared<A>,
) -> Addr<SupervisorActor<A>> {
    let mut port = shared.port_mut();
    let port = port.get_or_insert_with(Port::new);
    if let Some(inbox) = &port.inbox {
        return Addr::new(inbox.sender());
    }
    let (address, inbox) = supervisor_channel();
    port.inbox = Some(inbox);
    port.call.bell.remind();
    address
}

/// The means by which tasks of this actor report.
pub(crate) fn call_of<A: Actor<Context = Context<A>>>(shared: &Shared<A>) -> Arc<Call> {
    shared.port_mut().get_or_insert_with(Port::new).call.clone()
}

/// Whether a call waits to be served.
pub(crate) fn is_called<A: Actor<Context = Context<A>>>(shared: &Shared<A>) -> bool {
    shared.alerts.is(Alert::Port) && shared.port().is_some_and(|port| port.call.bell.is_rung())
}

/// Answers what has come in, and takes in the failures that were reported.
pub(crate) fn serve<A: Actor<Context = Context<A>>>(
    shared: &Rc<Shared<A>>,
    task: &mut TaskContext<'_>,
) {
    if !is_called(shared) {
        return;
    }
    // Taken out while it is served: answering may make the supervisor's address anew.
    let Some((call, mut inbox)) = take_inbox(shared) else {
        return;
    };
    call.bell.hear(task.waker());
    if let Some(inbox) = &mut inbox {
        let mut ctx = SupervisorContext::new(shared.clone());
        let waker = Waker::from(call.clone());
        while let Poll::Ready(Some(envelope)) =
            Pin::new(&mut *inbox).poll_next(&mut TaskContext::from_waker(&waker))
        {
            handle(envelope, shared, &mut ctx);
        }
    }
    if let Some(port) = shared.port_mut().as_mut() {
        port.inbox = inbox;
    }
    let said = std::mem::take(&mut *call.said());
    for said in said {
        match said {
            Said::Order(order) => shared.take_order(order),
            Said::Remark(Remark { cause, incarnation }) if incarnation == shared.incarnation() => {
                shared.report(cause, None);
            }
            Said::Remark(Remark { cause, .. }) => shared.supersede(&cause, None),
        }
    }
}

type Taken<A> = (Arc<Call>, Option<AddressReceiver<SupervisorActor<A>>>);

fn take_inbox<A: Actor<Context = Context<A>>>(shared: &Shared<A>) -> Option<Taken<A>> {
    let mut port = shared.port_mut();
    let port = port.as_mut()?;
    Some((port.call.clone(), port.inbox.take()))
}

fn handle<A: Actor<Context = Context<A>>>(
    mut envelope: Envelope<SupervisorActor<A>>,
    shared: &Rc<Shared<A>>,
    ctx: &mut SupervisorContext<A>,
) {
    let mut supervisor = SupervisorActor::new(shared.clone());
    if let Err(panic) = caught(|| envelope.handle(&mut supervisor, ctx)) {
        tracing::error!(
            error = panic.message(),
            "a supervisor's message handler panicked"
        );
    }
}
