//! The task of one group: a loop that feeds what happens to the group machine and carries out what
//! the machine says.

use std::{any::Any, collections::VecDeque, sync::Arc};

use supervision_core::{
    Timestamp,
    group::{ChildId, Group, GroupSpec, Incarnation, Input, Request, RequestError, RequestId},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};

use crate::{
    death_watch::{Teller, Watchers},
    group::{
        changing::Change,
        handle::{ChildInfo, GroupEnd, Progress},
        newborn::{Newborn, Wiring},
        order_taking::Parent,
        roster::Roster,
        timers::{Timer, Timers},
    },
    order::{Means, News, Notice, Order, Post, arbiter_stopped},
    snapshot::{Ask, NodeKind},
};

/// What a group's task is told.
pub(crate) enum Event {
    /// By a child.
    Notice(Notice),
    /// By the group above.
    Order(Order),
    /// By a user.
    Request {
        request: Request,
        /// The child to be added.
        newborn: Option<Newborn>,
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    /// By a user.
    List(oneshot::Sender<Vec<ChildInfo>>),
    /// By a user, or passed on by the group above: of a child, or of the group itself.
    Watch {
        child: Option<ChildId>,
        teller: Teller,
    },
    /// By a user.
    Show(Ask),
    /// By a user.
    ShutDown,
    /// By the clock: a timer is due.
    Clock,
}

/// Who asked for something.
pub(super) struct Asker {
    pub(super) request: AskedFor,
    /// `None` if the task itself did.
    pub(super) reply: Option<oneshot::Sender<Result<(), RequestError>>>,
}

impl Asker {
    pub(super) fn answer(self, answer: Result<(), RequestError>) {
        if let Some(reply) = self.reply {
            // Who does not wait for the answer needs none.
            let _ = reply.send(answer);
        }
    }
}

/// What was asked for.
pub(super) enum AskedFor {
    Add(ChildId),
    Terminate(ChildId),
    Restart(ChildId),
    Delete(ChildId),
    // Boxed: strategies are wide, and changes of them seldom.
    Change(Box<Change>),
}

/// One group with what it needs to act.
pub(super) struct Task {
    pub(super) path: Arc<str>,
    /// What it was described with, and what was changed since.
    pub(super) spec: GroupSpec,
    /// `None` between two lives of a group that is a child.
    pub(super) machine: Option<Group>,
    /// The machine's time counts from here; tokio's clock, so that paused time is honoured.
    epoch: Instant,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    pub(super) to_self: mpsc::WeakUnboundedSender<Event>,
    /// What follows from carrying out commands, and comes before anything from outside.
    pub(super) backlog: VecDeque<Step>,
    pub(super) roster: Roster,
    pub(super) timers: Timers,
    pub(super) askers: std::collections::BTreeMap<RequestId, Asker>,
    last_request: u64,
    pub(super) template: Option<Box<dyn Any>>,
    /// Whether children that have ended for good are deleted: those of a dynamic supervisor.
    pub(super) deletes_ended: bool,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) parent: Option<Parent>,
    pub(super) last_end: Option<Arc<GroupEnd>>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) kind: NodeKind,
    /// The type of a dynamic supervisor's children.
    pub(super) child_type: Option<&'static str>,
    /// Times it was started.
    pub(super) lives: u64,
    /// Whether all is said and done.
    pub(super) is_over: bool,
}

/// Something for the machine.
pub(super) enum Step {
    Notice(Notice),
    Input(Input),
}

impl Task {
    pub(super) fn new(wiring: Wiring, post: Option<Post>) -> Self {
        let Wiring {
            path,
            spec,
            newborns,
            template,
            kind,
            child_type,
            events,
            to_self,
            directory,
            progress,
        } = wiring;
        let deletes_ended = template.is_some();
        let mut task = Self {
            path,
            spec,
            machine: None,
            epoch: Instant::now(),
            events,
            to_self,
            backlog: VecDeque::new(),
            roster: Roster::new(directory),
            timers: Timers::default(),
            askers: Default::default(),
            last_request: 0,
            template: template.map(|make| make()),
            deletes_ended,
            progress,
            parent: post.map(Parent::new),
            last_end: None,
            watchers: Arc::default(),
            kind,
            child_type,
            lives: 0,
            is_over: false,
        };
        task.bear(newborns);
        task
    }

