//! Peers that break the rules: each is answered or told why it is closed, and nobody else notices.

use std::time::Duration;

use serde_json::json;
use wslink::Limits;

use crate::{
    harness::{BOTH, Got, ProtocolVersion, Speaker, TestServer, chunk},
    kit,
};

fn server(change: fn(&mut Limits)) -> TestServer {
    TestServer::start(move |builder| {
        let mut limits = Limits::default();
        change(&mut limits);
        builder.service(kit::Kit::new).limits(limits)
    })
}

fn assert_closed(speaker: &mut Speaker, code: u16, what: &str) {
    match speaker.peer.next() {
        Got::Close(got, reason) => assert!(got == code && !reason.is_empty(), "{what}: {got} {reason}"),
        got => panic!("{what}: {got:?}"),
    }
}

#[test]
fn nothing_runs_before_hello() {
    let server = server(|_| {});
    for protocol in BOTH {
        let mut newcomer = Speaker::unauthenticated(&server, protocol);
        let refused = newcomer.call("kit.publish", json!(["t", 1]));
        assert_eq!(refused["error"]["message"], "Unauthorized: Skip message processing");
        assert!(newcomer.hello("wslink-secret")["result"]["clientID"].is_string());
        assert_eq!(newcomer.call("kit.echo", json!([1]))["result"]["args"], json!([1]));
    }
}

#[test]
fn secrets_cannot_be_guessed_on_one_connection() {
    let server = server(|_| {});
    for protocol in BOTH {
        let mut guesser = Speaker::unauthenticated(&server, protocol);
        for _ in 0..3 {
            assert_eq!(guesser.hello("guess")["error"]["message"], "Authentication failed");
        }
        guesser.send(
            &json!({"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": "wslink-secret"}]}),
        );
        assert_closed(&mut guesser, 1008, "a fourth guess, even the right one");
    }
}

#[test]
fn odd_hellos_authenticate_nobody() {
    let server = server(|limits| limits.hello_failures = 100);
    for protocol in BOTH {
        let mut newcomer = Speaker::unauthenticated(&server, protocol);
        let secret = "wslink-secret";
        let args = [
            json!([]),
            json!([null]),
            json!([secret]),
            json!([[secret]]),
            json!([{"Secret": secret}]),
            json!([{"secret": null}]),
            json!([{"secret": [secret]}]),
            json!([{"secret": ""}]),
            json!([{"secret": "wslink-secret "}]),
            json!({"secret": secret}),
            json!([{}, {"secret": secret}]),
            json!(secret),
            json!(null),
            json!([{"secret": true}]),
            json!([{"secret": 0}]),
        ];
        for args in args {
            newcomer.send(&json!({"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": args}));
            assert_eq!(newcomer.next()["error"]["code"], -32000, "{args}");
        }
        newcomer.send(&json!({"wslink": "1.0", "id": "rpc:c0:0", "method": "wslink.hello", "args": [{"secret": secret}]}));
        assert_eq!(newcomer.next()["error"]["code"], -32000, "not a system call");
    }
}

