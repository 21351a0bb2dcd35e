//! The derives: what they say is what is done, and it is what would be written by hand.

use std::{cell::RefCell, error::Error, io, rc::Rc, time::Duration};

use actix::prelude::*;
use proptest::{collection::vec, prelude::*};
use supervision_actix::prelude::*;
use supervision_core::{
    Budgets, Cause, Failure, KnownErrors, Policy, Timestamp, canonical, decide,
};

#[derive(Debug, thiserror::Error, ErrorVariants)]
enum DatabaseError {
    #[error("timeout")]
    Timeout,
    #[error("refused")]
    Refused(#[source] io::Error),
}

/// Looks like the other one, and is none of the rules' business.
#[derive(Debug, thiserror::Error)]
#[error("request")]
struct RequestError(#[source] Box<dyn Error + Send + Sync>);

/// The policy of the document, said aloud.
#[derive(Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/my-actor")]
#[supervision(
    on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
    on(DatabaseError => stop),
    default = restart(max = 3, within = "60s", delay = "100ms"),
)]
struct Derived;

impl Actor for Derived {
    type Context = Context<Self>;
}

/// The policy of the document, as it is printed there.
fn by_hand() -> SupervisionStrategy {
    SupervisionStrategy::Match {
        default: Box::new(SupervisionStrategy::Restart {
            max_restarts: 3,
            window: Duration::from_secs(60),
            delay: Duration::from_millis(100),
        }),
        matchers: vec![
            SupervisionMatcher {
                error_type: "std::io::Error".to_string(),
                strategy: Box::new(SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 3,
                    delay: Duration::from_millis(200),
                }),
            },
            SupervisionMatcher {
                error_type: "DatabaseError".to_string(),
                strategy: Box::new(SupervisionStrategy::Stop),
            },
        ],
    }
}

/// How an error came, and around what.
#[derive(Clone, Debug)]
enum Happened {
    Io,
    Fmt,
    Timeout,
    Refused,
    Request(Box<Happened>),
    Panic,
    Exit,
    Stall,
    Named(String),
}

impl Happened {
    fn error(&self) -> Option<Box<dyn Error + Send + Sync>> {
        Some(match self {
            Self::Io => Box::new(io::Error::other("disk full")),
            Self::Fmt => Box::new(std::fmt::Error),
            Self::Timeout => Box::new(DatabaseError::Timeout),
            Self::Refused => Box::new(DatabaseError::Refused(io::Error::other("reset"))),
            Self::Request(inner) => Box::new(RequestError(inner.error()?)),
            Self::Panic | Self::Exit | Self::Stall | Self::Named(_) => return None,
        })
    }

    fn cause(&self, known: &KnownErrors) -> Cause {
        match (self.error(), self) {
            (Some(error), _) => Cause::erased(&*error, known),
            (None, Self::Exit) => Cause::exit("x"),
            (None, Self::Stall) => Cause::stall("x"),
            (None, Self::Named(name)) => Cause::named(name.clone(), "x"),
            (None, _) => Cause::panic("x"),
        }
    }
}

fn happened() -> impl Strategy<Value = Happened> {
    let leaf = prop_oneof![
        Just(Happened::Io),
        Just(Happened::Fmt),
        Just(Happened::Timeout),
        Just(Happened::Refused),
        Just(Happened::Panic),
        Just(Happened::Exit),
        Just(Happened::Stall),
        "(app::)?(Database|Io)?Error".prop_map(|name| match &*name {
            // By hand the rule means every type that ends so; the derive's means this one.
            "DatabaseError" | "app::DatabaseError" => {
                let full = canonical(std::any::type_name::<DatabaseError>());
                Happened::Named(full.to_owned())
            }
            _ => Happened::Named(name),
        }),
    ];
    leaf.prop_recursive(3, 8, 1, |inner| {
        inner.prop_map(|inner| Happened::Request(Box::new(inner)))
    })
}

