//! What a client may do and see: `require` on methods and topics, and what the application says.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{Stream, stream};
use serde_json::{Value, json};
use wslink::{
    CallError, Client, LoginRequest, Principal, Publisher, Rejection, Secret, Server, Topic,
    rpc::{ArgumentError, Call, Parameter, ParameterKind},
    server::Builder,
    service,
};

use crate::harness::{BOTH, ProtocolVersion, Speaker, TestServer};

struct Office {
    publisher: Publisher,
}

/// Counts how often it is deserialised.
struct Witness;

impl<'de> serde::Deserialize<'de> for Witness {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DECODED.fetch_add(1, Ordering::SeqCst);
        bool::deserialize(deserializer).map(|_| Self)
    }
}

static DECODED: AtomicUsize = AtomicUsize::new(0);

/// Present for editors only.
struct Editor;

impl Parameter for Editor {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        let principal = call.client().principal();
        if principal.name() == "robot" {
            return Err(CallError::internal("a robot with\nits secrets").into());
        }
        principal.require("editor")?;
        Ok(Self)
    }
}

#[service]
impl Office {
    /// Everybody may know.
    #[topic("office.news")]
    pub const NEWS: Topic<u32>;

    /// Editors may know.
    #[topic("office.drafts", require = "editor", retain = last)]
    pub const DRAFTS: Topic<u32>;

    #[topic("office.desk", require = "editor")]
    fn desk(&self, from: u32) -> impl Stream<Item = u32> + Send + 'static {
        stream::unfold(from, async |n| if n < 2 { Some((n, n + 1)) } else { std::future::pending().await })
    }

    #[rpc("office.write", require = "editor")]
    fn write(&self, _witness: Witness) {}

    #[rpc("office.read", require = "editor")]
    fn read(&self) -> bool {
        true
    }

    #[rpc("office.print")]
    fn print(&self, _editor: Editor, copies: u32) -> u32 {
        copies
    }

    /// What is decided at run time.
    #[rpc("office.sign")]
    fn sign(&self, principal: Principal, desk: String) -> Result<(), CallError> {
        principal.require(&format!("desk:{desk}"))
    }

    #[rpc("office.publish")]
    fn publish(&self, number: u32) {
        self.publisher.publish(Self::DRAFTS, &number);
        self.publisher.publish_untyped("office.drafts", &(number + 1));
        self.publisher.publish(Self::NEWS, &number);
    }

    #[rpc("office.say")]
    fn say(&self, topic: String, number: u32) -> usize {
        self.publisher.publish_untyped(&topic, &number);
        self.publisher.subscribers_untyped(&topic)
    }

    #[rpc("office.reconsider")]
    fn reconsider(&self, client: Client) {
        self.publisher.reconsider(client.id());
    }
}

/// `alice editor` is the token of alice, who is an editor.
async fn by_words(attempt: LoginRequest) -> Result<Principal, Rejection> {
    let words = attempt.token().unwrap_or_default().to_owned();
    let mut words = words.split(' ');
    let name = words.next().filter(|name| !name.is_empty()).ok_or(Rejection::new("no name"))?;
    Ok(Principal::new(name).granting(words))
}

fn office() -> Builder {
    Server::builder().service(|publisher| Office { publisher })
}

fn open() -> TestServer {
    TestServer::build(|| office().authenticator(by_words))
}

fn stock(server: &TestServer, protocol: ProtocolVersion, token: &str) -> Speaker {
    let mut speaker = Speaker::unauthenticated(server, protocol);
    speaker.hello(token);
    speaker
}

fn subscriber(server: &TestServer, protocol: ProtocolVersion, token: &str) -> Speaker {
    let mut speaker = Speaker::unauthenticated(server, protocol);
    speaker.system("wslink.hello", json!([{"secret": token, "extensions": ["subscribe"]}]), json!({}));
    speaker
}

fn forbidden(authority: &str) -> Value {
    json!({"code": -32007, "message": "Forbidden", "data": {"require": authority}})
}

/// The events of one call that publishes; its reply comes first.
fn events(speaker: &mut Speaker, method: &str, args: Value, count: usize) -> Vec<(String, u64)> {
    let reply = speaker.call(method, args);
    assert!(reply["error"].is_null(), "{reply}");
    (0..count).map(|_| event(speaker)).collect()
}

fn event(speaker: &mut Speaker) -> (String, u64) {
    let event = speaker.next();
    let topic = event["id"].as_str().and_then(|id| id.strip_prefix("publish:")?.strip_suffix(":0"));
    (topic.unwrap_or_else(|| panic!("{event}")).to_owned(), event["result"].as_u64().unwrap())
}

fn of(topic: &str, number: u64) -> (String, u64) {
    (format!("office.{topic}"), number)
}

