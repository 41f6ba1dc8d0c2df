//! Calls that wait for their turn: they can be cancelled before they begin, their deadline counts from
//! their arrival, and what works on although nobody waits for it keeps its turn.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use wslink::{
    ErrorCode, Limits, Server,
    client::{Error, Session},
    service,
    testing::{self, Link},
};

use crate::client::BOTH;

/// What has begun, by name.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<Vec<String>>>);

impl Begun {
    fn note(&self, name: &str) {
        self.0.lock().unwrap().push(name.to_owned());
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Queue {
    begun: Begun,
}

#[service(ordered)]
impl Queue {
    #[rpc("queue.wait")]
    async fn wait(&self, name: String, ms: u64) {
        self.begun.note(&name);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    #[rpc("queue.brief", timeout_ms = 1500)]
    async fn brief(&self, name: String) {
        self.begun.note(&name);
        std::future::pending::<()>().await;
    }
}

/// Handlers that block until they are let go, one by one.
#[derive(Default)]
struct Gate {
    tickets: Mutex<usize>,
    changed: Condvar,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Gate {
    fn let_go(&self, count: usize) {
        *self.tickets.lock().unwrap() += count;
        self.changed.notify_all();
    }
}

struct Threads {
    begun: Begun,
    gate: Arc<Gate>,
}

#[service]
impl Threads {
    #[rpc("threads.block", blocking)]
    fn block(&self, name: String) {
        let Gate { tickets, changed, inside, most } = &*self.gate;
        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.begun.note(&name);
        let mut tickets = changed.wait_while(tickets.lock().unwrap(), |tickets| *tickets == 0).unwrap();
        *tickets -= 1;
        inside.fetch_sub(1, Ordering::SeqCst);
    }

    /// Goes on until everybody is let go.
    #[rpc("threads.save", detached)]
    async fn save(&self, name: String) {
        self.begun.note(&name);
        while *self.gate.tickets.lock().unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    }

    #[rpc("threads.none")]
    fn none(&self) {}
}

fn server(begun: &Begun, gate: &Arc<Gate>) -> Server {
    let mut limits = Limits::default();
    (limits.blocking_calls, limits.calls_in_flight) = (2, 10);
    let (queue, threads) = (Queue { begun: begun.clone() }, Threads { begun: begun.clone(), gate: Arc::clone(gate) });
    Server::builder().limits(limits).mount(queue).mount(threads).build().unwrap()
}

/// Begins a call, so that it has arrived before the next one.
fn begin(session: &Session, method: &str, args: impl wslink::client::Arguments) -> tokio::task::JoinHandle<Result<(), Error>> {
    tokio::spawn(session.call(method, args))
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_lane_can_be_cancelled_and_never_begins() {
    for protocol in BOTH {
        let begun = Begun::default();
        let server = server(&begun, &Arc::default());
        let session = testing::session(&server).protocol(protocol).connect().await.unwrap();
        let first = begin(&session, "queue.wait", ("first", 1000));
        let second = begin(&session, "queue.wait", ("second", 1000));
        let third = begin(&session, "queue.wait", ("third", 1000));
        let start = Instant::now();
        tokio::time::sleep(Duration::from_millis(500)).await;
        second.abort();
        first.await.unwrap().unwrap();
        third.await.unwrap().unwrap();
        assert_eq!(start.elapsed().as_millis(), 2000);
        assert_eq!(begun.names(), ["first", "third"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_what_waits_counts_from_its_arrival() {
    let begun = Begun::default();
    let server = server(&begun, &Arc::default());
    let session = testing::connect(&server).await.unwrap();
    let start = Instant::now();
    let first = begin(&session, "queue.wait", ("first", 1000));
    let late = tokio::spawn(session.call::<()>("queue.wait", ("late", 1)).timeout(Duration::from_millis(500)));
    let brief = begin(&session, "queue.brief", ("brief",));
    assert!(matches!(late.await.unwrap(), Err(Error::Timeout)));
    assert_eq!(start.elapsed().as_millis(), 500);
    first.await.unwrap().unwrap();
    let too_late = brief.await.unwrap();
    assert!(matches!(&too_late, Err(Error::Call(error)) if error.code() == ErrorCode::DeadlineExceeded), "{too_late:?}");
    assert_eq!(start.elapsed().as_millis(), 1500, "not 2500");
    assert_eq!(begun.names(), ["first", "brief"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_lane_goes_with_its_client() {
    let begun = Begun::default();
    let server = server(&begun, &Arc::default());
    let link = Link::default();
    let session = link.session(&server).without_reconnect().connect().await.unwrap();
    let first = begin(&session, "queue.wait", ("first", 1000));
    let second = begin(&session, "queue.wait", ("second", 1000));
    tokio::time::sleep(Duration::from_millis(500)).await;
    link.cut();
    for call in [first, second] {
        let lost = call.await.unwrap();
        assert!(matches!(lost, Err(Error::Lost { maybe_executed: true })), "{lost:?}");
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((begun.names(), server.publisher().clients()), (vec!["first".to_owned()], 0));
}

#[tokio::test]
async fn a_thread_keeps_its_turn_until_it_is_done_although_nobody_waits_for_it() {
    let (begun, gate) = (Begun::default(), Arc::<Gate>::default());
    let server = server(&begun, &gate);
    let session = testing::connect(&server).await.unwrap();
    let round_trip = || session.call::<()>("threads.none", ());
    let calls: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|name| begin(&session, "threads.block", (name,))).collect();
    while begun.names().len() < 2 {
        round_trip().await.unwrap();
    }
    // Two that run, and one that waits.
    calls[0].abort();
    calls[1].abort();
    calls[2].abort();
    for _ in 0..20 {
        round_trip().await.unwrap();
    }
    assert_eq!(begun.names().len(), 2, "no thread is free");
    gate.let_go(1);
    while begun.names().len() < 3 {
        round_trip().await.unwrap();
    }
    gate.let_go(2);
    calls.into_iter().next_back().unwrap().await.unwrap().unwrap();
    assert!(!begun.names().contains(&"c".to_owned()), "{:?}", begun.names());
    assert_eq!(gate.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_goes_on_detached_counts_although_nobody_waits_for_it() {
    let (begun, gate) = (Begun::default(), Arc::<Gate>::default());
    let server = server(&begun, &gate);
    let session = testing::connect(&server).await.unwrap();
    for count in 1..=10 {
        let call = begin(&session, "threads.save", (count.to_string(),));
        while begun.names().len() < count {
            tokio::task::yield_now().await;
        }
        call.abort();
    }
    let more = session.call::<()>("threads.none", ()).await;
    assert!(matches!(&more, Err(Error::Call(error)) if error.code() == ErrorCode::Overloaded), "{more:?}");
    gate.let_go(1);
    while session.call::<()>("threads.none", ()).await.is_err() {}
}

/// Handlers that take one lock, as those of different clients do.
struct Bank {
    lock: tokio::sync::Mutex<()>,
}

#[service]
impl Bank {
    #[rpc("bank.transfer")]
    async fn transfer(&self) {
        let _transaction = self.lock.lock().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    #[rpc("bank.statement")]
    fn statement(&self) -> wslink::Attachment {
        vec![7; 4 << 20].into()
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_does_not_freeze_a_handler_that_has_begun() {
    for protocol in BOTH {
        let server = Server::builder().mount(Bank { lock: tokio::sync::Mutex::new(()) }).build().unwrap();
        let slow = Link::default().bandwidth(240_000).session(&server).protocol(protocol).connect().await.unwrap();
        let other = testing::session(&server).protocol(protocol).connect().await.unwrap();
        let transfer = begin(&slow, "bank.transfer", ());
        let statement = tokio::spawn(slow.call::<wslink::Attachment>("bank.statement", ()));
        // Both have arrived, and far more waits for the client than may.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let start = Instant::now();
        other.call::<()>("bank.transfer", ()).await.unwrap();
        assert!(start.elapsed() <= Duration::from_millis(600), "{:?}", start.elapsed());
        transfer.await.unwrap().unwrap();
        statement.await.unwrap().unwrap();
    }
}
