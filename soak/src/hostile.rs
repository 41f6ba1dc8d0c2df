//! Peers that break every rule, from an address of their own. Who is at fault is told so by a close frame.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{Instant, interval, timeout},
};

use crate::ledger::Ledger;

/// Five a second.
const PERIOD: Duration = Duration::from_millis(200);

/// For a server that is busy, and longer than any of its deadlines that apply.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a hostile connection ends.
#[derive(Clone, Copy)]
enum Ending {
    /// It is reset.
    Reset,
    /// It just leaves.
    Leaves,
    /// The server ends it, without a WebSocket.
    Refused,
    /// The server says why it ends it.
    Told,
}

use Ending::{Leaves, Refused, Reset, Told};

/// One after the other until it is time.
pub(crate) async fn peers(port: u16, until: Instant, ledger: Arc<Ledger>) {
    let kinds = kinds();
    let mut period = interval(PERIOD);
    let mut visits = tokio::task::JoinSet::new();
    for turn in 0.. {
        period.tick().await;
        if Instant::now() > until {
            break;
        }
        let (name, bytes, ending) = kinds[turn % kinds.len()].clone();
        let ledger = Arc::clone(&ledger);
        visits.spawn(async move {
            match timeout(PATIENCE, visit(port, &bytes, ending)).await {
                Ok(Ok(holds)) => ledger.check("hostile connection", holds, || format!("{name}: not told why it ends")),
                Ok(Err(error)) => ledger.mistake(format_args!("hostile connection: {name}: {error}")),
                Err(_) => ledger.mistake(format_args!("hostile connection: {name}: not ended")),
            }
        });
    }
    visits.join_all().await;
}

/// Whether the server ended it as it should.
async fn visit(port: u16, bytes: &[u8], ending: Ending) -> io::Result<bool> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0)))?;
    let mut stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    // The server may have ended it before all was sent.
    let _ = stream.write_all(bytes).await;
    match ending {
        Reset => stream.set_zero_linger().map(|()| true),
        Leaves => Ok(true),
        Refused => Ok(!read(&mut stream).await.starts_with(b"HTTP/1.1 101")),
        Told => Ok(is_told(&read(&mut stream).await)),
    }
}

/// All that comes.
async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut came = Vec::new();
    let _ = stream.read_to_end(&mut came).await;
    came
}

/// Whether the last frame after the handshake is a close frame with a code.
fn is_told(came: &[u8]) -> bool {
    let Some(head) = came.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let mut rest = &came[head + 4..];
    while let [first, len, after @ ..] = rest {
        let (len, after) = match (len, after) {
            (126, [a, b, after @ ..]) => (u16::from_be_bytes([*a, *b]).into(), after),
            (len, after) => (usize::from(*len), after),
        };
        if *first == 0x88 {
            return len >= 2;
        }
        rest = after.get(len..).unwrap_or_default();
    }
    false
}

/// What each sends, with its handshake.
fn kinds() -> Vec<(&'static str, Vec<u8>, Ending)> {
    let text = |text: &str| frame(0x81, text.as_bytes());
    let hello = |secret: &str| {
        text(&format!(r#"{{"wslink":"1.0","id":"system:c0:0","method":"wslink.hello","args":[{{"secret":"{secret}"}}]}}"#))
    };
    let call =
        |method: &str, args: &str| text(&format!(r#"{{"wslink":"1.0","id":"rpc:c0:1","method":"{method}","args":{args}}}"#));
    let good = hello("wslink-secret");
    let chunk = |offset: u32, total: u32, bytes: &[u8]| {
        frame(0x82, &[&1_u32.to_le_bytes(), &offset.to_le_bytes(), &total.to_le_bytes(), bytes].concat())
    };
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    let many = (0..1100).map(|n| format!("\"wslink_bin{n}\"")).collect::<Vec<_>>().join(",");
    let announced = text(&format!(r#"{{"method":"wslink.binary.attachment","args":[{many}]}}"#));
    let upgraded = |frames: &[Vec<u8>]| [handshake("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), frames.concat()].concat();
    vec![
        ("no HTTP", b"\x16\x03\x01\x02 rubbish\r\n\r\n".to_vec(), Refused),
        ("half a header", b"GET /ws HTTP/1.1\r\nHost: local".to_vec(), Leaves),
        ("no key", handshake(""), Refused),
        ("another page", handshake("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://evil.example\r\n"), Refused),
        ("reset after the handshake", upgraded(&[]), Reset),
        ("not masked", upgraded(&[b"\x81\x02hi".to_vec()]), Told),
        ("not UTF-8", upgraded(&[frame(0x81, b"\xff\xfe")]), Told),
        ("no JSON", upgraded(&[text("{no")]), Told),
        ("an unknown opcode", upgraded(&[frame(0x83, b"")]), Told),
        ("a frame that claims much", upgraded(&[b"\x82\xff\0\0\0\xff\0\0\0\0\0\0\0\0".to_vec()]), Told),
        ("half a frame", upgraded(&[b"\x82\xff\0\0\0\0".to_vec()]), Reset),
        ("chunks that overlap", upgraded(&[chunk(0, 90, b"ab"), chunk(1, 90, b"bc")]), Told),
        ("a message that claims much", upgraded(&[chunk(0, u32::MAX, b"ab")]), Told),
        ("failed logins", upgraded(&[hello("a"), hello("b"), hello("c"), hello("d")]), Told),
        ("half a message", upgraded(&[chunk(0, 90, b"ab")]), Leaves),
        ("a part of a message", upgraded(&[good.clone(), frame(0x01, &[b' '; 70_000])]), Reset),
        ("reset in a call", upgraded(&[good.clone(), call("soak.later", "[500]")]), Reset),
        ("gone in a call", upgraded(&[good.clone(), call("soak.hang", "[]")]), Leaves),
        ("too deep", upgraded(&[good.clone(), call("soak.echo", &deep)]), Told),
        ("announces too much", upgraded(&[good.clone(), announced]), Told),
        ("parts of nothing", upgraded(&[frame(0x01, b""), vec![frame(0x00, b""); 2000].concat(), frame(0x83, b"")]), Told),
        ("pings that nobody reads", upgraded(&[good, vec![frame(0x89, b"ping"); 2000].concat()]), Reset),
    ]
}

fn handshake(headers: &str) -> Vec<u8> {
    let common = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    format!("GET /ws HTTP/1.1\r\n{common}{headers}\r\n").into_bytes()
}

/// Masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let len = match u16::try_from(len) {
        Ok(len @ 0..126) => vec![0x80 | len.to_be_bytes()[1]],
        Ok(len) => [&[0x80 | 126], &len.to_be_bytes()[..]].concat(),
        Err(_) => [&[0x80 | 127], &(len as u64).to_be_bytes()[..]].concat(),
    };
    [&[first], &*len, &[0; 4], payload].concat()
}
