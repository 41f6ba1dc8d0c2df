//! Services hear of their clients: once of each beginning and end, in order, and never between.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Notify;
use wslink::{
    CallError, Client, Disconnect, ErrorCode, Limits, Principal, Publisher, Secret, Server, Topic,
    client::{Error, ProtocolVersion, Session, State},
    server::Builder,
    service,
    testing::{self, Link},
};

use crate::{
    client::BOTH,
    harness::{BOTH as BOTH_RAW, Speaker, TestServer},
};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Waits for a line that begins so.
    async fn until(&self, start: &str) -> Vec<String> {
        while !self.0.lock().unwrap().iter().any(|line| line.starts_with(start)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.take()
    }
}

struct Room {
    log: Log,
    gate: Arc<Notify>,
    publisher: Publisher,
}

#[service]
impl Room {
    #[topic("room.said")]
    const SAID: Topic<u32>;

    #[connected]
    async fn joined(&self, client: Client) -> Result<(), CallError> {
        let query = client.handshake().uri().query().unwrap_or_default();
        match query {
            "refused" => return Err(CallError::new(ErrorCode::from_number(42), "the room is full")),
            "panic" => panic!("on purpose"),
            _ => {}
        }
        tokio::task::yield_now().await;
        client.extensions().insert(7_u32);
        self.publisher.publish(Self::SAID, &0);
        self.log.note("connected");
        Ok(())
    }

    #[disconnected]
    async fn left(&self, client: Client, reason: Disconnect) {
        tokio::task::yield_now().await;
        assert_eq!(client.extensions().get(), Some(7_u32));
        self.log.note(format!("disconnected {reason:?}"));
    }

    #[lost]
    fn lost(&self) {
        self.log.note("lost");
    }

    #[resumed]
    fn resumed(&self, client: Client) {
        assert_eq!(client.extensions().get(), Some(7_u32));
        self.log.note("resumed");
    }

    #[subscribed("room.said")]
    fn listens(&self) {
        self.log.note("subscribed");
    }

    #[unsubscribed("room.said")]
    fn listens_no_more(&self) {
        self.log.note("unsubscribed");
    }

    #[rpc("room.call")]
    fn call(&self) -> u32 {
        self.log.note("call");
        1
    }

    #[rpc("room.wait")]
    async fn wait(&self) {
        struct Ended(Log);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.note("handler ended");
            }
        }
        let _ended = Ended(self.log.clone());
        self.log.note("waits");
        self.gate.notified().await;
    }

    #[rpc("room.block", blocking)]
    fn block(&self) {
        self.log.note("blocks");
        tokio::runtime::Handle::current().block_on(self.gate.notified());
        self.log.note("handler ended");
    }
}

/// Hears of clients after `Room`, and of their end before it.
struct Second(Log);

#[service]
impl Second {
    #[connected]
    fn joined(&self) {
        self.0.note("connected 2");
    }

    #[disconnected]
    fn left(&self) {
        self.0.note("disconnected 2");
    }
}

fn set_up(builder: Builder, log: &Log) -> Builder {
    let (first, second) = (log.clone(), log.clone());
    builder.service(move |publisher| Room { log: first, gate: Arc::default(), publisher }).mount(Second(second))
}

fn server(log: &Log) -> Server {
    set_up(Server::builder(), log).build().unwrap()
}

async fn connect(server: &Server, link: &Link, protocol: ProtocolVersion) -> Session {
    link.session(server).protocol(protocol).connect().await.unwrap()
}

