//! What a server logs when everything is logged: spans of calls by their URI, what becomes of
//! connections, and nothing that is secret.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use tracing_subscriber::fmt::format::FmtSpan;
use wslink::{
    CallError, Internal, LoginRequest, Principal, Publisher, Rejection, Secret, Server, Topic, server::Builder, service,
};

/// What nobody may read in the log, wherever it was said.
const SECRETS: [&str; 6] = ["s3cret-of-the-server", "s3cret-guessed", "t0ken-good", "t0ken-bad", "c00kie", "qu3ry"];

struct Probe {
    publisher: Publisher,
}

#[service]
impl Probe {
    #[topic("probe.newest", delivery = latest)]
    const NEWEST: Topic<u32>;

    #[rpc("probe.good")]
    async fn good(&self) -> u32 {
        tokio::task::yield_now().await;
        (0..3).for_each(|number| self.publisher.publish(Self::NEWEST, &number));
        tracing::info!("inside the handler");
        7
    }

    #[rpc("probe.forging")]
    fn forging(&self) -> Result<(), Internal> {
        Err("first\r\nERROR second".into())
    }

    #[rpc("probe.panicking")]
    fn panicking(&self) {
        std::panic::panic_any("first\nERROR second".to_owned())
    }

    #[rpc("probe.holding")]
    fn holding(&self) {
        std::thread::sleep(Duration::from_millis(150));
    }

    #[rpc("probe.holding.later")]
    async fn holding_later(&self) {
        tokio::task::yield_now().await;
        self.holding();
    }

    #[rpc("probe.bad")]
    fn bad(&self) -> Result<(), CallError> {
        Err(CallError::exception("told"))
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A peer by hand: a client library would log its own side of the conversation.
struct Peer(TcpStream);

impl Peer {
    fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: session=c00kie\r\nAuthorization: Bearer t0ken-bad\r\n";
        write!(stream, "GET /ws?secret=qu3ry HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        Self(stream)
    }

    /// Sends one text frame with a mask of zeros, and reads a frame.
    fn ask(&mut self, text: &str) -> String {
        self.send(0x81, text.as_bytes());
        self.next()
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&[opcode, 0xfe], &length[..], &[0; 4], payload].concat()).unwrap();
    }

    fn next(&mut self) -> String {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let mut length = u16::from(head[1]);
        if length == 126 {
            let mut long = [0; 2];
            self.0.read_exact(&mut long).unwrap();
            length = u16::from_be_bytes(long);
        }
        let mut payload = vec![0; length.into()];
        self.0.read_exact(&mut payload).unwrap();
        String::from_utf8_lossy(&payload).into_owned()
    }

    fn hello(&mut self, secret: &str) -> String {
        self.ask(&format!(r#"{{"wslink":"1.0","id":"system:c0:0","method":"wslink.hello","args":[{{"secret":"{secret}"}}]}}"#))
    }

    fn call(&mut self, method: &str) -> String {
        self.ask(&format!(r#"{{"wslink":"1.0","id":"rpc:c0:1","method":"{method}"}}"#))
    }
}

async fn serve(set_up: impl FnOnce(Builder) -> Builder) -> (Server, SocketAddr) {
    let builder = Server::builder().service(|publisher| Probe { publisher }).observe().expose_details(true);
    #[cfg(feature = "prometheus")]
    let builder = builder.prometheus("/metrics".to_owned());
    let server = set_up(builder).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listener).await });
    (server, address)
}

async fn authenticate(attempt: LoginRequest) -> Result<Principal, Rejection> {
    match attempt.token() {
        Some("t0ken-good") => Ok(Principal::new("somebody")),
        _ => Err(Rejection::new("another token")),
    }
}

#[test]
fn everything_is_logged_but_secrets() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let servers = runtime.block_on(async {
        [
            serve(|builder| builder.secret(Secret::new("s3cret-of-the-server"))).await,
            serve(|builder| builder.authenticator(authenticate)).await,
        ]
    });
    let ids = servers.each_ref().map(|(_, address)| {
        let mut peer = Peer::connect(*address);
        assert!(peer.hello("s3cret-guessed").contains("-32000"));
        assert!(peer.hello("t0ken-bad").contains("-32000"));
        let secret = if *address == servers[0].1 { "s3cret-of-the-server" } else { "t0ken-good" };
        let welcome = peer.hello(secret);
        assert!(peer.call("probe.good").contains("7") && peer.next().contains("probe.newest"));
        assert!(peer.call("probe.bad").contains("-32001"));
        assert!(peer.call("probe.nothing").contains("-32601"));
        assert!(peer.call("probe.forging").contains("-32001") && peer.call("probe.panicking").contains("-32001"));
        assert!(peer.call("probe.holding").contains("null") && peer.call("probe.holding.later").contains("null"));
        peer.send(0x88, &1000_u16.to_be_bytes());
        peer.next();
        let mut scrape = TcpStream::connect(*address).unwrap();
        write!(scrape, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\r\n")
            .unwrap();
        scrape.read_to_string(&mut String::new()).unwrap();
        let mut foreign = TcpStream::connect(*address).unwrap();
        write!(foreign, "GET /ws?secret=qu3ry HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").unwrap();
        foreign.read_to_string(&mut String::new()).unwrap();
        let mut broken = Peer::connect(*address);
        broken.ask("no JSON {");
        welcome.split('"').find(|part| part.len() == 33 && part.starts_with('c')).unwrap().to_owned()
    });
    runtime.block_on(async {
        for (server, _) in &servers {
            server.stop();
            server.stopped().await;
        }
    });

    let text = log.text();
    for secret in SECRETS {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
    let has =
        |parts: &[&str]| assert!(text.lines().any(|line| parts.iter().all(|part| line.contains(part))), "{parts:?}: {text}");
    for id in &ids {
        let connection = format!("connection{{client={id} address=127.0.0.1:");
        let call = format!("call{{otel.name=\"probe.good\" method=\"probe.good\" client={id}}}");
        has(&[&connection, "connected"]);
        has(&[&connection, "rejected a hello"]);
        has(&[&connection, "said hello"]);
        has(&[&connection, &call, "inside the handler"]);
        has(&[&connection, "outcome=\"ok\"", "method=\"probe.good\"", "close"]);
        has(&[&connection, "outcome=\"exception\"", "method=\"probe.bad\"", "close"]);
        has(&[&connection, "refused a call", "code=-32601"]);
        has(&[&connection, "dropped events", "probe.newest", "dropped=1"]);
        has(&[&connection, "WARN", "a handler held a thread", "method=\"probe.holding\""]);
        has(&[&connection, "WARN", "a handler held a thread", "method=\"probe.holding.later\""]);
        has(&[&connection, "the peer closes", "code=1000"]);
    }
    has(&["refused a WebSocket", "evil.example", "suppressed=0"]);
    has(&["probe.forging failed", r"first\r\nERROR second"]);
    has(&["probe.panicking failed", r"first\nERROR second"]);
    assert!(!text.lines().any(|line| line.starts_with("ERROR second")), "a line of a client's own");
    has(&["closing a connection", "code=1007"]);
}
