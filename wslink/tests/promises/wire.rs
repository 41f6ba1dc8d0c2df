//! Frames and chunks that break the rules or test how much is believed.

use serde_json::{Value, json};

use crate::{
    harness::{BOTH, ProtocolVersion, chunk},
    program::{ABUSER, Program},
    raw::{self, BINARY, PING, Raw, TEXT, assert_closed, frame},
    trial::{Bounds, trial},
};

/// What a frame may have by default.
pub(crate) const FRAME: usize = (4 << 20) + 4096;

#[test]
fn rfc_violations() {
    let close = |payload: &[u8]| frame(0x88, payload);
    let violations: [(&str, Vec<u8>, &[u16]); 19] = [
        ("unmasked data", vec![BINARY, 1, b'x'], &[1002]),
        ("an unmasked ping", vec![PING, 1, b'x'], &[1002]),
        ("RSV1", frame(0xc2, b"x"), &[1002]),
        ("RSV2", frame(0xa2, b"x"), &[1002]),
        ("RSV3", frame(0x92, b"x"), &[1002]),
        ("RSV1 on a ping", frame(0xc9, b"x"), &[1002]),
        ("opcode 3", frame(0x83, b"x"), &[1002]),
        ("opcode 7", frame(0x87, b""), &[1002]),
        ("opcode 11", frame(0x8b, b"x"), &[1002]),
        ("opcode 15", frame(0x8f, b""), &[1002]),
        ("a ping of 126 bytes", frame(PING, &[0; 126]), &[1002]),
        ("a close of 126 bytes", close(&[&[3, 0xe8][..], &[b'x'; 124]].concat()), &[1002]),
        ("a ping in fragments", frame(0x09, b"x"), &[1002]),
        ("a continuation of nothing", frame(0x80, b"x"), &[1002]),
        ("a message inside another", [frame(0x02, b"x"), frame(BINARY, b"x")].concat(), &[1002]),
        ("a close of one byte", close(&[3]), &[1002]),
        ("a close with a code that is none", close(&999_u16.to_be_bytes()), &[1002]),
        ("text that is not UTF-8", frame(TEXT, b"\"\xff\""), &[1007]),
        ("the same in fragments", [frame(0x01, b"\"\xe2"), frame(0x80, b"\x28\xa1\"")].concat(), &[1007]),
    ];
    let program = Program::start();
    for protocol in BOTH {
        for (what, bytes, codes) in &violations {
            let mut guest = program.guest(protocol);
            guest.peer.raw(bytes);
            assert_closed(&guest.peer.end(), codes, what);
        }
    }
}

#[test]
fn oversize() {
    trial("oversize", Bounds::peak(16), |program| {
        for protocol in BOTH {
            for claim in [FRAME as u64 + 1, 1 << 40, u64::MAX] {
                let mut guest = program.guest(protocol);
                guest.peer.raw(&raw::header(BINARY, claim));
                assert_closed(&guest.peer.end(), &[1009, 1002], &format!("a frame of {claim} bytes"));
            }
            // Each frame may come; together they may not, and the header of the last one says so.
            let mut guest = program.guest(protocol);
            guest.peer.raw(&frame(0x02, &vec![0; FRAME / 2]));
            guest.peer.raw(&raw::header(0x80, FRAME as u64 / 2 + 1));
            assert_closed(&guest.peer.end(), &[1009], "fragments");
        }
    });
}

#[test]
fn frame_claim_flood() {
    trial("frame_claim_flood", Bounds::peak(16), |program| {
        let mut guests: Vec<_> = (0..80).map(|n| program.guest(BOTH[n % 2])).collect();
        guests.iter_mut().for_each(|guest| guest.peer.raw(&raw::header(BINARY, FRAME as u64)));
        for _ in 0..10 {
            guests.iter_mut().for_each(|guest| guest.peer.raw(&[0; 100]));
        }
    });
}