    /// Starts the tasks of the children that the group was described with.
    fn bear(&mut self, newborns: Vec<Newborn>) {
        for newborn in newborns {
            let id = newborn.id.clone();
            let Some(to) = self.to_self.upgrade() else {
                return;
            };
            let facts = newborn.facts();
            match newborn.start(id.clone(), to, self.template.as_deref(), true) {
                Ok((entry, address)) => self.roster.insert(id, entry, address, facts),
                // It is told to start in its turn, and that fails.
                Err(error) => tracing::error!(path = &*self.path, child = %id, %error, "no task"),
            }
        }
    }

    /// The loop.
    pub(super) async fn run(mut self) {
        if self.parent.is_none() {
            self.begin();
        }
        while !self.is_over {
            if let Some(step) = self.backlog.pop_front() {
                self.take(step);
            } else if let Some(timer) = self.timers.take_due(Instant::now()) {
                self.ring(timer);
            } else {
                match self.next_event().await {
                    Some(Event::Notice(notice)) => self.take(Step::Notice(notice)),
                    Some(Event::Order(order)) => self.obey(order),
                    Some(Event::Request {
                        request,
                        newborn,
                        reply,
                    }) => self.ask(request, newborn, Some(reply)),
                    Some(Event::List(reply)) => self.list(reply),
                    Some(Event::Watch { child, teller }) => self.be_watched(child, teller),
                    Some(Event::Show(ask)) => self.show(ask),
                    Some(Event::ShutDown) => self.feed(Input::ShutDown),
                    Some(Event::Clock) => {}
                    // No child, no handle: nobody can ever tell it anything.
                    None => self.feed(Input::ShutDown),
                }
            }
        }
        self.leave();
    }

    /// The next event; `None` from when on nobody is left to tell anything.
    async fn next_event(&mut self) -> Option<Event> {
        let Some(at) = self.timers.next() else {
            return self.events.recv().await;
        };
        match timeout_at(at, self.events.recv()).await {
            Ok(event) => event,
            Err(_) => Some(Event::Clock),
        }
    }

    /// Starts the group from what it was described with.
    pub(super) fn begin(&mut self) {
        match Group::new(self.spec.clone()) {
            Ok(group) => {
                self.machine = Some(group.with_parent(self.parent.is_some()));
                self.lives += 1;
                self.progress.send_replace(Progress::Starting);
                self.feed(Input::Start);
            }
            // It was validated when it was described.
            Err(error) => {
                tracing::error!(path = &*self.path, %error, "an invalid group");
                self.is_over = true;
            }
        }
    }

