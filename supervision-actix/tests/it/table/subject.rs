//! The actor that fails in every place, and what counts its messages and values.

use super::*;

/// Counts values made and dropped; the two are equal when everything is gone.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) made: AtomicUsize,
    pub(super) dropped: AtomicUsize,
}

pub(super) struct Token(pub(super) Arc<Tally>);

impl Token {
    pub(super) fn new(tally: &Arc<Tally>) -> Self {
        tally.made.fetch_add(1, Ordering::SeqCst);
        Self(tally.clone())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(super) struct TableError;

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table's error")
    }
}

impl Error for TableError {}

#[derive(Debug)]
pub(super) struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("{MEANT}: Display")
    }
}

impl Error for Unspeakable {}

pub(super) struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("{MEANT}: payload dropped");
    }
}

/// What the incarnations of one cell have in common.
pub(super) struct World {
    pub(super) place: Place,
    pub(super) tally: Arc<Tally>,
    pub(super) made: Cell<u64>,
    pub(super) triggered: Cell<bool>,
    pub(super) fired: Cell<bool>,
    pub(super) handled: RefCell<Vec<(u64, u32)>>,
    /// A value whose `started` ran twice.
    pub(super) started_twice: Cell<bool>,
}

impl World {
    /// Whether it is `place`'s turn: once, and after the trigger.
    pub(super) fn fires(&self, place: Place) -> bool {
        self.place == place && self.triggered.get() && !self.fired.replace(true)
    }

    /// As `fires`, without a trigger.
    pub(super) fn fires_at_once(&self, place: Place) -> bool {
        self.place == place && !self.fired.replace(true)
    }

    /// As `fires`, in the second incarnation.
    pub(super) fn fires_later(&self, place: Place) -> bool {
        self.place == place && self.made.get() == 2 && !self.fired.replace(true)
    }

    pub(super) fn panics(&self, place: Place) {
        if self.fires(place) {
            panic!("{MEANT}: {place:?}");
        }
    }
}

pub(super) struct Subject {
    pub(super) world: Rc<World>,
    pub(super) started: bool,
    pub(super) _token: Token,
}

impl Subject {
    pub(super) fn make(world: &Rc<World>) -> Result<Self, Box<dyn Error + Send + Sync>> {
        world.made.set(world.made.get() + 1);
        if world.fires_at_once(Place::PanicInFactory)
            || world.fires_later(Place::PanicInLaterFactory)
        {
            panic!("{MEANT}: factory");
        }
        // The look at the place must not fire the others.
        if world.fires_at_once(Place::ErrFromFactory)
            || world.fires_later(Place::ErrFromLaterFactory)
        {
            return Err(Box::new(TableError));
        }
        Ok(Self {
            world: world.clone(),
            started: false,
            _token: Token::new(&world.tally),
        })
    }
}

impl Actor for Subject {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let world = self.world.clone();
        if std::mem::replace(&mut self.started, true) {
            world.started_twice.set(true);
        }
        if world.fires_at_once(Place::PanicInStarted)
            || world.fires_later(Place::PanicInLaterStarted)
        {
            panic!("{MEANT}: started");
        }
        if world.fires_later(Place::PanicInWaitOfLaterStarted) {
            ctx.wait(async { panic!("{MEANT}: wait in started") }.into_actor(self));
        }
        if world.fires_at_once(Place::FailInStarted) || world.fires_later(Place::FailInLaterStarted)
        {
            ctx.fail(TableError);
        }
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        let world = self.world.clone();
        world.panics(Place::PanicInStopping);
        if world.fires(Place::FailInStoppingThatStops) {
            ctx.fail(TableError);
        }
        if world.fires(Place::FailInStoppingThatGoesOn) {
            ctx.fail(TableError);
            return Running::Continue;
        }
        Running::Stop
    }

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.world.panics(Place::PanicInStopped);
        self.world.panics(Place::PanicInStoppedOfTheFailed);
        if self.world.fires(Place::FailInStopped) {
            ctx.fail(TableError);
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.world.panics(Place::PanicInDrop);
        self.world.panics(Place::PanicInDropOfTheFailed);
    }
}

impl DistributedActor for Subject {
    fn actor_path(&self) -> String {
        if self.world.fires_at_once(Place::PanicInPath) {
            panic!("{MEANT}: path");
        }
        "/user/subject".to_owned()
    }
}

