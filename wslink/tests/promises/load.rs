//! Load, slow peers and peers that vanish: they cost what they may cost, and nobody else's time.

use std::thread;

use serde_json::{Value, json};

use crate::{
    harness::{BOTH, Got, ProtocolVersion, Speaker, chunk},
    program::{ABUSER, GOOD, Program},
    raw::{BINARY, Raw, TEXT, assert_closed, frame},
    trial::{Bounds, settle, trial},
};

#[test]
fn slow_reader() {
    trial("slow_reader", Bounds::peak(64), |program| {
        let mut greedy = program.guest(ProtocolVersion::V2);
        // Each asks for 1 MiB, and nothing is read before all are sent.
        (0..500).for_each(|_| drop(greedy.begin("kit.blob", json!([1 << 20]))));
        for _ in 0..50 {
            program.guest(ProtocolVersion::V1).call("kit.null", json!([]));
        }
        // What was held back is all there, in order.
        let mut received = 0;
        while received < 500 {
            let Got::Binary(chunk) = greedy.peer.next() else { panic!("after {received} replies") };
            received += usize::from(is_last(&chunk));
        }
    });
}

/// Whether no chunk of the message follows.
fn is_last(chunk: &[u8]) -> bool {
    let field = |at: usize| u32::from_le_bytes(chunk[at..at + 4].try_into().unwrap()) as usize;
    field(4) + chunk.len() - 12 == field(8)
}

/// Publishes, in portions that fit any outbox, `count` events that begin with their number.
fn publish(publisher: &mut Speaker, portions: usize, count: usize, size: usize, mut after: impl FnMut(&mut Speaker)) {
    let text = "x".repeat(size);
    for _ in 0..portions {
        publisher.begin("kit.publish", json!(["load", text, count]));
        assert_eq!(publisher.next()["result"], Value::Null);
        after(publisher);
    }
}

/// Asserts that the next `count` events come whole and in order.
fn assert_events(speaker: &mut Speaker, count: usize, size: usize) {
    for n in 0..count {
        let event = speaker.next();
        assert_eq!(event["result"]["n"], n);
        assert_eq!(event["result"]["payload"].as_str().map(str::len), Some(size));
    }
}

#[test]
fn slow_subscriber() {
    const PORTIONS: usize = 30;
    const PORTION: usize = 50;
    const SIZE: usize = 64 << 10;
    trial("slow_subscriber", Bounds::peak(64), |program| {
        let mut deaf = program.guest(ProtocolVersion::V2);
        let readers: Vec<_> = BOTH
            .map(|protocol| {
                let mut reader = Speaker::over(program.connect(GOOD), protocol).greeted();
                thread::spawn(move || (0..PORTIONS).for_each(|_| assert_events(&mut reader, PORTION, SIZE)))
            })
            .into();
        let mut publisher = Speaker::over(program.connect(GOOD), ProtocolVersion::V2).greeted();
        publish(&mut publisher, PORTIONS, PORTION, SIZE, |publisher| assert_events(publisher, PORTION, SIZE));
        readers.into_iter().for_each(|reader| reader.join().expect("a reader has all, in order"));
        assert_closed(&deaf.peer.end(), &[1013], "who did not read");
    });
}

#[test]
fn subscribers_vanish() {
    const PORTIONS: usize = 20;
    const PORTION: usize = 100;
    const SIZE: usize = 1000;
    trial("subscribers_vanish", Bounds::peak(64), |program| {
        let survivors: Vec<_> = (0..5)
            .map(|n| {
                let mut reader = program.guest(BOTH[n % 2]);
                thread::spawn(move || (0..PORTIONS).for_each(|_| assert_events(&mut reader, PORTION, SIZE)))
            })
            .collect();
        let mut vanishing: Vec<_> = (0..15).map(|n| program.guest(BOTH[n % 2])).collect();
        let mut publisher = program.guest(ProtocolVersion::V2);
        publish(&mut publisher, PORTIONS, PORTION, SIZE, |publisher| {
            if let Some(one) = vanishing.pop() {
                one.peer.reset();
            }
            assert_events(publisher, PORTION, SIZE);
        });
        survivors.into_iter().for_each(|survivor| survivor.join().expect("a survivor has all, in order"));
    });
}

#[test]
fn pipelined() {
    trial("pipelined", Bounds::peak(64), |program| {
        for protocol in BOTH {
            let mut guest = program.guest(protocol);
            let mut ids: std::collections::HashSet<_> = (0..1000).map(|_| guest.begin("kit.sleep", json!([10]))).collect();
            for _ in 0..1000 {
                let reply = guest.next();
                assert_eq!(reply["result"], 10);
                assert!(ids.remove(reply["id"].as_str().unwrap()), "{reply} was answered before");
            }
        }
    });
}

