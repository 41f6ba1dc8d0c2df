//! The Rust client and the extensions of this crate's server, end to end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::Notify;
use wslink::{
    ErrorCode, Progress, Publisher, Topic, Value,
    client::{Error, ProtocolVersion, Session, named},
    service,
};

use crate::{client::BOTH, harness::TestServer};

/// Calls and streams that last until somebody ends them.
struct Lasting {
    publisher: Publisher,
    release: Notify,
    /// Calls and streams that were dropped.
    dropped: Arc<AtomicU32>,
}

struct Guard(Arc<AtomicU32>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Lasting {
    fn new(publisher: Publisher) -> Self {
        Self { publisher, release: Notify::new(), dropped: Arc::default() }
    }

    fn guard(&self) -> Guard {
        Guard(Arc::clone(&self.dropped))
    }
}

#[service]
impl Lasting {
    #[topic("lasting.status", retain = last)]
    const STATUS: Topic<String>;

    /// The numbers from `from`, to `to` if it is given.
    #[topic("lasting.numbers")]
    fn numbers(&self, from: u64, to: Option<u64>) -> impl Stream<Item = u64> + Send + 'static {
        let guard = self.guard();
        let last = to.map_or_else(|| stream::pending().left_stream(), |_| stream::empty().right_stream());
        stream::iter(from..to.unwrap_or(from + 1)).chain(last).inspect(move |_| {
            let _ = &guard;
        })
    }

    #[rpc("lasting.say")]
    fn say(&self, text: String) {
        self.publisher.publish(Self::STATUS, &text);
    }

    #[rpc("lasting.listeners")]
    fn listeners(&self) -> usize {
        self.publisher.subscribers(Self::STATUS)
    }

    #[rpc("lasting.wait")]
    async fn wait(&self) {
        let _guard = self.guard();
        std::future::pending::<()>().await;
    }

    #[rpc("lasting.work")]
    async fn work(&self, progress: Progress<String>) -> u8 {
        progress.report(&"begun".to_owned());
        self.release.notified().await;
        7
    }

    #[rpc("lasting.release")]
    fn release(&self) {
        self.release.notify_one();
    }

    #[rpc("lasting.dropped")]
    fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::SeqCst)
    }
}

async fn connect(server: &TestServer, protocol: ProtocolVersion) -> Session {
    Session::builder(&format!("ws://{}/ws", server.address)).protocol(protocol).connect().await.unwrap()
}

/// Asks until `count` calls and streams were dropped.
async fn until_dropped(session: &Session, count: u32) {
    while session.call::<u32>("lasting.dropped", ()).await.unwrap() < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn only_what_is_subscribed_to_is_sent_and_what_is_retained_comes_first() {
    for protocol in BOTH {
        let server = TestServer::start(|builder| builder.service(Lasting::new));
        let session = connect(&server, protocol).await;
        let listeners = || session.call::<usize>("lasting.listeners", ());
        assert_eq!(listeners().await.unwrap(), 0);
        let () = session.call("lasting.say", ("before",)).await.unwrap();
        let mut status = session.subscribe(Lasting::STATUS).await.unwrap();
        assert_eq!(listeners().await.unwrap(), 1);
        let () = session.call("lasting.say", ("after",)).await.unwrap();
        assert_eq!(status.next().await.unwrap().unwrap(), "before");
        assert_eq!(status.next().await.unwrap().unwrap(), "after");
        drop(status);
        while listeners().await.unwrap() > 0 {}
        session.close().await;
    }
}

#[tokio::test]
async fn every_subscription_has_the_stream_that_it_asked_for() {
    for protocol in BOTH {
        let server = TestServer::start(|builder| builder.service(Lasting::new));
        let session = connect(&server, protocol).await;
        let numbers = |filter: &[(&str, u64)]| {
            let filter = Value::map(filter.iter().map(|(name, value)| (*name, *value)));
            session.subscribe_untyped::<u64>("lasting.numbers").filter(named(filter))
        };
        let few = numbers(&[("from", 5), ("to", 8)]).await.unwrap();
        let mut endless = numbers(&[("from", 100)]).await.unwrap();
        assert_eq!(few.map(Result::unwrap).collect::<Vec<_>>().await, [5, 6, 7]);
        assert_eq!(endless.next().await.unwrap().unwrap(), 100);
        until_dropped(&session, 1).await;
        drop(endless);
        until_dropped(&session, 2).await;
        let refused = numbers(&[("to", 8)]).await;
        assert!(matches!(&refused, Err(Error::Call(error)) if error.code() == ErrorCode::InvalidParams), "{refused:?}");
        session.close().await;
    }
}

#[tokio::test]
async fn who_does_not_wait_any_more_ends_the_call() {
    for protocol in BOTH {
        let server = TestServer::start(|builder| builder.service(Lasting::new));
        let session = connect(&server, protocol).await;
        let late = session.call::<()>("lasting.wait", ()).timeout(Duration::from_millis(20)).await;
        assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
        until_dropped(&session, 1).await;
        let waiting = tokio::spawn(session.call::<()>("lasting.wait", ()));
        // The calls of a session begin in their order, but a spawned one may not have been made yet.
        tokio::task::yield_now().await;
        let () = session.call("lasting.release", ()).await.unwrap();
        waiting.abort();
        until_dropped(&session, 2).await;
        session.close().await;
    }
}

#[tokio::test]
async fn a_call_reports_while_it_runs() {
    for protocol in BOTH {
        let server = TestServer::start(|builder| builder.service(Lasting::new));
        let session = connect(&server, protocol).await;
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let work = session.call::<u8>("lasting.work", ()).on_progress(move |text: String| tell.send(text).unwrap());
        let work = tokio::spawn(work);
        assert_eq!(told.recv().await.unwrap(), "begun");
        let () = session.call("lasting.release", ()).await.unwrap();
        assert_eq!(work.await.unwrap().unwrap(), 7);
        session.close().await;
    }
}
