//! A server in this process and raw peers that speak to it frame by frame.

use std::{
    net::{SocketAddr, TcpStream},
    thread::JoinHandle,
    time::Duration,
};

use tungstenite::{
    Message, WebSocket,
    client::client_with_config,
    protocol::{WebSocketConfig, frame::CloseFrame},
};
use wslink::{Secret, Server, server::Builder};

/// Long enough for a loaded machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a free port that stops when it is dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts what `set_up` mounts, with the published secret.
    pub(crate) fn start(set_up: impl FnOnce(Builder) -> Builder + Send + 'static) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let server = set_up(Server::builder().secret(Secret::published())).build().unwrap();
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send((listener.local_addr().unwrap(), server.clone())).unwrap();
                server.serve(listener).await.unwrap();
            });
        });
        let (address, server) = told.recv().unwrap();
        Self { address, server, thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_with_config(format!("ws://{}/ws", self.address), stream, Some(config)).unwrap();
        Peer { socket }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.server.stop();
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

/// A WebSocket without any protocol.
pub(crate) struct Peer {
    socket: WebSocket<TcpStream>,
}

/// What a server sends.
#[derive(Debug, PartialEq)]
pub(crate) enum Got {
    Text(String),
    Binary(Vec<u8>),
    Close(u16, String),
    /// The connection ended without a close frame.
    End,
}

impl Peer {
    pub(crate) fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    pub(crate) fn binary(&mut self, bytes: impl Into<Vec<u8>>) {
        self.socket.send(Message::binary(bytes.into())).unwrap();
    }

    pub(crate) fn close(&mut self, code: u16) {
        self.socket.close(Some(CloseFrame { code: code.into(), reason: "".into() })).unwrap();
    }

    pub(crate) fn next(&mut self) -> Got {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Got::Text(text.to_string()),
                Ok(Message::Binary(bytes)) => return Got::Binary(bytes.to_vec()),
                Ok(Message::Close(Some(frame))) => return Got::Close(frame.code.into(), frame.reason.to_string()),
                Ok(Message::Close(None)) => return Got::Close(1005, String::new()),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("the server sent nothing for {PATIENCE:?}")
                }
                Err(_) => return Got::End,
            }
        }
    }
}
