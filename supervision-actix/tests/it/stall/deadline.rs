//! Which deadlines there are, and where they come from.

use supervision_actix::StartError;

use super::*;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[test]
fn a_deadline_of_zero_or_of_more_than_a_year_is_refused() {
    on_system(async {
        let world = World::new();
        for refused in [
            Duration::ZERO,
            YEAR + Duration::from_nanos(1),
            Duration::MAX,
        ] {
            let start = props(&world).with_stall_deadline(refused).try_start();
            assert_eq!(start.err(), Some(StartError::StallDeadline(refused)));
        }
        for taken in [Duration::from_nanos(1), YEAR] {
            assert!(props(&world).with_stall_deadline(taken).try_start().is_ok());
        }
    });
}

#[derive(Clone)]
struct Patient;

impl Actor for Patient {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.wait(actix::fut::wrap_future(std::future::pending::<()>()));
    }
}

impl DistributedActor for Patient {
    fn actor_path(&self) -> String {
        "/user/patient".to_owned()
    }
}

impl SupervisedDistributedActor for Patient {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::Resume
    }

    fn stall_deadline() -> Option<Duration> {
        Some(DEADLINE)
    }
}

#[test]
fn the_types_own_deadline_counts_until_a_setter_says_otherwise() {
    on_virtual_time(async {
        let own = ActorProps::new(Patient).start();
        let set = ActorProps::new(Patient)
            .with_stall_deadline(4 * DEADLINE)
            .start();
        actix_rt::time::sleep(9 * DEADLINE / 2).await;
        for (supervisor, stalls) in [(own, 4), (set, 1)] {
            let history = supervisor.send(GetFailureHistory::new()).await;
            let history = history.expect("the supervisor answers");
            assert_eq!(history.len(), stalls);
            assert!(history.iter().all(|failure| failure.error_type == "stall"));
            assert!(
                history
                    .iter()
                    .all(|failure| failure.error.contains("no message"))
            );
        }
    });
}