#[test]
fn fragment_floods() {
    for fragment in [&b""[..], b"x"] {
        trial("fragment_floods", Bounds::peak(16), |program| {
            let mut guest = program.guest(ProtocolVersion::V2);
            guest.peer.raw(&frame(0x02, b"x"));
            let writer = guest.peer.socket.get_ref().try_clone().unwrap();
            raw::write_times(writer, &frame(0x00, fragment), 300_000).unwrap();
            // It is still one message: it ends as one that is none.
            guest.peer.raw(&frame(0x80, b"x"));
            assert_closed(&guest.peer.end(), &[1002, 1007, 1009], "a message of fragments");
        });
    }
}

#[test]
fn ping_flood() {
    trial("ping_flood", Bounds::peak(16), |program| {
        for payload in [&b""[..], &[b'x'; 125]] {
            let guest = program.guest(ProtocolVersion::V2);
            let writer = guest.peer.socket.get_ref().try_clone().unwrap();
            writer.set_write_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
            // Answers that nobody reads are not made for ever: at some time no more is taken.
            let _ = raw::write_times(writer, &frame(PING, payload), 200_000);
        }
    });
}

#[test]
fn deflate_is_not_offered() {
    use std::io::{Read, Write};
    let program = Program::start();
    let mut stream = program.dial(ABUSER);
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    write!(stream, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}{offer}\r\n")
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 101") && !answer.contains("sec-websocket-extensions"), "{answer}");
}

#[test]
fn claim_auth() {
    trial("claim_auth", Bounds::peak(8).mapped(64), |program| {
        let call = rmp_serde::to_vec(&json!({"id": "large", "method": "kit.null"})).unwrap();
        let mut guests: Vec<_> = (0..8).map(|_| program.guest(ProtocolVersion::V2)).collect();
        for (n, guest) in guests.iter_mut().enumerate() {
            let claim: usize = if n % 2 == 0 { 512 << 20 } else { 256 << 20 };
            guest.peer.binary(chunk(1, 0, claim, &call));
            if n % 2 == 0 {
                assert_eq!(guest.next()["error"]["code"], -32003, "a message of {claim} bytes");
            }
            assert_eq!(guest.call("kit.null", json!([]))["result"], Value::Null);
        }
        let mut guest = program.guest(ProtocolVersion::V2);
        guest.peer.binary(chunk(1, 0, 512 << 20, b"without an id"));
        assert_closed(&guest.peer.end(), &[1009], "a message of 512 MiB");
    });
}

#[test]
fn partial_flood() {
    trial("partial_flood", Bounds::peak(16), |program| {
        let guest = program.guest(ProtocolVersion::V2);
        let beginnings: Vec<_> = (0..100_000).flat_map(|id| frame(BINARY, &chunk(1000 + id, 0, 100, b"x"))).collect();
        assert_closed(&guest.peer.flood(&beginnings, 1), &[1008], "100 000 beginnings");
    });
}

#[test]
fn partial_hold() {
    const MESSAGES: u32 = 48;
    const HELD: usize = 4 << 20;
    const CHUNK: usize = 256 << 10;
    trial("partial_hold", Bounds::peak(300), |program| {
        let mut guest = program.guest(ProtocolVersion::V2);
        let bytes = vec![0; CHUNK];
        for offset in (0..HELD).step_by(CHUNK) {
            for id in 0..MESSAGES {
                guest.peer.raw(&frame(BINARY, &chunk(1000 + id, offset, HELD + 1, &bytes)));
            }
        }
        assert_eq!(guest.call("kit.null", json!([]))["result"], Value::Null);
    });
}

