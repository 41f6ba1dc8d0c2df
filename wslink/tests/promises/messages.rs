//! Messages that say what they must not, or nearly what they may.

use serde_json::{Value, json};

use crate::{
    harness::{BOTH, Got, ProtocolVersion, Speaker, chunk},
    program::Program,
    raw::{BINARY, Raw, TEXT, assert_closed, frame},
    trial::{Bounds, trial},
    wire::FRAME,
};

#[test]
fn malformed_payload() {
    trial("malformed_payload", Bounds::peak(32), |program| {
        let texts: [&[u8]; 11] = [
            b"",
            b" ",
            b"{",
            b"{not json",
            b"[1,]",
            b"\"\\ud800\"",
            b"{\"a\":1 \"b\":2}",
            b"1e",
            b"nul",
            b"{\"id\":\"x\"}}",
            b"\0",
        ];
        let packed: [&[u8]; 10] = [
            b"\xc1",
            b"\xc0\xc0",
            b"\xa2\xff\xff",
            b"\xdd\xff\xff\xff\xff",
            b"\xdf\xff\xff\xff\xff",
            b"\xdb\xff\xff\xff\xff",
            b"\xc6\xff\xff\xff\xff",
            b"\x81",
            b"\x82\xa2id\xa1x",
            b"\xc9\xff\xff\xff\xff\x01",
        ];
        texts.iter().for_each(|text| refused_or_answered(program, ProtocolVersion::V1, text, true));
        packed.iter().for_each(|packed| refused_or_answered(program, ProtocolVersion::V2, packed, true));
        let call = json!({"wslink": "1.0", "id": "rpc:x:1", "method": "kit.echo", "args": [1.5, "text", [null, {"a": true}]], "kwargs": {"k": -1}});
        let (text, packed) = (call.to_string().into_bytes(), rmp_serde::to_vec(&call).unwrap());
        let mut random = Random(0x5eed);
        for n in 0..200 {
            let (protocol, whole) = if n % 2 == 0 { (ProtocolVersion::V1, &text) } else { (ProtocolVersion::V2, &packed) };
            refused_or_answered(program, protocol, &mutated(whole, &mut random), false);
        }
    });
}

/// Whatever it is, it gets a reply or a clean end, or is dropped as a message without an id.
fn refused_or_answered(program: &Program, protocol: ProtocolVersion, payload: &[u8], must_end: bool) {
    let mut guest = program.guest(protocol);
    match protocol {
        ProtocolVersion::V1 => guest.peer.raw(&frame(TEXT, payload)),
        ProtocolVersion::V2 if payload.is_empty() => return,
        ProtocolVersion::V2 => guest.peer.raw(&frame(BINARY, &chunk(5, 0, payload.len(), payload))),
    }
    if !must_end {
        guest.send(&json!({"id": "probe", "method": "kit.null"}));
    }
    match guest.peer.next() {
        Got::Text(_) | Got::Binary(_) if !must_end => {}
        end => assert_closed(&end, &[1007, 1008], &format!("{:?}", String::from_utf8_lossy(payload))),
    }
}

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// A few bytes changed, cut out or put in.
fn mutated(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] = random.below(256).to_le_bytes()[0],
            1 => bytes.truncate(at.max(1)),
            2 => bytes.insert(at, random.below(256).to_le_bytes()[0]),
            _ if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