fn asking(uri: &str) -> Link {
    Link::default().request(&http::Request::builder().uri(uri).body(()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_client_is_announced_before_its_first_call_and_taken_down_in_reverse() {
    for protocol in BOTH {
        let log = Log::default();
        let server = server(&log);
        let session = connect(&server, &Link::default(), protocol).await;
        assert_eq!(session.call::<u32>("room.call", ()).await.unwrap(), 1);
        session.close().await;
        assert_eq!(
            log.until("disconnected Closed").await,
            ["connected", "connected 2", "call", "disconnected 2", "disconnected Closed"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_was_published_before_the_hooks_ended_reaches_the_client() {
    for protocol in BOTH {
        let log = Log::default();
        let server = server(&log);
        let session = connect(&server, &Link::default(), protocol).await;
        let mut said = session.subscribe(Room::SAID).await.unwrap();
        server.publisher().publish(Room::SAID, &1);
        assert_eq!(said.next().await.unwrap().unwrap(), 1);
        drop(said);
        assert_eq!(log.until("unsubscribed").await, ["connected", "connected 2", "subscribed", "unsubscribed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_refuses_a_client_with_its_own_error_and_the_hooks_before_it_hear_of_the_end() {
    let log = Log::default();
    let first = log.clone();
    let builder = Server::builder().mount(Second(first));
    let room = log.clone();
    let builder = builder.service(move |publisher| Room { log: room, gate: Arc::default(), publisher });
    let panics = |client: Client| {
        assert_ne!(client.handshake().uri().query(), Some("panic-at-once"));
        async { Ok(()) }
    };
    let server = builder.on_connected(panics).build().unwrap();
    let cases = [("/ws?refused", 42, "the room is full"), ("/ws?panic", -32001, "Exception raised")];
    for (uri, code, message) in cases {
        for protocol in BOTH {
            let refused = asking(uri).session(&server).protocol(protocol).connect().await.unwrap_err();
            let Error::Call(error) = &refused else { panic!("{refused:?}") };
            assert_eq!((error.code().number(), error.message()), (code, message));
            assert_eq!(log.until("disconnected 2").await, ["connected 2", "disconnected 2"]);
        }
    }
    assert!(asking("/ws?panic-at-once").session(&server).connect().await.is_err());
    let told = log.until("disconnected 2").await;
    assert_eq!(told, ["connected 2", "connected", r#"disconnected Kicked("Exception raised")"#, "disconnected 2"]);
    assert_eq!(server.publisher().clients(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_resumes_is_lost_and_back_and_one_that_does_not_expires() {
    for protocol in BOTH {
        let log = Log::default();
        let server = server(&log);
        let link = Link::default();
        let session = connect(&server, &link, protocol).await;
        let said = session.subscribe(Room::SAID).await.unwrap();
        log.until("subscribed").await;
        link.unplug();
        assert_eq!(log.until("lost").await, ["lost"]);
        link.plug_in();
        assert_eq!(log.until("resumed").await, ["resumed"], "its subscription went on");
        link.unplug();
        assert_eq!(log.until("disconnected Expired").await, ["lost", "unsubscribed", "disconnected 2", "disconnected Expired"]);
        drop(said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_may_not_resume_is_lost_at_once() {
    let log = Log::default();
    let limits = Limits::with(|limits| limits.resume_window = Duration::ZERO);
    let server = set_up(Server::builder().limits(limits), &log).build().unwrap();
    let link = Link::default();
    let _session = connect(&server, &link, ProtocolVersion::V2).await;
    log.until("connected 2").await;
    link.unplug();
    assert_eq!(log.until("disconnected Lost").await, ["disconnected 2", "disconnected Lost"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_disconnected_hears_the_reason_and_may_not_resume() {
    for protocol in BOTH {
        let log = Log::default();
        let builder = Server::builder().authenticator(async |login: wslink::LoginRequest| {
            Ok::<_, wslink::Rejection>(Principal::new(login.token().unwrap_or_default()))
        });
        let server = set_up(builder, &log).build().unwrap();
        let alice = Link::default().session(&server).protocol(protocol).secret("alice").connect().await.unwrap();
        let bob = Link::default().session(&server).protocol(protocol).secret("bob").connect().await.unwrap();
        let away = Link::default();
        let lost = away.session(&server).protocol(protocol).secret("alice").connect().await.unwrap();
        log.take();
        away.unplug();
        log.until("lost").await;
        let (before, others) = (alice.client_id(), bob.client_id());
        assert_eq!(server.publisher().principal("alice").disconnect("logged out"), 2);
        let gone = r#"disconnected Kicked("logged out")"#;
        let mut heard = Vec::new();
        while heard.iter().filter(|line| *line == gone).count() < 2 {
            heard.extend(log.until(gone).await);
        }
        alice.states().until(|state| state == State::Connected).await;
        assert_ne!(alice.client_id(), before, "it is another client");
        assert!(format!("{:?}", alice.last_disconnect()).contains("logged out"), "{:?}", alice.last_disconnect());
        assert_eq!(bob.client_id(), others);
        away.plug_in();
        drop(lost);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_so_and_waits_for_the_hooks() {
    let log = Log::default();
    let server = server(&log);
    let link = Link::default();
    let _away = connect(&server, &link, ProtocolVersion::V2).await;
    link.unplug();
    log.until("lost").await;
    let _here = connect(&server, &Link::default(), ProtocolVersion::V1).await;
    log.take();
    server.stop();
    server.stopped().await;
    let told = log.take();
    assert_eq!(told.iter().filter(|line| *line == "disconnected ServerStop").count(), 2, "{told:?}");
}

#[tokio::test]
async fn the_end_is_told_after_the_last_handler_has_ended() {
    for method in ["room.wait", "room.block"] {
        let (log, gate) = (Log::default(), Arc::new(Notify::new()));
        let [room, second] = [log.clone(), log.clone()];
        let shared = Arc::clone(&gate);
        let builder = Server::builder().service(move |publisher| Room { log: room, gate: shared, publisher });
        let server = builder.mount(Second(second)).build().unwrap();
        let session = testing::connect(&server).await.unwrap();
        let call = session.call::<()>(method, ());
        let running = tokio::spawn(async move { call.await.unwrap_err() });
        log.until(if method == "room.wait" { "waits" } else { "blocks" }).await;
        session.close().await;
        running.await.unwrap();
        if method == "room.block" {
            while server.publisher().clients() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(log.take().is_empty(), "a handler that cannot be stopped still runs");
            gate.notify_one();
        }
        assert_eq!(
            log.until("disconnected Closed").await,
            ["handler ended", "disconnected 2", "disconnected Closed"],
            "{method}"
        );
    }
}

#[test]
fn clients_of_the_original_protocol_are_announced_too_and_receive_every_topic() {
    for protocol in BOTH_RAW {
        let log = Log::default();
        let shared = log.clone();
        let server = TestServer::start(move |builder| set_up(builder, &shared));
        let mut speaker = Speaker::new(&server, protocol);
        assert_eq!(speaker.call("room.call", json!([]))["result"], 1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        // A client that is gone before this hook runs was never announced to it.
        let mut told = runtime.block_on(log.until("subscribed"));
        drop(speaker);
        told.extend(runtime.block_on(log.until("disconnected Lost")));
        let mut told: Vec<_> = told.iter().map(|line| &**line).collect();
        // The topic's hook may run beside the first call.
        told.retain(|line| *line != "call");
        assert_eq!(
            told,
            ["connected", "connected 2", "subscribed", "unsubscribed", "disconnected 2", "disconnected Lost"],
            "{protocol:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn functions_are_hooks_in_the_order_in_which_they_are_set() {
    let log = Log::default();
    let [first, second, last] = [log.clone(), log.clone(), log.clone()];
    let server = Server::builder()
        .on_connected(move |_: Client| {
            first.note("first");
            async { Ok(()) }
        })
        .mount(Second(second))
        .on_disconnected(move |_: Client, reason: Disconnect| {
            let last = last.clone();
            async move { last.note(format!("function {reason:?}")) }
        })
        .build()
        .unwrap();
    let session = testing::connect(&server).await.unwrap();
    session.close().await;
    assert_eq!(log.until("disconnected 2").await, ["first", "connected 2", "function Closed", "disconnected 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_waits_holds_up_its_own_client_only_and_no_longer_than_a_hello_may_take() {
    let server = Server::builder()
        .on_connected(async |client: Client| match client.handshake().uri().query() {
            Some("slow") => std::future::pending().await,
            _ => Ok(()),
        })
        .build()
        .unwrap();
    let slow = asking("/ws?slow");
    let slow = tokio::spawn(slow.session(&server).connect().into_future());
    let quick = testing::connect(&server).await.unwrap();
    let refused = slow.await.unwrap();
    assert!(refused.is_err());
    assert_eq!(server.publisher().clients(), 1);
    quick.close().await;
}

/// Ten thousand clients, a hundred at a time.
#[tokio::test]
async fn clients_that_come_and_go_leave_nothing_behind() {
    let marker = Arc::new(());
    let (kept, log) = (Arc::clone(&marker), Log::default());
    let server = set_up(Server::builder(), &log)
        .on_connected(move |client: Client| {
            client.extensions().insert(Arc::clone(&kept));
            async { Ok(()) }
        })
        .build()
        .unwrap();
    for _ in 0..100 {
        let sessions = join_all((0..100).map(|_| testing::connect(&server))).await;
        let sessions: Vec<_> = sessions.into_iter().map(Result::unwrap).collect();
        join_all(sessions.iter().map(Session::close)).await;
    }
    server.stop();
    server.stopped().await;
    let told = log.take();
    for line in ["connected", "disconnected 2"] {
        assert_eq!(told.iter().filter(|told| *told == line).count(), 10_000, "{line}");
    }
    assert_eq!(Arc::strong_count(&marker), 2, "the test's own, and the one of the hook");
}

#[tokio::test(start_paused = true)]
async fn a_producer_sleeps_while_nobody_wants_its_topic() {
    for protocol in BOTH {
        let server = server(&Log::default());
        let publisher = server.publisher();
        let producing = tokio::spawn(async move {
            let mut rounds = Vec::new();
            for round in 0..2 {
                publisher.wanted(Room::SAID).await;
                rounds.push((round, publisher.subscribers(Room::SAID)));
                publisher.unwanted(Room::SAID).await;
            }
            rounds
        });
        let link = Link::default();
        let session = connect(&server, &link, protocol).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let said = session.subscribe(Room::SAID).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        link.unplug();
        tokio::time::sleep(Duration::from_secs(1)).await;
        link.plug_in();
        session.states().until(|state| state == State::Connected).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!producing.is_finished());
        drop(said);
        assert_eq!(producing.await.unwrap(), [(0, 1), (1, 1)], "a client that is away wants nothing");
    }
}

struct Slow {
    log: Log,
    gate: Arc<Notify>,
}

#[service]
impl Slow {
    #[topic("slow.said")]
    const SAID: Topic<u32>;

    #[subscribed("slow.said")]
    async fn listens(&self) {
        self.log.note("subscribed");
        self.gate.notified().await;
    }

    #[unsubscribed("slow.said")]
    fn listens_no_more(&self) {
        self.log.note("unsubscribed");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_hook_has_not_heard_is_bounded() {
    let (log, gate) = (Log::default(), Arc::new(Notify::new()));
    let server = Server::builder().mount(Slow { log: log.clone(), gate: Arc::clone(&gate) }).build().unwrap();
    let session = testing::connect(&server).await.unwrap();
    for _ in 0..1000 {
        drop(session.subscribe(Slow::SAID).await.unwrap());
    }
    session.close().await;
    log.until("subscribed").await;
    gate.notify_one();
    assert_eq!(log.until("unsubscribed").await, ["unsubscribed"], "what was undone before it was told is not told");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(log.take().is_empty());
}

/// Counts its own calls, and notes its end.
struct Own {
    log: Log,
    name: String,
    calls: Mutex<u32>,
}

#[service]
impl Own {
    #[topic("own.numbers")]
    fn numbers(&self) -> impl futures_util::Stream<Item = u32> + Send + 'static {
        futures_util::stream::iter([*self.calls.lock().unwrap()])
    }

    #[connected]
    fn joined(&self, client: Client) {
        assert_eq!(self.name, client.id().as_str());
        self.log.note("connected");
    }

    #[disconnected]
    fn left(&self) {
        self.log.note(format!("disconnected after {}", self.calls.lock().unwrap()));
    }

    #[rpc("own.next")]
    fn next(&self) -> u32 {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        *calls
    }

    #[rpc("own.later")]
    async fn later(&self) -> u32 {
        tokio::task::yield_now().await;
        self.next()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.log.note("dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn each_client_has_its_own_instance_for_as_long_as_it_is_known() {
    for protocol in BOTH {
        let log = Log::default();
        let own = log.clone();
        let make = move |client: Client, _| match client.handshake().uri().query() {
            Some("panic") => panic!("on purpose"),
            _ => Own { log: own.clone(), name: client.id().to_string(), calls: Mutex::default() },
        };
        // Before and behind other services.
        let builder = Server::builder().mount(Second(Log::default())).service_per_client(make);
        let server = builder.mount(Other).build().unwrap();
        assert!(asking("/ws?panic").session(&server).protocol(protocol).connect().await.is_err());
        let links = [Link::default(), Link::default()];
        let first = connect(&server, &links[0], protocol).await;
        let second = connect(&server, &links[1], protocol).await;
        assert_eq!(first.call::<u32>("own.next", ()).await.unwrap(), 1);
        assert_eq!(first.call::<u32>("own.later", ()).await.unwrap(), 2);
        assert_eq!(second.call::<u32>("own.next", ()).await.unwrap(), 1);
        links[0].cut();
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.states().until(|state| state == State::Connected).await;
        assert_eq!(first.call::<u32>("own.next", ()).await.unwrap(), 3, "the same one after it has resumed");
        let mut numbers = first.subscribe_untyped::<u32>("own.numbers").await.unwrap();
        assert_eq!(numbers.next().await.unwrap().unwrap(), 3);
        log.take();
        first.close().await;
        assert_eq!(log.until("dropped").await, ["disconnected after 3", "dropped"]);
        assert_eq!(second.call::<u32>("own.next", ()).await.unwrap(), 2);
    }
}

struct Other;

#[service]
impl Other {
    #[rpc("other.name")]
    fn name(&self) -> u32 {
        2
    }
}

#[test]
fn a_refused_client_may_ask_for_nothing_that_its_hello_offered() {
    for protocol in BOTH_RAW {
        let refuse = async |_: Client| Err(CallError::new(ErrorCode::Unavailable, "full"));
        let server = TestServer::start(move |builder| builder.manifest(true).on_connected(refuse));
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        let extensions = ["subscribe", "manifest", "cancel"];
        let hello = json!({"secret": Secret::published().reveal(), "extensions": extensions});
        assert_eq!(speaker.system("wslink.hello", json!([hello]), json!({}))["error"]["message"], "full");
        for method in ["wslink.manifest", "wslink.cancel", "wslink.subscribe"] {
            let refused = speaker.system(method, json!(["room.said"]), json!({}));
            assert_eq!(refused["error"]["code"], -32601, "{refused}");
        }
    }
}
