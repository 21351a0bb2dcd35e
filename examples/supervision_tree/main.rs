//! A small server as a supervision tree: a database that goes away and comes back, an actor for
//! each connection, and one that accepts them. Prints what happens and asserts what it claims.
//!
//! ```text
//! /server                     one for one
//!   database                  restarted until the database is back
//!   /server/front             rest for one
//!     connections             a dynamic supervisor: an actor for each connection
//!     acceptor                hands new connections to it
//! ```

mod acceptor;
mod client;
mod connection;
mod database;

use std::{net::TcpListener, sync::Arc, time::Duration};

use supervision_actix::{
    group::{ChildProps, DynamicProps, DynamicSupervisor, GroupHandle, GroupProps, GroupStrategy},
    prelude::*,
};

use crate::{
    acceptor::{Acceptor, Stumble},
    client::Client,
    connection::{Connection, Socket},
    database::{Database, Disk},
};

type Connections = DynamicSupervisor<Connection, Socket>;

/// Longer than a restart takes.
const BREAK: Duration = Duration::from_millis(100);

fn main() {
    // The panics are part of the story; their backtraces are not.
    std::panic::set_hook(Box::new(|panic| {
        let literal = panic.payload().downcast_ref::<&str>().copied();
        let text = literal.or_else(|| panic.payload().downcast_ref().map(String::as_str));
        println!("    ! {}", text.unwrap_or("a panic"));
    }));
    actix::System::new().block_on(tell());
    println!("\nThe server went as it said.");
}

/// `times` in a minute, 20 ms after each failure.
fn restart(times: usize) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts: times,
        window: Duration::from_secs(60),
        delay: Duration::from_millis(20),
    }
}

/// Describes the tree and starts it.
fn start(disk: &Arc<Disk>, listener: TcpListener) -> GroupHandle {
    let disk = disk.clone();
    let database = ActorProps::try_plain("/server/database", move || Database::connect(&disk))
        .with_error_type::<database::Gone>();
    let database = ChildProps::actor("database", database)
        .with_restart_type(RestartType::Permanent)
        .with_strategy(restart(1_000));
    let ask = database.address::<Database>().expect("an actor");

    let connections =
        DynamicProps::new("/server/connections", restart(3), move |socket: &Socket| {
            Connection::new(socket, &ask)
        });
    let connections = ChildProps::dynamic("connections", connections);
    let hand_to: Connections = connections
        .dynamic_supervisor()
        .expect("a dynamic supervisor");
    let listener = Arc::new(listener);
    let acceptor = ActorProps::plain("/server/acceptor", move || {
        Acceptor::new(&listener, &hand_to)
    });

    let front = GroupProps::new("/server/front", GroupStrategy::RestForOne, restart(3))
        .child(connections)
        .child(ChildProps::actor("acceptor", acceptor));
    GroupProps::new("/server", GroupStrategy::OneForOne, restart(3))
        .child(database)
        .child(ChildProps::group("front", front))
        .start()
}

async fn tell() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let disk = Arc::new(Disk::default());
    let server = start(&disk, listener);
    server.started().await.expect("the tree starts");
    let front = server.group("front").expect("a group");
    let connections: Connections = front.dynamic("connections").expect("its child");
    println!("The tree is up: database, then connections, then the acceptor.");
    print_tree(&server).await;

    println!("\nTwo clients connect, and each gets an actor of its own.");
    let mut ann = Client::connect(address, "ann").await;
    let mut bob = Client::connect(address, "bob").await;
    assert_eq!(ann.says("put lamp 3").await, "stored");
    assert_eq!(bob.says("get lamp").await, "3");
    assert_eq!(connections.count(), 2);

    println!("\nThe database goes away. The question waits in its mailbox until it is back.");
    disk.go_away_for(Duration::from_millis(150));
    assert_eq!(ann.says("put lamp 4").await, "stored");
    assert!(disk.attempts() > 2, "it was tried until it was back");
    println!("    it took {} tries to come back", disk.attempts());
    assert_eq!(bob.says("get lamp").await, "4");

    println!("\nA request makes ann's actor panic. Her connection stays, and bob sees nothing.");
    ann.sends("crash").await;
    // A line that the actor has read goes with it, so she waits for the next one.
    tokio::time::sleep(BREAK).await;
    assert_eq!(ann.says("get lamp").await, "4");
    assert_eq!(bob.says("get lamp").await, "4");
    assert_eq!(connections.count(), 2);

    println!("\nThe acceptor panics, and accepts again 20 ms later.");
    let acceptor = front.actor::<Acceptor>("acceptor").expect("its child");
    acceptor.do_send(Stumble);
    let mut eve = Client::connect(address, "eve").await;
    assert_eq!(eve.says("get lamp").await, "4");

    println!("\nbob hangs up, and his actor leaves.");
    drop(bob);
    while connections.count() > 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("    {} connections are left", connections.count());

    println!("\nThe connections use up their budget: their supervisor asks the group above, which");
    println!("starts the whole front anew. The database is not touched.");
    let lives = disk.attempts();
    for _ in 0..3 {
        ann.sends("crash").await;
        tokio::time::sleep(BREAK).await;
    }
    assert_eq!(ann.listens().await, None, "all connections are closed");
    let mut joe = Client::connect(address, "joe").await;
    assert_eq!(joe.says("get lamp").await, "4");
    assert_eq!(connections.count(), 1);
    assert_eq!(disk.attempts(), lives);
    print_tree(&server).await;
    let tree = server.snapshot().await;
    let front = tree.find("/server/front").expect("a group");
    assert_eq!(front.restarts, 0, "it restarted its children");
    let supervisor = tree.find("/server/connections").expect("a supervisor");
    assert_eq!((supervisor.restarts, supervisor.count()), (1, 1));

    println!("\nThe server shuts down: the acceptor first, the database last.");
    let gone = server.child("database").death_watch();
    let end = server.shutdown().await;
    assert!(end.reason.is_normal());
    println!("    the database: {}", gone.await.reason);
    assert_eq!(joe.listens().await, None);
    println!("    {:?}", end.reason);
}

async fn print_tree(server: &GroupHandle) {
    let tree = server.snapshot().await.to_string();
    for line in tree.lines() {
        println!("    {line}");
    }
}
