//! The shared parts of the measured servers without a protocol.

use std::collections::HashMap;
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::mpsc::{self, error::TrySendError};

pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Bytes of events that may wait for one subscriber before a stream pauses.
const WAITING_BYTES: usize = 256 * 1024;

/// Runs `serve` on the port and the number of threads that the command line names.
pub fn run<F: Future<Output = Result<(), Error>>>(serve: impl FnOnce(TcpListener) -> F) -> Result<(), Error> {
    let arguments: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [port, threads] = arguments[..] else { return Err("usage: PORT THREADS".into()) };
    let runtime = match threads {
        1 => runtime::Builder::new_current_thread().enable_all().build()?,
        _ => runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, u16::try_from(port)?)).await?;
        serve(listener).await
    })
}

/// What one request leads to.
pub enum Answer {
    Now(Bytes),
    /// The client becomes a subscriber.
    Subscribe(mpsc::Receiver<Bytes>),
    /// Nothing: more is to come.
    Nothing,
}

/// The state of a server without a protocol.
#[derive(Default)]
pub struct Bare {
    subscribers: Mutex<Vec<mpsc::Sender<Bytes>>>,
    blobs: Mutex<HashMap<usize, Bytes>>,
}

impl Bare {
    /// Answers a request: a letter and its operands.
    pub fn answer(self: &Arc<Self>, request: Bytes) -> Answer {
        let number = |at: usize| {
            let bytes = request.get(1 + 8 * at..9 + 8 * at).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_le_bytes) as usize
        };
        match request.first() {
            Some(b'B') => Answer::Now(self.blob(number(0))),
            Some(b'U') => Answer::Now(Bytes::copy_from_slice(&(request.len() as u64 - 1).to_le_bytes())),
            Some(b'J') => Answer::Subscribe(self.subscribe(number(0))),
            Some(b'S') => {
                tokio::spawn(Arc::clone(self).stream(number(0), number(1)));
                Answer::Now(Bytes::from_static(b"started"))
            }
            Some(_) => Answer::Now(request),
            None => Answer::Nothing,
        }
    }

    /// What is published to a new subscriber of events of `size` bytes.
    fn subscribe(&self, size: usize) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel((WAITING_BYTES / size.max(1)).clamp(1, 1024));
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    fn blob(&self, size: usize) -> Bytes {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.entry(size).or_insert_with(|| (0..size).map(|i| i as u8).collect()).clone()
    }

    async fn stream(self: Arc<Self>, size: usize, count: usize) {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for number in 0..count as u64 {
            let event = event(number, size);
            for subscriber in &subscribers {
                // Trying first, because each `send` lets others run after a while, which breaks coalescing.
                if let Err(TrySendError::Full(event)) = subscriber.try_send(event.clone()) {
                    let _ = subscriber.send(event).await;
                }
            }
        }
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).retain(|subscriber| !subscriber.is_closed());
    }
}

/// The sequence number, then filler.
pub fn event(number: u64, size: usize) -> Bytes {
    let mut event = vec![0xab; size.max(8)];
    event[..8].copy_from_slice(&number.to_le_bytes());
    event.into()
}
