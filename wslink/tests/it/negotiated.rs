//! What a client gets that says in hello that it knows more than the original protocol.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};
use wslink::{Cancel, Client, Limits, Progress, Publisher, Secret, Topic, service};

use crate::harness::{BOTH, ProtocolVersion, Speaker, TestServer};

/// A service that takes its time.
struct Slow {
    publisher: Publisher,
    abandoned: Arc<AtomicBool>,
    finished: Arc<AtomicBool>,
    begun: AtomicBool,
}

#[derive(Serialize)]
struct Sample {
    sensor: &'static str,
    value: u32,
}

#[service]
impl Slow {
    #[topic("slow.status", retain = last)]
    const STATUS: Topic<String>;

    #[topic("slow.samples", delivery = latest(key = sensor))]
    const SAMPLES: Topic<Sample>;

    /// Counts from `from`, to `to` if it is given.
    #[topic("slow.numbers")]
    fn numbers(&self, from: u64, to: Option<u64>) -> impl Stream<Item = u64> + Send + 'static {
        let abandoned = Guard(Arc::clone(&self.abandoned));
        stream::iter(from..to.unwrap_or(u64::MAX)).map(move |n| {
            let _ = &abandoned;
            n
        })
    }

    /// Never waits and never ends.
    #[topic("slow.noise", delivery = latest)]
    fn noise(&self) -> impl Stream<Item = u64> + Send + 'static {
        stream::iter(0..)
    }

    /// Never yields and never ends.
    #[topic("slow.silence")]
    fn silence(&self) -> impl Stream<Item = ()> + Send + 'static {
        let abandoned = Guard(Arc::clone(&self.abandoned));
        stream::pending().inspect(move |()| {
            let _ = &abandoned;
        })
    }

    #[rpc("slow.say")]
    fn say(&self, text: String) {
        self.publisher.publish(Self::STATUS, &text);
    }

    #[rpc("slow.sample")]
    fn sample(&self, rounds: u32) {
        for value in 0..rounds {
            for sensor in ["a", "b", "c"] {
                self.publisher.publish(Self::SAMPLES, &Sample { sensor, value });
            }
        }
    }

    #[rpc("slow.wait")]
    async fn wait(&self) {
        let _abandoned = Guard(Arc::clone(&self.abandoned));
        std::future::pending::<()>().await;
    }

    #[rpc("slow.work", blocking)]
    fn work(&self, cancel: Cancel) {
        self.begun.store(true, Ordering::SeqCst);
        while !cancel.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.abandoned.store(true, Ordering::SeqCst);
    }

    #[rpc("slow.begun")]
    fn begun(&self) -> bool {
        self.begun.swap(false, Ordering::SeqCst)
    }

    #[rpc("slow.save", detached)]
    async fn save(&self, cancel: Cancel) {
        cancel.cancelled().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.finished.store(true, Ordering::SeqCst);
    }

    #[rpc("slow.steps")]
    async fn steps(&self, count: u32, progress: Progress<u32>) -> u32 {
        for step in 0..count {
            progress.report(&step);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        count
    }

    #[rpc("slow.limited", timeout_ms = 50)]
    async fn limited(&self) {
        std::future::pending::<()>().await;
    }

    #[rpc("slow.join")]
    fn join(&self, client: Client, room: String) {
        self.publisher.enter(client.id(), &room);
    }

    #[rpc("slow.tell")]
    fn tell(&self, room: String, text: String) {
        self.publisher.group(room).publish_untyped("slow.told", &text);
    }

    #[rpc("slow.present")]
    fn present(&self, room: String) -> [usize; 3] {
        [self.publisher.clients(), self.publisher.group(&room).clients(), self.publisher.group(&room).subscribers(Self::STATUS)]
    }

    #[rpc("slow.listeners")]
    fn listeners(&self) -> [usize; 2] {
        [self.publisher.subscribers(Self::STATUS), self.publisher.subscribers(Self::SAMPLES)]
    }
}

struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Fixture {
    server: TestServer,
    abandoned: Arc<AtomicBool>,
    finished: Arc<AtomicBool>,
}