#[test]
fn a_second_hello_changes_nothing() {
    let server = server(|_| {});
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        let first = speaker.hello("wslink-secret");
        assert_eq!(speaker.hello("wrong")["error"]["code"], -32000);
        assert_eq!(speaker.hello("wslink-secret"), first);
        assert_eq!(speaker.call("kit.null", json!([]))["result"], json!(null));
        assert_eq!(server.server.publisher().clients(), 1);
        drop(speaker);
        while server.server.publisher().clients() > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn who_says_nothing_is_closed() {
    let server = server(|limits| limits.hello = Duration::from_millis(100));
    for protocol in BOTH {
        let mut silent = Speaker::unauthenticated(&server, protocol);
        assert_closed(&mut silent, 1008, "no hello");
        let mut unwelcome = Speaker::unauthenticated(&server, protocol);
        unwelcome.begin_system("wslink.hello", json!([{"secret": "wrong"}]), json!({}));
        // On a busy machine the time may be up before it is answered.
        assert_eq!(unwelcome.peer.end(), Got::Close(1008, "no hello in time".into()), "no good hello");
    }
}

#[test]
fn a_message_that_never_ends_is_not_waited_for() {
    let server = server(|limits| {
        limits.incomplete_stall = Duration::from_millis(200);
        limits.ping = Duration::from_millis(200);
    });
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    speaker.peer.binary(chunk(77, 0, 1000, b"a beginning"));
    assert_closed(&mut speaker, 1008, "no progress");
}

#[test]
fn claims_beyond_the_limits_are_refused() {
    let server = server(|limits| {
        limits.frame_bytes = 8192;
        limits.message_bytes = 1 << 20;
    });
    for protocol in BOTH {
        let mut newcomer = Speaker::unauthenticated(&server, protocol);
        newcomer.send(&json!({"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": ["x".repeat(5000)]}));
        assert_closed(&mut newcomer, 1009, "a long hello");
        let mut speaker = Speaker::new(&server, protocol);
        speaker.begin("kit.echo", json!(["x".repeat(9000)]));
        assert_closed(&mut speaker, 1009, "a long frame");
    }
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    speaker.peer.binary(chunk(1, 0, (1 << 20) + 1, b"x"));
    assert_closed(&mut speaker, 1009, "a long message");
    let mut newcomer = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    newcomer.peer.binary(chunk(1, 0, 5000, b"x"));
    assert_closed(&mut newcomer, 1009, "a long claim before hello");
}

#[test]
fn a_message_that_is_too_large_costs_its_call_and_not_the_connection() {
    let server = server(|limits| limits.message_bytes = 1 << 20);
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    let total = 2 << 20;
    let call = rmp_serde::to_vec(&json!({"wslink": "1.0", "id": "large", "method": "kit.publish"})).unwrap();
    for round in 0..100 {
        // An id is free again when its message has come to its end.
        let id = 1000 + round % 60;
        speaker.peer.binary(chunk(id, 0, total, &call));
        let refused = speaker.next();
        assert_eq!(refused["id"], "large");
        assert_eq!(
            refused["error"],
            json!({"code": -32003, "message": "Message too large", "data": {"limit": 1 << 20, "got": total}})
        );
        let rest = total - call.len();
        speaker.peer.binary(chunk(id, call.len(), total, &vec![0; rest / 2]));
        assert_eq!(speaker.call("kit.null", json!([]))["error"], json!(null));
        speaker.peer.binary(chunk(id, call.len() + rest / 2, total, &vec![0; rest - rest / 2]));
    }
    for id in 0..64 {
        speaker.peer.binary(chunk(id, 0, total, &call));
        speaker.next();
    }
    speaker.peer.binary(chunk(64, 0, total, &call));
    assert_closed(&mut speaker, 1008, "too many that do not come to their end");
}

#[test]
fn an_unauthenticated_client_uploads_nothing() {
    let server = server(|_| {});
    let mut newcomer = Speaker::unauthenticated(&server, ProtocolVersion::V1);
    newcomer.send(&json!({"wslink": "1.0", "method": "wslink.binary.attachment", "args": ["wslink_bin1"]}));
    newcomer.peer.binary([1, 2, 3]);
    assert!(newcomer.hello("wslink-secret")["result"]["clientID"].is_string());
    assert_eq!(newcomer.call("kit.echo", json!(["wslink_bin1"]))["result"]["args"], json!(["wslink_bin1"]));
    let mut newcomer = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    newcomer.peer.binary(vec![0; 10_000]);
    assert_closed(&mut newcomer, 1009, "a long frame before hello");
}

#[test]
fn incomplete_messages_have_a_limit() {
    let server = server(|_| {});
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    (0..65).for_each(|id| speaker.peer.binary(chunk(1000 + id, 0, 100, b"x")));
    assert_closed(&mut speaker, 1008, "many incomplete messages");
    let mut speaker = Speaker::new(&server, ProtocolVersion::V1);
    let header = |n| json!({"wslink": "1.0", "method": "wslink.binary.attachment", "args": [format!("wslink_bin{n}")]});
    (0..1025).for_each(|n| speaker.send(&header(n)));
    assert_closed(&mut speaker, 1008, "many attachments");
}

#[test]
fn chunks_that_do_not_fit_together_are_refused() {
    let cases: [(&str, &[Vec<u8>]); 7] = [
        ("a short header", &[vec![1, 2, 3]]),
        ("no bytes in all", &[chunk(1, 0, 0, b"")]),
        ("past the end", &[chunk(1, 0, 4, b"12345")]),
        ("beyond the end", &[chunk(1, 9, 4, b"1")]),
        ("twice the same", &[chunk(1, 0, 4, b"12"), chunk(1, 0, 4, b"12")]),
        ("overlapping", &[chunk(1, 0, 9, b"1234"), chunk(1, 2, 9, b"3456")]),
        ("another total", &[chunk(1, 0, 9, b"12"), chunk(1, 2, 8, b"34")]),
    ];
    let server = server(|_| {});
    for (what, chunks) in cases {
        let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
        chunks.iter().for_each(|chunk| speaker.peer.binary(chunk.clone()));
        assert_closed(&mut speaker, 1002, what);
    }
}

#[test]
fn payloads_that_are_no_messages_are_refused() {
    let server = server(|_| {});
    let deep = "[".repeat(100_000);
    for text in ["", "{", "{not json", "[1,]", "\"\\ud800\"", "{\"a\":1 \"b\":2}", "1e", "nul", "{\"id\":\"x\"}}", deep.as_str()]
    {
        let mut speaker = Speaker::new(&server, ProtocolVersion::V1);
        speaker.peer.text(text);
        assert_closed(&mut speaker, 1007, &text[..text.len().min(20)]);
    }
    let truncated = rmp_serde::to_vec(&json!({"id": "x", "method": "kit.null"})).unwrap();
    let deep = vec![0x91; 100_000];
    let bodies: [&[u8]; 6] =
        [&[0xc1], &truncated[..9], &[0xdd, 0xff, 0xff, 0xff, 0xff], &[0xa2, 0xff, 0xff], &[0xc0, 0xc0], &deep];
    for body in bodies {
        let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
        speaker.peer.binary(chunk(5, 0, body.len(), body));
        assert_closed(&mut speaker, 1007, &format!("{:x?}", &body[..body.len().min(9)]));
    }
}

#[test]
fn odd_fields_get_one_error_with_the_id_and_the_connection_lives() {
    let server = server(|_| {});
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        for (method, code) in [(json!(null), -32600), (json!(7), -32600), (json!(""), -32601), (json!(["kit.null"]), -32600)] {
            speaker.send(&json!({"id": "odd", "method": method}));
            let reply = speaker.next();
            assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!("odd"), &json!(code)), "{method}");
        }
        for args in [json!(null), json!("text"), json!({"a": 1}), json!(7)] {
            speaker.send(&json!({"id": "odd", "method": "kit.echo", "args": args, "kwargs": args.as_str()}));
            assert_eq!(speaker.next()["result"]["args"], json!([]), "{args}");
        }
        for id in ["publish:t:0", "x", ""] {
            speaker.send(&json!({"id": id, "method": "kit.null"}));
            assert_eq!(speaker.next()["id"], id);
        }
    }
}

#[test]
fn many_failing_calls_each_get_their_own_error() {
    let server = server(|_| {});
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        let ids: Vec<_> = (0..300).map(|_| speaker.begin("kit.panic", json!([]))).collect();
        for id in ids {
            let reply = speaker.next();
            assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!(id), &json!(-32001)));
        }
    }
}

#[test]
fn one_byte_chunks_in_any_order_and_interleaved_are_a_message() {
    let server = server(|_| {});
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    let body = |id: &str| rmp_serde::to_vec(&json!({"id": id, "method": "kit.echo", "args": [id]})).unwrap();
    let (one, two) = (body("one"), body("two"));
    for at in (0..one.len()).rev() {
        speaker.peer.binary(chunk(1, at, one.len(), &one[at..=at]));
        speaker.peer.binary(chunk(2, one.len() - 1 - at, two.len(), &two[one.len() - 1 - at..one.len() - at]));
    }
    let mut replies = [speaker.next(), speaker.next()].map(|reply| reply["result"]["args"][0].as_str().unwrap().to_owned());
    replies.sort();
    assert_eq!(replies, ["one", "two"]);
}
