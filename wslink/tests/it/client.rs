//! The Rust client against servers of this crate, in both generations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde::Deserialize;
use wslink::{
    Args, Attachment, ErrorCode, Limits, Topic, Value,
    client::{Backoff, Buffer, Builder, Continuity, Error, Event, Generation, Overflow, Session, State, named},
    server,
};

use crate::{harness::TestServer, kit};

pub(crate) const BOTH: [Generation; 2] = [Generation::V1, Generation::V2];

/// Waits as little as it can, so that tests do.
pub(crate) fn eager() -> Backoff {
    Backoff::default().first(Duration::from_millis(1)).longest(Duration::from_millis(50))
}

fn mount(builder: server::Builder) -> server::Builder {
    builder.service(kit::Kit::new)
}

fn builder(server: &TestServer, generation: Generation) -> Builder {
    Session::builder(&format!("ws://{}/ws", server.address)).generation(generation).reconnect(eager())
}

#[derive(Deserialize, Debug, PartialEq)]
struct Blob {
    blob: Attachment,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Echo {
    args: Vec<Value>,
    kwargs: Value,
}

#[tokio::test]
async fn arguments_arrive_as_they_were_meant() {
    let server = TestServer::start(mount);
    for generation in BOTH {
        let session = builder(&server, generation).connect().await.unwrap();
        let names = || Value::map([("k", Value::Float(f64::INFINITY))]);
        let both = Args { positional: vec![1.into()], named: vec![("k".into(), f64::INFINITY.into())] };
        let calls: [(wslink::client::Call<Echo>, Vec<Value>, Value); 6] = [
            (session.call("kit.echo", ()), vec![], Value::Map(vec![])),
            (
                session.call("kit.echo", (1, "x", [true])),
                vec![1.into(), "x".into(), vec![true.into()].into()],
                Value::Map(vec![]),
            ),
            (session.call("kit.echo", vec![1, 2]), vec![1.into(), 2.into()], Value::Map(vec![])),
            (session.call("kit.echo", named(names())), vec![], names()),
            (session.call("kit.echo", named(names()).after((1,))), vec![1.into()], names()),
            (session.call("kit.echo", both), vec![1.into()], names()),
        ];
        for (call, args, kwargs) in calls {
            assert_eq!(call.await.unwrap(), Echo { args, kwargs });
        }
        let odd: Result<(), _> = session.call("kit.echo", named(5)).await;
        assert!(matches!(odd, Err(Error::Encode(_))), "{odd:?}");
    }
}

#[tokio::test]
async fn a_hundred_calls_at_once() {
    let server = TestServer::start(mount);
    for generation in BOTH {
        let session = builder(&server, generation).connect().await.unwrap();
        let calls = (0..100_u64).map(|n| session.call::<u64>("kit.sleep", (n % 7,)));
        let answers = join_all(calls).await;
        assert!(answers.into_iter().enumerate().all(|(n, answer)| answer.unwrap() == n as u64 % 7));
    }
}

#[tokio::test]
async fn an_attachment_may_stand_twice_in_a_call() {
    let server = TestServer::start(mount);
    let blob = kit::pattern(20_000, 1);
    for generation in BOTH {
        let session = builder(&server, generation).connect().await.unwrap();
        let echo: Echo = session.call("kit.echo", (&blob, "between", &blob)).await.unwrap();
        assert_eq!(echo.args, [blob.clone().into(), "between".into(), blob.clone().into()]);
    }
}

#[tokio::test]
async fn large_attachments_in_both_directions() {
    const SIZE: usize = 32 << 20;
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        (limits.frame_bytes, limits.attachment_bytes) = (SIZE + 4096, SIZE);
        mount(builder).limits(limits)
    });
    let blob = kit::pattern(SIZE, 3);
    for generation in BOTH {
        let session = builder(&server, generation).connect().await.unwrap();
        let mut events = session.subscribe_untyped::<Blob>("large").await.unwrap();
        let down: Attachment = session.call("kit.blob", (SIZE, 3)).await.unwrap();
        assert!(down == blob);
        let up: Value = session.call("kit.blob.info", (&blob,)).await.unwrap();
        assert_eq!(up.get("length"), Some(&SIZE.into()));
        let () = session.call("kit.publish.blob", ("large", SIZE, 3)).await.unwrap();
        assert!(events.next().await.unwrap().unwrap().blob == blob);
    }
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let server = TestServer::start(mount);
    for generation in BOTH {
        let session = builder(&server, generation).connect().await.unwrap();
        let raised = session.call::<()>("kit.raise", ("why",)).await;
        let Err(Error::Call(error)) = raised else { panic!("{raised:?}") };
        assert_eq!((error.code(), error.message()), (ErrorCode::Exception, "Exception raised"));
        assert_eq!(error.data().unwrap().get("exception").unwrap().as_str(), Some("why"));
        let missing = session.call::<()>("kit.none", ()).await;
        assert!(matches!(&missing, Err(Error::Call(error)) if error.code() == ErrorCode::MethodNotFound), "{missing:?}");
        let other = session.call::<String>("kit.sleep", (0,)).await;
        assert!(matches!(other, Err(Error::Decode(_))), "{other:?}");
        let late = session.call::<()>("kit.hang", ()).timeout(Duration::from_millis(20)).await;
        assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
        session.close().await;
        assert_eq!(session.state(), State::Closed);
        let closed = session.call::<()>("kit.null", ()).await;
        assert!(matches!(closed, Err(Error::Closed)), "{closed:?}");
    }
}

