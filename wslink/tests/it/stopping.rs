//! The end of a server, under a paused clock: how long it takes, and what it waits for.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};
use wslink::{Attachment, Limits, Publisher, Server, Topic, service, testing::Link};

use crate::client::BOTH;

struct Works(Arc<Semaphore>, Publisher);

#[service]
impl Works {
    #[topic("works.news")]
    pub(crate) const NEWS: Topic<Attachment>;

    /// Goes on without its client.
    #[rpc("works.save", detached)]
    async fn save(&self) {
        self.0.acquire().await.unwrap().forget();
    }

    #[rpc("works.hang")]
    async fn hang(&self) {
        std::future::pending::<()>().await;
    }

    #[rpc("works.null")]
    fn null(&self) {}

    #[rpc("works.publish")]
    fn publish(&self, count: usize) {
        (0..count).for_each(|_| self.1.publish(Self::NEWS, &vec![7_u8; 10_000].into()));
    }
}

fn server() -> (Server, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let works = Arc::clone(&gate);
    let server = Server::builder().service(|publisher| Works(works, publisher)).build().unwrap();
    (server, gate)
}

#[tokio::test(start_paused = true)]
async fn a_handler_whose_client_has_left_is_waited_for() {
    for protocol in BOTH {
        let (server, gate) = server();
        let link = Link::default();
        let session = link.session(&server).protocol(protocol).without_reconnect().connect().await.unwrap();
        let save = tokio::spawn(session.call::<()>("works.save", ()));
        session.call::<()>("works.null", ()).await.unwrap();
        link.cut();
        save.await.unwrap().unwrap_err();
        let start = Instant::now();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            gate.add_permits(1);
        });
        server.stop();
        server.stopped().await;
        assert_eq!(start.elapsed().as_secs(), 3, "when the handler ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_stops_within_its_grace_whatever_its_clients_do() {
    for protocol in BOTH {
        let (server, _gate) = server();
        let link = Link::default();
        let session = link.session(&server).protocol(protocol).without_reconnect().connect().await.unwrap();
        drop(tokio::spawn(session.call::<()>("works.hang", ())));
        session.call::<()>("works.null", ()).await.unwrap();
        // It neither takes the goodbye nor closes.
        link.stall();
        let start = Instant::now();
        server.stop();
        server.stopped().await;
        assert!(start.elapsed() <= Limits::default().grace, "{:?}", start.elapsed());
        assert_eq!(server.publisher().clients(), 0, "nobody is left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_goes_on_does_not_keep_a_stopping_server() {
    for protocol in BOTH {
        let (server, _gate) = server();
        let link = Link::default().bandwidth(1_000_000);
        let session = link.session(&server).protocol(protocol).without_reconnect().connect().await.unwrap();
        let mut news = session.subscribe(Works::NEWS).await.unwrap();
        session.call::<()>("works.publish", (100,)).await.unwrap();
        let start = Instant::now();
        let publisher = server.publisher();
        let steady = tokio::spawn(async move {
            // As much as the link takes, for ever.
            loop {
                publisher.publish(Works::NEWS, &vec![7_u8; 10_000].into());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        server.stop();
        let mut received = 0;
        while news.next().await.is_some_and(|event| event.is_ok()) {
            received += 1;
        }
        steady.abort();
        assert!(received >= 100, "what was published before is sent: {received}");
        assert!(start.elapsed() < Duration::from_secs(3), "{:?} for events of one second", start.elapsed());
    }
}
