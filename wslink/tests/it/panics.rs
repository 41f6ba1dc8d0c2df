//! Code of the application that panics costs its own call or event, wherever it runs: the connection goes on.

use std::{pin::Pin, task};

use futures_util::{Stream, stream};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use wslink::{Publisher, service};

use crate::harness::{BOTH, Speaker, TestServer};

/// A panic whose payload panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a payload of a panic");
    }
}

/// Panics when it is read, written or dropped, as its number says.
struct Sick(u32);

const READ: u32 = 1;
const WRITE: u32 = 2;
const DROP: u32 = 3;
const BOMB: u32 = 4;

impl Serialize for Sick {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            WRITE => panic!("on the way out"),
            BOMB => std::panic::panic_any(Bomb),
            number => serializer.serialize_u32(number),
        }
    }
}

impl<'de> Deserialize<'de> for Sick {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            READ => panic!("on the way in"),
            number => Ok(Self(number)),
        }
    }
}

impl Drop for Sick {
    fn drop(&mut self) {
        assert!(self.0 != DROP || std::thread::panicking(), "when it is dropped");
    }
}

/// A stream that is fine until it is dropped.
struct DropsBadly(Option<u32>);

impl Stream for DropsBadly {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> task::Poll<Option<u32>> {
        task::Poll::Ready(self.0.take())
    }
}

impl Drop for DropsBadly {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a stream that is dropped");
    }
}

struct Ward(Publisher);

#[service]
impl Ward {
    #[rpc("ward.raise")]
    fn raise(&self, bomb: bool) {
        if bomb {
            std::panic::panic_any(Bomb);
        }
        panic!("in a handler");
    }

    #[rpc("ward.later")]
    async fn later(&self, bomb: bool) {
        tokio::task::yield_now().await;
        self.raise(bomb);
    }

    #[rpc("ward.aside", detached)]
    async fn aside(&self, bomb: bool) {
        tokio::task::yield_now().await;
        self.raise(bomb);
    }

    #[rpc("ward.thread", blocking)]
    fn thread(&self, bomb: bool) {
        self.raise(bomb);
    }

    #[rpc("ward.take")]
    fn take(&self, sick: Sick) {
        drop(sick);
    }

    #[rpc("ward.give")]
    fn give(&self, number: u32) -> Sick {
        Sick(number)
    }

    #[rpc("ward.give_later")]
    async fn give_later(&self, number: u32) -> Sick {
        tokio::task::yield_now().await;
        Sick(number)
    }

    #[rpc("ward.publish")]
    fn publish(&self, number: u32) {
        self.0.publish_untyped("ward.news", &Sick(number));
    }

    #[topic("ward.sick")]
    fn sick(&self, number: u32) -> impl Stream<Item = Sick> + Send + use<> {
        stream::iter([Sick(number), Sick(7)])
    }

    #[topic("ward.raises")]
    fn raises(&self) -> impl Stream<Item = u32> + Send + use<> {
        stream::poll_fn(|_| -> task::Poll<Option<u32>> { panic!("in a stream") })
    }

    #[topic("ward.drops")]
    fn drops(&self) -> impl Stream<Item = u32> + Send + use<> {
        DropsBadly(Some(7))
    }

    #[topic("ward.refuses")]
    fn refuses(&self, bomb: bool) -> impl Stream<Item = u32> + Send + use<> {
        self.raise(bomb);
        stream::empty()
    }

    #[rpc("ward.null")]
    fn null(&self) {}
}

fn server() -> TestServer {
    TestServer::start(|builder| builder.service(Ward))
}

#[test]
fn a_call_that_panics_is_answered_and_costs_nothing_else() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        let raises =
            ["raise", "later", "aside", "thread"].into_iter().flat_map(|method| [(method, json!(false)), (method, json!(true))]);
        let values = [("take", READ), ("take", DROP)];
        let results = ["give", "give_later"].into_iter().flat_map(|method| [WRITE, DROP, BOMB].map(|number| (method, number)));
        let values = values.into_iter().chain(results).map(|(method, number)| (method, json!(number)));
        for (method, argument) in raises.chain(values) {
            let reply = speaker.call(&format!("ward.{method}"), json!([argument]));
            let code = &reply["error"]["code"];
            let dropped = argument == json!(DROP) && method != "take";
            assert!(code == -32001 || code == -32002 || dropped, "{protocol:?}: {method}({argument}) is answered with {reply}");
            assert_eq!(speaker.call("ward.null", json!([]))["result"], json!(null), "after {method}({argument})");
        }
    }
}

#[test]
fn a_payload_that_panics_costs_the_call_that_publishes_it() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        for number in [WRITE, BOMB] {
            assert_eq!(speaker.call("ward.publish", json!([number]))["error"]["code"], -32001);
            assert_eq!(speaker.call("ward.null", json!([]))["result"], json!(null));
        }
        let id = speaker.begin("ward.publish", json!([DROP]));
        let messages = [speaker.next(), speaker.next()];
        assert!(messages.iter().any(|message| message["id"] == id && message["error"]["code"] == -32001));
        assert!(messages.iter().any(|message| message["id"] == "publish:ward.news:0" && message["result"] == DROP));
    }
}

#[test]
fn a_stream_that_panics_ends_and_costs_nothing_else() {
    let server = server();
    for protocol in BOTH {
        let mut speaker = Speaker::extended(&server, protocol, &["subscribe"]);
        for number in [WRITE, BOMB, DROP] {
            speaker.system("wslink.subscribe", json!(["ward.sick", number]), json!({}));
            let [first, second, end] = [speaker.next(), speaker.next(), speaker.next()];
            assert!(number == DROP || first["error"]["code"] == -32002, "{first}");
            assert_eq!((&second["result"], &end["end"]), (&json!(7), &json!(true)), "what follows comes, {number}");
        }
        speaker.system("wslink.subscribe", json!(["ward.raises"]), json!({}));
        assert_eq!(speaker.next()["end"], true);
        speaker.system("wslink.subscribe", json!(["ward.drops"]), json!({}));
        assert_eq!((&speaker.next()["result"], &speaker.next()["end"]), (&json!(7), &json!(true)));
        for bomb in [false, true] {
            let refused = speaker.system("wslink.subscribe", json!(["ward.refuses", bomb]), json!({}));
            assert_eq!(refused["error"]["code"], -32001, "{refused}");
        }
        assert_eq!(speaker.call("ward.null", json!([]))["result"], json!(null));
    }
}