#[test]
fn nesting() {
    trial("nesting", Bounds::peak(64), |program| {
        for protocol in BOTH {
            let mut guest = program.guest(protocol);
            let deep = (0..64).fold(json!("core"), |inner, _| json!([inner]));
            assert_eq!(guest.call("kit.echo", json!([deep]))["result"]["args"], json!([deep]));
        }
        for depth in [1000, 10_000, 100_000, 1_000_000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text = format!(r#"{{"id":"x","method":"kit.echo","args":[{}1{}]}}"#, open.repeat(depth), close.repeat(depth));
                let mut guest = program.guest(ProtocolVersion::V1);
                guest.peer.raw(&frame(TEXT, text.as_bytes()[..text.len().min(FRAME)].into()));
                assert_closed(&guest.peer.end(), &[1007, 1009], &format!("{depth} levels of {open}"));
            }
            for level in [&b"\x91"[..], b"\x81\xa1a"] {
                let body = [b"\x83\xa2id\xa1x\xa6method\xa8kit.echo\xa4args\x91", &level.repeat(depth)[..], b"\xc0"].concat();
                let mut guest = program.guest(ProtocolVersion::V2);
                guest.peer.raw(&frame(BINARY, &chunk(5, 0, body.len(), &body)));
                assert_closed(&guest.peer.end(), &[1007, 1009], &format!("{depth} levels of {level:?}"));
            }
        }
    });
}

#[test]
fn huge_map() {
    const ARGUMENTS: &[u8] = b"\x83\xa2id\xa1x\xa6method\xa8kit.echo\xa4args\x91";
    let call = |kind: &[u8], count: u32, items: Vec<u8>| [ARGUMENTS, kind, &count.to_be_bytes(), &items].concat();
    let (keys, nils) = (300_000_u32, 3_000_000_u32);
    let numbered = (0..keys).flat_map(|n| [&b"\xce"[..], &n.to_be_bytes(), b"\xc0"].concat()).collect();
    let named = (0..keys).flat_map(|n| [&b"\xa8"[..], format!("{n:08}").as_bytes(), b"\xc0"].concat()).collect();
    let mut arguments = call(b"\xdd", nils, vec![0xc0; nils as usize]);
    // The list itself is the arguments.
    arguments.remove(ARGUMENTS.len() - 1);
    for (what, body) in [
        ("300 000 keys that are numbers", call(b"\xdf", keys, numbered)),
        ("300 000 keys", call(b"\xdf", keys, named)),
        ("a list of 3 000 000 nils", call(b"\xdd", nils, vec![0xc0; nils as usize])),
        ("3 000 000 arguments", arguments),
    ] {
        trial(&format!("huge_map, {what}"), Bounds::peak(160), |program| {
            let mut guest = program.guest(ProtocolVersion::V2);
            guest.peer.raw(&frame(BINARY, &chunk(5, 0, body.len(), &body)));
            // All of it back, an error, or a clean end.
            match guest.peer.next() {
                Got::Binary(_) => {}
                end => assert_closed(&end, &[1008], what),
            }
        });
    }
}

#[test]
fn field_types() {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("text"),
        json!("x".repeat(5000)),
        json!([]),
        json!([1, "two"]),
        json!({}),
        json!({"a": 1}),
        json!([[[]]]),
        json!("\u{0}"),
        json!({"": {"": null}}),
    ];
    let program = Program::start();
    for protocol in BOTH {
        let mut guest = program.guest(protocol);
        let mut cases = 0;
        for field in ["wslink", "method", "args", "kwargs", "timeout_ms", "unknown"] {
            for value in &odd {
                let mut call = json!({"wslink": "1.0", "id": "odd", "method": "kit.echo", "args": [1], "kwargs": {}});
                call[field] = value.clone();
                one_reply(&mut guest, &call, &json!("odd"));
                cases += 1;
            }
        }
        assert!(cases >= 93);
        for id in odd.iter().filter(|id| !id.is_null() && id.to_string().len() < 1024) {
            one_reply(&mut guest, &json!({"id": id, "method": "kit.echo", "args": [1]}), id);
        }
    }
}

/// Asserts that the message gets one reply, of modest size, and the connection goes on.
fn one_reply(guest: &mut Speaker, message: &Value, id: &Value) {
    guest.send(message);
    let reply = guest.next();
    assert_eq!(&reply["id"], id, "{message}");
    assert!(reply.to_string().len() <= 8192, "{message}");
    assert_ne!(reply.get("error").is_some(), reply.get("result").is_some(), "{message}");
    assert_eq!(guest.call("kit.null", json!([]))["result"], Value::Null, "{message}");
}