    /// The machine's time.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::after_start(self.epoch.elapsed())
    }

    /// Gives the machine an input and carries out its commands.
    pub(super) fn feed(&mut self, input: Input) {
        let now = self.now();
        if let Some(machine) = &mut self.machine {
            machine.handle(input, now, fastrand::u64(..));
        }
        while let Some(command) = self.machine.as_mut().and_then(Group::poll_command) {
            self.execute(command);
        }
        // What a child failed with may wait to be decided: it leaves when the machine has let it go.
        let machine = self.machine.as_ref();
        let stays =
            |id: &ChildId| machine.is_some_and(|machine| machine.child_status(id).is_some());
        self.roster.finish_leaving(stays);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Input(input) => self.feed(input),
            Step::Notice(notice) => self.note(notice),
        }
    }

    /// Takes a child's notice.
    fn note(&mut self, Notice { child, life, news }: Notice) {
        let Some(entry) = self.roster.get_mut(&child) else {
            return self.feed_unknown(life, news);
        };
        // Whatever is told of an earlier life is ignored, by the machine too.
        let is_present = entry.live == Some(life);
        let is_over = !matches!(news, News::Started | News::Suspended(..));
        let input = match news {
            News::Started => Input::Started(life),
            News::Stopped => Input::Stopped(life),
            News::StartFailed(cause, trail) => {
                entry.trail = trail;
                Input::StartFailed(life, cause)
            }
            News::Exited(exit, trail) => {
                entry.trail = trail;
                Input::Exited(life, exit)
            }
            News::Suspended(cause, trail) => {
                entry.trail = trail;
                Input::Suspended(life, cause)
            }
        };
        if is_present && is_over {
            self.end_life(&child);
        }
        self.feed(input);
    }

    /// A child that could not even be made is unknown here, but not to the machine.
    fn feed_unknown(&mut self, life: Incarnation, news: News) {
        if let News::StartFailed(cause, _) = news {
            self.feed(Input::StartFailed(life, cause));
        }
    }

    /// A life is over: nothing waits for it any more.
    fn end_life(&mut self, child: &ChildId) {
        let Some(entry) = self.roster.get_mut(child) else {
            return;
        };
        entry.live = None;
        if let Some(timer) = entry.timer.take() {
            self.timers.cancel(timer);
        }
        if entry.is_temporary {
            self.roster.let_go(child);
        } else if std::mem::take(&mut entry.ends) {
            self.close(child);
        }
    }

    /// No start of the child is due.
    pub(super) fn close(&mut self, child: &ChildId) {
        if let Some(entry) = self.roster.get_mut(child) {
            entry.line.order(Order::Refuse);
        }
        if self.deletes_ended {
            self.ask(Request::Delete(child.clone()), None, None);
        }
    }

    fn ring(&mut self, timer: Timer) {
        match timer {
            Timer::Delay(token) => self.feed(Input::Elapsed(token)),
            Timer::Kill(child, life) => {
                tracing::warn!(path = &*self.path, %child, "a child has not stopped in time: killed");
                self.stop(&child, life, Means::Kill, None, false);
            }
            Timer::Abandon(child, life) => {
                tracing::error!(path = &*self.path, %child, "a child does not die: left behind");
                let news = News::Stopped;
                self.note(Notice { child, life, news });
            }
        }
    }

    /// Puts a request to the machine; nobody waits for one without `reply`.
    pub(super) fn ask(
        &mut self,
        request: Request,
        newborn: Option<Newborn>,
        reply: Option<oneshot::Sender<Result<(), RequestError>>>,
    ) {
        if self.machine.is_none() {
            if let Some(reply) = reply {
                let _ = reply.send(Err(RequestError::Ending));
            }
            return;
        }
        self.last_request += 1;
        let id = RequestId(self.last_request);
        let asked_for = match &request {
            Request::Add(spec) => AskedFor::Add(match &newborn {
                Some(newborn) => newborn.id.clone(),
                None => spec.id.as_str().into(),
            }),
            Request::Terminate(child) => AskedFor::Terminate(child.clone()),
            Request::Restart(child) => AskedFor::Restart(child.clone()),
            Request::Delete(child) => AskedFor::Delete(child.clone()),
            Request::ChangeStrategy(strategy) => {
                AskedFor::Change(Box::new(Change::Group(strategy.clone())))
            }
            Request::ChangeChildStrategy(child, strategy) => {
                AskedFor::Change(Box::new(Change::Child(child.clone(), strategy.clone())))
            }
        };
        let request_input = Input::Request(id, request);
        self.askers.insert(
            id,
            Asker {
                request: asked_for,
                reply,
            },
        );
        if let Some(newborn) = newborn {
            self.roster.expect(id, newborn);
        }
        // What is being carried out comes first.
        self.backlog.push_back(Step::Input(request_input));
    }

    fn list(&self, reply: oneshot::Sender<Vec<ChildInfo>>) {
        let children = self.machine.iter().flat_map(Group::children);
        let children = children.map(|(id, status)| ChildInfo {
            id: id.clone(),
            status,
        });
        // Who does not wait for the answer needs none.
        let _ = reply.send(children.collect());
    }

    /// Says that the child's start has failed because its task is gone.
    pub(super) fn fail_start(&mut self, child: ChildId, life: Incarnation) {
        let news = News::StartFailed(arbiter_stopped(), Vec::new());
        // Not put in the backlog: a start that fails at once, for ever, would let nothing else in.
        // If nobody is left who could tell anything, the group is ending.
        if let Some(to) = self.to_self.upgrade() {
            let _ = to.send(Event::Notice(Notice { child, life, news }));
        }
    }

    /// Lets the children go, and tells those who wait.
    fn leave(&mut self) {
        self.roster.clear();
        if let Some(end) = self.last_end.take() {
            self.tell_end(end);
        }
        self.tell_late_watchers();
    }
}
