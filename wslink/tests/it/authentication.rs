//! Who is admitted, as whom, and what becomes of a connection while that is found out.

use std::{
    future::ready,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use wslink::{Client, Handshake, Limits, LoginRequest, Principal, Publisher, Rejection, Secret, Server, service};

use crate::harness::{BOTH, Got, ProtocolVersion, Speaker, TestServer};

/// Tells callers who they are.
struct Mirror;

struct Plan(&'static str);

#[service]
impl Mirror {
    #[rpc("mirror.me")]
    fn me(&self, principal: Principal) -> String {
        principal.name().to_owned()
    }

    #[rpc("mirror.all")]
    fn all(&self, client: Client, handshake: Handshake) -> (String, Vec<String>, Option<&'static str>, Option<String>) {
        let principal = client.principal();
        let plan = principal.data::<Plan>().map(|plan| plan.0);
        let authorities = principal.authorities().map(ToOwned::to_owned).collect();
        (principal.name().to_owned(), authorities, plan, handshake.uri().query().map(ToOwned::to_owned))
    }
}

/// Admits everybody under the name that they give; waits, panics and refuses on request.
async fn by_name(attempt: LoginRequest) -> Result<Principal, Rejection> {
    match attempt.token() {
        Some("panic") => panic!("an authenticator that panics"),
        Some("never") => std::future::pending().await,
        Some(name) if !name.starts_with("not ") => Ok(Principal::new(name)),
        Some("not now") => Err(Rejection::unavailable("no database")),
        _ => Err(Rejection::new("no name")),
    }
}

fn mirror() -> TestServer {
    TestServer::build(|| Server::builder().authenticator(by_name).mount(Mirror))
}

fn id_of(welcome: &Value) -> &str {
    welcome["result"]["clientID"].as_str().unwrap_or_else(|| panic!("{welcome}"))
}

#[test]
fn an_authenticator_sees_the_handshake_and_the_whole_hello() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let server = TestServer::build(move || {
        let authenticator = move |attempt: LoginRequest| {
            let handshake = attempt.handshake();
            let texts = [handshake.cookie("session"), handshake.origin(), handshake.uri().query(), attempt.token()];
            let mut texts: Vec<_> = texts.into_iter().map(|text| text.map(ToOwned::to_owned)).collect();
            texts.push(attempt.hello().get("room").and_then(|room| room.as_str()).map(ToOwned::to_owned));
            texts.push(handshake.address().map(|address| address.ip().to_string()));
            notes.lock().unwrap().push(texts);
            ready(Ok(Principal::new("alice").granting(["editor", "role:admin"]).with_data(Plan("team"))))
        };
        Server::builder().authenticator(authenticator).mount(Mirror)
    });
    let origin = format!("http://{}", server.address);
    let peer = server.connect_with("/ws?token=1", &[("cookie", "a=b; session=c0ffee"), ("origin", &origin)]);
    let mut speaker = Speaker::over(peer, ProtocolVersion::V1);
    let long = "t".repeat(3000);
    speaker.system("wslink.hello", json!([{"secret": long, "room": "7"}]), json!({}));
    let expected = ["c0ffee", &origin, "token=1", &long, "7", "127.0.0.1"];
    assert_eq!(*seen.lock().unwrap(), [expected.map(|text| Some(text.to_owned())).to_vec()]);
    let reply = speaker.call("mirror.all", json!([]));
    assert_eq!(reply["result"], json!(["alice", ["editor", "role:admin"], "team", "token=1"]), "{reply}");
}

#[test]
fn nothing_is_acted_on_while_a_hello_waits() {
    let gate = Arc::new((Notify::new(), Semaphore::new(0)));
    let inside = Arc::clone(&gate);
    let server = TestServer::build(move || {
        let authenticator = move |_| {
            let gate = Arc::clone(&inside);
            async move {
                gate.0.notify_one();
                gate.1.acquire().await.unwrap().forget();
                Ok(Principal::new("late"))
            }
        };
        Server::builder().authenticator(authenticator).mount(Mirror)
    });
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        let hello = speaker.begin_system("wslink.hello", json!([{}]), json!({}));
        let call = speaker.begin("mirror.me", json!([]));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(gate.0.notified());
        gate.1.add_permits(1);
        assert_eq!(speaker.next()["id"], hello);
        let reply = speaker.next();
        assert_eq!((&reply["id"], &reply["result"]), (&json!(call), &json!("late")), "it was refused, so it was not waited for");
    }
}

