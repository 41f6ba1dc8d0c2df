//! What a peer makes the server hold has a bound, and who keeps within it is served all the same.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinHandle};
use wslink::{
    Attachment, Limits, Server,
    client::{Error, Session},
    service,
    testing::{self, Link},
};

use crate::{
    client,
    harness::{self, Speaker, TestServer},
};

/// A service whose calls go one at a time, and only when they are let go.
struct Queue(Arc<Semaphore>);

#[service(ordered)]
impl Queue {
    #[rpc("queue.take")]
    async fn take(&self, bytes: Attachment) -> usize {
        self.0.acquire().await.unwrap().forget();
        bytes.len()
    }
}

struct Other;

#[service]
impl Other {
    #[rpc("other.null")]
    fn null(&self) {}
}

const SIZE: usize = 200_000;

/// A server within `limits` that holds every call, and its permits.
fn holding(limits: Limits) -> (Server, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let server = Server::builder().limits(limits).observe().mount(Queue(Arc::clone(&gate))).mount(Other).build().unwrap();
    (server, gate)
}

/// Calls that carry `SIZE` bytes each.
fn take(session: &Session, count: usize) -> Vec<JoinHandle<Result<usize, Error>>> {
    let call = |_| tokio::spawn(session.call("queue.take", (Attachment::from(vec![7_u8; SIZE]),)));
    (0..count).map(call).collect()
}

/// Calls that have arrived and are not over.
fn in_flight(server: &Server) -> usize {
    let clients = server.statistics().unwrap().clients;
    usize::try_from(clients.iter().map(|client| client.calls_in_flight).sum::<u64>()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_are_bounded_for_each_connection() {
    for protocol in client::BOTH {
        let (server, gate) = holding(Limits::with(|limits| limits.request_bytes = 1 << 20));
        let session = testing::session(&server).protocol(protocol).connect().await.unwrap();
        let calls = take(&session, 40);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let held = in_flight(&server);
        assert!((5..=8).contains(&held), "{held} calls of {SIZE} bytes are held within 1 MiB");
        // Nobody is blamed for the silence of a connection that is not read.
        tokio::time::sleep(Duration::from_secs(120)).await;
        let other = testing::session(&server).protocol(protocol).connect().await.unwrap();
        other.call::<()>("other.null", ()).await.unwrap();
        gate.add_permits(40);
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), SIZE, "no call is lost");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_is_noticed_although_nothing_is_read_from_it() {
    let (server, _gate) = holding(Limits::with(|limits| limits.request_bytes = 1 << 20));
    let link = Link::default();
    let session = link.session(&server).without_reconnect().connect().await.unwrap();
    let calls = take(&session, 40);
    tokio::time::sleep(Duration::from_secs(1)).await;
    link.cut();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((server.publisher().clients(), in_flight(&server)), (0, 0));
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn what_all_connections_hold_is_bounded() {
    let (server, gate) = holding(Limits::with(|limits| limits.held_bytes = 4 << 20));
    let mut calls = Vec::new();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let session = testing::connect(&server).await.unwrap();
        calls.extend(take(&session, 40));
        sessions.push(session);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = in_flight(&server) * SIZE;
    assert!((3 << 20..6 << 20).contains(&held), "{held} bytes are held within 4 MiB, and a little for each connection");
    let other = testing::connect(&server).await.unwrap();
    other.call::<()>("other.null", ()).await.unwrap();
    gate.add_permits(160);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), SIZE, "no call is lost");
    }
}

/// Handlers that block until all are let go.
#[derive(Default)]
struct Threads {
    open: Mutex<bool>,
    changed: Condvar,
    inside: AtomicUsize,
    most: AtomicUsize,
}

struct Blocking(Arc<Threads>);

#[service]
impl Blocking {
    #[rpc("blocking.wait", blocking)]
    fn wait(&self) {
        let Threads { open, changed, inside, most } = &*self.0;
        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn handlers_of_all_connections_block_no_more_threads_than_the_server_has_for_them() {
    let threads = Arc::<Threads>::default();
    let limits = Limits::with(|limits| (limits.blocking_threads, limits.blocking_calls) = (3, 2));
    let server = Server::builder().limits(limits).mount(Blocking(Arc::clone(&threads))).mount(Other).build().unwrap();
    let mut calls = Vec::new();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let session = testing::connect(&server).await.unwrap();
        calls.extend((0..2).map(|_| tokio::spawn(session.call::<()>("blocking.wait", ()))));
        // Those calls have arrived.
        session.call::<()>("other.null", ()).await.unwrap();
        sessions.push(session);
    }
    while threads.inside.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    // The runtime has threads for others.
    tokio::task::spawn_blocking(|| ()).await.unwrap();
    *threads.open.lock().unwrap() = true;
    threads.changed.notify_all();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(threads.most.load(Ordering::SeqCst), 3);
}

/// Streams of large events, counted.
#[derive(Default)]
struct Live {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Counted(Arc<Live>);

impl Counted {
    fn new(live: &Arc<Live>) -> Self {
        let now = live.now.fetch_add(1, Ordering::SeqCst) + 1;
        live.most.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(live))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Streams(Arc<Live>);

#[service]
impl Streams {
    #[topic("streams.large")]
    fn large(&self) -> impl Stream<Item = Attachment> + Send + use<> {
        let counted = Counted::new(&self.0);
        stream::repeat_with(move || {
            let _ = &counted;
            vec![7_u8; 300_000].into()
        })
    }

    #[topic("streams.silent")]
    fn silent(&self) -> impl Stream<Item = ()> + Send + use<> {
        let counted = Counted::new(&self.0);
        stream::pending().inspect(move |()| {
            let _ = &counted;
        })
    }
}

#[test]
fn streams_that_ended_are_dropped_although_their_client_reads_nothing() {
    for protocol in harness::BOTH {
        let live = Arc::<Live>::default();
        let streams = Streams(Arc::clone(&live));
        let limits = Limits::with(|limits| limits.subscriptions = 4);
        let server = TestServer::start(|builder| builder.limits(limits).mount(streams));
        let mut speaker = Speaker::extended(&server, protocol, &["subscribe"]);
        speaker.begin_system("wslink.subscribe", json!(["streams.large"]), json!({}));
        for number in 2..300 {
            speaker.begin_system("wslink.subscribe", json!(["streams.silent"]), json!({}));
            speaker.begin_system("wslink.unsubscribe", json!([number]), json!({}));
        }
        speaker.begin_system("wslink.unsubscribe", json!([1]), json!({}));
        while live.most.load(Ordering::SeqCst) == 0 || live.now.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
        let most = live.most.load(Ordering::SeqCst);
        assert!(most <= 4, "{most} streams at once");
    }
}
