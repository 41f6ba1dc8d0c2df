//! Clients that come back: what they missed is sent, once and in order, or counted; nobody else comes
//! back in their place.

use std::time::Duration;

use futures_util::{Stream, stream};
use serde_json::{Value, json};
use wslink::{
    Client, Limits, LoginRequest, Principal, Publisher, Rejection, Secret, Server, Topic,
    client::{Buffer, Continuity, Event, Overflow, ProtocolVersion, Session, State, Subscription},
    service,
    testing::Link,
};

use crate::{
    client::BOTH,
    harness::{BOTH as BOTH_RAW, Got, Speaker, TestServer},
};

struct Feed {
    publisher: Publisher,
}

#[service]
impl Feed {
    #[topic("feed.log")]
    const LOG: Topic<u64>;

    #[topic("feed.text")]
    const TEXT: Topic<String>;

    #[topic("feed.state", retain = last)]
    const STATE: Topic<u64>;

    #[topic("feed.frame", delivery = latest)]
    const FRAME: Topic<u64>;

    #[topic("feed.counter")]
    fn counter(&self) -> impl Stream<Item = u64> + Send + 'static {
        stream::iter(0..3)
    }

    #[rpc("feed.join")]
    fn join(&self, client: Client, group: String) {
        self.publisher.enter(client.id(), &group);
    }

    #[rpc("feed.publish")]
    fn publish(&self, from: u64, to: u64) {
        for number in from..=to {
            self.publisher.publish(Self::LOG, &number);
        }
    }
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn server(change: impl FnOnce(&mut Limits)) -> Server {
    Server::builder().limits(limits(change)).service(|publisher| Feed { publisher }).build().unwrap()
}

async fn connect(server: &Server, link: &Link, protocol: ProtocolVersion) -> Session {
    link.session(server).protocol(protocol).connect().await.unwrap()
}

/// Lets everything that can happen without time passing happen.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

async fn until_back(session: &Session) {
    session.states().until(|state| state == State::Connected).await;
}

