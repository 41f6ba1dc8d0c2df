//! What clients of both protocols get from a running server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{runtime::Handle, sync::Semaphore};
use wslink::{Attachment, Client, Limits, Publisher, Topic, service};

use crate::{
    harness::{BOTH, Got, Peer, ProtocolVersion, Speaker, TestServer},
    kit,
};

fn server() -> TestServer {
    TestServer::start(|builder| builder.service(kit::Kit::new))
}

#[test]
fn both_protocols_call_one_server() {
    let server = server();
    let mut speakers = BOTH.map(|protocol| Speaker::new(&server, protocol));
    for speaker in &mut speakers {
        assert_eq!(speaker.call("kit.defaults", json!([1, "b"]))["result"], json!([1, "b", null]));
    }
    assert_eq!(server.server.publisher().clients(), 2);
}

#[test]
fn a_panic_is_an_error_reply_and_shows_nothing() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        for method in ["kit.panic", "kit.fail"] {
            let args = if method == "kit.fail" { json!(["a secret path"]) } else { json!([]) };
            let reply = speaker.call(method, args);
            assert_eq!(reply["error"]["code"], -32001);
            assert_eq!(reply["error"]["data"]["exception"], "internal error");
            assert_eq!(reply["error"]["data"]["trace"].as_str().unwrap().len(), 16);
            assert!(!reply.to_string().contains("probe") && !reply.to_string().contains("path"), "{reply}");
        }
        assert_eq!(speaker.call("kit.null", json!([]))["result"], Value::Null);
    }
}

#[test]
fn details_are_shown_when_the_server_is_told_to() {
    let server = TestServer::start(|builder| builder.service(kit::Kit::new).expose_details(true));
    let reply = Speaker::new(&server, ProtocolVersion::V1).call("kit.fail", json!(["why"]));
    assert_eq!(reply["error"]["data"]["exception"], "why");
}

#[test]
fn arguments_that_do_not_fit_are_named() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        let mut data = |method, args| speaker.call(method, args)["error"]["data"].clone();
        let no_text = data("kit.raise", json!([7]));
        assert_eq!((&no_text["param"], &no_text["method"]), (&json!("message"), &json!("kit.raise")));
        assert_eq!(data("kit.sleep", json!([-1]))["param"], "ms");
        let text = data("kit.sleep", json!(["5"]));
        assert_eq!((&text["expected"], &text["got"]), (&json!("u64"), &json!("string \"5\"")), "{protocol:?}");
        assert_eq!(data("kit.sleep", json!([1, 2]))["expected"], "at most 1 positional arguments");
        assert_eq!(data("kit.blob", json!([1, 256]))["param"], "seed");
    }
}

/// Calls that last until they are let go, one by one.
struct Held(Arc<Semaphore>);

#[service]
impl Held {
    #[rpc("held.wait")]
    async fn wait(&self) -> &'static str {
        self.0.acquire().await.unwrap().forget();
        "waited"
    }

    #[rpc("held.block", blocking)]
    fn block(&self) {
        Handle::current().block_on(self.wait());
    }
}

/// A server that also has such calls, and what lets them go.
fn holding() -> (TestServer, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Held(Arc::clone(&gate));
    (TestServer::start(|builder| builder.mount(held).service(kit::Kit::new)), gate)
}

#[test]
fn handlers_that_wait_overlap_and_the_others_do_not() {
    let (server, gate) = holding();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        let slow = [speaker.begin("held.wait", json!([])), speaker.begin("held.block", json!([]))];
        let quick = [speaker.begin("kit.null", json!([])), speaker.begin("kit.echo", json!([]))];
        assert_eq!([speaker.next()["id"].clone(), speaker.next()["id"].clone()], quick.map(Value::from));
        gate.add_permits(2);
        let mut late = [speaker.next()["id"].clone(), speaker.next()["id"].clone()].map(|id| id.as_str().unwrap().to_owned());
        late.sort();
        assert_eq!(late, slow);
    }
}

#[test]
fn a_reply_goes_before_the_events_that_its_call_published() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        for round in 0..20 {
            speaker.call("kit.publish", json!(["a.topic", round]));
            let event = speaker.next();
            assert_eq!((&event["id"], &event["result"]), (&json!("publish:a.topic:0"), &json!(round)));
        }
    }
}

#[test]
fn events_reach_everybody_in_order_and_only_those_meant() {
    let server = server();
    let mut one = Speaker::new(&server, ProtocolVersion::V1);
    let mut two = Speaker::new(&server, ProtocolVersion::V2);
    let mut newcomer = Speaker::unauthenticated(&server, ProtocolVersion::V1);
    one.call("kit.publish", json!(["t", "p", 100]));
    for speaker in [&mut one, &mut two] {
        for n in 0..100 {
            assert_eq!(speaker.next()["result"]["n"], n);
        }
    }
    one.call("kit.publish.others", json!(["t", "others"]));
    assert_eq!(two.next()["result"], "others");
    assert_eq!(one.call("kit.null", json!([]))["result"], Value::Null);
    assert_eq!(newcomer.hello("wrong")["error"]["code"], -32000, "nothing came before");
}

