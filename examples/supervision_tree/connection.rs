//! One connection: an actor that reads lines, asks the database and writes answers. The socket
//! outlives it, so its next incarnation goes on with the same client.

use std::{io, net, sync::Arc};

use actix::prelude::*;
use futures_util::stream;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::database::{Database, Query};

/// What each incarnation of a connection is made from.
pub(crate) type Socket = Arc<net::TcpStream>;

pub(crate) struct Connection {
    socket: Socket,
    database: Addr<Database>,
    writer: Option<TcpStream>,
}

impl Connection {
    pub(crate) fn new(socket: &Socket, database: &Addr<Database>) -> Self {
        Self {
            socket: socket.clone(),
            database: database.clone(),
            writer: None,
        }
    }

    /// A stream of this incarnation's own; its end does not shut the socket down.
    fn open(&self) -> io::Result<TcpStream> {
        TcpStream::from_std(self.socket.try_clone()?)
    }

    /// Asks the database, and writes its answer; further lines wait until that is done.
    fn answer(&mut self, query: Query, ctx: &mut Context<Self>) {
        let (database, writer) = (self.database.clone(), self.writer.take());
        let answered = async move {
            let text = match ask(&database, query).await {
                Some(text) => text,
                None => "sorry".to_owned(),
            };
            let mut writer = writer?;
            writer
                .write_all(format!("{text}\n").as_bytes())
                .await
                .ok()?;
            Some(writer)
        };
        ctx.wait(answered.into_actor(self).map(|writer, connection, ctx| {
            connection.writer = writer;
            if connection.writer.is_none() {
                ctx.stop();
            }
        }));
    }
}

/// Asks until the database has answered; while it is away the question waits in its mailbox.
async fn ask(database: &Addr<Database>, query: Query) -> Option<String> {
    loop {
        // Gone while it looked: it is being restarted, and is asked again.
        if let Ok(found) = database.send(query.clone()).await.ok()? {
            return Some(match query {
                Query::Put(..) => "stored".to_owned(),
                Query::Get(_) => found.unwrap_or_else(|| "nothing".to_owned()),
            });
        }
    }
}

impl Actor for Connection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        match (self.open(), self.open()) {
            (Ok(reader), Ok(writer)) => {
                self.writer = Some(writer);
                let lines = BufReader::new(reader).lines();
                ctx.add_stream(stream::unfold(lines, async |mut lines| {
                    let line = lines.next_line().await.ok()??;
                    Some((line, lines))
                }));
            }
            _ => ctx.stop(),
        }
    }
}

/// The actor stops when the lines end, and its supervisor forgets it.
impl StreamHandler<String> for Connection {
    fn handle(&mut self, line: String, ctx: &mut Context<Self>) {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        match &words[..] {
            [get, key] if get == "get" => self.answer(Query::Get(key.clone()), ctx),
            [put, key, value] if put == "put" => {
                self.answer(Query::Put(key.clone(), value.clone()), ctx);
            }
            other => panic!("cannot understand {other:?}"),
        }
    }
}
