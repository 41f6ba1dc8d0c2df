//! A server without sockets, and a peer that says frames to it.

use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    runtime,
};
use wslink::{Publisher, Secret, Server, Value, rpc::Service};

/// Bytes of a chunk and of its header.
const CHUNK: usize = 256 * 1024;
const HEADER: usize = 12;

pub(crate) struct Runtime {
    runtime: runtime::Runtime,
    server: Server,
}

pub(crate) struct Peer<'a> {
    runtime: &'a runtime::Runtime,
    stream: DuplexStream,
    buffer: Vec<u8>,
}

impl Runtime {
    pub(crate) fn new<S: Service>(service: S) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, server: Server::builder().secret(Secret::published()).mount(service).build().unwrap() }
    }

    pub(crate) fn publisher(&self) -> Publisher {
        self.server.publisher()
    }

    /// A peer that said hello.
    pub(crate) fn connect(&self) -> Peer<'_> {
        let (mut stream, theirs) = tokio::io::duplex(4 * CHUNK);
        let service = TowerToHyperService::new(self.server.router());
        self.runtime.spawn(http1::Builder::new().serve_connection(TokioIo::new(theirs), service).with_upgrades());
        self.runtime.block_on(async {
            let upgrade = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                           Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            stream.write_all(upgrade.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(stream.read_u8().await.unwrap());
            }
        });
        let mut peer = Peer { runtime: &self.runtime, stream, buffer: vec![0; 4 * CHUNK] };
        let hello = Value::map([("secret", Secret::published().reveal())]);
        peer.call(&message("system:c0:0", "wslink.hello", vec![hello]));
        peer
    }
}

impl Peer<'_> {
    /// Sends a request and takes its whole answer.
    pub(crate) fn call(&mut self, request: &[u8]) {
        self.runtime.block_on(async {
            let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
            let (written, ()) = tokio::join!(writer.write_all(request), receive(&mut reader, &mut self.buffer));
            written.unwrap();
        });
    }

    /// Takes the next message.
    pub(crate) fn receive(&mut self) {
        self.runtime.block_on(receive(&mut self.stream, &mut self.buffer));
    }
}

/// Reads the frames of one message.
async fn receive(stream: &mut (impl AsyncReadExt + Unpin), buffer: &mut [u8]) {
    loop {
        let [_, short] = stream.read_u16().await.unwrap().to_be_bytes();
        let len = match short {
            126 => stream.read_u16().await.unwrap().into(),
            127 => usize::try_from(stream.read_u64().await.unwrap()).unwrap(),
            len => len.into(),
        };
        stream.read_exact(&mut buffer[..len]).await.unwrap();
        let field = |at: usize| u32::from_le_bytes(buffer[at..at + 4].try_into().unwrap()) as usize;
        if field(4) + len - HEADER == field(8) {
            return;
        }
    }
}

/// The frames of a call.
pub(crate) fn request(method: &str, arguments: Vec<Value>) -> Vec<u8> {
    message("rpc:c0:1", method, arguments)
}

fn message(id: &str, method: &str, arguments: Vec<Value>) -> Vec<u8> {
    let members =
        [("wslink", Value::from("1.0")), ("id", id.into()), ("method", method.into()), ("args", Value::from(arguments))];
    let body = rmp_serde::to_vec(&Value::map(members)).unwrap();
    let mut frames = Vec::new();
    for (at, part) in body.chunks(CHUNK - HEADER).enumerate() {
        let field = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        frames.extend([0x82, 0x80 | 127]);
        frames.extend((part.len() as u64 + HEADER as u64).to_be_bytes());
        // A mask of zeros changes nothing.
        frames.extend([0; 4]);
        frames.extend([field(7), field(at * (CHUNK - HEADER)), field(body.len())].concat());
        frames.extend_from_slice(part);
    }
    frames
}
