//! Who is admitted, as whom, and what becomes of a connection while that is found out.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use wslink::{Attempt, Client, Handshake, Limits, Principal, Refusal, Secret, Server, service};

use crate::harness::{BOTH, Generation, Got, Speaker, TestServer};

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
async fn by_name(attempt: Attempt) -> Result<Principal, Refusal> {
    match attempt.token() {
        Some("panic") => panic!("an authenticator that panics"),
        Some("never") => std::future::pending().await,
        Some(name) if !name.starts_with("not ") => Ok(Principal::new(name)),
        _ => Err(Refusal::new("no name")),
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
        let authenticator = move |attempt: Attempt| {
            let handshake = attempt.handshake();
            let texts = [handshake.cookie("session"), handshake.origin(), handshake.uri().query(), attempt.token()];
            let mut texts: Vec<_> = texts.into_iter().map(|text| text.map(ToOwned::to_owned)).collect();
            texts.push(attempt.hello().get("room").and_then(|room| room.as_str()).map(ToOwned::to_owned));
            texts.push(handshake.address().map(|address| address.ip().to_string()));
            notes.lock().unwrap().push(texts);
            std::future::ready(Ok(Principal::new("alice").granting(["editor", "role:admin"]).with_data(Plan("team"))))
        };
        Server::builder().authenticator(authenticator).mount(Mirror)
    });
    let origin = format!("http://{}", server.address);
    let peer = server.connect_with("/ws?token=1", &[("cookie", "a=b; session=c0ffee"), ("origin", &origin)]);
    let mut speaker = Speaker::over(peer, Generation::V1);
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
    for generation in BOTH {
        let mut speaker = Speaker::stranger(&server, generation);
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

#[test]
fn an_answer_that_does_not_come_ends_the_connection() {
    let server = TestServer::build(|| {
        let mut limits = Limits::default();
        limits.hello = Duration::from_millis(100);
        Server::builder().authenticator(by_name).limits(limits).mount(Mirror)
    });
    let mut first = Speaker::stranger(&server, Generation::V1);
    first.begin_system("wslink.hello", json!([{"secret": "never"}]), json!({}));
    assert_eq!(first.peer.next(), Got::Close(1008, "no hello in time".into()));

    let mut again = Speaker::stranger(&server, Generation::V1);
    again.hello("alice");
    again.begin_system("wslink.hello", json!([{"secret": "never"}]), json!({}));
    assert_eq!(again.peer.next(), Got::Close(1008, "no hello in time".into()));
}

#[test]
fn an_authenticator_that_panics_refuses() {
    let server = mirror();
    let mut speaker = Speaker::stranger(&server, Generation::V2);
    let refused = speaker.hello("panic");
    assert_eq!(refused["error"], json!({"code": -32000, "message": "Authentication failed"}), "{refused}");
    id_of(&speaker.hello("alice"));
}

#[test]
fn a_good_hello_changes_the_principal_and_a_bad_one_changes_nothing() {
    let server = mirror();
    for generation in BOTH {
        let mut speaker = Speaker::stranger(&server, generation);
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
    let mut speaker = Speaker::stranger(&server, Generation::V2);
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