/// Says something when it ends.
struct Farewell(Arc<OnceLock<Publisher>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(publisher) = self.0.get() {
            publisher.publish_untyped("mirror.farewell", &publisher.clients());
        }
    }
}

#[test]
fn what_ends_with_a_principal_may_publish() {
    let server = TestServer::build(|| {
        let publisher = Arc::new(OnceLock::new());
        let set = Arc::clone(&publisher);
        let admit = move |_| ready(Ok(Principal::new("guest").with_data(Farewell(Arc::clone(&publisher)))));
        Server::builder().authenticator(admit).service(move |publisher| {
            let _ = set.set(publisher);
            Mirror
        })
    });
    let mut speaker = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    speaker.hello("one");
    speaker.begin_system("wslink.hello", json!([{"secret": "another"}]), json!({}));
    let mut results = [speaker.next(), speaker.next()].map(|message| message["result"].is_number());
    results.sort_unstable();
    assert_eq!(results, [false, true]);
}

#[test]
fn a_principal_that_is_good_for_no_time_is_good_for_no_call() {
    let admit = async |_| Ok::<_, Rejection>(Principal::new("late").expires_in(Duration::ZERO));
    let server = TestServer::build(move || Server::builder().authenticator(admit).mount(Mirror));
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        speaker.begin_system("wslink.hello", json!([{"secret": "x"}]), json!({}));
        let call = speaker.begin("mirror.me", json!([]));
        assert!(speaker.next()["error"].is_null());
        let reply = speaker.next();
        assert_eq!((&reply["id"], &reply["error"]["message"]), (&json!(call), &json!("Authentication expired")), "{reply}");
    }
}

/// Under a paused clock, since what is answered has to be in time.
#[cfg(feature = "testing")]
#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_ends_the_connection() {
    use wslink::testing::Recording;

    let hello = |exchange, secret| {
        let text = json!({"id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": secret}]}).to_string();
        json!({"exchange": exchange, "dir": "c2s", "op": "text", "text": text})
    };
    let welcome = r#"{"wslink":"1.0","id":"system:c0:0","result":{"clientID":"c00000000000000000000000000000000"}}"#;
    let welcome = |exchange| json!({"exchange": exchange, "dir": "s2c", "op": "text", "text": welcome});
    let end = |exchange| json!({"exchange": exchange, "dir": "s2c", "op": "close", "code": 1008, "reason": "no hello in time"});
    let lines =
        [hello("first", "never"), end("first"), hello("again", "alice"), welcome("again"), hello("again", "never"), end("again")];
    let recording = Recording::parse(&lines.map(|line| line.to_string()).join("\n")).unwrap();
    let server = Server::builder().authenticator(by_name).mount(Mirror).build().unwrap();
    for exchange in recording.exchanges() {
        for answer in exchange.play(&server).await {
            assert_eq!(answer.difference(), None, "{}", exchange.name());
        }
    }
}

#[test]
fn an_authenticator_that_panics_or_cannot_decide_is_no_failure_of_the_client() {
    let server = mirror();
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        // Far more often than a client may fail, and than an address may.
        for _ in 0..50 {
            for secret in ["panic", "not now"] {
                let rejected = speaker.hello(secret);
                let error = json!({"code": -32008, "message": "Authentication is temporarily unavailable"});
                assert_eq!(rejected["error"], error, "{rejected}");
            }
        }
        id_of(&speaker.hello("alice"));
    }
}

#[test]
fn a_good_hello_changes_the_principal_and_a_bad_one_changes_nothing() {
    let server = mirror();
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        let first = speaker.hello("alice");
        assert_eq!(speaker.hello("not her")["error"]["code"], -32000);
        assert_eq!(speaker.call("mirror.me", json!([]))["result"], "alice");
        assert_eq!(id_of(&speaker.hello("bob")), id_of(&first));
        assert_eq!(speaker.call("mirror.me", json!([]))["result"], "bob");
    }
}

