//! What a server tells of itself after known traffic.

use serde_json::{Value, json};
use wslink::{Publisher, Secret, Statistics, Topic, service};

use crate::{
    harness::{BOTH, Got, ProtocolVersion, Speaker, TestServer},
    http::request,
    kit::Kit,
};

struct Ticker {
    publisher: Publisher,
}

#[service]
impl Ticker {
    /// Only the newest counts.
    #[topic("ticker.newest", delivery = latest)]
    const NEWEST: Topic<u32>;

    /// Publishes from `0` to `count` at once.
    #[rpc("ticker.run")]
    fn run(&self, count: u32) {
        (0..count).for_each(|number| self.publisher.publish(Self::NEWEST, &number));
    }
}

fn server() -> TestServer {
    TestServer::start(|builder| builder.observe().service(Kit::new).service(|publisher| Ticker { publisher }))
}

/// The statistics as JSON, after `done` has found in others what it waits for: what they tell beside it may be older.
fn once(server: &TestServer, done: impl Fn(&Statistics) -> bool) -> Value {
    loop {
        if done(&server.server.statistics().unwrap()) {
            return serde_json::to_value(server.server.statistics().unwrap()).unwrap();
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_was_not_asked_to_keeps_no_account() {
    let server = TestServer::start(|builder| builder.service(Kit::new));
    assert!(server.server.statistics().is_none());
}

#[test]
fn calls_are_counted_by_method_and_outcome() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        for (method, args) in [
            ("kit.null", json!([])),
            ("kit.null", json!([])),
            ("kit.null", json!([1])),
            ("kit.raise", json!(["told"])),
            ("kit.panic", json!([])),
            ("kit.unserialisable", json!([])),
            ("kit.sleep", json!([1])),
            ("kit.block", json!([1])),
            ("kit.unheard.of", json!([])),
            ("kit.unheard.of.too", json!([])),
        ] {
            speaker.call(method, args);
        }
        speaker.begin("kit.hang", json!([]));
        speaker.call("kit.null", json!([]));
    }
    let statistics = once(&server, |now| now.connections == 0 && now.calls_in_flight == 0);
    let methods: Vec<_> =
        statistics["methods"].as_array().unwrap().iter().map(|one| json!([one["method"], one["outcomes"]])).collect();
    assert_eq!(
        Value::from(methods),
        json!([
            ["kit.block", {"ok": 2}],
            ["kit.hang", {"abandoned": 2}],
            ["kit.null", {"ok": 6, "bad_arguments": 2}],
            ["kit.panic", {"exception": 2}],
            ["kit.raise", {"exception": 2}],
            ["kit.sleep", {"ok": 2}],
            ["kit.unserialisable", {"unserializable": 2}],
            ["(other)", {"not_found": 4}],
        ])
    );
    let slept = &statistics["methods"][5];
    assert!(slept["seconds"].as_f64().unwrap() >= 0.002, "{slept}");
    assert_eq!(slept["buckets"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(), 2, "{slept}");
}

#[test]
fn a_connection_and_its_calls_are_counted_as_ended_before_they_are_no_longer_there() {
    let server = server();
    for lost in 1..=20 {
        let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
        speaker.begin("kit.hang", json!([]));
        speaker.call("kit.null", json!([]));
        drop(speaker);
        let now = once(&server, |now| now.connections_total == lost && now.connections == 0 && now.calls_in_flight == 0);
        assert_eq!((&now["connections_closed"], &now["clients"]), (&json!({"lost": lost}), &json!([])));
        assert_eq!(now["methods"][0]["outcomes"], json!({"abandoned": lost}), "{now}");
    }
}

#[test]
fn connections_and_what_they_are_refused_for_are_counted() {
    let server = server();
    let mut newcomer = Speaker::unauthenticated(&server, ProtocolVersion::V1);
    assert_eq!(newcomer.call("kit.null", json!([]))["error"]["code"], -32000);
    assert_eq!(newcomer.hello("wrong")["error"]["code"], -32000);
    assert!(newcomer.hello(Secret::published().reveal())["result"].is_object());
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    let open = once(&server, |now| now.clients.len() == 2 && now.clients.iter().all(|client| client.protocol.is_some()));
    assert_eq!((&open["connections"], &open["clients"][0]["protocol"]), (&json!(2), &json!("v1")));
    assert!(open["clients"][1]["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{open}");

    speaker.peer.close(1000);
    assert!(matches!(speaker.peer.next(), Got::Close(1000, _)));
    newcomer.peer.text("no JSON {");
    assert!(matches!(newcomer.peer.next(), Got::Close(1007, _)));
    let refused = request(&server, "GET /ws", "Host: localhost\r\nConnection: close\r\nOrigin: http://evil.example\r\n");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");

    let ended = once(&server, |now| now.connections == 0);
    assert_eq!(ended["connections_total"], 2);
    assert_eq!(ended["connections_closed"], json!({"closed": 1, "1007": 1}));
    assert_eq!(ended["handshakes_refused"], json!({"origin": 1}));
    assert_eq!(ended["hellos_failed"], 1);
    assert_eq!(
        ended["methods"],
        json!([{"method": "kit.null", "outcomes": {"unauthorized": 1}, "in_flight": 0, "seconds": 0.0, "buckets": vec![0; 26]}])
    );
    assert_eq!((&ended["queued_bytes"], &ended["clients"]), (&json!(0), &json!([])));
}

#[test]
fn bytes_and_events_are_counted() {
    let server = server();
    let mut speaker = Speaker::new(&server, ProtocolVersion::V1);
    speaker.begin("ticker.run", json!([100]));
    // The reply, then what was left of the events.
    assert_eq!(speaker.next()["result"], Value::Null);
    assert_eq!(speaker.next()["result"], 99);
    speaker.call("kit.publish", json!(["from.a.peer", 1]));
    speaker.next();
    let now = once(&server, |now| now.queued_bytes == 0 && now.sent_frames == 5);
    assert_eq!(
        now["topics"],
        json!([
            {"topic": "(other)", "published": 1, "queued": 1, "dropped": {}},
            {"topic": "ticker.newest", "published": 100, "queued": 100, "dropped": {"latest": 99}},
        ])
    );
    let client = &now["clients"][0];
    assert_eq!(client["dropped_events"], 99);
    assert_eq!((&now["received_messages"], &client["received_messages"]), (&json!(3), &json!(3)));
    for bytes in ["received_bytes", "sent_bytes"] {
        assert!(now[bytes].as_u64().unwrap() > 100 && now[bytes] == client[bytes], "{now}");
    }
}

#[test]
fn a_client_that_resumes_is_known_by_its_old_name() {
    let server = server();
    let hello = |speaker: &mut Speaker, resume: Value| {
        let hello = json!({"secret": Secret::published().reveal(), "extensions": ["resume", "subscribe"], "resume": resume});
        speaker.system("wslink.hello", json!([hello]), json!({}))["result"].clone()
    };
    let mut lost = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    let first = hello(&mut lost, Value::Null);
    drop(lost);
    once(&server, |now| now.connections == 0);
    let mut back = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    let second = hello(&mut back, first["resume"].clone());
    assert!(second["resumed"].is_object(), "{second}");
    let now = once(&server, |now| now.clients.iter().any(|client| client.protocol.is_some()));
    assert_eq!(now["clients"][0]["id"], first["clientID"]);
}