#[test]
fn a_client_that_leaves_takes_its_calls_with_it() {
    let server = server();
    let mut other = Speaker::new(&server, ProtocolVersion::V2);
    let mut leaving = Speaker::new(&server, ProtocolVersion::V1);
    leaving.begin("kit.hang", json!([]));
    leaving.call("kit.null", json!([]));
    assert_eq!(other.call("kit.interrupted", json!([]))["result"], false);
    drop(leaving);
    while other.call("kit.interrupted", json!([]))["result"] == false {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.server.publisher().clients(), 1);
}

#[test]
fn calls_in_flight_have_a_limit() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.calls_in_flight = 2;
        builder.service(kit::Kit::new).limits(limits)
    });
    for protocol in BOTH {
        let mut speaker = Speaker::extended(&server, protocol, &["cancel"]);
        speaker.begin("kit.hang", json!([]));
        speaker.begin("kit.hang", json!([]));
        let error = &speaker.call("kit.null", json!([]))["error"];
        assert_eq!((&error["code"], &error["data"]), (&json!(-32006), &json!({"limit": 2})));
    }
}

#[test]
fn a_stock_client_with_more_calls_than_the_limit_waits_for_them() {
    let server =
        TestServer::start(|builder| builder.service(kit::Kit::new).limits(Limits::with(|limits| limits.calls_in_flight = 2)));
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        let mut ids: Vec<_> = (0..20).map(|_| speaker.begin("kit.sleep", json!([2]))).collect();
        for _ in 0..20 {
            let reply = speaker.next();
            assert_eq!(reply["result"], 2, "{reply}");
            ids.retain(|id| reply["id"] != *id);
        }
        assert!(ids.is_empty(), "{ids:?} are not answered");
    }
}

#[test]
fn a_stopping_server_answers_what_is_in_flight_and_says_goodbye() {
    let (server, gate) = holding();
    let mut speakers = BOTH.map(|protocol| Speaker::new(&server, protocol));
    for speaker in &mut speakers {
        speaker.begin("held.wait", json!([]));
        speaker.call("kit.null", json!([]));
    }
    server.server.stop();
    gate.add_permits(2);
    for speaker in &mut speakers {
        assert_eq!(speaker.next()["result"], "waited");
        assert_eq!(speaker.peer.next(), Got::Close(1001, "Server shutdown".into()));
    }
}

#[test]
fn a_stopping_server_does_not_wait_for_ever() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.grace = Duration::from_millis(100);
        builder.service(kit::Kit::new).limits(limits)
    });
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    speaker.begin("kit.hang", json!([]));
    speaker.call("kit.null", json!([]));
    server.server.stop();
    assert_eq!(speaker.peer.next(), Got::Close(1001, "Server shutdown".into()));
}

#[test]
fn handlers_that_block_take_turns_and_never_begin_for_who_left() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.blocking_calls = 2;
        builder.service(kit::Kit::new).limits(limits)
    });
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    let ids: Vec<_> = (0..20).map(|_| speaker.begin("kit.block", json!([1]))).collect();
    let mut answered: Vec<_> = ids.iter().map(|_| speaker.next()["id"].as_str().unwrap().to_owned()).collect();
    answered.sort();
    assert_eq!(answered, {
        let mut ids = ids;
        ids.sort();
        ids
    });
    (0..1000).for_each(|_| drop(speaker.begin("kit.block", json!([300]))));
    drop(speaker);
    assert_eq!(Speaker::new(&server, ProtocolVersion::V1).call("kit.block", json!([1]))["result"], 1);
}

#[test]
fn replies_to_calls_that_have_begun_are_bounded_for_a_client_that_never_reads() {
    let server = flood_within(Limits::with(|limits| limits.held_reply_bytes = 32 << 20));
    let mut greedy = Speaker::new(&server, ProtocolVersion::V2);
    (0..200).for_each(|_| drop(greedy.begin("flood.later", json!([1_000_000]))));
    while Speaker::new(&server, ProtocolVersion::V2).call("flood.made", json!([]))["result"].as_u64().unwrap() == 0 {}
    while let Got::Binary(_) = greedy.peer.next() {}
    let made = Speaker::new(&server, ProtocolVersion::V2).call("flood.made", json!([]))["result"].as_u64().unwrap();
    assert!(made < 100, "{made} replies of 1 MB were made for nobody");
}

