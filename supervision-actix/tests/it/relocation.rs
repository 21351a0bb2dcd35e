//! The seam to a cluster: what an actor that is hosted does when it is to go, and when it comes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::{
    dev::{Envelope, EnvelopeProxy},
    prelude::*,
};
use supervision_actix::{
    Arrival, EndReason, FailureInfo, Inlet, Luggage, Outcome, PlacementStrategy, Relocator, depart,
    prelude::*,
};

type Log = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct Mover {
    sum: u32,
    log: Log,
}

impl Actor for Mover {
    type Context = Context<Self>;
}

impl DistributedActor for Mover {
    fn actor_path(&self) -> String {
        "/user/mover".into()
    }
}

impl SupervisedDistributedActor for Mover {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::Relocate {
            placement: PlacementStrategy::RoundRobin,
            max_relocations: 2,
            delay: Duration::from_millis(5),
        }
    }
    fn before_restart(&mut self, _: &mut Context<Self>, _: Option<FailureInfo>) {
        self.note("before_restart");
    }
    fn before_relocate(&mut self, _: &mut Context<Self>, to: NodeId, why: Option<FailureInfo>) {
        self.note(&format!("before {to} {:?}", why.map(|f| f.error)));
    }
    fn after_relocate(&mut self, _: &mut Context<Self>, from: NodeId, why: Option<FailureInfo>) {
        self.note(&format!("after {from} {:?}", why.map(|f| f.error)));
    }
}

impl Mover {
    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(what.to_owned());
    }
}

/// A host with or without another node.
struct Host {
    to: Option<NodeId>,
    log: Log,
    left: Arc<Mutex<Option<Luggage>>>,
}

impl Relocator<Mover> for Host {
    fn choose(&self, _: &PlacementStrategy, _: &FailureInfo) -> Option<NodeId> {
        self.to.clone()
    }
    fn depart(&self, to: &NodeId, value: Option<&Mover>, luggage: Luggage) {
        let sum = value.map(|mover| mover.sum);
        self.log
            .lock()
            .unwrap()
            .push(format!("left for {to} {sum:?}"));
        *self.left.lock().unwrap() = Some(luggage);
    }
    fn ended(&self, reason: &EndReason) {
        let relocated = matches!(reason, EndReason::Relocated { .. });
        self.log.lock().unwrap().push(format!("ended {relocated}"));
    }
}

type Work = Box<dyn FnOnce(&mut Mover, &mut Context<Mover>) + Send>;

/// Something the host lets the actor do; it tells if it is dropped without that.
struct Job {
    log: Log,
    work: Option<Work>,
}

impl EnvelopeProxy<Mover> for Job {
    fn handle(&mut self, actor: &mut Mover, ctx: &mut Context<Mover>) {
        self.work.take().unwrap()(actor, ctx);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.work.is_some() {
            self.log.lock().unwrap().push("given back".into());
        }
    }
}

struct Stage {
    log: Log,
    inlet: Inlet<Mover>,
    left: Arc<Mutex<Option<Luggage>>>,
    address: Addr<Mover>,
}

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn host(to: Option<&str>, arrival: Option<Arrival>) -> Stage {
    let (log, inlet, left) = (Log::default(), Inlet::new(), Arc::default());
    let host = Host {
        to: to.map(node),
        log: Arc::clone(&log),
        left: Arc::clone(&left),
    };
    let actor = Mover {
        sum: 7,
        log: Arc::clone(&log),
    };
    let props = ActorProps::new(actor).with_relocator(host, inlet.clone(), arrival);
    Stage {
        address: props.start_actor(),
        log,
        inlet,
        left,
    }
}

impl Stage {
    fn put(&self, work: impl FnOnce(&mut Mover, &mut Context<Mover>) + Send + 'static) {
        let log = Arc::clone(&self.log);
        let work = Some(Box::new(work) as _);
        let job = Job { log, work };
        self.inlet.put(Envelope::with_proxy(Box::new(job)));
    }

    async fn log_of(&self, length: usize) -> Vec<String> {
        loop {
            let log = self.log.lock().unwrap().clone();
            if log.len() >= length {
                return log;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[actix::test]
async fn an_actor_that_is_told_to_relocate_is_given_up_with_its_value_and_its_luggage() {
    let stage = host(Some("b"), None);
    stage.put(|_, ctx| ctx.fail(std::io::Error::other("broken disk")));
    stage.put(|actor, _| actor.note("handled"));
    let log = stage.log_of(4).await;
    assert_eq!(
        log,
        [
            r#"before b Some("broken disk")"#,
            "left for b Some(7)",
            "given back",
            "ended true",
        ]
    );
    let luggage = stage.left.lock().unwrap().clone().unwrap();
    assert_eq!(luggage.delay(), Duration::from_millis(5));
    assert_eq!(luggage.history()[0].outcome, Outcome::Relocated);
    assert!(!stage.address.connected());
}

#[actix::test]
async fn what_a_panic_has_gone_through_is_not_given_on() {
    let stage = host(Some("b"), None);
    stage.put(|_, _| panic!("half-changed"));
    assert_eq!(stage.log_of(2).await[1], "left for b None");
}

#[actix::test]
async fn an_actor_without_another_node_is_restarted_in_place() {
    let stage = host(None, None);
    stage.put(|_, ctx| ctx.fail(std::io::Error::other("x")));
    stage.put(|actor, _| actor.note("handled"));
    assert_eq!(stage.log_of(2).await, ["before_restart", "handled"]);
}

#[actix::test]
async fn budgets_and_history_go_on_where_the_actor_arrives() {
    let mut arrival = None;
    let mut moves = 0;
    loop {
        let stage = host(Some("b"), arrival.take());
        stage.put(|_, ctx| ctx.fail(std::io::Error::other("x")));
        while stage.address.connected() {
            tokio::task::yield_now().await;
        }
        let log = stage.log.lock().unwrap().clone();
        if moves > 0 {
            assert_eq!(log[0], r#"after a Some("x")"#);
        }
        let Some(luggage) = stage.left.lock().unwrap().take() else {
            assert_eq!(log[1..], ["ended false"]);
            break;
        };
        moves += 1;
        assert_eq!(luggage.history().len(), moves);
        arrival = Some(Arrival {
            source: Some(node("a")),
            luggage,
        });
    }
    assert_eq!(moves, 2, "max_relocations counts across nodes");
}

#[actix::test]
async fn an_ordered_departure_comes_after_what_was_put_in_before_it() {
    let stage = host(None, None);
    stage.put(|actor, _| actor.sum = 8);
    stage.put(|_, ctx| assert!(depart(ctx, node("c"))));
    stage.put(|actor, _| actor.note("too late"));
    let log = stage.log_of(4).await;
    assert_eq!(
        log,
        [
            "before c None",
            "left for c Some(8)",
            "given back",
            "ended true"
        ]
    );
}

#[actix::test]
async fn a_halted_actor_ends_though_its_address_is_held() {
    let stage = host(None, None);
    stage.inlet.halt();
    assert_eq!(stage.log_of(1).await, ["ended false"]);
    stage.put(|_, _| ());
    assert_eq!(stage.log_of(2).await[1], "given back");
}