#[test]
fn a_hello_is_no_larger_than_its_limit_at_any_time() {
    let server = mirror();
    let mut speaker = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    speaker.hello("alice");
    assert_eq!(speaker.hello(&"t".repeat(5000))["error"]["code"], -32000);
    assert_eq!(speaker.call("mirror.me", json!([]))["result"], "alice");
}

#[test]
fn a_server_has_a_secret_or_an_authenticator() {
    let both = Server::builder().secret(Secret::new("s")).authenticator(by_name).build();
    assert!(both.unwrap_err().to_string().starts_with("both a secret and an authenticator are set"));
    assert!(Server::builder().authenticator(by_name).build().unwrap().secret().is_none());
    assert!(Server::builder().build().unwrap().secret().is_some());
}

/// Admits for as many milliseconds as the token says.
async fn for_a_while(attempt: LoginRequest) -> Result<Principal, Rejection> {
    let lifetime = attempt.token().unwrap_or_default().parse()?;
    Ok(Principal::new("a guest").expires_in(Duration::from_millis(lifetime)))
}

fn guests(expiry_grace: Duration) -> TestServer {
    TestServer::build(move || {
        let mut limits = Limits::default();
        limits.expiry_grace = expiry_grace;
        Server::builder().authenticator(for_a_while).limits(limits).mount(Mirror)
    })
}

/// Calls until a call is refused, and returns why.
fn refusal(speaker: &mut Speaker) -> Value {
    loop {
        let reply = speaker.call("mirror.me", json!([]));
        if reply["result"].is_null() {
            return reply["error"].clone();
        }
    }
}

#[test]
fn calls_of_an_expired_principal_are_refused_until_a_good_hello() {
    let server = guests(Duration::from_secs(3600));
    let expired = json!({"code": -32000, "message": "Authentication expired"});
    for protocol in BOTH {
        let mut speaker = Speaker::unauthenticated(&server, protocol);
        let hello = json!([{"secret": "50", "extensions": ["subscribe", "refresh"]}]);
        let welcome = speaker.system("wslink.hello", hello, json!({}));
        assert_eq!(welcome["result"]["expiresInMs"], 50, "{welcome}");
        assert_eq!(refusal(&mut speaker), expired);
        assert_eq!(speaker.system("wslink.subscribe", json!(["mirror.x"]), json!({}))["error"], expired);
        assert_eq!(speaker.hello("no number")["error"]["message"], "Authentication failed");
        assert_eq!(refusal(&mut speaker), expired);
        assert_eq!(id_of(&speaker.hello("3600000")), id_of(&welcome));
        assert_eq!(speaker.call("mirror.me", json!([]))["result"], "a guest");
    }
}

#[test]
fn a_connection_ends_some_time_after_its_principal_expired() {
    let server = guests(Duration::from_millis(50));
    let mut speaker = Speaker::unauthenticated(&server, ProtocolVersion::V1);
    let welcome = speaker.hello("50");
    assert!(welcome["result"].get("expiresInMs").is_none(), "{welcome}");
    assert_eq!(speaker.peer.next(), Got::Close(1008, "authentication expired".into()));
}

#[test]
fn an_address_that_keeps_guessing_is_refused() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.address_failed_logins = 1;
        builder.limits(limits).mount(Mirror)
    });
    // Whoever is right may come as often as they like.
    (0..20).for_each(|_| drop(Speaker::new(&server, ProtocolVersion::V1)));
    let refused = Got::Close(1008, "too many failed hellos from this address".into());
    let guess = |_| {
        let mut speaker = Speaker::unauthenticated(&server, ProtocolVersion::V1);
        speaker.begin_system("wslink.hello", json!([{"secret": "wrong"}]), json!({}));
        speaker
    };
    assert_ne!(guess(0).peer.next(), refused);
    // A few more wait for their turn, but not the last of so many.
    let mut guesses: Vec<_> = (0..30).map(guess).collect();
    assert!(guesses.iter_mut().rev().any(|guesser| guesser.peer.next() == refused));
}
