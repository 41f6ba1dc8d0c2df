//! Replays what was recorded between clients and the original Python servers of both generations,
//! and compares what this server answers: byte by byte where the protocol leaves no choice.
//!
//! Where this server answers differently on purpose, the table [`ours`] says what it answers.

use std::collections::HashMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    chat,
    harness::{Got, Peer, TestServer},
    kit, protocol,
};

/// One recorded frame.
#[derive(Deserialize)]
struct Record {
    exchange: String,
    #[serde(rename = "dir")]
    direction: Direction,
    op: Op,
    text: Option<String>,
    hex: Option<String>,
    /// Of a frame that is too long to be written out.
    sha256_after_header: Option<String>,
    length: Option<usize>,
    header: Option<Header>,
    code: Option<u16>,
    reason: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Direction {
    C2s,
    S2c,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Text,
    Binary,
    Close,
}

/// Before each chunk of the second generation.
#[derive(Deserialize)]
struct Header {
    offset: usize,
    total: usize,
}

/// What this server answers where it differs on purpose: errors do not show the server's inside, bad
/// arguments have a code of their own, and a peer that breaks the rules is told so.
fn ours(exchange: &str) -> Option<&'static str> {
    Some(match exchange {
        "exception" => {
            r#"{"wslink":"1.0","id":"rpc:wire:1","error":{"code":-32001,"message":"Exception raised","data":{"method":"kit.raise","exception":"boom é","trace":"TRACE"}}}"#
        }
        "arity" => {
            r#"{"wslink":"1.0","id":"rpc:wire:1","error":{"code":-32602,"message":"Invalid params","data":{"method":"kit.defaults","param":"a","expected":"any value","got":"nothing"}}}"#
        }
        _ => return None,
    })
}

#[test]
fn the_first_generation_is_answered_as_recorded() {
    replay(include_str!("../golden/python-v1.jsonl"), 41, exchange_v1);
}

#[test]
fn the_second_generation_is_answered_as_recorded() {
    replay(include_str!("../golden/python-v2.jsonl"), 44, exchange_v2);
}

fn replay(recording: &str, exchanges: usize, exchange: fn(&str, &[Record], &mut Peer)) {
    let records: Vec<Record> = recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut replayed = 0;
    for records in records.chunk_by(|a, b| a.exchange == b.exchange) {
        let server = TestServer::start(|builder| {
            builder.service(kit::Kit::new).service(protocol::MyProtocol::new).service(chat::Chat::silent).allow_exit()
        });
        exchange(&records[0].exchange, records, &mut server.connect());
        replayed += 1;
    }
    assert_eq!(replayed, exchanges);
}

fn exchange_v1(exchange: &str, records: &[Record], peer: &mut Peer) {
    let (mut recorded_keys, mut keys) = (Keys::default(), Keys::default());
    for record in records {
        if record.direction == Direction::C2s {
            send(record, peer);
            continue;
        }
        let got = peer.next();
        match (&record.op, got) {
            (Op::Text, Got::Text(got)) => {
                let recorded = keys_renamed(&normalised(record.text.as_ref().unwrap()), &mut recorded_keys);
                let expected = ours(exchange).filter(|_| recorded.contains("error")).map_or(recorded, str::to_owned);
                assert_eq!(keys_renamed(&normalised(&got), &mut keys), expected, "{exchange}");
            }
            (Op::Binary, Got::Binary(got)) => assert_eq!(got, unhex(record.hex.as_ref().unwrap()), "{exchange}"),
            (Op::Close, got) => assert_closed(exchange, record, &got),
            (_, got) => panic!("{exchange}: {got:?}"),
        }
    }
}

