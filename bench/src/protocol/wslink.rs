//! Protocol 2 of wslink: MessagePack in chunks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use bytes::{Bytes, BytesMut};

use super::{Protocol, upgrade, websocket};
use crate::Result;
use crate::inbox::Framing;

/// Of the original in Python, and of ours.
pub struct Wslink {
    /// Bytes of a chunk, its header included, as the server asks for.
    chunk: usize,
}

/// Where a stream is published.
const TOPIC: &str = "bench.stream";

/// Where the sequence number is in an event of `bench.frames`, whose binary value is longer than 64 KiB.
pub const SEQUENCE_AT: usize = 1 + 7 + 4 + 3 + 1 + "publish:bench.frames:0".len() + 7 + 5;

/// Enough for small requests on every server.
const SMALL: usize = 4096;

/// Begins a request with `members` members more than `wslink`, `id` and `method`.
fn request(id: &str, method: &str, members: u8) -> Vec<u8> {
    let mut message = vec![0x83 + members];
    for text in ["wslink", "1.0", "id", id, "method", method] {
        put_text(&mut message, text);
    }
    message
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    to.push(0xa0 | text.len() as u8);
    to.extend_from_slice(text.as_bytes());
}

fn put_number(to: &mut Vec<u8>, number: usize) {
    to.push(0xcf);
    to.extend((number as u64).to_be_bytes());
}

fn call(method: &str, arguments: &[usize]) -> Bytes {
    let mut message = request("rpc:c0:1", method, 1);
    put_text(&mut message, "args");
    message.push(0x90 | arguments.len() as u8);
    arguments.iter().for_each(|argument| put_number(&mut message, *argument));
    frames(&message, SMALL)
}

/// Asks for `count` frames of `size` bytes, one every `period` milliseconds.
pub fn frames_at_a_rate(size: usize, count: usize, period: usize) -> Bytes {
    call("bench.frames.start", &[size, count, period])
}

/// The message as chunks.
fn frames(message: &[u8], chunk: usize) -> Bytes {
    let mut frames = BytesMut::new();
    for (at, part) in message.chunks(chunk - 12).enumerate() {
        let offset = (at * (chunk - 12)) as u32;
        let mut payload = Vec::with_capacity(part.len() + 12);
        for field in [7, offset, message.len() as u32] {
            payload.extend(field.to_le_bytes());
        }
        payload.extend_from_slice(part);
        websocket::put(&mut frames, websocket::BINARY, &payload);
    }
    frames.freeze()
}

impl Wslink {
    /// Says hello and notes the size of chunks that the answer asks for.
    pub fn learn(address: SocketAddr) -> Result<Self> {
        const KEY: &[u8] = b"maxMsgSize\xce";
        let mut protocol = Self { chunk: SMALL };
        let mut stream = protocol.open(address)?;
        stream.write_all(&protocol.greeting().unwrap_or_default())?;
        let mut answer = [0; 512];
        let read = stream.read(&mut answer)?;
        let at =
            answer[..read].windows(KEY.len()).position(|window| window == KEY).ok_or("no maxMsgSize in the answer to hello")?;
        let number = answer[at + KEY.len()..].first_chunk().ok_or("the answer to hello is cut")?;
        protocol.chunk = u32::from_be_bytes(*number) as usize;
        Ok(protocol)
    }
}

impl Protocol for Wslink {
    fn framing(&self) -> Framing {
        Framing::Chunks
    }

    fn open(&self, address: SocketAddr) -> Result<TcpStream> {
        upgrade(address, "/ws")
    }

    fn greeting(&self) -> Option<Bytes> {
        let mut message = request("system:c0:0", "wslink.hello", 1);
        put_text(&mut message, "args");
        message.extend([0x91, 0x81]);
        put_text(&mut message, "secret");
        put_text(&mut message, "wslink-secret");
        Some(frames(&message, SMALL))
    }

    fn add(&self) -> Bytes {
        let mut message = request("rpc:c0:1", "bench.add", 1);
        put_text(&mut message, "args");
        message.extend([0x92, 20, 22]);
        frames(&message, SMALL)
    }

    fn blob(&self, size: usize) -> Bytes {
        call("bench.blob", &[size])
    }

    fn upload(&self, size: usize) -> Bytes {
        let mut message = request("rpc:c0:1", "bench.upload", 1);
        put_text(&mut message, "args");
        message.extend([0x91, 0xc6]);
        message.extend((size as u32).to_be_bytes());
        message.resize(message.len() + size, 0x77);
        frames(&message, self.chunk)
    }

    fn subscribe(&self, _: usize) -> Option<Bytes> {
        None
    }

    fn stream(&self, size: usize, count: usize) -> Bytes {
        let mut message = request("rpc:c0:1", "bench.stream.start", 1);
        put_text(&mut message, "kwargs");
        message.push(0x83);
        put_text(&mut message, "topic");
        put_text(&mut message, TOPIC);
        for (name, value) in [("size", size), ("count", count)] {
            put_text(&mut message, name);
            put_number(&mut message, value);
        }
        frames(&message, SMALL)
    }
}
