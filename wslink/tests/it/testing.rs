//! Sessions in the same process: a stalled peer delays nobody, a slow one sees what is newest, both
//! under a paused clock.

use std::time::Duration;

use tokio::time::Instant;
use wslink::{
    Attachment, Client, Limits, Publisher, Server, Topic,
    client::{Error, ProtocolVersion, Session, State},
    service,
    testing::{self, Link},
};

use crate::client::BOTH;

struct Studio {
    publisher: Publisher,
}

#[service]
impl Studio {
    #[topic("studio.frame", delivery = latest)]
    const FRAME: Topic<(u64, Attachment)>;

    #[topic("studio.log")]
    const LOG: Topic<u64>;

    #[rpc("studio.agent")]
    fn agent(&self, client: Client) -> Option<String> {
        Some(client.handshake().headers().get("user-agent")?.to_str().ok()?.to_owned())
    }

    #[rpc("studio.dropped")]
    fn dropped(&self, client: Client) -> u64 {
        self.publisher.dropped_for(client.id())
    }

    #[rpc("studio.draw")]
    async fn draw(&self, frames: u64, bytes: usize) {
        for number in 1..=frames {
            self.publisher.publish(Self::FRAME, &(number, Attachment::new(vec![0; bytes])));
            self.publisher.publish(Self::LOG, &number);
            tokio::time::sleep(Duration::from_millis(33)).await;
        }
    }
}

fn server() -> Server {
    Server::builder().service(|publisher| Studio { publisher }).build().unwrap()
}

async fn connect(server: &Server, link: &Link, protocol: ProtocolVersion) -> Session {
    link.session(server).protocol(protocol).connect().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_handler_sees_the_request_that_the_link_says_was_made() {
    let server = server();
    let request = http::Request::get("/ws").header("user-agent", "a test").body(()).unwrap();
    let session = connect(&server, &Link::default().request(&request), ProtocolVersion::V2).await;
    assert_eq!(session.call::<Option<String>>("studio.agent", ()).await.unwrap().as_deref(), Some("a test"));
    let session = testing::connect(&server).await.unwrap();
    assert_eq!(session.call::<Option<String>>("studio.agent", ()).await.unwrap(), None);
    let refused = testing::session(&server).secret("another").connect().await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");
}

/// 30 × 256 KiB/s for somebody with 300 KB/s, and somebody who reads nothing at all.
#[tokio::test(start_paused = true)]
async fn who_is_slow_costs_nobody_else_anything_and_sees_the_newest() {
    for protocol in BOTH {
        let server = server();
        let slow_link = Link::default().bandwidth(300_000);
        let dead_link = Link::default();
        let fast = testing::session(&server).protocol(protocol).connect().await.unwrap();
        let slow = connect(&server, &slow_link, protocol).await;
        let dead = connect(&server, &dead_link, protocol).await;
        let mut fast_frames = fast.subscribe(Studio::FRAME).buffer(wslink::client::Buffer::default()).await.unwrap();
        let mut slow_frames = slow.subscribe(Studio::FRAME).await.unwrap();
        let _dead_frames = dead.subscribe(Studio::FRAME).await.unwrap();
        dead_link.stall();

        let start = Instant::now();
        let () = fast.call("studio.draw", (60, 256 * 1024)).await.unwrap();
        assert!(start.elapsed() < Duration::from_millis(60 * 33 + 100), "{:?}", start.elapsed());
        for number in 1..=60 {
            assert_eq!(fast_frames.next().await.unwrap().unwrap().0, number);
        }
        let mut seen = vec![slow_frames.next().await.unwrap().unwrap().0];
        while *seen.last().unwrap() < 60 {
            seen.push(slow_frames.next().await.unwrap().unwrap().0);
        }
        assert!(seen.is_sorted() && seen.len() < 10, "{seen:?}");
        let dropped = |session: &Session| session.call::<u64>("studio.dropped", ());
        assert_eq!(dropped(&fast).await.unwrap(), 0);
        assert!(dropped(&slow).await.unwrap() >= 50, "counted for who is slow");
        assert!(server.publisher().dropped(Studio::FRAME) >= 100, "{}", server.publisher().dropped(Studio::FRAME));
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_for_too_long_is_closed_and_comes_back() {
    let server = server();
    let link = Link::default();
    let session = connect(&server, &link, ProtocolVersion::V2).await;
    let mut log = session.subscribe(Studio::LOG).await.unwrap();
    link.stall();
    let other = testing::connect(&server).await.unwrap();
    let mut frames = session.subscribe(Studio::FRAME);
    let waits = tokio::time::timeout(Duration::from_millis(1), &mut frames).await;
    assert!(waits.is_err(), "nothing passes");
    let () = other.call("studio.draw", (3, 16)).await.unwrap();
    while server.publisher().clients() > 1 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut states = session.states();
    assert!(states.until(|state| state != State::Connected).await);
    link.flow();
    assert!(states.until(|state| state == State::Connected).await);
    frames.await.unwrap();
    let () = other.call("studio.draw", (1, 16)).await.unwrap();
    while log.next().await.unwrap().unwrap() != 1 {}
}

/// A clock that looks at a quiet connection in the same moment sees nothing that waits.
#[tokio::test(start_paused = true)]
async fn what_begins_to_wait_while_the_clock_looks_does_not_wait_longer() {
    let limits = Limits::with(|limits| limits.write_stall = Duration::from_secs(10));
    let server = Server::builder().limits(limits).service(|publisher| Studio { publisher }).build().unwrap();
    let start = Instant::now();
    let publisher = server.publisher();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        publisher.publish(Studio::FRAME, &(1, Attachment::new(vec![0; 1 << 20])));
    });
    tokio::task::yield_now().await;
    let link = Link::default();
    let session = connect(&server, &link, ProtocolVersion::V2).await;
    let _frames = session.subscribe(Studio::FRAME).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    link.stall();
    while server.publisher().clients() > 0 {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let seconds = start.elapsed().as_secs();
    assert!((12..=17).contains(&seconds), "{seconds}");
}
