//! A client of the server: says a line, and listens for one.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

pub(crate) struct Client {
    name: &'static str,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, name: &'static str) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        let stream = BufReader::new(stream);
        Self { name, stream }
    }

    /// Sends a line and waits for the answer.
    pub(crate) async fn says(&mut self, line: &str) -> String {
        self.sends(line).await;
        let answer = self.listens().await.expect("an answer");
        println!("    {} <- {answer}", self.name);
        answer
    }

    /// Sends a line.
    pub(crate) async fn sends(&mut self, line: &str) {
        println!("    {} -> {line}", self.name);
        let line = format!("{line}\n");
        self.stream
            .write_all(line.as_bytes())
            .await
            .expect("an open connection");
    }

    /// The next line; `None` if the connection is closed.
    pub(crate) async fn listens(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await.unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_owned())
    }
}