#[test]
fn a_client_that_reads_late_gets_every_reply() {
    let server = flood();
    let mut late = Speaker::new(&server, ProtocolVersion::V2);
    (0..100).for_each(|_| drop(late.begin("flood.later", json!([1_000_000]))));
    while Speaker::new(&server, ProtocolVersion::V2).call("flood.made", json!([]))["result"].as_u64().unwrap() < 10 {}
    for _ in 0..100 * 8 {
        let Got::Binary(_) = late.peer.next() else { panic!("closed") };
    }
}

#[test]
fn a_publisher_works_on_any_thread() {
    let server = server();
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    let publisher = server.server.publisher();
    std::thread::spawn(move || (0..50).for_each(|n| publisher.publish_untyped("from.a.thread", &n)));
    for n in 0..50 {
        assert_eq!(speaker.next()["result"], n);
    }
}

/// Publishes numbers whose size fills any socket.
struct Flood {
    publisher: Publisher,
    made: AtomicU64,
}

#[service]
impl Flood {
    /// Only the newest counts.
    #[topic("flood.latest", delivery = latest)]
    const LATEST: Topic<(u32, String)>;

    /// Everything counts.
    #[topic("flood.reliable")]
    const RELIABLE: Topic<(u32, String)>;

    /// Makes a large reply, but not at once.
    #[rpc("flood.later")]
    async fn later(&self, size: usize) -> Attachment {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.made.fetch_add(1, Ordering::SeqCst);
        Attachment::new(vec![1; size])
    }

    #[rpc("flood.made")]
    fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// Publishes `count` events to everybody but the caller.
    #[rpc("flood.start")]
    fn start(&self, client: Client, reliable: bool, count: u32, size: usize) {
        let others = self.publisher.except(client.id());
        for n in 0..count {
            others.publish(if reliable { Self::RELIABLE } else { Self::LATEST }, &(n, "x".repeat(size)));
        }
    }
}

fn flood() -> TestServer {
    flood_within(Limits::default())
}

fn flood_within(limits: Limits) -> TestServer {
    TestServer::start(|builder| builder.limits(limits).service(|publisher| Flood { publisher, made: AtomicU64::new(0) }))
}

#[test]
fn a_slow_client_gets_the_newest_event_and_delays_nobody() {
    let server = flood();
    for protocol in BOTH {
        let mut slow = Speaker::new(&server, protocol);
        let mut caller = Speaker::new(&server, ProtocolVersion::V2);
        assert_eq!(caller.call("flood.start", json!([false, 400, 100_000]))["result"], Value::Null);
        let mut received = 1;
        while slow.next()["result"][0] != 399 {
            received += 1;
        }
        assert!(received < 400, "{protocol:?}: the ones between were dropped");
    }
}

#[test]
fn a_client_too_slow_for_a_reliable_topic_is_told_so() {
    let mut limits = Limits::default();
    limits.outbox_bytes = 1 << 20;
    let server = flood_within(limits);
    for protocol in BOTH {
        let mut slow = Speaker::new(&server, protocol);
        let mut caller = Speaker::new(&server, ProtocolVersion::V2);
        // More than the limit and all buffers of the system together.
        assert_eq!(caller.call("flood.start", json!([true, 200, 100_000]))["result"], Value::Null);
        let end = loop {
            match slow.peer.next() {
                Got::Text(_) | Got::Binary(_) => {}
                end => break end,
            }
        };
        assert!(matches!(end, Got::Close(1013, _)), "{protocol:?}: {end:?}");
        assert_eq!(caller.call("flood.start", json!([true, 0, 0]))["result"], Value::Null);
    }
}

#[tokio::test]
async fn a_relay_that_cannot_be_reached_is_no_wrong_setting() {
    let server = wslink::Server::builder().build().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closing = silent.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = silent.accept().await {
            drop(stream);
        }
    });
    for address in [nobody, closing] {
        let failed = server.serve_reverse(&format!("ws://{address}/ws"), || ()).await;
        let Err(wslink::Error::Io(error)) = failed else { panic!("{failed:?}") };
        assert!(error.to_string().starts_with(&format!("cannot serve at `ws://{address}/ws`: ")), "{error}");
    }
    let wrong = server.serve_reverse("http://127.0.0.1/ws", || ()).await;
    assert!(matches!(wrong, Err(wslink::Error::Setting(_))), "{wrong:?}");
}

#[test]
fn a_server_may_connect_out_to_a_relay() {
    let relay = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws?session=1", relay.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let server = wslink::Server::builder().secret(wslink::Secret::published()).service(kit::Kit::new).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(server.serve_reverse(&url, || ()))
    });
    let mut speaker = Speaker::over(Peer::accept(&relay), ProtocolVersion::V2);
    assert!(speaker.hello("wslink-secret")["result"]["clientID"].is_string());
    let text = "x".repeat(70_000);
    assert_eq!(speaker.call("kit.echo", json!([text]))["result"]["args"], json!([text]));
    speaker.peer.close(1000);
    assert!(matches!(speaker.peer.next(), Got::Close(1000, _)));
    serving.join().unwrap().unwrap();
}