#[test]
fn a_derived_policy_decides_as_the_one_written_by_hand() {
    let derived = Policy::new(Derived.supervision_strategy()).expect("valid");
    let written = Policy::new(by_hand()).expect("valid");
    let known = Derived.error_types();
    let failures = vec(
        (happened(), 0..30_u64, any::<[bool; 2]>(), any::<u64>()),
        1..40,
    );
    let config = ProptestConfig::with_cases(2_000);
    let seen = RefCell::new([0_u32; 4]);
    proptest!(config, |(failures in failures)| {
        let [mut of_derived, mut of_written] = [Budgets::default(), Budgets::default()];
        let mut now = 0;
        for (happened, later, [resumable, parent], entropy) in failures {
            now += later;
            let cause = happened.cause(&known);
            let failure = Failure::of(&cause).with_resumable(resumable).with_parent(parent);
            let at = Timestamp::from_secs(now);
            let ours = decide(&mut of_derived, &derived, &failure, at, entropy);
            let theirs = decide(&mut of_written, &written, &failure, at, entropy);
            prop_assert_eq!(&ours, &theirs, "{:?}", happened);
            let kind = match ours {
                Decision::Relocate { .. } => 0,
                Decision::Restart { .. } => 1,
                Decision::Stop { .. } => 2,
                Decision::Escalate { .. } | Decision::Resume => 3,
            };
            seen.borrow_mut()[kind] += 1;
        }
    });
    let seen = seen.into_inner();
    assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
}

#[test]
fn what_is_not_said_is_the_default_of_the_strategy() {
    #[derive(DistributedActor, SupervisedDistributedActor)]
    #[actor(path = "/user/a")]
    #[supervision(strategy = restart)]
    struct Plain;
    impl Actor for Plain {
        type Context = Context<Self>;
    }
    assert_eq!(Plain.supervision_strategy(), SupervisionStrategy::default());
}

#[test]
fn a_growing_delay_is_the_backoff_it_says() {
    #[derive(DistributedActor, SupervisedDistributedActor)]
    #[actor(path = "/user/a")]
    #[supervision(
        on(panic => restart(delay = "1s"..="9s")),
        default = restart(max = 9, within = "2m", delay = "1s"..="9s", factor = 3, jitter = 0,
            reset_after = "1h"),
    )]
    struct Growing;
    impl Actor for Growing {
        type Context = Context<Self>;
    }
    let secs = Duration::from_secs;
    let plain = Backoff::new(secs(1), secs(9)).expect("valid");
    let full = plain
        .clone()
        .with_factor(3.0)
        .and_then(|backoff| backoff.with_jitter(0.0))
        .and_then(|backoff| backoff.with_reset_after(secs(3_600)))
        .expect("valid");
    let restart = |max_restarts, window, backoff| SupervisionStrategy::RestartWithBackoff {
        max_restarts,
        window: secs(window),
        backoff,
    };
    let expected = SupervisionStrategy::Match {
        default: Box::new(restart(9, 120, full)),
        matchers: vec![SupervisionMatcher::new("panic", restart(3, 60, plain))],
    };
    assert_eq!(Growing.supervision_strategy(), expected);
}

/// An actor that fails as it is told, and notes what it is told.
#[derive(Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/{name}/{number}")]
#[supervision(
    on(DatabaseError.Timeout => restart(max = 2, delay = "0s")),
    on(DatabaseError => stop),
    default = escalate,
    restart_type = permanent,
    history = 1,
    before_restart = Self::leaving,
    after_restart = arrived,
)]
struct Worker {
    name: &'static str,
    number: u32,
    log: Rc<RefCell<Vec<String>>>,
}

impl Worker {
    fn new() -> Self {
        Self {
            name: "worker",
            number: 7,
            log: Rc::default(),
        }
    }

    fn leaving(&mut self, _: &mut Context<Self>, failure: Option<FailureInfo>) {
        let failure = failure.expect("there was one");
        self.log
            .borrow_mut()
            .push(format!("leaving: {}", failure.error));
    }
}

fn arrived(worker: &mut Worker, _: &mut Context<Worker>, failure: Option<FailureInfo>) {
    let failure = failure.expect("there was one");
    let entry = format!("arrived at {}", failure.actor_path);
    worker.log.borrow_mut().push(entry);
}