/// The payloads up to `last`, and what was said of connections between them.
async fn until<T>(subscription: &mut Subscription<T>, last: &T) -> (Vec<T>, Vec<Continuity>)
where
    T: serde::de::DeserializeOwned + PartialEq,
{
    let (mut payloads, mut continuity) = (Vec::new(), Vec::new());
    while payloads.last() != Some(last) {
        match subscription.next_event().await.unwrap().unwrap() {
            Event::Payload(payload) => payloads.push(payload),
            Event::Reconnected(what) => continuity.push(what),
            other => assert!(matches!(other, Event::Skipped(_))),
        }
    }
    (payloads, continuity)
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cut_again_and_again_loses_nothing() {
    for protocol in BOTH {
        let server = server(|_| {});
        let link = Link::default().latency(Duration::from_millis(20)).bandwidth(20_000);
        let session = connect(&server, &link, protocol).await;
        let id = session.client_id().unwrap();
        let ample = Buffer::new(10_000, Overflow::Fail);
        let mut log = session.subscribe(Feed::LOG).buffer(ample).await.unwrap();
        let mut text = session.subscribe(Feed::TEXT).await.unwrap();
        let publisher = server.publisher();
        let publishing = tokio::spawn(async move {
            for number in 1..=2000 {
                publisher.publish(Feed::LOG, &number);
                if number % 100 == 0 {
                    publisher.publish(Feed::TEXT, &format!("{number}"));
                }
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        });
        let mut cuts = 0;
        while !publishing.is_finished() {
            tokio::time::sleep(Duration::from_millis(700)).await;
            until_back(&session).await;
            link.cut();
            cuts += 1;
        }
        let (numbers, continuity) = until(&mut log, &2000).await;
        assert!(numbers.iter().copied().eq(1..=2000), "each once, in order");
        assert!(cuts > 3 && continuity.len() >= cuts - 1, "{cuts} {continuity:?}");
        assert!(continuity.iter().all(|what| *what == Continuity::Resumed), "{continuity:?}");
        let (texts, _) = until(&mut text, &"2000".to_owned()).await;
        assert_eq!(texts.len(), 20);
        assert_eq!(session.client_id(), Some(id));
        assert_eq!(server.publisher().clients(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_away_for_more_than_is_kept_is_told_how_much_is_missing() {
    for protocol in BOTH {
        let server = server(|limits| limits.resume_bytes = 64 * 1024);
        let link = Link::default();
        let session = connect(&server, &link, protocol).await;
        let mut log = session.subscribe(Feed::LOG).await.unwrap();
        let mut frames = session.subscribe(Feed::FRAME).buffer(Buffer::default()).await.unwrap();
        let publisher = server.publisher();
        publisher.publish(Feed::LOG, &1);
        publisher.publish(Feed::FRAME, &1);
        settle().await;
        link.unplug();
        settle().await;
        assert_eq!((publisher.clients(), publisher.subscribers(Feed::LOG)), (0, 0), "nobody who is here");
        for number in 2..=5000 {
            publisher.publish(Feed::LOG, &number);
        }
        (2..=9).for_each(|number| publisher.publish(Feed::FRAME, &number));
        link.plug_in();
        let (numbers, continuity) = until(&mut log, &5000).await;
        let [Continuity::Gap { missed }] = continuity[..] else { panic!("{continuity:?}") };
        assert!(numbers[1..].iter().copied().eq(missed + 2..=5000));
        assert!(numbers.len() > 100 && missed > 100);
        assert_eq!(until(&mut frames, &9).await, (vec![1, 9], vec![Continuity::Gap { missed: 7 }]));
        publisher.publish(Feed::LOG, &5001);
        assert_eq!(until(&mut log, &5001).await, (vec![5001], vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_late_begins_anew() {
    let server = server(|_| {});
    let link = Link::default();
    let session = connect(&server, &link, ProtocolVersion::V2).await;
    let id = session.client_id().unwrap();
    let mut log = session.subscribe(Feed::LOG).await.unwrap();
    link.unplug();
    tokio::time::sleep(Duration::from_secs(80)).await;
    server.publisher().publish(Feed::LOG, &1);
    link.plug_in();
    until_back(&session).await;
    settle().await;
    server.publisher().publish(Feed::LOG, &2);
    assert_eq!(until(&mut log, &2).await, (vec![2], vec![Continuity::Fresh]));
    assert_ne!(session.client_id(), Some(id));
}

#[tokio::test(start_paused = true)]
async fn groups_and_unsubscribing_survive_and_streams_begin_anew() {
    for protocol in BOTH {
        let server = server(|_| {});
        let link = Link::default();
        let session = connect(&server, &link, protocol).await;
        let mut log = session.subscribe(Feed::LOG).await.unwrap();
        let left = session.subscribe(Feed::TEXT).await.unwrap();
        let mut counter = session.subscribe_untyped::<u64>("feed.counter").await.unwrap();
        assert_eq!(until(&mut counter, &2).await.0, [0, 1, 2]);
        assert!(counter.next_event().await.is_none());
        let () = session.call("feed.join", ("editors",)).await.unwrap();
        link.unplug();
        settle().await;
        drop(left);
        link.plug_in();
        until_back(&session).await;
        settle().await;
        let publisher = server.publisher();
        assert_eq!(publisher.subscribers(Feed::TEXT), 0, "what nobody wants any more is gone");
        publisher.group("editors").publish(Feed::LOG, &7);
        assert_eq!(until(&mut log, &7).await, (vec![7], vec![Continuity::Resumed]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_remembers_no_more_clients_than_it_is_told_to() {
    let server = server(|limits| limits.resume_sessions = 2);
    let link = Link::default();
    let mut logs = Vec::new();
    for _ in 0..3 {
        let session = connect(&server, &link, ProtocolVersion::V2).await;
        logs.push((session.subscribe(Feed::LOG).await.unwrap(), session));
    }
    link.unplug();
    settle().await;
    link.plug_in();
    for (_, session) in &logs {
        until_back(session).await;
    }
    settle().await;
    server.publisher().publish(Feed::LOG, &1);
    let mut continuity = Vec::new();
    for (log, _) in &mut logs {
        continuity.extend(until(log, &1).await.1);
    }
    let resumed = continuity.iter().filter(|what| **what == Continuity::Resumed).count();
    assert_eq!((resumed, continuity.len()), (2, 3), "{continuity:?}");
}

/// The fields of a hello beside the secret.
fn hello(speaker: &mut Speaker, secret: &str, resume: Value, received: Value) -> Value {
    let hello = json!({"secret": secret, "extensions": ["subscribe", "resume"], "resume": resume, "received": received});
    speaker.system("wslink.hello", json!([hello]), json!({}))["result"].clone()
}

#[test]
fn only_the_last_token_of_the_same_client_resumes() {
    for protocol in BOTH_RAW {
        let server = TestServer::start(|builder| builder.service(|publisher| Feed { publisher }));
        let secret = Secret::published();
        let unauthenticated = || Speaker::unauthenticated(&server, protocol);

        let mut first = unauthenticated();
        let welcome = hello(&mut first, secret.reveal(), Value::Null, Value::Null);
        assert!(welcome.get("resumed").is_none(), "{welcome}");
        let id = welcome["clientID"].clone();
        let old = welcome["resume"].clone();
        hello(&mut first, secret.reveal(), Value::Null, Value::Null);
        let again = hello(&mut first, secret.reveal(), Value::Null, Value::Null);
        let token = again["resume"].clone();
        assert_ne!(old, token, "another one with every hello");
        first.system("wslink.subscribe", json!(["feed.log"]), json!({}));
        let call = first.begin("feed.publish", json!([1, 3]));
        assert_eq!(first.next()["id"], call);
        (1..=3).for_each(|number| assert_eq!(first.next()["result"], number));

        let (name, digits) = token.as_str().unwrap().split_once('.').unwrap();
        let turned: String = digits.chars().rev().collect();
        for wrong in [old, json!(""), json!(name), json!("."), json!(format!("{name}.{turned}")), json!(format!("c0.{digits}"))] {
            let mut other = unauthenticated();
            let welcome = hello(&mut other, secret.reveal(), wrong.clone(), json!({}));
            assert_eq!(welcome["resumed"], Value::Null, "{wrong}");
            assert_ne!(welcome["clientID"], id, "{wrong}");
        }
        let mut other = unauthenticated();
        assert_eq!(hello(&mut other, "another secret", token.clone(), json!({})), Value::Null, "a token admits nobody");

        // While the server does not know yet that the first connection is lost.
        let mut second = unauthenticated();
        let received = json!(1);
        let welcome = hello(&mut second, secret.reveal(), token.clone(), received);
        assert_eq!(welcome["resumed"], json!({"missed": {}, "kept": [1]}), "{welcome}");
        assert_eq!(welcome["clientID"], id);
        assert_eq!([2, 3].map(Value::from), [second.next(), second.next()].map(|event| event["result"].clone()));
        assert_eq!(first.peer.next(), Got::Close(1008, "resumed on another connection".to_owned()));

        // Whatever the client sends now, it has got its new token.
        assert_eq!(second.system("wslink.unsubscribe", json!([99]), json!({}))["result"], false);
        let mut third = unauthenticated();
        assert_eq!(hello(&mut third, secret.reveal(), token, json!({}))["resumed"], Value::Null, "a token is used once");
        assert_eq!(server.server.publisher().subscribers(Feed::LOG), 1);

        // Whatever the count is, nothing breaks; who says that it has more gets nothing.
        let mut token = welcome["resume"].clone();
        for received in [json!(u64::MAX), json!(-1), json!("x"), json!({"feed.log": u64::MAX, "feed.text": 1, "x": "y"})] {
            let welcome = hello(&mut unauthenticated(), secret.reveal(), token, received);
            assert_eq!(welcome["resumed"], json!({"missed": {}, "kept": [1]}));
            token = welcome["resume"].clone();
        }
    }
}

#[test]
fn a_resume_is_not_lost_with_the_answer_to_its_hello() {
    for protocol in BOTH_RAW {
        let server = TestServer::start(|builder| {
            let limits = limits(|limits| limits.resume_bytes = 1000);
            builder.service(|publisher| Feed { publisher }).limits(limits)
        });
        let secret = Secret::published();
        let mut first = Speaker::unauthenticated(&server, protocol);
        let token = hello(&mut first, secret.reveal(), Value::Null, Value::Null)["resume"].clone();
        first.system("wslink.subscribe", json!(["feed.log"]), json!({}));
        first.call("feed.publish", json!([1, 50]));
        (1..=50).for_each(|number| assert_eq!(first.next()["result"], number));
        let (mut answers, mut connections) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            // As if nothing of this had arrived.
            let mut lost = Speaker::unauthenticated(&server, protocol);
            let answer = hello(&mut lost, secret.reveal(), token.clone(), json!(10));
            let missed = answer["resumed"]["missed"]["feed.log"].as_u64().unwrap();
            (11 + missed..=50).for_each(|number| assert_eq!(lost.next()["result"], number));
            answers.push((answer["resumed"].clone(), answer["resume"].clone()));
            connections.push(lost);
        }
        assert!(answers.iter().all(|(resumed, _)| *resumed == answers[0].0), "{answers:?}");
        let missed = answers[0].0["missed"]["feed.log"].as_u64().unwrap();
        assert!((30..40).contains(&missed), "{answers:?}");

        // The last answer has arrived, and is not told again.
        let mut last = Speaker::unauthenticated(&server, protocol);
        let answer = hello(&mut last, secret.reveal(), answers[2].1.clone(), json!(50 - missed));
        assert_eq!(answer["resumed"], json!({"missed": {}, "kept": [1]}));
        let worthless = hello(&mut Speaker::unauthenticated(&server, protocol), secret.reveal(), token, json!(10));
        assert_eq!(worthless["resumed"], Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_may_come_back_however_many_topics_it_had() {
    for protocol in BOTH {
        let server = server(|_| {});
        let link = Link::default();
        let session = connect(&server, &link, protocol).await;
        for round in 0..2000 {
            drop(session.subscribe_untyped::<u64>(&format!("a.topic.that.was.left.{round}")).await.unwrap());
        }
        let topics: Vec<_> = (0..600).map(|number| format!("a.topic.of.some.length.{number}")).collect();
        let mut subscriptions = Vec::new();
        for topic in &topics {
            subscriptions.push(session.subscribe_untyped::<u64>(topic).await.unwrap());
        }
        link.unplug();
        settle().await;
        topics.iter().for_each(|topic| server.publisher().publish_untyped(topic, &7));
        link.plug_in();
        for subscription in &mut subscriptions {
            assert_eq!(until(subscription, &7).await, (vec![7], vec![Continuity::Resumed]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_left_and_wanted_again_loses_nothing() {
    for protocol in BOTH {
        let server = server(|_| {});
        let link = Link::default().latency(Duration::from_millis(50)).bandwidth(20_000);
        let session = connect(&server, &link, protocol).await;
        let publisher = server.publisher();
        for round in 0..20 {
            let mut log = session.subscribe(Feed::LOG).await.unwrap();
            // Some of them are on their way when the topic is left.
            (0..100).for_each(|_| publisher.publish(Feed::LOG, &0));
            log.next_event().await.unwrap().unwrap();
            drop(log);
            let mut log = session.subscribe(Feed::LOG).buffer(Buffer::new(10_000, Overflow::Fail)).await.unwrap();
            (1..=50).for_each(|number| publisher.publish(Feed::LOG, &number));
            tokio::time::sleep(Duration::from_millis(round * 10)).await;
            link.cut();
            let (numbers, continuity) = until(&mut log, &50).await;
            let numbers: Vec<_> = numbers.into_iter().filter(|number| *number > 0).collect();
            assert!(numbers.iter().copied().eq(1..=50), "{numbers:?}");
            assert!(continuity.iter().all(|what| *what == Continuity::Resumed), "{continuity:?}");
            until_back(&session).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_topic_retained_is_not_lost_with_the_connection() {
    for protocol in BOTH {
        let server = server(|_| {});
        let link = Link::default();
        let session = connect(&server, &link, protocol).await;
        server.publisher().publish(Feed::STATE, &7);
        let mut early = session.subscribe(Feed::STATE).await.unwrap();
        assert_eq!(until(&mut early, &7).await.0, [7]);
        let mut late = session.subscribe(Feed::STATE).await.unwrap();
        assert_eq!(until(&mut late, &7).await.0, [7]);
        server.publisher().publish(Feed::STATE, &8);
        assert_eq!(until(&mut early, &8).await.0, [8], "nothing again for the second subscription");
        assert_eq!(until(&mut late, &8).await.0, [8]);
        link.cut();
        until_back(&session).await;
        settle().await;
        server.publisher().publish(Feed::STATE, &9);
        for subscription in [&mut early, &mut late] {
            assert_eq!(until(subscription, &9).await, (vec![9], vec![Continuity::Resumed]), "a later event had arrived");
        }
    }
}

#[test]
fn a_token_is_for_one_principal_and_one_protocol() {
    let server = TestServer::build(|| {
        Server::builder().service(|publisher| Feed { publisher }).authenticator(async |attempt: LoginRequest| {
            let token = attempt.token().ok_or(Rejection::new("no token"))?;
            let (name, authority) = token.split_once('/').unwrap_or((token, ""));
            Ok::<_, Rejection>(Principal::new(name).granting([authority]))
        })
    });
    let [one, other] = BOTH_RAW;
    let token = |name: &str| {
        let welcome = hello(&mut Speaker::unauthenticated(&server, one), name, Value::Null, Value::Null);
        welcome["resume"].clone()
    };
    let resumed = |protocol, name: &str, token| {
        !hello(&mut Speaker::unauthenticated(&server, protocol), name, token, json!({}))["resumed"].is_null()
    };
    assert!(!resumed(one, "bob", token("alice")));
    assert!(!resumed(one, "alice", token("alice/admin")), "who may do less");
    assert!(!resumed(other, "alice", token("alice")));
    assert!(resumed(one, "alice", token("alice")));
}

#[test]
fn the_application_is_asked_again_about_who_comes_back() {
    let server = TestServer::build(|| {
        let admit = async |attempt: LoginRequest| {
            Ok::<_, Rejection>(Principal::new("alice").with_data(attempt.token() == Some("insider")))
        };
        let builder = Server::builder().service(|publisher| Feed { publisher }).authenticator(admit);
        builder.authorize(|client, _| client.principal().data::<bool>() == Some(&true))
    });
    for protocol in BOTH_RAW {
        let mut first = Speaker::unauthenticated(&server, protocol);
        let token = hello(&mut first, "insider", Value::Null, Value::Null)["resume"].clone();
        first.system("wslink.subscribe", json!(["feed.log"]), json!({}));
        assert_eq!(server.server.publisher().subscribers(Feed::LOG), 1);
        let mut second = Speaker::unauthenticated(&server, protocol);
        let welcome = hello(&mut second, "outsider", token, json!({}));
        assert_eq!(welcome["resumed"], json!({"missed": {}, "kept": [1]}));
        second.call("feed.publish", json!([1, 1]));
        assert_eq!(server.server.publisher().subscribers(Feed::LOG), 0);
    }
}