#[tokio::test]
async fn who_cannot_be_connected_to_or_does_not_admit_is_told_apart() {
    let server = TestServer::start(mount);
    let refused = builder(&server, Generation::V2).secret("wrong").connect().await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");
    let page = Session::builder(&format!("ws://{}/nothing", server.address)).connect().await;
    assert!(matches!(page, Err(Error::Handshake(_))), "{page:?}");
    let address = server.address;
    drop(server);
    let nobody = Session::builder(&format!("ws://{address}/ws")).connect().await;
    assert!(matches!(nobody, Err(Error::Io(_))), "{nobody:?}");
    for url in ["http://127.0.0.1/ws", "nonsense", "ws://"] {
        let odd = Session::builder(url).connect().await;
        assert!(matches!(odd, Err(Error::Address(_))), "{url}: {odd:?}");
    }
}

#[tokio::test]
async fn events_keep_their_order_and_reach_every_subscriber() {
    const NUMBERS: Topic<Value> = Topic::new("numbers", wslink::Delivery::Reliable);
    let server = TestServer::start(mount);
    for generation in BOTH {
        let session = builder(&server, generation).connect().await.unwrap();
        let mut first = session.subscribe(NUMBERS).await.unwrap();
        let mut second = session.subscribe_untyped::<Value>("numbers").await.unwrap();
        let mut newest = session.subscribe(NUMBERS).buffer(Buffer::new(2, Overflow::DropOldest)).await.unwrap();
        let mut failing = session.subscribe(NUMBERS).buffer(Buffer::new(2, Overflow::Fail)).await.unwrap();
        let mut wrong = session.subscribe_untyped::<u8>("numbers").await.unwrap();
        let () = session.call("kit.publish", ("numbers", "x", 500)).await.unwrap();
        // A reply goes before the events of its call, so they are all here after the next reply.
        let () = session.call("kit.null", ()).await.unwrap();
        for n in 0..500 {
            for subscriber in [&mut first, &mut second] {
                assert_eq!(subscriber.next().await.unwrap().unwrap().get("n"), Some(&n.into()));
            }
        }
        let Some(Ok(Event::Skipped(skipped))) = newest.next_event().await else { panic!("nothing skipped") };
        let mut seen = 0;
        let last = loop {
            seen += 1;
            let n = newest.next().await.unwrap().unwrap();
            if n.get("n") == Some(&499.into()) {
                break skipped + seen;
            }
        };
        assert!(last <= 500, "{last}");
        assert!(failing.next().await.unwrap().is_ok() && failing.next().await.unwrap().is_ok());
        assert!(matches!(failing.next().await, Some(Err(Error::Lagged))));
        assert!(failing.next().await.is_none());
        assert!(matches!(wrong.next().await, Some(Err(Error::Decode(_)))));
        let () = session.call("kit.publish.unserialisable", ("numbers",)).await.unwrap();
        assert!(matches!(first.next().await, Some(Err(Error::Call(error))) if error.code() == ErrorCode::ResultSerialize));
        session.close().await;
        assert!(first.next().await.is_none(), "a closed session ends its subscriptions");
    }
}

