//! The document it all started from: its code compiles as printed and does what it says.


// Printed code is not ours to tidy.
#![allow(unreachable_pub, unused_variables, clippy::module_inception, clippy::io_other_error, clippy::uninlined_format_args)]

mod strategies {
    use actix::prelude::*;
    use supervision_actix::prelude::*;
    use std::time::Duration;

    #[test]
    fn the_match_block_compiles() {
let strategy = SupervisionStrategy::Match {
    default: Box::new(SupervisionStrategy::Restart { 
        max_restarts: 3, 
        window: Duration::from_secs(60), 
        delay: Duration::from_millis(100) 
    }),
    matchers: vec![
        SupervisionMatcher {
            error_type: "std::io::Error".to_string(),
            strategy: Box::new(SupervisionStrategy::Relocate { 
                placement: PlacementStrategy::RoundRobin,
                max_relocations: 3, 
                delay: Duration::from_millis(200)
            }),
        },
        SupervisionMatcher {
            error_type: "DatabaseError".to_string(),
            strategy: Box::new(SupervisionStrategy::Stop),
        },
    ],
};
        assert_eq!(strategy.validate(), Ok(()));
        let _: Option<Running> = None;
    }
}

mod hooks {
    use actix::prelude::*;
    use supervision_actix::prelude::*;
    use std::time::Duration;

    struct MyActor;
    impl Actor for MyActor {
        type Context = Context<Self>;
    }
    impl DistributedActor for MyActor {
        fn actor_path(&self) -> String {
            "/user/my-actor".to_string()
        }
    }

impl SupervisedDistributedActor for MyActor {
    // Define a custom supervision strategy
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::Restart {
            max_restarts: 5,
            window: Duration::from_secs(60),
            delay: Duration::from_millis(500),
        }
    }
    
    // Called before actor restart
    fn before_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        // Cleanup resources, log failure, etc.
    }
    
    // Called after actor restart
    fn after_restart(&mut self, ctx: &mut Context<Self>, failure: Option<FailureInfo>) {
        // Initialize state, restore connections, etc.
    }
    
    // Called before actor relocation
    fn before_relocate(&mut self, ctx: &mut Context<Self>, target_node: NodeId, failure: Option<FailureInfo>) {
        // Prepare for migration to new node
    }
    
    // Called after actor relocation
    fn after_relocate(&mut self, ctx: &mut Context<Self>, source_node: NodeId, failure: Option<FailureInfo>) {
        // Setup after migration from another node
    }
}

    #[test]
    fn the_hooks_block_compiles() {
        assert_eq!(MyActor.supervision_strategy().validate(), Ok(()));
    }
}

#[allow(dead_code)]
mod failure_info {
    use actix::prelude::*;
    use supervision_actix::prelude::*;
    use std::time::Duration;

pub struct FailureInfo {
    pub actor_path: String,     // Path of the failed actor
    pub node_id: NodeId,        // Node where failure occurred
    pub time: u64,              // Failure timestamp
    pub error: String,          // Error message
    pub error_type: String,     // Type of error
    pub restart_count: usize,   // Number of restarts attempted
    pub failure_id: Uuid,       // Unique failure identifier
}

    /// The printed struct and ours have the same fields, and ours has no other.
    impl From<supervision_actix::FailureInfo> for FailureInfo {
        fn from(ours: supervision_actix::FailureInfo) -> Self {
            let supervision_actix::FailureInfo {
                actor_path,
                node_id,
                time,
                error,
                error_type,
                restart_count,
                failure_id,
            } = ours;
            Self { actor_path, node_id, time, error, error_type, restart_count, failure_id }
        }
    }

    const _: Option<(Duration, Running)> = None;
}

mod usage {
    use actix::prelude::*;
    use supervision_actix::prelude::*;
    use std::time::Duration;

    type Anything = Box<dyn std::error::Error>;

    #[test]
    fn the_supervised_actor_of_the_usage_block_runs() {
        async fn printed() -> Result<(), Anything> {
// Define an actor
#[derive(Clone)]
struct MyActor {
    // Actor state
}

impl Actor for MyActor {
    type Context = Context<Self>;
}

impl DistributedActor for MyActor {
    fn actor_path(&self) -> String {
        "/user/my-actor".to_string()
    }
}

// Implement supervision behavior
impl SupervisedDistributedActor for MyActor {
    fn supervision_strategy(&self) -> SupervisionStrategy {
        SupervisionStrategy::Restart {
            max_restarts: 5,
            window: Duration::from_secs(60),
            delay: Duration::from_millis(100),
        }
    }
}

// Create and start the supervised actor
let actor = MyActor { /* ... */ };
let supervised = ActorProps::new(actor)
    .with_supervision(SupervisionStrategy::Restart {
        max_restarts: 3,
        window: Duration::from_secs(30),
        delay: Duration::from_millis(100),
    })
    .start();

// Get the actor address
let actor_addr = supervised.send(GetActorAddr::new()).await?.expect("Actor should be running");
            assert!(actor_addr.connected());
            Ok(())
        }
        crate::quiet::on_system(printed()).expect("no mailbox error");
    }

    #[derive(Clone)]
    struct Reported;
    impl Actor for Reported {
        type Context = Context<Self>;
    }

    async fn printed_reporting(
        supervisor_addr: Addr<SupervisorActor<Reported>>,
    ) -> Result<(bool, usize), Anything> {
// Report a failure to the supervisor
let error: Box<dyn std::error::Error + Send> = Box::new(std::io::Error::new(
    std::io::ErrorKind::Other,
    "An error occurred",
));

// Report the failure to the supervisor
let result = supervisor_addr.send(ReportFailure::new(error)).await?;

// Check if the actor was restarted
if let Some(new_addr) = result {
    println!("Actor was restarted successfully");
} else {
    println!("Actor couldn't be restarted (stopped or escalated)");
}

// Get failure history
let history = supervisor_addr.send(GetFailureHistory::new()).await?;
for (i, failure) in history.iter().enumerate() {
    println!("Failure {}: {} at {}", i+1, failure.error, failure.time);
}
        assert_eq!(history[0].error_type, "std::io::Error");
        assert_eq!(history[0].error, "An error occurred");
        let address = supervisor_addr.send(GetActorAddr::new()).await?;
        Ok((address.is_some(), history.len()))
    }

    fn report_under(strategy: SupervisionStrategy) -> (bool, usize) {
        crate::quiet::on_virtual_time(async {
            let props = ActorProps::plain("/user/reported", || Reported);
            let supervisor = props.with_supervision(strategy).start();
            printed_reporting(supervisor).await.expect("no mailbox error")
        })
    }

    #[test]
    fn a_reported_failure_is_answered_after_the_restart_or_the_end() {
        let restart = SupervisionStrategy::Restart {
            max_restarts: 3,
            window: Duration::from_secs(60),
            delay: Duration::from_millis(100),
        };
        assert_eq!(report_under(restart), (true, 1));
        assert_eq!(report_under(SupervisionStrategy::Stop), (false, 1));
        assert_eq!(report_under(SupervisionStrategy::Escalate), (false, 1));
        assert_eq!(report_under(SupervisionStrategy::Resume), (true, 1));
    }
}
