//! A server in this process and raw peers that speak to it frame by frame.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tungstenite::{
    HandshakeError, Message, WebSocket,
    client::{IntoClientRequest, client_with_config},
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
        Self::start_at(([127, 0, 0, 1], 0).into(), set_up)
    }

    /// The same at an address that is known before.
    pub(crate) fn start_at(address: SocketAddr, set_up: impl FnOnce(Builder) -> Builder + Send + 'static) -> Self {
        Self::build_at(address, || set_up(Server::builder().secret(Secret::published())))
    }

    /// Starts what `build` sets up, with its own way of admitting clients.
    pub(crate) fn build(build: impl FnOnce() -> Builder + Send + 'static) -> Self {
        Self::build_at(([127, 0, 0, 1], 0).into(), build)
    }

    fn build_at(address: SocketAddr, build: impl FnOnce() -> Builder + Send + 'static) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let server = build().build().unwrap();
                let listener = tokio::net::TcpListener::bind(address).await.unwrap();
                tell.send((listener.local_addr().unwrap(), server.clone())).unwrap();
                server.serve(listener).await.unwrap();
            });
        });
        let (address, server) = told.recv().unwrap();
        Self { address, server, thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> Peer {
        self.connect_with("/ws", &[])
    }

    /// Asks for `path` with more headers than a WebSocket needs.
    pub(crate) fn connect_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Peer {
        Peer::over(TcpStream::connect(self.address).unwrap(), path, headers)
    }

    /// A WebSocket from another address of this machine. An error is the status of a refusal.
    pub(crate) fn connect_from(&self, source: [u8; 4], headers: &[(&'static str, &str)]) -> Result<Peer, u16> {
        Peer::ask(self.stream_from(source), "/ws", headers)
    }

    /// A connection from an address of this machine.
    pub(crate) fn stream_from(&self, source: [u8; 4]) -> TcpStream {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind((source, 0).into()).unwrap();
            socket.connect(self.address).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
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
    pub(crate) socket: WebSocket<TcpStream>,
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
    /// Opens a WebSocket over a connection to a server.
    pub(crate) fn over(stream: TcpStream, path: &str, headers: &[(&'static str, &str)]) -> Self {
        Self::ask(stream, path, headers).unwrap()
    }

    /// The same, or the status of a refusal.
    pub(crate) fn ask(stream: TcpStream, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let mut request = format!("ws://{}{path}", stream.peer_addr().unwrap()).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The next that connects to `listener`.
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket: tungstenite::accept(stream).unwrap() }
    }

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

    /// Skips messages to the end of the connection.
    pub(crate) fn end(&mut self) -> Got {
        loop {
            match self.next() {
                Got::Text(_) | Got::Binary(_) => {}
                end => return end,
            }
        }
    }
}

/// A peer that says messages of one protocol; without binary data, the same JSON in both.
pub(crate) struct Speaker {
    pub(crate) peer: Peer,
    protocol: ProtocolVersion,
    sent: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ProtocolVersion {
    V1,
    V2,
}

pub(crate) const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::V1, ProtocolVersion::V2];

impl Speaker {
    /// A peer that was not greeted yet.
    pub(crate) fn unauthenticated(server: &TestServer, protocol: ProtocolVersion) -> Self {
        Self::over(server.connect(), protocol)
    }

    pub(crate) const fn over(peer: Peer, protocol: ProtocolVersion) -> Self {
        Self { peer, protocol, sent: 0 }
    }

    /// A peer that said hello.
    pub(crate) fn new(server: &TestServer, protocol: ProtocolVersion) -> Self {
        Self::unauthenticated(server, protocol).greeted()
    }

    /// The same peer once it has said hello.
    pub(crate) fn greeted(mut self) -> Self {
        let welcome = self.hello(Secret::published().reveal());
        assert!(welcome["result"]["clientID"].is_string(), "{welcome}");
        self
    }

    /// A peer that said hello and knows `extensions`.
    pub(crate) fn extended(server: &TestServer, protocol: ProtocolVersion, extensions: &[&str]) -> Self {
        let mut speaker = Self::unauthenticated(server, protocol);
        let hello = json!({"secret": Secret::published().reveal(), "extensions": extensions});
        let welcome = speaker.system("wslink.hello", json!([hello]), json!({}));
        assert!(welcome["result"]["extensions"].is_array(), "{welcome}");
        speaker
    }

    /// Sends a system call and returns its id.
    pub(crate) fn begin_system(&mut self, method: &str, args: Value, kwargs: Value) -> String {
        self.sent += 1;
        let id = format!("system:c0:{}", self.sent);
        self.send(&json!({"wslink": "1.0", "id": id, "method": method, "args": args, "kwargs": kwargs}));
        id
    }

    /// Makes a system call and returns its reply; nothing else may come before it.
    pub(crate) fn system(&mut self, method: &str, args: Value, kwargs: Value) -> Value {
        let id = self.begin_system(method, args, kwargs);
        let reply = self.next();
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    pub(crate) fn hello(&mut self, secret: &str) -> Value {
        self.send(&json!({"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": secret}]}));
        self.next()
    }

    /// Sends a call and returns its id.
    pub(crate) fn begin(&mut self, method: &str, args: Value) -> String {
        self.sent += 1;
        let id = format!("rpc:test:{}", self.sent);
        self.send(&json!({"wslink": "1.0", "id": id, "method": method, "args": args}));
        id
    }

    /// Calls and returns the whole reply; nothing else may come before it.
    pub(crate) fn call(&mut self, method: &str, args: Value) -> Value {
        let id = self.begin(method, args);
        let reply = self.next();
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    pub(crate) fn send(&mut self, message: &Value) {
        match self.protocol {
            ProtocolVersion::V1 => self.peer.text(&message.to_string()),
            ProtocolVersion::V2 => {
                self.sent += 1;
                let body = rmp_serde::to_vec(message).unwrap();
                self.peer.binary(chunk(self.sent, 0, body.len(), &body));
            }
        }
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Value {
        match (self.protocol, self.peer.next()) {
            (ProtocolVersion::V1, Got::Text(text)) => serde_json::from_str(&text).unwrap(),
            (ProtocolVersion::V2, Got::Binary(chunk)) => rmp_serde::from_slice(&chunk[12..]).unwrap(),
            (protocol, got) => panic!("{protocol:?} {got:?}"),
        }
    }
}

/// One chunk of protocol 2.
pub(crate) fn chunk(id: u32, offset: usize, total: usize, bytes: &[u8]) -> Vec<u8> {
    let field = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    [&id.to_le_bytes()[..], &field(offset), &field(total), bytes].concat()
}
