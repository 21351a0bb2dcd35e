//! A deadline said in the attribute.

use super::*;

#[derive(Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/sleeper")]
#[supervision(stall = "5s", on(stall => stop), default = resume)]
struct Sleeper;

impl Actor for Sleeper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.wait(actix::fut::wrap_future(std::future::pending::<()>()));
    }
}

#[test]
fn a_derived_stall_deadline_is_kept_and_matched_by_its_rule() {
    assert_eq!(Sleeper::stall_deadline(), Some(Duration::from_secs(5)));
    on_virtual_time(async {
        let supervisor = ActorProps::new(Sleeper).start();
        actix_rt::time::sleep(Duration::from_millis(4_900)).await;
        let address = supervisor.send(GetActorAddr::new()).await;
        assert!(address.is_ok_and(|sleeper| sleeper.is_some()));
        actix_rt::time::sleep(Duration::from_millis(200)).await;
        let address = supervisor.send(GetActorAddr::new()).await;
        assert!(address.is_ok_and(|sleeper| sleeper.is_none()));
        let history = supervisor.send(GetFailureHistory::new()).await;
        let history = history.expect("the supervisor answers");
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].error_type, "stall");
    });
}
