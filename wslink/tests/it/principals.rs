//! A connection that changes its principal: events of one principal never reach another, neither those that wait nor
//! those that are kept for a resume.

use serde_json::{Value, json};
use wslink::{Client, LoginRequest, Principal, Publisher, Rejection, Server, Topic, server::Builder, service};

use crate::harness::{BOTH, ProtocolVersion, Speaker, TestServer};

struct Desk {
    publisher: Publisher,
}

#[service]
impl Desk {
    #[topic("desk.news")]
    const NEWS: Topic<u32>;

    #[topic("desk.secret", require = "insider")]
    const SECRET: Topic<u32>;

    #[rpc("desk.publish")]
    fn publish(&self, topic: String, from: u32, to: u32) {
        for number in from..=to {
            match &*topic {
                "desk.news" => self.publisher.publish(Self::NEWS, &number),
                "desk.secret" => self.publisher.publish(Self::SECRET, &number),
                named => self.publisher.publish_untyped(named, &number),
            }
        }
    }
}

/// `alice insider` is the token of alice, who is an insider; her data is the whole token.
async fn by_words(attempt: LoginRequest) -> Result<Principal, Rejection> {
    let token = attempt.token().unwrap_or_default().to_owned();
    let mut words = token.split(' ').map(str::to_owned);
    let name = words.next().filter(|name| !name.is_empty()).ok_or(Rejection::new("no name"))?;
    Ok(Principal::new(name).granting(words.take_while(|word| word != "with")).with_data(token))
}

fn desk() -> Builder {
    Server::builder().service(|publisher| Desk { publisher }).authenticator(by_words)
}

/// The result of a hello of a client that can resume.
fn hello(speaker: &mut Speaker, token: &str, resume: &Value, received: Value) -> Value {
    let hello = json!({"secret": token, "extensions": ["subscribe", "resume"], "resume": resume, "received": received});
    speaker.system("wslink.hello", json!([hello]), json!({}))["result"].clone()
}

fn connect(server: &TestServer, protocol: ProtocolVersion, token: &str, topics: &[&str]) -> (Speaker, Value) {
    let mut speaker = Speaker::unauthenticated(server, protocol);
    let resume = hello(&mut speaker, token, &Value::Null, json!({}))["resume"].clone();
    for topic in topics {
        assert!(speaker.system("wslink.subscribe", json!([topic]), json!({}))["result"].is_object());
    }
    (speaker, resume)
}

fn publish(speaker: &mut Speaker, topic: &str, from: u32, to: u32) {
    let reply = speaker.call("desk.publish", json!([topic, from, to]));
    assert!(reply["error"].is_null(), "{reply}");
}

/// The next message, which must be an event.
fn event(speaker: &mut Speaker) -> (String, u64) {
    let event = speaker.next();
    let topic = event["id"].as_str().and_then(|id| id.strip_prefix("publish:")?.strip_suffix(":0"));
    (topic.unwrap_or_else(|| panic!("{event}")).to_owned(), event["result"].as_u64().unwrap())
}

fn of(topic: &str, number: u64) -> (String, u64) {
    (topic.to_owned(), number)
}

#[test]
fn what_one_principal_was_sent_is_not_replayed_to_another() {
    let server = TestServer::build(desk);
    for protocol in BOTH {
        let (mut first, _) = connect(&server, protocol, "alice insider", &["desk.secret", "desk.news"]);
        for (topic, last) in [("desk.secret", 3), ("desk.news", 2)] {
            publish(&mut first, topic, 1, last);
            (1..=last).for_each(|number| assert_eq!(event(&mut first), of(topic, number.into())));
        }
        let token = hello(&mut first, "bob", &Value::Null, json!({}))["resume"].clone();
        publish(&mut first, "desk.news", 3, 3);
        assert_eq!(event(&mut first), of("desk.news", 3));

        let mut second = Speaker::unauthenticated(&server, protocol);
        let welcome = hello(&mut second, "bob", &token, json!({}));
        // Those of the topic that bob may see were events of the client, so they are counted.
        assert_eq!(welcome["resumed"], json!({"missed": {"desk.news": 2}, "kept": [1, 2]}), "{welcome}");
        assert_eq!(event(&mut second), of("desk.news", 3), "what bob was sent himself");
        publish(&mut second, "desk.secret", 4, 4);
        publish(&mut second, "desk.news", 4, 4);
        assert_eq!(event(&mut second), of("desk.news", 4));

        // The counts of both sides still agree.
        let mut third = Speaker::unauthenticated(&server, protocol);
        let welcome = hello(&mut third, "bob", &welcome["resume"], json!(1));
        assert_eq!(welcome["resumed"], json!({"missed": {}, "kept": [1, 2]}), "{welcome}");
        assert_eq!(event(&mut third), of("desk.news", 4));
    }
}

#[test]
fn the_same_principal_loses_nothing_by_another_hello() {
    let server = TestServer::build(desk);
    for protocol in BOTH {
        let (mut first, _) = connect(&server, protocol, "alice insider", &["desk.secret"]);
        publish(&mut first, "desk.secret", 1, 2);
        (0..2).for_each(|_| drop(event(&mut first)));
        let token = hello(&mut first, "alice insider", &Value::Null, json!({}))["resume"].clone();
        let mut second = Speaker::unauthenticated(&server, protocol);
        let welcome = hello(&mut second, "alice insider", &token, json!({}));
        assert_eq!(welcome["resumed"], json!({"missed": {}, "kept": [1]}), "{welcome}");
        assert_eq!([event(&mut second), event(&mut second)], [of("desk.secret", 1), of("desk.secret", 2)]);
    }
}

#[test]
fn a_resume_asks_the_application_about_each_event() {
    let server = TestServer::build(|| {
        desk().authorize(|client: &Client, topic| {
            topic != "desk.hidden" || client.principal().data::<String>().is_some_and(|data| data.ends_with("with key"))
        })
    });
    for protocol in BOTH {
        let (mut first, token) = connect(&server, protocol, "alice with key", &["desk.hidden", "desk.open"]);
        for topic in ["desk.hidden", "desk.open"] {
            publish(&mut first, topic, 1, 2);
            (1..=2).for_each(|number| assert_eq!(event(&mut first), of(topic, number)));
        }
        let mut second = Speaker::unauthenticated(&server, protocol);
        let welcome = hello(&mut second, "alice", &token, json!(0));
        assert_eq!(welcome["resumed"], json!({"missed": {}, "kept": [1, 2]}), "{welcome}");
        (1..=2).for_each(|number| assert_eq!(event(&mut second), of("desk.open", number), "nothing that is hidden by now"));
        publish(&mut second, "desk.open", 3, 3);
        assert_eq!(event(&mut second), of("desk.open", 3));
    }
}
