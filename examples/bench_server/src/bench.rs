//! The methods that are measured.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};
use wslink::{Attachment, CallError, ErrorCode, Publisher, Topic, service};

/// The service.
pub(crate) struct Bench {
    publisher: Publisher,
    blobs: Mutex<HashMap<usize, Attachment>>,
}

impl Bench {
    /// The service of the server that `publisher` belongs to.
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { publisher, blobs: Mutex::default() }
    }
}

#[service]
impl Bench {
    /// Frames at a rate; a client that is slower gets the newest.
    #[topic("bench.frames", delivery = latest)]
    const FRAMES: Topic<Attachment>;

    /// The sum.
    #[rpc("bench.add")]
    fn add(&self, a: f64, b: f64) -> f64 {
        a + b
    }

    /// Bytes of which byte i is i modulo 256.
    #[rpc("bench.blob")]
    fn blob(&self, size: usize) -> Attachment {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.entry(size).or_insert_with(|| (0..=u8::MAX).cycle().take(size).collect::<Vec<_>>().into()).clone()
    }

    /// The length of `data`.
    #[rpc("bench.upload")]
    fn upload(&self, data: Attachment) -> usize {
        data.len()
    }

    /// Waits.
    #[rpc("bench.sleep")]
    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    /// Fails.
    #[rpc("bench.fail")]
    fn fail(&self, message: String) -> Result<(), CallError> {
        Err(CallError::new(ErrorCode::Exception, message))
    }

    /// Publishes `count` events of `size` bytes on `topic`, as fast as the slowest client takes them.
    #[rpc("bench.stream.start")]
    fn stream(&self, topic: String, size: usize, count: u64) {
        let publisher = self.publisher.clone();
        tokio::spawn(async move {
            for number in 0..count {
                publisher.ready().await;
                publisher.publish_untyped(&topic, &event(number, size));
            }
        });
    }

    /// Publishes `count` frames of `size` bytes, one every `period_ms`, whoever takes them.
    #[rpc("bench.frames.start")]
    fn frames(&self, size: usize, count: u64, period_ms: u64) {
        let publisher = self.publisher.clone();
        let mut period = interval(Duration::from_millis(period_ms.max(1)));
        period.set_missed_tick_behavior(MissedTickBehavior::Burst);
        tokio::spawn(async move {
            for number in 0..count {
                period.tick().await;
                publisher.publish(Self::FRAMES, &event(number, size));
            }
        });
    }
}

/// The sequence number, then filler.
fn event(number: u64, size: usize) -> Attachment {
    let mut event = vec![0xab; size.max(8)];
    event[..8].copy_from_slice(&number.to_le_bytes());
    event.into()
}
