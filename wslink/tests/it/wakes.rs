//! Nothing that could go on waits for a clock: under a paused one no time passes, however little fits anywhere.

use std::time::Duration;

use futures_util::{Stream, future::join_all, stream};
use tokio::time::Instant;
use wslink::{
    Attachment, Limits, Progress, Publisher, Server, Topic,
    client::{Buffer, Event, Overflow},
    service,
    testing::Link,
};

use crate::client::BOTH;

const EVENTS: u64 = 40;

struct Mill {
    publisher: Publisher,
}

#[service]
impl Mill {
    #[topic("mill.log")]
    const LOG: Topic<(u64, Attachment)>;

    /// More than is taken from a stream at once.
    #[topic("mill.stream")]
    fn stream(&self) -> impl Stream<Item = (u64, Attachment)> + Send + 'static {
        stream::iter((1..=EVENTS).map(|number| (number, Attachment::new(vec![1; 50_000]))))
    }

    #[rpc("mill.grind")]
    async fn grind(&self, bytes: usize, progress: Progress<u64>) -> Attachment {
        progress.report(&1);
        if bytes % 2 == 1 {
            tokio::task::yield_now().await;
        }
        progress.report(&2);
        Attachment::new(vec![2; bytes])
    }

    #[rpc("mill.publish")]
    async fn publish(&self) {
        for number in 1..=EVENTS {
            self.publisher.publish(Self::LOG, &(number, Attachment::new(vec![3; 30_000])));
            self.publisher.ready().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_time_passes_while_there_is_anything_to_do() {
    for protocol in BOTH {
        for reply_bytes in [0, 1000, 300_000, 1 << 24] {
            for buffer in [500, 64 * 1024, 1 << 22] {
                let mut limits = Limits::default();
                limits.reply_bytes = reply_bytes;
                let server = Server::builder().limits(limits).service(|publisher| Mill { publisher }).build().unwrap();
                let start = Instant::now();
                let session = Link::default().buffer(buffer).session(&server).protocol(protocol).connect().await.unwrap();
                let ample = || Buffer::new(1000, Overflow::Fail);
                let mut log = session.subscribe(Mill::LOG).buffer(ample()).await.unwrap();
                let mut fed = session.subscribe_untyped::<(u64, Attachment)>("mill.stream").buffer(ample()).await.unwrap();
                let calls = (0..60).map(|call| session.call::<Attachment>("mill.grind", (call * 1999 % 300_000,)));
                let publish = session.call::<()>("mill.publish", ());
                let log = async { while !matches!(log.next_event().await, Some(Ok(Event::Payload((EVENTS, _))))) {} };
                let fed = async { while fed.next_event().await.is_some() {} };
                let all = async { tokio::join!(join_all(calls), publish, log, fed) };
                let (replies, published, ..) = tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
                assert!(replies.iter().all(Result::is_ok) && published.is_ok());
                assert_eq!(start.elapsed(), Duration::ZERO, "{protocol:?} {reply_bytes} {buffer}");
            }
        }
    }
}
