//! A service of probes: methods that show how values, binary data, events and failures travel.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde::{Serialize, Serializer, ser::Error as _};
use wslink::{Args, Attachment, CallError, Client, Internal, Publisher, Value, service};

/// The probes.
pub(crate) struct Kit {
    publisher: Publisher,
    /// Whether a call that never answers was dropped.
    interrupted: AtomicBool,
}

/// What a method was called with.
#[derive(Serialize)]
pub(crate) struct Echo {
    args: Vec<Value>,
    kwargs: Value,
}

/// The same binary data twice.
#[derive(Serialize)]
pub(crate) struct Pair {
    a: Attachment,
    b: Attachment,
}

/// What an upload was.
#[derive(Serialize)]
pub(crate) struct BlobInfo {
    length: usize,
    crc32: u32,
}

/// Binary data in an event.
#[derive(Serialize)]
pub(crate) struct Blob {
    blob: Attachment,
}

/// Cannot be serialised.
pub(crate) struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("a probe that cannot be serialised"))
    }
}

impl Kit {
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { publisher, interrupted: AtomicBool::new(false) }
    }
}

#[service]
impl Kit {
    /// Nothing.
    #[rpc("kit.null")]
    fn null(&self) {}

    /// The arguments.
    #[rpc("kit.echo")]
    fn echo(&self, arguments: Args) -> Echo {
        Echo { args: arguments.positional, kwargs: Value::map(arguments.named) }
    }

    /// The arguments, two of which have defaults.
    #[rpc("kit.defaults")]
    fn defaults(&self, a: Value, #[arg(default = Value::from(2))] b: Value, #[arg(default)] c: Value) -> [Value; 3] {
        [a, b, c]
    }

    /// Fails with a text for the caller.
    #[rpc("kit.raise")]
    fn raise(&self, message: String) -> Result<(), CallError> {
        Err(CallError::exception(message))
    }

    /// Fails with a text for the log.
    #[rpc("kit.fail")]
    fn fail(&self, message: String) -> Result<(), Internal> {
        Err(message.into())
    }

    /// A result that cannot be serialised.
    #[rpc("kit.unserialisable")]
    fn unserialisable(&self) -> Unserializable {
        Unserializable
    }

    /// An event that cannot be serialised.
    #[rpc("kit.publish.unserialisable")]
    fn publish_unserialisable(&self, topic: String) {
        self.publisher.publish_untyped(&topic, &Unserializable);
    }

    /// Binary data of a known pattern.
    #[rpc("kit.blob")]
    fn blob(&self, size: usize, #[arg(default = 0)] seed: u8) -> Attachment {
        pattern(size, seed)
    }

    /// The same bytes twice.
    #[rpc("kit.pair")]
    fn pair(&self) -> Pair {
        let bytes = Attachment::from_static(&[1, 2, 3, 4, 5, 6, 7, 8]);
        Pair { a: bytes.clone(), b: bytes }
    }

    /// What was uploaded.
    #[rpc("kit.blob.info")]
    fn blob_info(&self, data: Attachment) -> BlobInfo {
        BlobInfo { length: data.len(), crc32: crc32(&data) }
    }

    /// Publishes `payload`, or `count` numbered copies of it.
    #[rpc("kit.publish")]
    fn publish(&self, topic: String, payload: Value, count: Option<u32>) {
        let Some(count) = count else { return self.publisher.publish_untyped(&topic, &payload) };
        for n in 0..count {
            self.publisher.publish_untyped(&topic, &Value::map([("n", Value::from(n)), ("payload", payload.clone())]));
        }
    }

    /// Publishes binary data of a known pattern.
    #[rpc("kit.publish.blob")]
    fn publish_blob(&self, topic: String, size: usize, #[arg(default = 0)] seed: u8) {
        self.publisher.publish_untyped(&topic, &Blob { blob: pattern(size, seed) });
    }

    /// Publishes to everybody but the caller.
    #[rpc("kit.publish.others")]
    fn publish_others(&self, client: Client, topic: String, payload: Value) {
        self.publisher.except(client.id()).publish_untyped(&topic, &payload);
    }

    /// Answers some milliseconds later.
    #[rpc("kit.sleep")]
    async fn sleep(&self, ms: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms
    }

    /// The same where it may block a thread.
    #[rpc("kit.block", blocking)]
    fn block(&self, ms: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(ms));
        ms
    }

    /// Never answers.
    #[rpc("kit.hang")]
    async fn hang(&self) {
        struct Guard<'a>(&'a AtomicBool);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let _guard = Guard(&self.interrupted);
        std::future::pending::<()>().await;
    }

    /// Whether a call that never answers was dropped.
    #[rpc("kit.interrupted")]
    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Panics.
    #[rpc("kit.panic")]
    fn panic(&self) {
        panic!("a probe that panics");
    }
}

/// Byte i is `31 i + 7 ⌊i / 256⌋ + seed`, modulo 256.
pub(crate) fn pattern(size: usize, seed: u8) -> Attachment {
    let byte = |i: usize| i.wrapping_mul(31).wrapping_add((i >> 8).wrapping_mul(7)).to_le_bytes()[0].wrapping_add(seed);
    Attachment::new((0..size).map(byte).collect::<Vec<_>>())
}

/// The checksum of zip and PNG.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    let table: Vec<u32> = (0..256).map(|byte| (0..8).fold(byte, shift)).collect();
    !bytes.iter().fold(!0, |crc, byte| (crc >> 8) ^ table[((crc ^ u32::from(*byte)) & 255) as usize])
}
