//! Who has not said hello gets nothing, costs next to nothing, and is told why it must go.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use serde_json::json;
use wslink::Limits;

use crate::{
    harness::{BOTH, Peer, TestServer, chunk},
    program::{ABUSER, Program},
    raw::{self, BINARY, Raw, TEXT, assert_closed, frame},
    trial::{Bounds, trial},
};

#[test]
fn claim_preauth() {
    const CLAIMS: [u64; 6] = [5000, 1 << 20, (4 << 20) + 4097, 1 << 30, (1 << 32) - 1, i64::MAX as u64];
    trial("claim_preauth", Bounds::peak(4).mapped(64), |program| {
        for _ in 0..10 {
            for claim in CLAIMS {
                for first in [TEXT, BINARY] {
                    let mut newcomer = program.connect(ABUSER);
                    newcomer.raw(&raw::header(first, claim));
                    assert_closed(&newcomer.end(), &[1009], &format!("a frame of {claim} bytes"));
                }
                let Ok(claim) = usize::try_from(claim.min(u32::MAX.into())) else { continue };
                let mut newcomer = program.connect(ABUSER);
                newcomer.binary(chunk(1, 0, claim, b"x"));
                assert_closed(&newcomer.end(), &[1009], &format!("a message of {claim} bytes"));
            }
        }
        // What may be claimed is claimed by many at once, and never sent.
        let mut waiting: Vec<_> = (0..50).map(|_| program.connect(ABUSER)).collect();
        for (n, newcomer) in waiting.iter_mut().enumerate() {
            match n % 2 {
                0 => newcomer.raw(&raw::header(TEXT, 4096)),
                _ => newcomer.binary(chunk(1, 0, 4096, b"x")),
            }
        }
    });
}

#[test]
fn partial_flood_preauth() {
    trial("partial_flood_preauth", Bounds::peak(4).mapped(64), |program| {
        let beginnings: Vec<_> = (0..20_000).flat_map(|id| frame(BINARY, &chunk(id, 0, 100, b"x"))).collect();
        assert_closed(&program.connect(ABUSER).flood(&beginnings, 1), &[1008], "20 000 beginnings");
        let empty = frame(0x01, b"");
        let end = program.connect(ABUSER).flood(&[empty, frame(0x00, b"x").repeat(20_000)].concat(), 1);
        assert_closed(&end, &[1009], "a message of many fragments");
    });
}

#[test]
fn call_before_hello() {
    let program = Program::start();
    for protocol in BOTH {
        let mut witness = program.guest(protocol);
        let mut newcomer = program.unauthenticated(protocol);
        for method in ["kit.publish", "kit.null", "application.exit", "kit.none"] {
            let refused = newcomer.call(method, json!(["topic", "from a newcomer"]));
            assert_eq!((&refused["error"]["code"], &refused["result"]), (&json!(-32000), &json!(null)), "{refused}");
        }
        witness.call("kit.publish", json!(["topic", "from a guest"]));
        assert_eq!(witness.next()["result"], "from a guest", "the first event");
        assert!(newcomer.hello("wslink-secret")["result"]["clientID"].is_string(), "no event came before");
    }
}

#[test]
fn hello_variants() {
    let secret = "wslink-secret";
    let hello = |args: serde_json::Value| json!({"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": args});
    let mut variants: Vec<_> = [
        json!([]),
        json!([null]),
        json!([true]),
        json!([0]),
        json!([secret]),
        json!([[secret]]),
        json!([{}]),
        json!([{"Secret": secret}]),
        json!([{"secret": null}]),
        json!([{"secret": true}]),
        json!([{"secret": {"secret": secret}}]),
        json!([{"secret": [secret]}]),
        json!([{"secret": ""}]),
        json!([{"secret": format!("{secret} ")}]),
        json!([{"secret": &secret[..12]}]),
        json!([{"secret": secret.to_uppercase()}]),
        json!([{"secret": format!("{secret}\0")}]),
        json!([{}, {"secret": secret}]),
        json!({"secret": secret}),
        json!(secret),
        json!(null),
    ]
    .map(hello)
    .into();
    variants.push(json!({"id": "system:c0:0", "method": "wslink.hello", "kwargs": {"secret": secret}}));
    variants.push(json!({"id": "rpc:c0:0", "method": "wslink.hello", "args": [{"secret": secret}]}));
    assert_eq!(variants.len(), 23);
    let program = Program::start();
    for protocol in BOTH {
        for hello in &variants {
            let mut newcomer = program.unauthenticated(protocol);
            newcomer.send(hello);
            let refused = newcomer.next();
            assert_eq!(refused["error"]["code"], -32000, "{hello} {refused}");
            assert_eq!(newcomer.call("kit.null", json!([]))["error"]["code"], -32000, "after {hello}");
        }
    }
}