#[test]
fn a_call_without_the_authority_is_refused_before_its_arguments_are_decoded() {
    let server = open();
    for protocol in BOTH {
        let mut reader = stock(&server, protocol, "bob");
        let before = DECODED.load(Ordering::SeqCst);
        assert_eq!(reader.call("office.write", json!([true]))["error"], forbidden("editor"));
        assert_eq!(reader.call("office.write", json!([1, 2, 3]))["error"], forbidden("editor"), "not even counted");
        assert_eq!(DECODED.load(Ordering::SeqCst), before);
        assert_eq!(stock(&server, protocol, "alice editor").call("office.write", json!([true]))["result"], Value::Null);
        assert_eq!(DECODED.load(Ordering::SeqCst), before + 1);
        assert_eq!(reader.call("office.sign", json!(["7"]))["error"], forbidden("desk:7"));
        assert_eq!(stock(&server, protocol, "bob desk:7").call("office.sign", json!(["7"]))["result"], Value::Null);
    }
}

#[test]
fn a_stock_client_gets_no_event_that_it_may_not_see() {
    let server = open();
    let mut editor = stock(&server, ProtocolVersion::V1, "alice editor");
    let seen = events(&mut editor, "office.publish", json!([10]), 3);
    assert_eq!(seen, [of("drafts", 10), of("drafts", 11), of("news", 10)]);
    for protocol in BOTH {
        let mut reader = stock(&server, protocol, "bob");
        // What is retained would come first.
        assert_eq!(events(&mut reader, "office.publish", json!([20]), 1), [of("news", 20)]);
        assert_eq!(event(&mut stock(&server, protocol, "carol editor")), of("drafts", 20));
    }
}

#[test]
fn a_parameter_refuses_a_call_with_an_error_of_its_own() {
    let server = open();
    for protocol in BOTH {
        assert_eq!(stock(&server, protocol, "bob").call("office.print", json!([3]))["error"], forbidden("editor"));
        assert_eq!(stock(&server, protocol, "alice editor").call("office.print", json!([3]))["result"], 3);
        let error = &stock(&server, protocol, "robot editor").call("office.print", json!([3]))["error"];
        let shown = (&error["code"], &error["data"]["exception"]);
        assert_eq!(shown, (&json!(-32001), &json!("internal error")), "an internal one shows nothing");
    }
}

#[test]
fn a_subscription_needs_the_authority() {
    for protocol in BOTH {
        let server = open();
        let mut reader = subscriber(&server, protocol, "bob");
        for topic in ["office.drafts", "office.desk"] {
            assert_eq!(reader.system("wslink.subscribe", json!([topic]), json!({}))["error"], forbidden("editor"));
        }
        let mut editor = subscriber(&server, protocol, "alice editor");
        let reply = editor.system("wslink.subscribe", json!(["office.drafts"]), json!({}));
        assert!(reply["result"]["subscription"].is_u64(), "{reply}");
        assert_eq!(events(&mut editor, "office.publish", json!([1]), 2), [of("drafts", 1), of("drafts", 2)]);
        // Whoever may see it no longer does not, subscribed or not, and who may again does.
        editor.hello("alice");
        assert_eq!(editor.call("office.publish", json!([3]))["result"], Value::Null);
        editor.hello("alice editor");
        assert_eq!(events(&mut editor, "office.publish", json!([5]), 2), [of("drafts", 5), of("drafts", 6)]);
    }
}

#[test]
fn a_stream_of_ones_own_ends_with_the_authority_for_it() {
    let server = open();
    let mut editor = subscriber(&server, ProtocolVersion::V1, "alice editor");
    let number = editor.system("wslink.subscribe", json!(["office.desk", 1]), json!({}))["result"]["subscription"].clone();
    assert_eq!(editor.next(), json!({"wslink": "1.0", "id": "publish:office.desk:0", "sub": number, "result": 1}));
    assert!(editor.hello("alice")["result"].is_object());
    assert_eq!(editor.next(), json!({"wslink": "1.0", "id": "publish:office.desk:0", "sub": number, "end": true}));
    assert_eq!(editor.system("wslink.unsubscribe", json!([number]), json!({}))["result"], false);
}

#[test]
fn a_stock_client_that_is_granted_more_gets_what_was_retained() {
    let server = open();
    let mut client = stock(&server, ProtocolVersion::V2, "alice");
    assert_eq!(events(&mut client, "office.publish", json!([1]), 1), [of("news", 1)]);
    client.hello("alice editor");
    assert_eq!(event(&mut client), of("drafts", 1));
    client.hello("alice editor more");
    assert_eq!(events(&mut client, "office.publish", json!([3]), 3)[0], of("drafts", 3), "not the old one again");
}

/// What the application was asked, and to what it says no.
#[derive(Clone, Default)]
struct Doorman {
    asked: Arc<Mutex<Vec<(String, String)>>>,
    barred: Arc<Mutex<HashSet<String>>>,
}

impl Doorman {
    fn watching(&self) -> TestServer {
        let doorman = self.clone();
        TestServer::build(move || {
            let may = move |client: &Client, topic: &str| {
                assert_ne!(topic, "office.panic", "a function that panics");
                let (name, topic) = (client.principal().name().to_owned(), topic.to_owned());
                let may = !doorman.barred.lock().unwrap().contains(&format!("{name} {topic}"));
                doorman.asked.lock().unwrap().push((name, topic));
                may
            };
            office().authenticator(by_words).authorize(may)
        })
    }

