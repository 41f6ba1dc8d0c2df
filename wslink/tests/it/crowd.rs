//! Many connections: each address has its share, and who is inside is served.

use std::io::{Read, Write};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use wslink::{Limits, Server};

use crate::{
    harness::{Got, ProtocolVersion, Speaker, TestServer},
    kit,
};

const HERE: [u8; 4] = [127, 0, 0, 1];
const THERE: [u8; 4] = [127, 0, 0, 2];

fn server(change: fn(&mut Limits)) -> TestServer {
    TestServer::start(move |builder| {
        let mut limits = Limits::default();
        change(&mut limits);
        builder.service(kit::Kit::new).limits(limits)
    })
}

fn admitted(server: &TestServer, source: [u8; 4]) -> Speaker {
    let mut speaker = Speaker::over(server.connect_from(source, &[]).unwrap(), ProtocolVersion::V2);
    assert!(speaker.hello("wslink-secret")["result"]["clientID"].is_string());
    speaker
}

#[test]
fn the_silent_of_one_address_take_the_places_of_that_address_only() {
    let server = server(|limits| limits.address_unauthenticated = 3);
    let mut inside = admitted(&server, HERE);
    let silent: Vec<_> = (0..2).map(|_| server.connect_from(HERE, &[]).unwrap()).collect();
    let mut undecided = server.stream_from(HERE);
    undecided.write_all(b"GET /").unwrap();
    for _ in 0..10 {
        // The one that has sent a part of its header may not be accepted yet.
        while server.connect_from(HERE, &[]).is_ok() {}
    }
    let mut refused = String::new();
    server.stream_from(HERE).read_to_string(&mut refused).unwrap();
    assert!(refused.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{refused}");
    assert_eq!(admitted(&server, THERE).call("kit.null", json!([]))["result"], Value::Null);
    assert_eq!(inside.call("kit.null", json!([]))["result"], Value::Null);
    drop((silent, undecided));
    while server.connect_from(HERE, &[]).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn a_client_that_said_hello_counts_as_authenticated() {
    let server = server(|limits| (limits.address_unauthenticated, limits.address_connections) = (1, 5));
    let speakers: Vec<_> = (0..5).map(|_| admitted(&server, HERE)).collect();
    assert_eq!(server.connect_from(HERE, &[]).err(), Some(429), "five in all");
    drop((admitted(&server, THERE), speakers));
}

#[test]
fn there_is_an_end_for_everybody_together() {
    let server = server(|limits| limits.connections = 2);
    let mut speakers = [admitted(&server, HERE), admitted(&server, THERE)];
    assert_eq!(server.connect_from([127, 0, 0, 3], &[]).err(), Some(503));
    for speaker in &mut speakers {
        assert_eq!(speaker.call("kit.null", json!([]))["result"], Value::Null);
        speaker.peer.close(1000);
        assert_eq!(speaker.peer.next(), Got::Close(1000, String::new()));
    }
    while server.connect_from([127, 0, 0, 3], &[]).is_err() {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn the_idle_lose_their_connection() {
    let mut limits = Limits::default();
    limits.handshake = std::time::Duration::from_millis(200);
    let server = Server::builder().limits(limits).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // The request is there before its time begins.
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener).await }
    });
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert!(all.starts_with("HTTP/1.1 200 OK\r\n") && all.ends_with("\r\n\r\nalive\n"), "{all}");
    server.stop();
    serving.await.unwrap().unwrap();
}