#[test]
fn a_header_or_hello_that_comes_slowly_is_not_waited_for() {
    let server = |change: fn(&mut Limits)| {
        TestServer::start(move |builder| {
            let mut limits = Limits::default();
            change(&mut limits);
            builder.limits(limits)
        })
    };
    let mut impatient = server(|limits| limits.handshake = Duration::from_millis(200));
    // The header never ends, but something always comes.
    let mut stream = TcpStream::connect(impatient.address).unwrap();
    drip(stream.try_clone().unwrap(), b"GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x".into());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 1") && !answer.starts_with(b"HTTP/1.1 2"), "{answer:?}");
    // The same with hello, in fragments that never end; the header of these has all the time it needs.
    impatient = server(|limits| limits.hello = Duration::from_millis(200));
    for _ in 0..2 {
        let mut newcomer = Peer::over(TcpStream::connect(impatient.address).unwrap(), "/ws", &[]);
        drip(newcomer.socket.get_ref().try_clone().unwrap(), &frame(0x01, b"{"), frame(0x00, b" "));
        assert_closed(&newcomer.end(), &[1008], "a slow hello");
    }
}

/// Sends `first` at once and then `more` again and again, until the server is gone.
fn drip(mut stream: TcpStream, first: &[u8], more: Vec<u8>) {
    stream.write_all(first).unwrap();
    std::thread::spawn(move || {
        while stream.write_all(&more).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn origin_and_host_rebinding() {
    let program = Program::start();
    let port = program.address.port();
    let shake = |host: &str, origin: Option<&str>| {
        let mut stream = program.dial(ABUSER);
        let origin = origin.map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"));
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        write!(stream, "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}{origin}\r\n")
            .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        String::from_utf8_lossy(&status[9..]).into_owned()
    };
    let here = program.address.to_string();
    for admitted in [None, Some(format!("http://{here}")), Some(format!("http://localhost:{port}"))] {
        assert_eq!(shake(&here, admitted.as_deref()), "101", "{admitted:?}");
    }
    let refused = [
        "null".into(),
        "http://evil.example".into(),
        format!("http://evil.example:{port}"),
        format!("http://{here}.evil.example"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://evil-127.0.0.1:{port}"),
        format!("http://localhost.evil.example:{port}"),
        format!("http://{here}@evil.example"),
        "http://192.0.2.7".into(),
        "file://".into(),
        format!("ws://{here}"),
    ];
    for origin in &refused {
        assert_eq!(shake(&here, Some(origin)), "403", "{origin}");
    }
    for host in ["evil.example", "localhost.evil.example"] {
        assert_eq!(shake(&format!("{host}:{port}"), Some(&format!("http://{host}:{port}"))), "403", "{host}");
    }
}

#[test]
fn connection_flood() {
    const CROWD: usize = 2000;
    const ADDRESSES: usize = 8;
    trial("connection_flood", Bounds::peak(64), |program| {
        let address = |n: usize| Ipv4Addr::new(127, 1, 0, u8::try_from(n % ADDRESSES).unwrap());
        let crowd: Vec<Peer> = (0..CROWD).map(|n| program.connect(address(n))).collect();
        assert!(program.descriptors() >= crowd.len(), "they are connected");
        // Some of the crowd may be late for hello meanwhile, but not so many.
        let more: Vec<_> = (0..300).map(|_| Peer::ask(program.dial(address(0)), "/ws", &[])).collect();
        let refused = more.iter().filter(|answer| matches!(answer, Err(429))).count();
        assert!(refused >= 300 - Limits::default().address_unauthenticated, "a surplus of one address is refused, not {refused}");
    });
}
