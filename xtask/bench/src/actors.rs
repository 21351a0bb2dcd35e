//! The actor that is measured, and the ways of starting it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use actix::{
    dev::{AsyncContextParts, ContextFut, channel::channel},
    prelude::*,
};
use supervision_actix::prelude::*;

/// How the actor is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// `Actor::start`.
    Bare,
    /// `ActorProps::start_actor`.
    Lean,
    /// `ActorProps::start`, with the supervisor's address held.
    Supervisor,
    /// As `Lean`, with a stall deadline of 5 s.
    Deadline,
}

impl Variant {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "bare" => Some(Self::Bare),
            "lean" => Some(Self::Lean),
            "supervisor" => Some(Self::Supervisor),
            "deadline" => Some(Self::Deadline),
            _ => None,
        }
    }
}

/// Counts what it gets.
#[derive(Default)]
pub struct Probe {
    pub count: u64,
}

impl Actor for Probe {
    type Context = Context<Self>;
}

/// Tell.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell;

/// Ask for the count.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Ask;

/// Panic.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Panic;

/// Fail by report.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Fail;

impl Handler<Tell> for Probe {
    type Result = ();
    fn handle(&mut self, _: Tell, _: &mut Context<Self>) {
        self.count += 1;
    }
}

impl Handler<Ask> for Probe {
    type Result = u64;
    fn handle(&mut self, _: Ask, _: &mut Context<Self>) -> u64 {
        self.count
    }
}

impl Handler<Panic> for Probe {
    type Result = ();
    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        self.count += 1;
        panic!("measured");
    }
}

impl Handler<Fail> for Probe {
    type Result = ();
    fn handle(&mut self, _: Fail, ctx: &mut Context<Self>) {
        self.count += 1;
        ctx.fail(std::fmt::Error);
    }
}

/// A started actor; what keeps it alive is kept with it.
pub struct Started {
    pub addr: Addr<Probe>,
    pub supervisor: Option<Addr<SupervisorActor<Probe>>>,
}

/// Restarts without limit and at once.
pub const UNLIMITED: SupervisionStrategy = SupervisionStrategy::Restart {
    max_restarts: usize::MAX,
    window: std::time::Duration::from_secs(1),
    delay: std::time::Duration::ZERO,
};

/// Starts one actor.
pub async fn start(variant: Variant) -> Started {
    let props = || ActorProps::plain("/bench/probe", Probe::default).with_supervision(UNLIMITED);
    match variant {
        Variant::Bare => Started { addr: Probe::default().start(), supervisor: None },
        Variant::Lean => Started { addr: props().start_actor(), supervisor: None },
        Variant::Deadline => {
            let props = props().with_stall_deadline(std::time::Duration::from_secs(5));
            Started { addr: props.start_actor(), supervisor: None }
        }
        Variant::Supervisor => {
            let supervisor = props().start();
            let addr = supervisor.send(GetActorAddr::new()).await.ok().flatten();
            Started { addr: addr.expect("a running actor"), supervisor: Some(supervisor) }
        }
    }
}

/// The least that a recovery from a panic can cost in actix: the panic is caught around the poll of
/// actix's own future, and the next message finds a fresh actor.
pub struct BareRecovery {
    running: Option<ContextFut<Probe, Context<Probe>>>,
    restarts: u64,
}

impl BareRecovery {
    /// Starts an actor that recovers; its address changes with each recovery.
    pub fn new() -> (Addr<Probe>, Self) {
        let (tx, rx) = channel(16);
        let future = Context::with_receiver(rx).into_future(Probe::default());
        (Addr::new(tx), Self { running: Some(future), restarts: 0 })
    }

    /// Sends a panic, polls it, catches it, makes a new actor, and has it answer.
    pub async fn panic_and_ping(&mut self, addr: Addr<Probe>) -> Addr<Probe> {
        let failed = addr.send(Panic);
        let polled = std::future::poll_fn(|cx| Poll::Ready(self.poll(cx))).await;
        assert!(polled.is_err());
        drop(failed);
        if let Some(mut broken) = self.running.take() {
            broken.ctx().parts().terminate();
        }
        let (next, recovered) = Self::new();
        self.running = recovered.running;
        self.restarts += 1;
        let answer = next.send(Ask);
        let polled = std::future::poll_fn(|cx| Poll::Ready(self.poll(cx))).await;
        assert!(polled.is_ok());
        assert_eq!(answer.await.expect("an answer"), 0);
        next
    }

    fn poll(&mut self, cx: &mut TaskContext<'_>) -> std::thread::Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| {
            let _pending = Pin::new(running).poll(cx);
        }))
    }

    /// Recoveries so far.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }
}