#[test]
fn churn() {
    let churn = |program: &Program, cycles: usize| {
        for n in 0..cycles {
            let mut guest = program.guest(BOTH[n % 2]);
            guest.call("kit.echo", json!([n]));
            match n % 3 {
                0 => guest.peer.reset(),
                1 => guest.peer.close(1000),
                _ => {}
            }
        }
    };
    let program = Program::start();
    let idle = program.descriptors();
    // Measured when all of them have left.
    let are_gone = |program: &Program| program.descriptors() <= idle;
    churn(&program, 500);
    settle(&program, "500 connections", are_gone);
    let before = program.memory().resident;
    churn(&program, 4500);
    settle(&program, "4500 connections", are_gone);
    let grown = program.memory().resident.saturating_sub(before) / 1024;
    println!("promise churn: {grown} KiB more after 4500 more connections, of 4096");
    assert!(grown <= 4096, "{grown} KiB");
}

#[test]
fn rst_midcall() {
    trial("rst_midcall", Bounds::peak(64).left(16), |program| {
        for n in 0..300 {
            let mut guest = program.guest(BOTH[n % 2]);
            guest.begin(["kit.hang", "kit.sleep", "kit.blob"][n % 3], if n % 3 == 0 { json!([]) } else { json!([100_000]) });
            guest.peer.reset();
        }
    });
}

#[test]
fn upload_flood() {
    const SIZE: usize = 3 << 20;
    const CHUNK: usize = 256 << 10;
    trial("upload_flood", Bounds::peak(384), |program| {
        let uploads: Vec<_> = (0..8)
            .map(|_| {
                let mut guest = program.guest(ProtocolVersion::V2);
                thread::spawn(move || {
                    let size = u32::try_from(SIZE).unwrap().to_be_bytes();
                    let call = b"\x83\xa2id\xa2up\xa6method\xadkit.blob.info\xa4args\x91\xc6";
                    let body = [&call[..], &size, &vec![7; SIZE]].concat();
                    for id in 0..8 {
                        for (n, part) in body.chunks(CHUNK).enumerate() {
                            guest.peer.raw(&frame(BINARY, &chunk(id, n * CHUNK, body.len(), part)));
                        }
                    }
                    (0..8).for_each(|_| assert_eq!(guest.next()["result"]["length"], SIZE));
                })
            })
            .collect();
        uploads.into_iter().for_each(|upload| upload.join().expect("all came back"));
    });
}

#[test]
fn v1_attachments_that_nobody_refers_to() {
    let announce = |key: usize| {
        let header = json!({"wslink": "1.0", "method": "wslink.binary.attachment", "args": [format!("wslink_bin{key}")]});
        frame(TEXT, header.to_string().as_bytes())
    };
    trial("v1_keys", Bounds::peak(16), |program| {
        let headers: Vec<_> = (0..100_000).flat_map(announce).collect();
        assert_closed(&program.guest(ProtocolVersion::V1).peer.flood(&headers, 1), &[1008], "announcements");
        let long = json!({"method": "wslink.binary.attachment", "args": (0..5000).map(|n| n.to_string()).collect::<Vec<_>>()});
        let end = program.guest(ProtocolVersion::V1).peer.flood(&frame(TEXT, long.to_string().as_bytes()), 1);
        assert_closed(&end, &[1008], "many keys at once");
    });
    trial("v1_bytes", Bounds::peak(64), |program| {
        let upload = [announce(1), frame(BINARY, &vec![7; 4 << 20])].concat();
        let mut guest = program.guest(ProtocolVersion::V1);
        // The same key again replaces what it stood for.
        (0..20).for_each(|_| guest.peer.raw(&upload));
        assert_eq!(guest.call("kit.blob.info", json!(["wslink_bin1"]))["result"]["length"], 4 << 20);
        let uploads: Vec<_> = (0..9).flat_map(|key| [announce(key), frame(BINARY, &vec![7; 4 << 20])].concat()).collect();
        assert_closed(&guest.peer.flood(&uploads, 1), &[1008], "36 MiB that no call refers to");
    });
}

#[test]
fn a_peer_that_leaves_without_a_word_leaves_nothing() {
    let program = Program::start();
    let idle = program.descriptors();
    for protocol in BOTH {
        let mut guest = program.guest(protocol);
        guest.begin("kit.hang", json!([]));
        drop(guest);
        drop(program.connect(ABUSER));
        drop(program.dial(ABUSER));
    }
    settle(&program, "leaving", |program| program.descriptors() <= idle);
}

/// Values cost many times the bytes that they come in. The system's allocator keeps what one client needed, and not what
/// twelve did.
#[test]
fn large_filters() {
    let subscribe = |program: &Program, clients: usize| {
        for n in 0..clients {
            let mut guest = program.subscriber(BOTH[n % 2]);
            for _ in 0..1024 {
                let subscribed = guest.system("wslink.subscribe", json!(["filters.silent", vec![1; 800]]), json!({}));
                assert!(subscribed["result"]["subscription"].is_u64(), "{subscribed}");
            }
        }
    };
    let program = Program::start();
    let idle = program.descriptors();
    let are_gone = |program: &Program| program.descriptors() <= idle;
    let start = program.memory().resident;
    program.forget_peak();
    subscribe(&program, 12);
    settle(&program, "twelve clients", are_gone);
    let left = program.memory().resident.saturating_sub(start) >> 20;
    let peak = program.peak().saturating_sub(start) >> 20;
    println!("promise large_filters: peak {peak} MiB of 96, {left} MiB left of 64 after twelve clients");
    assert!(peak <= 96 && left <= 64, "{peak} MiB, {left} MiB");
}
