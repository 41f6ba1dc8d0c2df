//! The requests to each peer, in the bytes of its protocol.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;

use crate::Result;
use crate::inbox::Framing;

mod bare;
mod jsonrpc;
pub mod websocket;
pub mod wslink;

pub use bare::{Raw, Tcp};
pub use jsonrpc::JsonRpc;
pub use wslink::Wslink;

/// How to speak to one kind of server. Requests are encoded once and sent again and again.
pub trait Protocol {
    fn framing(&self) -> Framing;

    /// A connection whose handshake is done.
    fn open(&self, address: SocketAddr) -> Result<TcpStream>;

    /// What is said first and answered by one message.
    fn greeting(&self) -> Option<Bytes>;

    /// Asks for the sum of two numbers.
    fn add(&self) -> Bytes;

    /// Asks for `size` bytes.
    fn blob(&self, size: usize) -> Bytes;

    /// Brings `size` bytes.
    fn upload(&self, size: usize) -> Bytes;

    /// Asks to receive the events of `stream`, of `size` bytes; answered by one message. `None`: everybody does.
    fn subscribe(&self, size: usize) -> Option<Bytes>;

    /// Asks for `count` events of `size` bytes to all subscribers; answered by one message.
    fn stream(&self, size: usize, count: usize) -> Bytes;
}

/// Shakes hands for a WebSocket at `path`.
fn upgrade(address: SocketAddr, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    if answer.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err(String::from_utf8_lossy(&answer).into()) }
}