#[tokio::test]
async fn a_session_comes_back_with_a_new_token_and_its_subscriptions() {
    for generation in BOTH {
        let server = TestServer::start(|builder| {
            let mut limits = Limits::default();
            limits.grace = Duration::ZERO;
            mount(builder).limits(limits)
        });
        let address = server.address;
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let token = move || {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, std::io::Error>("wslink-secret".to_owned()) }
        };
        let session = builder(&server, generation).token(token).connect().await.unwrap();
        let mut events = session.subscribe_untyped::<String>("t").await.unwrap();
        let mut hanging = session.call::<()>("kit.hang", ());
        // The reply to a later call says that the earlier one has begun.
        tokio::select! {
            biased;
            ended = &mut hanging => panic!("{ended:?}"),
            answer = session.call::<()>("kit.null", ()) => answer.unwrap(),
        }
        let mut states = session.states();
        drop(server);
        let lost = hanging.await;
        assert!(matches!(lost, Err(Error::Lost { maybe_executed: true })), "{lost:?}");
        assert!(states.until(|state| matches!(state, State::Reconnecting { .. })).await);
        let _server = TestServer::start_at(address, mount);
        // A call that is made meanwhile waits.
        let () = session.call("kit.publish", ("t", "again")).await.unwrap();
        assert_eq!(session.state(), State::Connected);
        assert_eq!(events.next_event().await.unwrap().unwrap(), Event::Reconnected(Continuity::Fresh));
        assert_eq!(events.next().await.unwrap().unwrap(), "again");
        assert!(asked.load(Ordering::SeqCst) >= 2);
        session.close().await;
    }
}

#[tokio::test]
async fn a_session_may_begin_before_its_server_and_may_give_up() {
    let address = TestServer::start(mount).address;
    let url = format!("ws://{address}/ws");
    let session = Session::builder(&url).reconnect(eager()).start().unwrap();
    assert_eq!(session.state(), State::Connecting);
    let waiting = session.call::<()>("kit.null", ());
    let server = TestServer::start_at(address, mount);
    waiting.await.unwrap();
    let ending = Session::builder(&url).without_reconnect().connect().await.unwrap();
    let brief = Session::builder(&url).reconnect(eager().attempts(2)).connect().await.unwrap();
    let mut events = brief.subscribe_untyped::<Value>("t").await.unwrap();
    drop(server);
    assert!(ending.states().until(|state| state == State::Closed).await);
    assert!(brief.states().until(|state| state == State::Closed).await);
    assert!(matches!(brief.call::<()>("kit.null", ()).await, Err(Error::Io(_))));
    assert!(matches!(events.next().await, Some(Err(Error::Io(_)))));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_session_ends_with_its_last_handle() {
    let server = TestServer::start(mount);
    let session = builder(&server, Generation::V2).connect().await.unwrap();
    let events = session.subscribe_untyped::<Value>("t").await.unwrap();
    let mut states = session.states();
    drop(session);
    assert_eq!(states.current(), State::Connected);
    drop(events);
    assert!(states.until(|state| state == State::Closed).await);
}

#[cfg(all(feature = "client-tls", feature = "tls"))]
#[tokio::test]
async fn tls_is_for_servers_that_are_trusted() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [certificate, key] = ["certificate", "key"].map(|name| folder.join(format!("{name}-{}.pem", std::process::id())));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = server::Tls::from_files(&certificate, &key).unwrap();
    let server = TestServer::start(|builder| mount(builder).tls(tls));
    let url = format!("wss://{}/ws", server.address);
    let stranger = Session::builder(&url).connect().await;
    assert!(matches!(stranger, Err(Error::Io(_))), "{stranger:?}");
    let session = Session::builder(&url).certificate(made.cert.pem()).unwrap().connect().await.unwrap();
    let blob: Attachment = session.call("kit.blob", (1 << 20,)).await.unwrap();
    assert_eq!(blob, kit::pattern(1 << 20, 0));
    session.close().await;
    for file in [certificate, key] {
        std::fs::remove_file(file).unwrap();
    }
}
