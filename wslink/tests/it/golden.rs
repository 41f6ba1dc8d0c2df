//! Replays what was recorded between clients and the original Python servers of both protocols,
//! and compares what this server answers: byte by byte where the protocol leaves no choice.
//!
//! Where this server answers differently on purpose, the table [`ours`] says what it answers.

use wslink::{
    Secret, Server,
    testing::{Answer, Message, Recording},
};

use crate::{chat, kit, protocol};

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

#[tokio::test]
async fn protocol_1_is_answered_as_recorded() {
    replay(include_str!("../golden/python-v1.jsonl"), 41).await;
}

#[tokio::test]
async fn protocol_2_is_answered_as_recorded() {
    replay(include_str!("../golden/python-v2.jsonl"), 44).await;
}

async fn replay(recording: &str, exchanges: usize) {
    let recording = Recording::parse(recording).unwrap();
    assert_eq!(recording.exchanges().len(), exchanges);
    for exchange in recording.exchanges() {
        let server = Server::builder()
            .secret(Secret::published())
            .service(kit::Kit::new)
            .service(protocol::MyProtocol::new)
            .service(chat::Chat::silent)
            .allow_exit()
            .build()
            .unwrap();
        for answer in exchange.play(&server).await {
            check(exchange.name(), &answer);
        }
        server.stop();
        server.stopped().await;
    }
}

fn check(exchange: &str, answer: &Answer) {
    let Some(difference) = answer.difference() else { return };
    match (answer.got(), ours(exchange), answer.recorded_close()) {
        (Message::Text(got), Some(ours), _) => assert_eq!(without_trace(got), ours, "{exchange}"),
        (Message::Binary(got), Some(ours), _) => {
            let got: serde_json::Value = rmp_serde::from_slice(got).unwrap();
            let ours: serde_json::Value = serde_json::from_str(ours).unwrap();
            assert_eq!(without_trace(&got.to_string()), ours.to_string(), "{exchange}");
        }
        // Where the original breaks the connection off, this server says what was wrong.
        (Message::Close(1007, reason), _, Some(1006)) => assert!(!reason.is_empty(), "{exchange}"),
        _ => panic!("{exchange}\n{difference}"),
    }
}

/// The message with a fixed name for the entry of the log.
fn without_trace(message: &str) -> String {
    let Some((before, rest)) = message.split_once(r#""trace":""#) else { return message.to_owned() };
    let (trace, after) = rest.split_at(16);
    assert!(trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{trace}");
    format!(r#"{before}"trace":"TRACE{after}"#)
}