fn exchange_v2(exchange: &str, records: &[Record], peer: &mut Peer) {
    let mut message = Vec::new();
    for record in records {
        if record.direction == Direction::C2s {
            send(record, peer);
            continue;
        }
        let Some(header) = &record.header else {
            assert_closed(exchange, record, &peer.next());
            continue;
        };
        // Where a message is cut is the sender's choice, so the recorded chunks are found in the whole.
        if header.offset == 0 {
            message = masked(receive_message(exchange, peer));
            if ours(exchange).is_none() {
                assert_eq!(message.len(), header.total, "{exchange}");
            }
        }
        let length = record.length.unwrap() - 12;
        if let (Some(text), true) = (ours(exchange), record.hex.as_ref().is_some_and(|hex| hex.contains(&hexed(b"error")))) {
            let got: serde_json::Value = rmp_serde::from_slice(&message).unwrap();
            let got = normalised(&got.to_string());
            let expected: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(got, normalised(&expected.to_string()), "{exchange}");
        } else if let Some(hex) = &record.hex {
            let recorded = masked(unhex(hex).split_off(12));
            assert_eq!(hexed(&message[header.offset..][..length]), hexed(&recorded), "{exchange}");
        } else {
            let digest = Sha256::digest(&message[header.offset..][..length]);
            assert_eq!(&hexed(&digest), record.sha256_after_header.as_ref().unwrap(), "{exchange}");
        }
    }
}

fn send(record: &Record, peer: &mut Peer) {
    match record.op {
        Op::Text => peer.text(record.text.as_ref().unwrap()),
        Op::Binary => peer.binary(unhex(record.hex.as_ref().unwrap())),
        Op::Close => peer.close(record.code.unwrap()),
    }
}

/// Where the original breaks the connection off (1006), this server says what was wrong.
fn assert_closed(exchange: &str, record: &Record, got: &Got) {
    match record.code {
        Some(1006) => assert!(matches!(got, Got::Close(1007, reason) if !reason.is_empty()), "{exchange}: {got:?}"),
        code => assert_eq!(got, &Got::Close(code.unwrap(), record.reason.clone().unwrap()), "{exchange}"),
    }
}

/// The next message of the second generation, put together from its chunks.
fn receive_message(exchange: &str, peer: &mut Peer) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let Got::Binary(chunk) = peer.next() else { panic!("{exchange}: no chunk") };
        let field = |at: usize| u32::from_le_bytes(chunk[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(field(4), message.len(), "{exchange}: chunks come in order");
        message.extend_from_slice(&chunk[12..]);
        if message.len() == field(8) {
            return message;
        }
    }
}

/// Client ids are random, and this server asks for smaller chunks.
fn masked(mut message: Vec<u8>) -> Vec<u8> {
    const SIZE: &[u8] = b"\xaamaxMsgSize\xce";
    if let Some(at) = message.windows(SIZE.len()).position(|window| window == SIZE) {
        message[at + SIZE.len()..][..4].fill(0);
    }
    let is_id = |id: &[u8]| id[0] == b'c' && id[1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(at) = message.windows(33).position(is_id) {
        message[at..at + 33].fill(b'c');
    }
    message
}

/// JSON without the freedom that it leaves: no space, one way to write a number, no random ids.
fn normalised(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            ' ' => {
                rest = &rest[1..];
                continue;
            }
            '"' => string_length(rest),
            '0'..='9' | '-' => rest.find([',', ']', '}']).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        out += &match token.parse::<f64>() {
            Ok(number) if token.contains(['.', 'e', 'E']) => format!("{number:?}"),
            _ if is_hex(token, 'c', 33) => "\"CLIENT\"".to_owned(),
            _ if is_hex(token, '"', 17) => "\"TRACE\"".to_owned(),
            _ => token.to_owned(),
        };
        rest = after;
    }
    out
}

/// Whether a JSON string is `length` characters, after an optional `prefix` all hexadecimal.
fn is_hex(token: &str, prefix: char, length: usize) -> bool {
    let Some(text) = token.strip_prefix('"').and_then(|token| token.strip_suffix('"')) else { return false };
    let (digits, count) = if prefix == '"' { (Some(text), length - 1) } else { (text.strip_prefix(prefix), length - 1) };
    digits.is_some_and(|digits| digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn string_length(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("no JSON: {json}")
}

/// The names of attachments in the order in which they appear.
#[derive(Default)]
struct Keys(HashMap<String, usize>);

/// The numbers of attachments grow with everything that the server sends to anybody.
fn keys_renamed(json: &str, keys: &mut Keys) -> String {
    let mut parts = json.split("\"wslink_bin");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('"').unwrap();
        let next = keys.0.len();
        let renamed = keys.0.entry(number.to_owned()).or_insert(next);
        out += &format!("\"wslink_bin#{renamed}\"{rest}");
    }
    out
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
