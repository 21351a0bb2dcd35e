//! The acceptor: hands each new connection to the supervisor of connections.

use std::{net, sync::Arc};

use actix::prelude::*;
use tokio::net::TcpListener;

use crate::Connections;

pub(crate) struct Acceptor {
    listener: Arc<net::TcpListener>,
    connections: Connections,
}

impl Acceptor {
    pub(crate) fn new(listener: &Arc<net::TcpListener>, connections: &Connections) -> Self {
        Self {
            listener: listener.clone(),
            connections: connections.clone(),
        }
    }
}

impl Actor for Acceptor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let listener = self.listener.try_clone().expect("a listener can be shared");
        listener
            .set_nonblocking(true)
            .expect("a socket that need not block");
        let connections = self.connections.clone();
        // It belongs to this incarnation, and ends with it.
        ctx.spawn(accept(listener, connections).into_actor(self));
    }
}

async fn accept(listener: net::TcpListener, connections: Connections) {
    let listener = TcpListener::from_std(listener).expect("a runtime");
    while let Ok((socket, peer)) = listener.accept().await {
        let socket = Arc::new(socket.into_std().expect("a socket"));
        if let Err(error) = connections.add(peer.to_string(), socket).await {
            println!("    ! {peer}: {error}");
        }
    }
}

/// Makes the acceptor panic.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Stumble;

impl Handler<Stumble> for Acceptor {
    type Result = ();

    fn handle(&mut self, _: Stumble, _: &mut Context<Self>) {
        panic!("the acceptor stumbles");
    }
}
