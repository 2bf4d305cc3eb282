//! A relay in front of a server, which can hold back all that the server answers.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Dropping it ends its connections.
pub(crate) struct Relay {
    port: u16,
    sent: Arc<Mutex<String>>,
    is_open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// A relay that holds nothing back.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (sent, is_open) = (Arc::new(Mutex::new(String::new())), watch::Sender::new(true));
        let (log, gate) = (Arc::clone(&sent), is_open.clone());
        let own_port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                connections.spawn(carry(client, server, Arc::clone(&log), gate.subscribe()));
            }
        });
        Self { port: own_port, sent, is_open, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on no answer gets through.
    pub(crate) fn hold(&self) {
        self.sent.lock().unwrap().clear();
        self.is_open.send_replace(false);
    }

    pub(crate) fn let_through(&self) {
        self.is_open.send_replace(true);
    }

    /// How often clients have sent this word since answers were held back.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.sent.lock().unwrap().matches(word).count()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    client: TcpStream,
    server: TcpStream,
    log: Arc<Mutex<String>>,
    mut is_open: watch::Receiver<bool>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            to_server.write_all(&bytes[..count]).await.unwrap();
        }
    };
    let back = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            is_open.wait_for(|is_open| *is_open).await.unwrap();
            to_client.write_all(&bytes[..count]).await.unwrap();
        }
    };
    tokio::join!(there, back);
}