#[test]
fn chunk_abuse() {
    let call = |id: &str| rmp_serde::to_vec(&json!({"id": id, "method": "kit.publish", "args": ["abused", id]})).unwrap();
    let body = call("x");
    let (len, half) = (body.len(), body.len() / 2);
    let piece = |from: usize, to: usize| chunk(7, from, len, &body[from..to]);
    let ends: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("nothing", vec![vec![]]),
        ("one byte", vec![vec![1]]),
        ("half a header", vec![vec![1; 6]]),
        ("eleven bytes", vec![vec![1; 11]]),
        ("a header alone", vec![chunk(7, 0, len, b"")]),
        ("zero in all, nothing in it", vec![chunk(7, 0, 0, b"")]),
        ("zero in all, a byte in it", vec![chunk(7, 0, 0, b"x")]),
        ("more than in all", vec![chunk(7, 0, len - 1, &body)]),
        ("past the end", vec![chunk(7, half, len, &body)]),
        ("at the end", vec![chunk(7, len, len, b"x")]),
        ("far beyond the end", vec![chunk(7, u32::MAX as usize, len, b"x")]),
        ("offset and length overflow", vec![chunk(7, u32::MAX as usize, u32::MAX as usize, b"xx")]),
        ("the same twice", vec![piece(0, half), piece(0, half)]),
        ("the same twice behind a gap", vec![piece(half, len), piece(half, len)]),
        ("the last byte twice", vec![piece(len - 1, len), piece(half, len)]),
        ("overlap at the front", vec![piece(0, half), piece(half - 1, len)]),
        ("overlap at the back", vec![piece(half, len), piece(0, half + 1)]),
        ("one inside another", vec![piece(1, len), piece(2, 3)]),
        ("one around another", vec![piece(2, 3), piece(1, len)]),
        ("the whole after a part", vec![piece(0, 1), piece(0, len)]),
        ("a total that grows", vec![piece(0, half), chunk(7, half, len + 1, &body[half..])]),
        ("a total that shrinks", vec![piece(0, half), chunk(7, half, len - 1, &body[half..len - 1])]),
        ("a total that is zero later", vec![piece(0, half), chunk(7, half, 0, &body[half..])]),
        ("a gap that is never filled", vec![piece(0, half), piece(half + 1, len), chunk(8, 0, 0, b"")]),
        ("the first missing", vec![piece(1, len), chunk(8, 0, 0, b"")]),
        ("the last missing", vec![piece(0, len - 1), chunk(8, 0, 0, b"")]),
    ];
    assert_eq!(ends.len(), 26);
    let program = Program::start();
    let mut witness = program.guest(ProtocolVersion::V2);
    for (what, chunks) in ends {
        let mut guest = program.guest(ProtocolVersion::V2);
        chunks.iter().for_each(|chunk| guest.peer.raw(&frame(BINARY, chunk)));
        assert_closed(&guest.peer.end(), &[1002], what);
    }
    // What is odd and legal: single bytes, messages between each other, and an id that is used again.
    let mut guest = program.guest(ProtocolVersion::V2);
    for round in 0..2 {
        let (one, two) = (call("one"), call("two"));
        for at in 0..one.len() {
            guest.peer.raw(&frame(BINARY, &chunk(1, at, one.len(), &one[at..=at])));
            guest.peer.raw(&frame(BINARY, &chunk(2, at, two.len(), &two[at..=at])));
        }
        let replies = [guest.next(), guest.next()].map(|reply| reply["id"].clone());
        assert_eq!(replies, ["one", "two"], "round {round}");
        for speaker in [&mut guest, &mut witness] {
            assert_eq!([speaker.next(), speaker.next()].map(|event| event["result"].clone()), ["one", "two"], "round {round}");
        }
    }
    assert_eq!(witness.call("kit.null", json!([]))["result"], Value::Null, "nothing of the others was executed");
}

#[test]
fn text_on_v2() {
    let program = Program::start();
    let mut guest = program.guest(ProtocolVersion::V2);
    guest.peer.text(r#"{"id":"x","method":"kit.publish","args":["t",1]}"#);
    assert_eq!(guest.call("kit.null", json!([]))["result"], Value::Null, "it is ignored");
}