fn start() -> Fixture {
    let (abandoned, finished) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let mine = (Arc::clone(&abandoned), Arc::clone(&finished));
    let server = TestServer::start(move |builder| {
        builder.service(|publisher| Slow { publisher, abandoned: mine.0, finished: mine.1, begun: AtomicBool::new(false) })
    });
    Fixture { server, abandoned, finished }
}

impl Fixture {
    fn speaker(&self, protocol: ProtocolVersion) -> Speaker {
        Speaker::extended(&self.server, protocol, &["subscribe", "cancel", "progress", "deadline", "from.the.future"])
    }
}

fn until(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn hello_says_what_is_in_force() {
    let fixture = start();
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&fixture.server, protocol);
        let hello = json!({"secret": "wslink-secret", "extensions": ["cancel", "unheard of", 7]});
        let result = speaker.system("wslink.hello", json!([hello]), json!({}))["result"].clone();
        assert_eq!(result["extensions"], json!(["cancel"]));
        assert_eq!(result["limits"]["callsInFlight"], Limits::default().calls_in_flight);
        let reply = speaker.system("wslink.subscribe", json!(["slow.status"]), json!({}));
        assert_eq!(reply["error"]["message"], "Unknown system method called", "not asked for, not there");
        let mut stock = Speaker::unauthenticated(&fixture.server, protocol);
        assert!(stock.hello("wslink-secret")["result"].get("extensions").is_none());
    }
}

#[test]
fn subscribers_get_what_they_asked_for_and_the_last_of_it() {
    let fixture = start();
    for protocol in BOTH {
        let mut speaker = fixture.speaker(protocol);
        speaker.call("slow.say", json!(["before"]));
        assert_eq!(speaker.call("slow.listeners", json!([]))["result"], json!([0, 0]));
        let number = speaker.system("wslink.subscribe", json!(["slow.status"]), json!({}))["result"]["subscription"].clone();
        assert_eq!(speaker.next()["result"], "before", "retained");
        assert_eq!(speaker.call("slow.listeners", json!([]))["result"], json!([1, 0]));
        speaker.call("slow.say", json!(["after"]));
        assert_eq!(speaker.next(), json!({"wslink": "1.0", "id": "publish:slow.status:0", "result": "after"}));
        assert_eq!(speaker.system("wslink.unsubscribe", json!([number]), json!({}))["result"], true);
        assert_eq!(speaker.system("wslink.unsubscribe", json!([number]), json!({}))["result"], false);
        speaker.call("slow.say", json!(["unheard"]));
        assert_eq!(speaker.call("slow.listeners", json!([]))["result"], json!([0, 0]));
    }
}

#[test]
fn a_stock_client_gets_what_is_retained_when_it_comes() {
    let fixture = start();
    Speaker::new(&fixture.server, ProtocolVersion::V1).call("slow.say", json!(["hello"]));
    for protocol in BOTH {
        assert_eq!(Speaker::new(&fixture.server, protocol).next()["result"], "hello");
    }
}

#[test]
fn a_stream_of_its_own_is_filtered_numbered_and_ended() {
    let fixture = start();
    for protocol in BOTH {
        let mut speaker = fixture.speaker(protocol);
        let number =
            speaker.system("wslink.subscribe", json!(["slow.numbers", 3]), json!({"to": 5}))["result"]["subscription"].clone();
        let event = |result| json!({"wslink": "1.0", "id": "publish:slow.numbers:0", "sub": number, "result": result});
        assert_eq!([speaker.next(), speaker.next()], [event(3), event(4)]);
        assert_eq!(speaker.next(), json!({"wslink": "1.0", "id": "publish:slow.numbers:0", "sub": number, "end": true}));
        let wrong = speaker.system("wslink.subscribe", json!(["slow.numbers", "three"]), json!({}));
        assert_eq!((&wrong["error"]["code"], &wrong["error"]["data"]["param"]), (&json!(-32602), &json!("from")));
        let surplus = speaker.system("wslink.subscribe", json!(["slow.numbers", 1, 2, 3]), json!({}));
        assert_eq!(surplus["error"]["code"], -32602);
    }
}