impl SupervisedDistributedActor for Subject {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        if self.world.fires_at_once(Place::PanicInStrategy) {
            panic!("{MEANT}: strategy");
        }
        SupervisionStrategy::default()
    }

    fn error_types(&self) -> KnownErrors {
        KnownErrors::none().with::<TableError>()
    }

    fn before_restart(&mut self, _: &mut Context<Self>, failure: Option<FailureInfo>) {
        assert!(failure.is_some());
        self.world.panics(Place::PanicInBeforeRestart);
    }

    fn after_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        assert!(failure.is_some());
        self.world.panics(Place::PanicInAfterRestart);
        if self.world.fires(Place::FailInAfterRestart) {
            ctx.fail(TableError);
        }
    }
}

#[derive(Message)]
#[rtype(result = "u32")]
pub(super) struct Note(pub(super) u32, pub(super) Token);

impl Handler<Note> for Subject {
    type Result = u32;

    fn handle(&mut self, note: Note, ctx: &mut Context<Self>) -> u32 {
        let handled = &self.world.handled;
        handled.borrow_mut().push((ctx.incarnation(), note.0));
        let _ = &note.1;
        note.0
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Trigger(pub(super) Option<Token>);

impl Handler<Trigger> for Subject {
    type Result = ();

    fn handle(&mut self, trigger: Trigger, ctx: &mut Context<Self>) {
        let world = self.world.clone();
        let _token = trigger.0;
        world.triggered.set(true);
        match world.place {
            Place::PanicInHandler
            | Place::PanicInLaterStarted
            | Place::PanicInWaitOfLaterStarted
            | Place::PanicInLaterFactory
            | Place::ErrFromLaterFactory
            | Place::FailInLaterStarted
            | Place::FailInAfterRestart
            | Place::PanicInBeforeRestart
            | Place::PanicInAfterRestart
            | Place::PanicInStoppedOfTheFailed
            | Place::PanicInDropOfTheFailed => panic!("{MEANT}: handler"),
            Place::PayloadIsNotText => std::panic::resume_unwind(Box::new(42_u32)),
            Place::PayloadPanicsOnDrop => std::panic::resume_unwind(Box::new(PanicsOnDrop)),
            Place::DisplayPanics => ctx.fail(Unspeakable),
            Place::FailInHandler => ctx.fail(TableError),
            Place::FailBoxedInHandler => {
                let error = "x".parse::<u8>().expect_err("no number");
                ctx.fail_boxed(Box::new(error));
            }
            Place::FailBeforeAWait => {
                ctx.fail(TableError);
                ctx.wait(actix_rt::time::sleep(ms(300)).into_actor(self));
            }
            Place::FailBeforeStop => {
                ctx.fail(TableError);
                ctx.stop();
            }
            Place::PanicInStopping
            | Place::PanicInStopped
            | Place::PanicInDrop
            | Place::FailInStoppingThatStops
            | Place::FailInStoppingThatGoesOn
            | Place::FailInStopped
            | Place::StopThoughPermanent => ctx.stop(),
            Place::PanicInDropOfASpawnedFuture => {
                let bomb = PanicsOnDrop;
                ctx.spawn(
                    async move {
                        fut::ready(&bomb).await;
                        std::future::pending().await
                    }
                    .into_actor(self),
                );
                // The bomb goes with the incarnation, in which nothing else fails.
                ctx.stop();
            }
            Place::PanicInSpawnedFuture => {
                ctx.spawn(async { panic!("{MEANT}: spawned") }.into_actor(self));
            }
            Place::PanicInWaitedFuture => {
                ctx.wait(async { panic!("{MEANT}: waited") }.into_actor(self));
            }
            Place::PanicInPendingWait => {
                let later = actix_rt::time::sleep(ms(50));
                ctx.wait(
                    later
                        .into_actor(self)
                        .map(|(), _, _| panic!("{MEANT}: waited")),
                );
            }
            Place::PanicInInterval => {
                ctx.run_interval(ms(5), |_, _| panic!("{MEANT}: interval"));
            }
            Place::PanicInRunLater => {
                ctx.run_later(ms(5), |_, _| panic!("{MEANT}: later"));
            }
            Place::PanicInNotified | Place::FailInNotified => ctx.notify(Notified),
            Place::PanicInNotifiedLater => {
                ctx.notify_later(Notified, ms(5));
            }
            Place::PanicInStreamHandler
            | Place::PanicInStreamFinished
            | Place::FailInStreamHandler => {
                ctx.add_stream(stream::iter([1_u32]));
            }
            Place::PanicInStreamItself => {
                ctx.add_stream(stream::poll_fn(|_| -> std::task::Poll<Option<u32>> {
                    panic!("{MEANT}: stream")
                }));
            }
            Place::PanicInMessageStream => ctx.add_message_stream(stream::iter([Notified])),
            Place::FailInSpawnedFuture => {
                ctx.spawn(
                    fut::ready(())
                        .map(|(), _: &mut Self, ctx: &mut Context<Self>| ctx.fail(TableError)),
                );
            }
            Place::FailInInterval => {
                ctx.run_interval(ms(5), |this, ctx| {
                    if this.world.fires(Place::FailInInterval) {
                        ctx.fail(TableError);
                    }
                });
            }
            Place::FailInWaitedFuture => {
                ctx.wait(
                    fut::ready(())
                        .map(|(), _: &mut Self, ctx: &mut Context<Self>| ctx.fail(TableError)),
                );
            }
            Place::FailInPendingWait => {
                ctx.wait(FailsAndWaits(Box::pin(actix_rt::time::sleep(ms(300)))))
            }
            Place::WatchedTask => {
                actix::spawn(ctx.watch(async { panic!("{MEANT}: task") }));
            }
            _ => {}
        }
    }
}

/// Fails at its first poll, and stays pending for a while.
pub(super) struct FailsAndWaits(pub(super) std::pin::Pin<Box<actix_rt::time::Sleep>>);

impl ActorFuture<Subject> for FailsAndWaits {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        actor: &mut Subject,
        ctx: &mut Context<Subject>,
        task: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        if actor.world.fires(Place::FailInPendingWait) {
            ctx.fail(TableError);
        }
        self.0.as_mut().poll(task)
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Notified;

impl Handler<Notified> for Subject {
    type Result = ();

    fn handle(&mut self, _: Notified, ctx: &mut Context<Self>) {
        if self.world.fires(Place::FailInNotified) {
            ctx.fail(TableError);
        }
        self.world.panics(self.world.place);
    }
}

impl StreamHandler<u32> for Subject {
    fn handle(&mut self, _: u32, ctx: &mut Context<Self>) {
        self.world.panics(Place::PanicInStreamHandler);
        if self.world.fires(Place::FailInStreamHandler) {
            ctx.fail(TableError);
        }
    }

    fn finished(&mut self, _: &mut Context<Self>) {
        self.world.panics(Place::PanicInStreamFinished);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Atomic(#[allow(dead_code)] pub(super) Token);

impl Handler<Atomic> for Subject {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Atomic, ctx: &mut Context<Self>) -> Self::Result {
        let panics = self.world.place == Place::PanicInAtomicResponse;
        if self.world.place == Place::FailBeforeAtomicResponse {
            ctx.fail(TableError);
        }
        let work = actix_rt::time::sleep(ms(20)).into_actor(self);
        AtomicResponse::new(Box::pin(work.map(move |(), _, _| {
            if panics {
                panic!("{MEANT}: atomic response");
            }
        })))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Act(#[allow(dead_code)] pub(super) Token);

impl Handler<Act> for Subject {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Act, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async { panic!("{MEANT}: response") }.into_actor(self))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Answer(#[allow(dead_code)] pub(super) Token);

impl Handler<Answer> for Subject {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Answer, ctx: &mut Context<Self>) -> Self::Result {
        Box::pin(ctx.watch(async { panic!("{MEANT}: response future") }))
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), TableError>")]
pub(super) struct Fallible(#[allow(dead_code)] pub(super) Token);

impl Handler<Fallible> for Subject {
    type Result = FailOnErr<(), TableError>;

    fn handle(&mut self, _: Fallible, _: &mut Context<Self>) -> Self::Result {
        FailOnErr(Err(TableError))
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), TableError>")]
pub(super) struct FallibleAct(#[allow(dead_code)] pub(super) Token);

impl Handler<FallibleAct> for Subject {
    type Result = ResponseActFuture<Self, Result<(), TableError>>;

    fn handle(&mut self, _: FallibleAct, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async { Err(TableError) }.into_actor(self).fail_on_err())
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), TableError>")]
pub(super) struct FallibleAtomic(#[allow(dead_code)] pub(super) Token);

impl Handler<FallibleAtomic> for Subject {
    type Result = AtomicResponse<Self, Result<(), TableError>>;

    fn handle(&mut self, _: FallibleAtomic, _: &mut Context<Self>) -> Self::Result {
        AtomicResponse::new(Box::pin(
            async { Err(TableError) }.into_actor(self).fail_on_err(),
        ))
    }
}

/// Ends the actor through its supervisor.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Quit;

impl Handler<Quit> for SupervisorActor<Subject> {
    type Result = ();

    fn handle(&mut self, _: Quit, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

pub(super) struct Sibling;

impl Actor for Sibling {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u32")]
pub(super) struct Ping(pub(super) u32);

impl Handler<Ping> for Sibling {
    type Result = u32;

    fn handle(&mut self, ping: Ping, _: &mut Context<Self>) -> u32 {
        ping.0 + 1
    }
}
