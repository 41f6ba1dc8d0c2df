//! The Rust client against servers of this crate, in both protocols.

use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use wslink::{
    Args, Attachment, ErrorCode, Limits, Topic, Value,
    client::{Backoff, Buffer, Builder, Error, Event, Overflow, ProtocolVersion, Session, State, named},
    server,
};

use crate::{harness::TestServer, kit};

pub(crate) const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::V1, ProtocolVersion::V2];

/// Waits as little as it can, so that tests do.
pub(crate) fn eager() -> Backoff {
    Backoff::default().first(Duration::from_millis(1)).longest(Duration::from_millis(50))
}

pub(crate) fn mount(builder: server::Builder) -> server::Builder {
    builder.service(kit::Kit::new)
}

pub(crate) fn builder(server: &TestServer, protocol: ProtocolVersion) -> Builder {
    Session::builder(&format!("ws://{}/ws", server.address)).protocol(protocol).reconnect(eager())
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
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
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
        session.close().await;
    }
}

#[tokio::test]
async fn a_hundred_calls_at_once() {
    let server = TestServer::start(mount);
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
        let calls = (0..100_u64).map(|n| session.call::<u64>("kit.sleep", (n % 7,)));
        let answers = join_all(calls).await;
        assert!(answers.into_iter().enumerate().all(|(n, answer)| answer.unwrap() == n as u64 % 7));
        session.close().await;
    }
}

struct Bytes;

#[wslink::service]
impl Bytes {
    #[rpc("bytes.sum")]
    fn sum(&self, list: Vec<u8>, four: [u8; 4], some: Option<Vec<u8>>) -> u32 {
        list.into_iter().chain(four).chain(some.into_iter().flatten()).map(u32::from).sum()
    }
}

#[tokio::test]
async fn binary_data_is_a_list_of_bytes_to_a_method_that_wants_one() {
    let server = TestServer::start(|builder| builder.mount(Bytes));
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
        let blob = |bytes: &[u8]| Attachment::new(bytes.to_vec());
        let lists = session.call::<u32>("bytes.sum", (vec![1, 2, 3], [1, 1, 1, 1], vec![5]));
        assert_eq!(lists.await.unwrap(), 15);
        let blobs = session.call::<u32>("bytes.sum", (blob(&[1, 2, 3]), blob(&[1, 1, 1, 1]), blob(&[5])));
        assert_eq!(blobs.await.unwrap(), 15, "{protocol:?}");
        let short = session.call::<u32>("bytes.sum", (blob(&[1]), blob(&[1, 1]))).await;
        let Err(Error::Call(error)) = short else { panic!("{short:?}") };
        assert_eq!(
            (error.code(), error.data().and_then(|data| data.get("param"))),
            (ErrorCode::InvalidParams, Some(&"four".into()))
        );
    }
}

#[tokio::test]
async fn an_attachment_may_stand_twice_in_a_call() {
    let server = TestServer::start(mount);
    let blob = kit::pattern(20_000, 1);
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
        let echo: Echo = session.call("kit.echo", (&blob, "between", &blob)).await.unwrap();
        assert_eq!(echo.args, [blob.clone().into(), "between".into(), blob.clone().into()]);
        session.close().await;
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
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
        let mut events = session.subscribe_untyped::<Blob>("large").await.unwrap();
        let down: Attachment = session.call("kit.blob", (SIZE, 3)).await.unwrap();
        assert!(down == blob);
        let up: Value = session.call("kit.blob.info", (&blob,)).await.unwrap();
        assert_eq!(up.get("length"), Some(&SIZE.into()));
        let () = session.call("kit.publish.blob", ("large", SIZE, 3)).await.unwrap();
        assert!(events.next().await.unwrap().unwrap().blob == blob);
        session.close().await;
    }
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let server = TestServer::start(mount);
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
        let raised = session.call::<()>("kit.raise", ("why",)).await;
        let Err(Error::Call(error)) = raised else { panic!("{raised:?}") };
        assert_eq!((error.code(), error.message()), (ErrorCode::Exception, "Exception raised"));
        assert_eq!(error.data().unwrap().get("exception").unwrap().as_str(), Some("why"));
        let missing = session.call::<()>("kit.none", ()).await;
        assert!(matches!(&missing, Err(Error::Call(error)) if error.code() == ErrorCode::MethodNotFound), "{missing:?}");
        let other = session.call::<String>("kit.sleep", (0,)).await;
        let Err(Error::Decode(why)) = other else { panic!("{other:?}") };
        assert_eq!(why, "the result of `kit.sleep` is no `alloc::string::String`: invalid type: integer `0`, expected a string");
        let late = session.call::<()>("kit.hang", ()).timeout(Duration::from_millis(20)).await;
        assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
        session.close().await;
        assert_eq!(session.state(), State::Closed);
        let closed = session.call::<()>("kit.null", ()).await;
        assert!(matches!(closed, Err(Error::Closed)), "{closed:?}");
    }
}

#[tokio::test]
async fn events_keep_their_order_and_reach_every_subscriber() {
    const NUMBERS: Topic<Value> = Topic::new("numbers", wslink::Delivery::Reliable);
    let server = TestServer::start(mount);
    for protocol in BOTH {
        let session = builder(&server, protocol).connect().await.unwrap();
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
        let Some(Err(Error::Decode(why))) = wrong.next().await else { panic!("no payload fits") };
        assert!(why.starts_with("an event of `numbers` is no `u8`: "), "{why}");
        let () = session.call("kit.publish.unserialisable", ("numbers",)).await.unwrap();
        assert!(matches!(first.next().await, Some(Err(Error::Call(error))) if error.code() == ErrorCode::ResultSerialize));
        session.close().await;
        assert!(first.next().await.is_none(), "a closed session ends its subscriptions");
    }
}