#[test]
fn an_endless_stream_waits_for_its_client_and_ends_with_the_subscription() {
    let fixture = start();
    for protocol in BOTH {
        fixture.abandoned.store(false, Ordering::SeqCst);
        let mut speaker = fixture.speaker(protocol);
        let number = speaker.system("wslink.subscribe", json!(["slow.numbers", 0]), json!({}))["result"]["subscription"].clone();
        let id = speaker.begin_system("wslink.unsubscribe", json!([number]), json!({}));
        let mut expected = 0;
        loop {
            let message = speaker.next();
            if message["id"] == id {
                break;
            }
            assert_eq!(message["result"], expected);
            expected += 1;
        }
        until(&fixture.abandoned);
    }
}

#[test]
fn a_stream_that_never_waits_does_not_have_the_connection_to_itself() {
    let fixture = start();
    for protocol in BOTH {
        let mut speaker = fixture.speaker(protocol);
        speaker.system("wslink.subscribe", json!(["slow.noise"]), json!({}));
        for _ in 0..10 {
            let id = speaker.begin("slow.begun", json!([]));
            while speaker.next()["id"] != id {}
        }
    }
}

#[test]
fn streams_are_dropped_when_their_client_leaves() {
    let fixture = start();
    let mut speaker = fixture.speaker(ProtocolVersion::V2);
    speaker.system("wslink.subscribe", json!(["slow.silence"]), json!({}));
    assert!(!fixture.abandoned.load(Ordering::SeqCst));
    drop(speaker);
    until(&fixture.abandoned);
}

#[test]
fn calls_are_cancelled_by_their_id() {
    let fixture = start();
    for protocol in BOTH {
        for method in ["slow.wait", "slow.work"] {
            fixture.abandoned.store(false, Ordering::SeqCst);
            let mut speaker = fixture.speaker(protocol);
            let id = speaker.begin(method, json!([]));
            while method == "slow.work" && speaker.call("slow.begun", json!([]))["result"] == false {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(speaker.system("wslink.cancel", json!([id]), json!({}))["result"], true);
            let answer = speaker.next();
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!(-32004)), "{method}");
            until(&fixture.abandoned);
            assert_eq!(speaker.system("wslink.cancel", json!([id]), json!({}))["result"], false);
        }
    }
}

#[test]
fn a_detached_call_goes_on_without_its_client() {
    let fixture = start();
    let mut speaker = fixture.speaker(ProtocolVersion::V1);
    speaker.begin("slow.save", json!([]));
    speaker.call("slow.join", json!(["room"]));
    drop(speaker);
    until(&fixture.finished);
}

#[test]
fn progress_comes_before_the_reply_and_only_to_who_wants_it() {
    let fixture = start();
    for protocol in BOTH {
        let mut speaker = fixture.speaker(protocol);
        let id = speaker.begin("slow.steps", json!([5]));
        let mut last = -1;
        loop {
            let message = speaker.next();
            assert_eq!(message["id"], id);
            match message.get("progress") {
                Some(step) => {
                    assert!(step.as_i64().unwrap() > last, "in order");
                    last = step.as_i64().unwrap();
                }
                None => {
                    assert_eq!(message["result"], 5);
                    break;
                }
            }
        }
        assert_eq!(last, 4, "the last report is not lost");
        assert_eq!(Speaker::new(&fixture.server, protocol).call("slow.steps", json!([5]))["result"], 5);
    }
}

#[test]
fn deadlines_are_the_methods_or_the_callers() {
    let fixture = start();
    for protocol in BOTH {
        fixture.abandoned.store(false, Ordering::SeqCst);
        let mut speaker = fixture.speaker(protocol);
        assert_eq!(speaker.call("slow.limited", json!([]))["error"]["code"], -32005);
        speaker.send(&json!({"wslink": "1.0", "id": "impatient", "method": "slow.wait", "timeout_ms": 20}));
        assert_eq!(
            speaker.next(),
            json!({"wslink": "1.0", "id": "impatient", "error": {"code": -32005, "message": "Deadline exceeded"}})
        );
        until(&fixture.abandoned);
    }
}