impl Actor for Worker {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Fail(fn() -> DatabaseError);

impl Handler<Fail> for Worker {
    type Result = ();
    fn handle(&mut self, Fail(error): Fail, ctx: &mut Context<Self>) {
        ctx.fail_boxed(Box::new(error()));
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Finish;

impl Handler<Finish> for Worker {
    type Result = ();
    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

fn refused() -> DatabaseError {
    DatabaseError::Refused(io::Error::other("x"))
}

#[test]
fn hooks_and_rules_for_variants_work_in_a_running_actor() {
    System::new().block_on(async {
        let worker = Worker::new();
        let log = worker.log.clone();
        let supervisor = ActorProps::new(worker).start();
        let actor = supervisor.send(GetActorAddr::new()).await;
        let actor = actor.expect("answers").expect("runs");
        assert_eq!(actor.send(Fail(|| DatabaseError::Timeout)).await, Ok(()));
        assert_eq!(actor.send(Fail(|| DatabaseError::Timeout)).await, Ok(()));
        let history = supervisor
            .send(GetFailureHistory::new())
            .await
            .expect("answers");
        let paths: Vec<_> = history.iter().map(|info| &*info.actor_path).collect();
        assert_eq!(paths, ["/user/worker/7"], "one is remembered");
        let _ = actor.send(Fail(refused)).await;
        let closed = async {
            while actor.connected() {
                actix_rt::task::yield_now().await
            }
        };
        closed.await;
        let told = ["leaving: timeout", "arrived at /user/worker/7"];
        assert_eq!(*log.borrow(), [told, told].concat());
    });
}

#[test]
fn a_policy_from_a_file_can_name_a_variant_that_the_type_makes_known() {
    #[derive(DistributedActor, SupervisedDistributedActor)]
    #[actor(path = "/user/a")]
    #[supervision(known(DatabaseError.*))]
    struct Told;
    impl Actor for Told {
        type Context = Context<Self>;
    }
    let file = r#"{"Match": {"default": "Stop", "matchers": [
        {"error_type": "DatabaseError.Timeout", "strategy": "Escalate"},
        {"error_type": "DatabaseError", "strategy": "Resume"}
    ]}}"#;
    let strategy: SupervisionStrategy = serde_json::from_str(file).expect("a policy");
    let policy = Policy::new(strategy).expect("valid");
    let decided = |error: &(dyn Error + 'static)| {
        let cause = Cause::erased(error, &Told.error_types());
        let failure = Failure::of(&cause).with_resumable(true);
        decide(
            &mut Budgets::default(),
            &policy,
            &failure,
            Timestamp::default(),
            0,
        )
    };
    assert!(matches!(
        decided(&DatabaseError::Timeout),
        Decision::Escalate { .. }
    ));
    assert_eq!(decided(&refused()), Decision::Resume);
    assert!(matches!(decided(&std::fmt::Error), Decision::Stop { .. }));
}

#[test]
fn a_setter_goes_before_what_the_type_says() {
    System::new().block_on(async {
        let worker = Worker::new();
        let log = worker.log.clone();
        let supervisor = ActorProps::new(worker)
            .with_history_capacity(5)
            .with_restart_type(RestartType::Transient)
            .start();
        let actor = supervisor.send(GetActorAddr::new()).await;
        let actor = actor.expect("answers").expect("runs");
        for _ in 0..2 {
            assert_eq!(actor.send(Fail(|| DatabaseError::Timeout)).await, Ok(()));
        }
        let history = supervisor
            .send(GetFailureHistory::new())
            .await
            .expect("answers");
        assert_eq!(history.len(), 2);
        assert_eq!(actor.send(Finish).await, Ok(()));
        let closed = async {
            while actor.connected() {
                actix_rt::task::yield_now().await
            }
        };
        closed.await; // transient: it ended normally
        assert_eq!(log.borrow().len(), 4);
    });
}

#[test]
fn what_the_type_says_counts_however_the_actor_is_made() {
    System::new().block_on(async {
        let ended = Rc::new(RefCell::new(0));
        let made = Rc::clone(&ended);
        let worker = ActorProps::from_factory(move || {
            *made.borrow_mut() += 1;
            Worker::new()
        })
        .with_supervision(SupervisionStrategy::default())
        .start_actor();
        assert_eq!(worker.send(Finish).await, Ok(()));
        // Permanent, so it is made again: this one can be asked.
        let _ = worker.send(Fail(|| DatabaseError::Timeout)).await;
        assert!(*ended.borrow() >= 2, "{ended:?}");
    });
}