    fn bar(&self, who: &str) {
        self.barred.lock().unwrap().insert(who.to_owned());
    }

    fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[test]
fn the_application_is_asked_once_for_each_stock_client_and_topic() {
    let doorman = Doorman::default();
    doorman.bar("bob office.a");
    let server = doorman.watching();
    for protocol in BOTH {
        let (mut alice, mut bob) = (stock(&server, protocol, "alice"), stock(&server, protocol, "bob"));
        for number in 0..3 {
            assert_eq!(alice.call("office.say", json!(["office.a", number]))["result"], 1);
            assert_eq!(event(&mut alice), of("a", number));
        }
        assert_eq!(events(&mut bob, "office.say", json!(["office.b", 7]), 1), [of("b", 7)], "nothing of office.a");
        assert_eq!(event(&mut alice), of("b", 7));
        let mut asked = doorman.asked();
        asked.sort();
        let each = ["alice office.a", "alice office.b", "bob office.a", "bob office.b"].map(|pair| pair.split_once(' ').unwrap());
        assert_eq!(asked, each.map(|(name, topic)| (name.to_owned(), topic.to_owned())));
        // Both are gone before the next ones come.
        drop((alice, bob));
        while server.server.publisher().clients() > 0 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_application_is_asked_when_a_client_subscribes() {
    let doorman = Doorman::default();
    doorman.bar("bob office.a");
    doorman.bar("bob office.drafts");
    let server = doorman.watching();
    let mut bob = subscriber(&server, ProtocolVersion::V1, "bob editor");
    for topic in ["office.a", "office.drafts", "office.panic"] {
        let refused = bob.system("wslink.subscribe", json!([topic]), json!({}));
        assert_eq!(refused["error"], json!({"code": -32007, "message": "Forbidden"}), "{topic}");
    }
    assert!(bob.system("wslink.subscribe", json!(["office.b"]), json!({}))["result"].is_object());
    assert_eq!(events(&mut bob, "office.say", json!(["office.b", 1]), 1), [of("b", 1)]);
    // It has changed its mind, but counts on being told.
    doorman.bar("bob office.b");
    assert_eq!(events(&mut bob, "office.say", json!(["office.b", 2]), 1), [of("b", 2)]);
    bob.call("office.reconsider", json!([]));
    assert_eq!(bob.call("office.say", json!(["office.b", 3]))["result"], 0);
    doorman.barred.lock().unwrap().clear();
    bob.hello("bob");
    assert_eq!(events(&mut bob, "office.say", json!(["office.b", 4]), 1), [of("b", 4)], "and not the one before");
}

#[test]
fn what_is_retained_is_asked_for_too() {
    let doorman = Doorman::default();
    doorman.bar("bob office.drafts");
    let server = doorman.watching();
    stock(&server, ProtocolVersion::V1, "alice editor").call("office.publish", json!([1]));
    let mut bob = stock(&server, ProtocolVersion::V2, "bob editor");
    assert_eq!(events(&mut bob, "office.publish", json!([2]), 1), [of("news", 2)]);
    assert_eq!(event(&mut stock(&server, ProtocolVersion::V2, "carol editor")), of("drafts", 2));
}

#[test]
fn a_secret_grants_what_the_builder_says() {
    let refused = office().build().unwrap_err().to_string();
    assert!(refused.contains("`office.read` at ") && refused.contains("secret_grants([\"editor\"])"), "{refused}");
    assert!(office().secret_grants::<&str>([]).build().is_ok(), "nobody may");
    assert!(office().authenticator(by_words).build().is_ok());
    assert!(office().authenticator(by_words).secret_grants(["editor"]).build().is_err());
    let server = TestServer::build(|| office().secret(Secret::published()).secret_grants(["editor"]));
    assert_eq!(Speaker::new(&server, ProtocolVersion::V1).call("office.read", json!([]))["result"], true);
}

/// Asked of one client, the application has another one reconsidered, of which it was asked already.
#[test]
fn who_is_reconsidered_while_something_is_published_gets_it_all_the_same() {
    for protocol in BOTH {
        let asked: Arc<Mutex<Vec<Client>>> = Arc::default();
        let publisher: Arc<OnceLock<Publisher>> = Arc::default();
        let server = TestServer::build({
            let publisher = Arc::clone(&publisher);
            move || {
                office().authenticator(by_words).authorize(move |client, _| {
                    let mut asked = asked.lock().unwrap();
                    asked.push(client.clone());
                    if let [first, _] = &asked[..] {
                        publisher.get().unwrap().reconsider(first.id());
                    }
                    true
                })
            }
        });
        let publisher = publisher.get_or_init(|| server.server.publisher());
        let (mut alice, mut bob) = (stock(&server, protocol, "alice"), stock(&server, protocol, "bob"));
        (1..3).for_each(|number| publisher.publish_untyped("office.a", &number));
        assert_eq!([event(&mut alice), event(&mut bob)], [of("a", 1), of("a", 1)]);
    }
}
