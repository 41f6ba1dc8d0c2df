//! RFC 6455, section by section, spoken byte by byte to an endpoint that echoes.
//!
//! Each case is sent at once and once more in small pieces.

mod cases;
mod peer;

use std::net::SocketAddr;

use self::peer::{Back, Peer};

/// What the endpoint takes: more than waits in sockets.
const MAX_MESSAGE: usize = 8 << 20;

/// What a peer sends, and what must come back.
struct Case {
    name: String,
    send: Vec<u8>,
    expect: Vec<Back>,
}

#[test]
fn framing() {
    check(cases::framing());
}

#[test]
fn masking() {
    check(cases::masking());
}

#[test]
fn reserved_bits_and_opcodes() {
    check(cases::reserved());
}

#[test]
fn pings_and_pongs() {
    check(cases::pings());
}

#[test]
fn fragmentation() {
    check(cases::fragmentation());
}

#[test]
fn utf8() {
    check(cases::utf8());
}

#[test]
fn closing() {
    check(cases::closing());
}

#[test]
fn limits() {
    check(cases::limits());
}

fn check(cases: Vec<Case>) {
    let address = start();
    println!("{} cases, each in one piece and in many", cases.len());
    for case in &cases {
        for pieces in [1, 100] {
            let mut peer = Peer::connect(address);
            peer.send(&case.send, pieces);
            let what = format!("{} in {pieces} pieces", case.name);
            peer.expect(&case.expect, &what);
        }
    }
}

/// An endpoint that lasts as long as the test.
fn start() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            wslink::testing::internals::echo(listener, MAX_MESSAGE).await.unwrap();
        });
    });
    address
}