#[test]
fn argument_edges() {
    let program = Program::start();
    for protocol in BOTH {
        let mut guest = program.guest(protocol);
        for (method, args) in [
            ("kit.sleep", json!([-1])),
            ("kit.sleep", json!([1.5])),
            ("kit.sleep", json!(["1"])),
            ("kit.sleep", json!([null])),
            ("kit.sleep", json!([])),
            ("kit.sleep", json!([1, 2])),
            ("kit.blob", json!([-1])),
            ("kit.blob", json!([10, 256])),
            ("kit.blob", json!([10, -1])),
            ("kit.blob", json!([i64::MIN])),
            ("kit.blob", json!([1e300])),
            ("kit.raise", json!([7])),
            ("kit.publish", json!([["t"], 1])),
            ("kit.publish", json!(["t", 1, u64::MAX])),
        ] {
            let reply = guest.call(method, args.clone());
            assert_eq!(reply["error"]["code"], -32602, "{method} {args} {reply}");
        }
        assert_eq!(guest.call("kit.echo", json!([u64::MAX, i64::MIN]))["result"]["args"], json!([u64::MAX, i64::MIN]));
    }
}

#[test]
fn fail_storm_and_error_leak() {
    let program = Program::start();
    for protocol in BOTH {
        let mut guest = program.guest(protocol);
        let mut ids: Vec<_> =
            (0..300).map(|n| guest.begin(["kit.panic", "kit.fail", "kit.unserialisable"][n % 3], failing(n))).collect();
        for _ in 0..300 {
            let reply = guest.next();
            let place = ids.iter().position(|id| reply["id"] == *id).expect("each is answered once");
            ids.swap_remove(place);
            let text = reply["error"].to_string();
            assert!(reply["error"]["code"] == -32001 || reply["error"]["code"] == -32002, "{text}");
            for secret in ["a probe that", "/home/somebody", ".rs", "panicked", "wslink-secret", "at line"] {
                assert!(!text.contains(secret), "{text} tells {secret}");
            }
        }
    }
}

fn failing(n: usize) -> Value {
    if n % 3 == 1 { json!(["/home/somebody/key: permission denied"]) } else { json!([]) }
}

#[test]
fn foreign_and_duplicate_ids() {
    let program = Program::start();
    for protocol in BOTH {
        let (mut guest, mut witness) = (program.guest(protocol), program.guest(protocol));
        let ids = ["publish:topic:0", "publish:topic", "system", "systemx:1", "rpc:c0:1", "", ":", "rpc:somebody:1"];
        for id in ids {
            guest.send(&json!({"id": id, "method": "kit.echo", "args": [id], "result": "forged"}));
            let reply = guest.next();
            assert_eq!(&reply["id"], id);
        }
        guest.send(&json!({"id": "system:c0:9", "method": "kit.echo", "args": []}));
        assert_eq!(guest.next()["error"]["code"], -32601, "no system call");
        guest.send(&json!({"id": "publish:topic:0", "result": "forged"}));
        assert_eq!(guest.next()["error"]["code"], -32600);
        // The same id five times at once: five replies.
        (0..5).for_each(|n| guest.send(&json!({"id": "same", "method": "kit.sleep", "args": [n]})));
        let mut slept: Vec<_> =
            (0..5).map(|_| guest.next()).map(|reply| (reply["id"].clone(), reply["result"].as_u64())).collect();
        slept.sort_by_key(|(_, slept)| *slept);
        assert!(slept.iter().enumerate().all(|(n, reply)| *reply == (json!("same"), Some(n as u64))), "{slept:?}");
        assert_eq!(witness.call("kit.null", json!([]))["result"], Value::Null, "nothing reached anybody else");
    }
}
