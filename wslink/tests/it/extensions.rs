//! What the Rust client says to a server that knows the extensions, and what it makes of the answers:
//! a server that follows a script.

use std::{
    net::{TcpListener, TcpStream},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};
use wslink::{
    Attachment,
    client::{Continuity, Error, Event, ProtocolVersion, Session, State, named},
};

use crate::client::eager;

/// A server that does what a test says, in protocol 1, on a thread of its own.
struct Script {
    url: String,
    thread: JoinHandle<()>,
}

/// The connections of a script.
struct Stage(TcpListener);

/// One of them.
struct Client(WebSocket<TcpStream>);

impl Script {
    fn new(play: impl FnOnce(Stage) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/ws", listener.local_addr().unwrap());
        Self { url, thread: std::thread::spawn(move || play(Stage(listener))) }
    }

    async fn connect(&self) -> Session {
        self.builder().connect().await.unwrap()
    }

    fn builder(&self) -> wslink::client::Builder {
        Session::builder(&self.url).protocol(ProtocolVersion::V1).secret("s").reconnect(eager())
    }

    /// The script has come to its end.
    async fn end(self) {
        tokio::task::spawn_blocking(|| self.thread.join()).await.unwrap().unwrap();
    }
}

impl Stage {
    /// A connection, and the argument of its hello, which is answered `welcome`.
    fn greet(&self, welcome: &Value) -> (Client, Value) {
        let (stream, _) = self.0.accept().unwrap();
        let mut client = Client(tungstenite::accept(stream).unwrap());
        let mut hello = client.read();
        assert_eq!(hello["method"], "wslink.hello");
        client.result(&hello["id"], welcome);
        (client, hello["args"][0].take())
    }
}

impl Client {
    fn read(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(_) => panic!("closed"),
                _ => {}
            }
        }
    }

    /// The next request, which must be this one.
    fn expect(&mut self, method: &str) -> Value {
        let request = self.read();
        assert_eq!(request["method"], method, "{request}");
        request
    }

    fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    fn result(&mut self, id: &Value, result: &Value) {
        self.send(&json!({"wslink": "1.0", "id": id, "result": result}));
    }

    /// Waits for the client to leave.
    fn until_closed(mut self) {
        while self.0.read().is_ok() {}
    }
}

const ALL: [&str; 6] = ["subscribe", "cancel", "progress", "deadline", "resume", "refresh"];

#[tokio::test]
async fn a_call_is_cancelled_by_dropping_it() {
    let (tell, begun) = tokio::sync::oneshot::channel();
    let script = Script::new(|stage| {
        let (mut client, hello) = stage.greet(&json!({"clientID": "c1", "extensions": ALL}));
        assert_eq!(hello, json!({"secret": "s", "extensions": ALL}));
        let call = client.expect("long");
        assert_eq!(call["args"], json!([1]));
        assert!(call.get("timeout_ms").is_none());
        tell.send(()).unwrap();
        let cancel = client.expect("wslink.cancel");
        assert!(cancel["id"].as_str().unwrap().starts_with("system:"));
        assert_eq!(cancel["args"], json!([call["id"]]));
        client.result(&call["id"], &json!("too late"));
        let next = client.expect("next");
        client.result(&next["id"], &json!(2));
        client.until_closed();
    });
    let session = script.connect().await;
    assert_eq!(session.client_id().as_deref(), Some("c1"));
    tokio::select! {
        biased;
        answer = session.call::<String>("long", (1,)) => panic!("{answer:?}"),
        begun = begun => begun.unwrap(),
    }
    assert_eq!(session.call::<u8>("next", ()).await.unwrap(), 2);
    session.close().await;
    script.end().await;
}

