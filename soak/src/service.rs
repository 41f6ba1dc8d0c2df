//! The server that is loaded: answers that can be checked, and topics of each policy that count.

use std::{
    error::Error,
    io::Write,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, time};
use wslink::{Attachment, CallError, Publisher, Secret, Server, Topic, Value, service};

/// Between two events of a topic.
const PERIOD: Duration = Duration::from_millis(10);

/// One in so many events has a blob with it.
const BLOBS: u64 = 16;

/// Serves until it is killed; the first line that it prints is its port.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    // Everybody knows this secret, so nobody may reach the server from elsewhere.
    let server = Server::builder().secret(Secret::published()).service(Soak::new).build()?;
    Ok(server.serve(listener).await?)
}

/// The service.
pub(crate) struct Soak {
    counter: Arc<Counter>,
    hanging: AtomicU64,
}

/// Numbers the events.
struct Counter {
    publisher: Publisher,
    published: AtomicU64,
    stopped: AtomicBool,
}

/// An event.
#[derive(Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) number: u64,
    pub(crate) blob: Option<Attachment>,
}

/// What was uploaded.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct Upload {
    pub(crate) bytes: usize,
    pub(crate) checksum: u64,
}

impl Soak {
    fn new(publisher: Publisher) -> Self {
        let counter = Arc::new(Counter { publisher, published: AtomicU64::new(0), stopped: AtomicBool::new(false) });
        tokio::spawn(Arc::clone(&counter).count());
        Self { counter, hanging: AtomicU64::new(0) }
    }
}

impl Counter {
    /// Publishes one number after the other on every topic.
    async fn count(self: Arc<Self>) {
        let mut period = time::interval(PERIOD);
        while !self.stopped.load(SeqCst) {
            period.tick().await;
            let number = self.published.load(SeqCst);
            let blob = number.is_multiple_of(BLOBS).then(|| pattern(40_000, number));
            let event = Counted { number, blob };
            for topic in [Soak::RELIABLE, Soak::LATEST, Soak::SOME] {
                self.publisher.publish(topic, &event);
            }
            self.published.store(number + 1, SeqCst);
        }
    }
}

#[service]
impl Soak {
    /// Every number.
    #[topic("soak.reliable")]
    pub(crate) const RELIABLE: Topic<Counted>;

    /// The newest number.
    #[topic("soak.latest", delivery = latest)]
    pub(crate) const LATEST: Topic<Counted>;

    /// A few of the newest numbers.
    #[topic("soak.some", delivery = drop_oldest(8))]
    pub(crate) const SOME: Topic<Counted>;

    /// So many numbers, and the end.
    #[topic("soak.numbers")]
    fn numbers(&self, count: u64) -> impl Stream<Item = u64> + Send + 'static {
        stream::iter(0..count)
    }

    /// What it is given.
    #[rpc("soak.echo")]
    fn echo(&self, value: Value) -> Value {
        value
    }

    /// Bytes of the pattern.
    #[rpc("soak.download")]
    fn download(&self, bytes: usize, seed: u64) -> Attachment {
        pattern(bytes, seed)
    }

    /// What came.
    #[rpc("soak.upload")]
    fn upload(&self, data: Attachment) -> Upload {
        Upload { bytes: data.len(), checksum: checksum(&data) }
    }

    /// What it is given, later.
    #[rpc("soak.later")]
    async fn later(&self, ms: u64) -> u64 {
        time::sleep(Duration::from_millis(ms)).await;
        ms
    }

    /// The same on a thread.
    #[rpc("soak.block", blocking)]
    fn block(&self, ms: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(ms));
        ms
    }

    /// Fails with its argument.
    #[rpc("soak.fail")]
    fn fail(&self, text: String) -> Result<(), CallError> {
        Err(CallError::exception(text))
    }

    /// Never answers.
    #[rpc("soak.hang")]
    async fn hang(&self) {
        struct Hanging<'a>(&'a AtomicU64);
        impl Drop for Hanging<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        self.hanging.fetch_add(1, SeqCst);
        let _hanging = Hanging(&self.hanging);
        std::future::pending::<()>().await;
    }

    /// How many calls hang now.
    #[rpc("soak.hanging")]
    fn hanging(&self) -> u64 {
        self.hanging.load(SeqCst)
    }

    /// Publishes nothing from now on. How many numbers there are.
    #[rpc("soak.stop")]
    async fn stop(&self) -> u64 {
        self.counter.stopped.store(true, SeqCst);
        // The last one may be on its way.
        time::sleep(2 * PERIOD).await;
        self.counter.published.load(SeqCst)
    }
}

/// Bytes that are nowhere alike.
pub(crate) fn pattern(bytes: usize, seed: u64) -> Attachment {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut data = vec![0; bytes];
    random.fill(&mut data);
    data.into()
}

pub(crate) fn checksum(data: &[u8]) -> u64 {
    data.iter().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()))
}