#[test]
fn latest_keeps_one_event_of_each_key() {
    let fixture = start();
    for protocol in BOTH {
        let mut speaker = fixture.speaker(protocol);
        speaker.system("wslink.subscribe", json!(["slow.samples"]), json!({}));
        speaker.call("slow.sample", json!([100]));
        let samples: Vec<_> = (0..3).map(|_| speaker.next()["result"].clone()).collect();
        let newest = |sensor| json!({"sensor": sensor, "value": 99});
        assert_eq!(samples, [newest("a"), newest("b"), newest("c")]);
    }
    assert!(fixture.server.server.publisher().dropped(Slow::SAMPLES) >= 2 * 297);
}

#[test]
fn groups_hear_what_is_for_them() {
    let fixture = start();
    let mut inside = Speaker::new(&fixture.server, ProtocolVersion::V1);
    let mut outside = Speaker::new(&fixture.server, ProtocolVersion::V2);
    inside.call("slow.join", json!(["room"]));
    outside.call("slow.tell", json!(["room", "psst"]));
    assert_eq!(inside.next()["result"], "psst");
    assert_eq!(outside.call("slow.present", json!(["room"]))["result"], json!([2, 1, 1]));
    assert_eq!(outside.call("slow.present", json!(["elsewhere"]))["result"], json!([2, 0, 0]));
    outside.call("slow.tell", json!(["elsewhere", "nobody"]));
}

#[test]
fn the_manifest_is_told_to_who_asks_where_it_is_shown() {
    let fixture = start();
    let mut speaker = Speaker::extended(&fixture.server, ProtocolVersion::V2, &["cancel", "manifest"]);
    assert!(speaker.system("wslink.manifest", json!([]), json!({})).get("error").is_some(), "not shown by default");
    #[cfg(feature = "manifest")]
    for protocol in BOTH {
        let server = TestServer::start(|builder| builder.service(crate::kit::Kit::new).manifest(true));
        let mut speaker = Speaker::extended(&server, protocol, &["manifest"]);
        let manifest = speaker.system("wslink.manifest", json!([]), json!({}))["result"].clone();
        let names: Vec<_> = manifest["methods"].as_array().unwrap().iter().map(|method| method["name"].clone()).collect();
        assert!(names.contains(&json!("kit.echo")), "{names:?}");
    }
}

#[test]
fn subscriptions_have_a_limit() {
    let fixture = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.subscriptions = 2;
        builder.limits(limits)
    });
    let mut speaker = Speaker::extended(&fixture, ProtocolVersion::V2, &["subscribe"]);
    let mut subscribe = |topic: &str| speaker.system("wslink.subscribe", json!([topic]), json!({}));
    assert_eq!(subscribe(&"t".repeat(1025))["error"]["code"], -32602);
    assert!(subscribe(&"t".repeat(1024))["error"].is_null());
    subscribe("any.topic");
    assert_eq!(subscribe("any.topic")["error"]["code"], -32006);
}

/// Clients of the original in Python take the number for the largest message that they will receive; browsers cut by it.
#[test]
fn who_may_take_the_frame_size_for_a_limit_of_messages_is_told_what_the_original_tells() {
    let fixture = start();
    let origin = format!("http://{}", fixture.server.address);
    let told = |headers: &[(&'static str, &str)], hello: Value| {
        let mut speaker = Speaker::over(fixture.server.connect_with("/ws", headers), ProtocolVersion::V2);
        speaker.system("wslink.hello", json!([hello]), json!({}))["result"].clone()
    };
    let secret = Secret::published();
    let plain = || json!({"secret": secret.reveal()});
    assert_eq!(told(&[], plain())["maxMsgSize"], 4 << 20);
    assert_eq!(told(&[("Origin", &origin)], plain())["maxMsgSize"], 256 << 10);
    let extended = json!({"secret": secret.reveal(), "extensions": ["cancel"]});
    let extended = told(&[], extended);
    assert_eq!((&extended["maxMsgSize"], &extended["limits"]["maxMsgSize"]), (&json!(4 << 20), &json!(256 << 10)));
}