#[tokio::test]
async fn deadlines_and_progress() {
    let script = Script::new(|stage| {
        let (mut client, _) = stage.greet(&json!({"clientID": "c1", "extensions": ALL}));
        let call = client.expect("build");
        let left = call["timeout_ms"].as_u64().unwrap();
        assert!((1..=3_600_000).contains(&left), "{left}");
        for step in ["a", "b", "c"] {
            client.send(&json!({"wslink": "1.0", "id": call["id"], "progress": step}));
        }
        client.send(&json!({"wslink": "1.0", "id": call["id"], "progress": 5}));
        client.result(&call["id"], &json!("done"));
        let late = client.expect("late");
        let error = json!({"code": -32005, "message": "Deadline exceeded"});
        client.send(&json!({"wslink": "1.0", "id": late["id"], "error": error}));
        client.until_closed();
    });
    let session = script.connect().await;
    let (tell, told) = std::sync::mpsc::channel();
    let call = session.call::<String>("build", ()).timeout(Duration::from_secs(3600));
    let call = call.on_progress(move |step: String| tell.send(step).unwrap());
    assert_eq!(call.await.unwrap(), "done");
    assert_eq!(told.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    let late = session.call::<()>("late", ()).timeout(Duration::from_secs(3600)).await;
    assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
    session.close().await;
    script.end().await;
}

#[tokio::test]
async fn a_stream_of_ones_own_begins_and_ends_on_the_server() {
    let script = Script::new(|stage| {
        let (mut client, _) = stage.greet(&json!({"clientID": "c1", "extensions": ALL}));
        for number in [7, 8] {
            let subscribe = client.expect("wslink.subscribe");
            assert_eq!((&subscribe["args"], &subscribe["kwargs"]), (&json!(["frames"]), &json!({"view": number})));
            client.result(&subscribe["id"], &json!({"subscription": number}));
        }
        let event = |number, text| json!({"wslink": "1.0", "id": "publish:frames:0", "sub": number, "result": text});
        client.send(&event(8, "for 8"));
        client.send(&event(7, "for 7"));
        client.send(&json!({"wslink": "1.0", "id": "publish:frames:0", "sub": 7, "end": true}));
        assert_eq!(client.expect("wslink.unsubscribe")["args"], json!([8]));
        let subscribe = client.expect("wslink.subscribe");
        assert_eq!(subscribe["args"], json!(["refused"]));
        let error = json!({"code": -32601, "message": "no such topic"});
        client.send(&json!({"wslink": "1.0", "id": subscribe["id"], "error": error}));
        client.until_closed();
    });
    let session = script.connect().await;
    let view = |number: u64| named(wslink::Value::map([("view", number)]));
    let mut seven = session.subscribe_untyped::<String>("frames").filter(view(7)).await.unwrap();
    let mut eight = session.subscribe_untyped::<String>("frames").filter(view(8)).await.unwrap();
    assert_eq!(seven.next().await.unwrap().unwrap(), "for 7");
    assert!(seven.next().await.is_none());
    assert_eq!(eight.next().await.unwrap().unwrap(), "for 8");
    drop(seven);
    drop(eight);
    let refused = session.subscribe_untyped::<String>("refused").await;
    assert!(matches!(refused, Err(Error::Call(_))), "{refused:?}");
    session.close().await;
    script.end().await;
}

#[tokio::test]
async fn a_session_is_resumed_and_the_truth_told() {
    let script = Script::new(|stage| {
        let welcome = json!({"clientID": "c1", "extensions": ALL, "resume": "first"});
        let (mut client, hello) = stage.greet(&welcome);
        assert!(hello.get("resume").is_none());
        for (number, topic) in ["kept", "gapped", "left"].iter().enumerate() {
            let subscribe = client.expect("wslink.subscribe");
            assert_eq!(subscribe["args"], json!([topic]));
            client.result(&subscribe["id"], &json!({"subscription": number}));
        }
        let known = client.expect("known");
        client.result(&known["id"], &Value::Null);
        drop(client);
        // The client notices, and its next attempt finds nobody to say hello to.
        drop(stage.0.accept().unwrap());
        let resumed = json!({"missed": {"gapped": 3}, "kept": [0, 1, 2]});
        let welcome = json!({"clientID": "c1", "extensions": ALL, "resume": "second", "resumed": resumed});
        let (mut client, hello) = stage.greet(&welcome);
        assert_eq!(hello["resume"], "first");
        assert_eq!(hello["received"], 0);
        assert_eq!(client.expect("wslink.unsubscribe")["args"], json!([2]));
        client.send(&json!({"wslink": "1.0", "id": "publish:kept:0", "result": "more"}));
        drop(client);
        let welcome = json!({"clientID": "c2", "extensions": ALL, "resume": "third", "resumed": null});
        let (mut client, hello) = stage.greet(&welcome);
        assert_eq!(hello["resume"], "second");
        assert_eq!(hello["received"], 1);
        let mut topics = Vec::new();
        for number in 5..7 {
            let subscribe = client.expect("wslink.subscribe");
            topics.push(subscribe["args"][0].as_str().unwrap().to_owned());
            client.result(&subscribe["id"], &json!({"subscription": number}));
        }
        topics.sort();
        assert_eq!(topics, ["gapped", "kept"]);
        client.until_closed();
    });
    let session = script.connect().await;
    let mut kept = session.subscribe_untyped::<String>("kept").await.unwrap();
    let mut gapped = session.subscribe_untyped::<String>("gapped").await.unwrap();
    let left = session.subscribe_untyped::<String>("left").await.unwrap();
    let mut states = session.states();
    let () = session.call("known", ()).await.unwrap();
    states.until(|state| state != State::Connected).await;
    drop(left);
    let reconnected = |continuity| Event::<String>::Reconnected(continuity);
    assert_eq!(kept.next_event().await.unwrap().unwrap(), reconnected(Continuity::Resumed));
    assert_eq!(gapped.next_event().await.unwrap().unwrap(), reconnected(Continuity::Gap { missed: 3 }));
    assert_eq!(kept.next_event().await.unwrap().unwrap(), Event::Payload("more".to_owned()));
    assert_eq!(kept.next_event().await.unwrap().unwrap(), reconnected(Continuity::Fresh));
    assert_eq!(gapped.next_event().await.unwrap().unwrap(), reconnected(Continuity::Fresh));
    assert_eq!(session.client_id().as_deref(), Some("c2"));
    session.close().await;
    script.end().await;
}

#[tokio::test]
async fn a_lost_call_says_whether_it_may_have_been_executed() {
    let script = Script::new(|stage| {
        let (mut client, _) = stage.greet(&json!({"clientID": "c1", "extensions": ALL}));
        client.expect("small");
        // The large one stands in the way: of what comes after it, the server has got nothing.
    });
    let session = script.builder().without_reconnect().connect().await.unwrap();
    let small = session.call::<()>("small", ());
    let large = session.call::<()>("large", (Attachment::new(vec![0; 64 << 20]),));
    let behind = session.call::<()>("behind", ());
    let (small, large, behind) = tokio::join!(biased; small, large, behind);
    assert!(matches!(small, Err(Error::Lost { maybe_executed: true })), "{small:?}");
    for unsent in [large, behind] {
        assert!(matches!(unsent, Err(Error::Lost { maybe_executed: false })), "{unsent:?}");
    }
    script.end().await;
}

#[tokio::test]
async fn what_the_server_would_not_take_is_not_sent() {
    let script = Script::new(|stage| {
        let limits = json!({"maxMsgSize": 1000, "messageBytes": 5000, "callsInFlight": 1});
        let (mut client, _) = stage.greet(&json!({"clientID": "c1", "extensions": ALL, "limits": limits}));
        let next = client.expect("next");
        client.result(&next["id"], &json!(2));
        client.until_closed();
    });
    let session = script.connect().await;
    let large = session.call::<()>("large", (Attachment::new(vec![0; 2000]),)).await;
    assert!(matches!(large, Err(Error::TooLarge { bytes: 2000, limit: 1000 })), "{large:?}");
    assert_eq!(session.call::<u8>("next", ()).await.unwrap(), 2);
    session.close().await;
    script.end().await;
}

#[tokio::test]
async fn what_the_server_did_not_take_is_told_from_other_errors() {
    let script = Script::new(|stage| {
        let (mut client, _) = stage.greet(&json!({"clientID": "c1", "extensions": ALL}));
        let id = client.expect("large")["id"].clone();
        let error = json!({"code": -32003, "message": "Message too large", "data": {"limit": 10, "got": 2000}});
        client.send(&json!({"wslink": "1.0", "id": id, "error": error}));
        client.until_closed();
    });
    let session = script.connect().await;
    let large = session.call::<()>("large", ("x".repeat(2000),)).await;
    assert!(matches!(large, Err(Error::TooLarge { bytes: 2000, limit: 10 })), "{large:?}");
    session.close().await;
    script.end().await;
}

#[tokio::test]
async fn a_secret_that_is_refused_later_ends_the_session() {
    let script = Script::new(|stage| {
        drop(stage.greet(&json!({"clientID": "c1"})));
        let (stream, _) = stage.0.accept().unwrap();
        let mut client = Client(tungstenite::accept(stream).unwrap());
        let hello = client.read();
        let error = json!({"code": -32000, "message": "Authentication failed"});
        client.send(&json!({"wslink": "1.0", "id": hello["id"], "error": error}));
        client.until_closed();
    });
    let session = script.connect().await;
    assert!(session.states().until(|state| state == State::Closed).await);
    let call = session.call::<()>("m", ()).await;
    assert!(matches!(call, Err(Error::Unauthorized(_))), "{call:?}");
    script.end().await;
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let script = Script::new(|stage| {
        let client = stage.greet(&json!({"clientID": "c1"}));
        // Nobody reads the pings of the first connection, so it is silent until the client comes again.
        drop(stage.0.accept().unwrap());
        drop(client);
    });
    let session = script.builder().ping(Duration::from_millis(30)).connect().await.unwrap();
    assert!(session.states().until(|state| matches!(state, State::Reconnecting { .. })).await);
    script.end().await;
    session.close().await;
}
