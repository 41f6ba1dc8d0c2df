//! The servers without a protocol: a letter and its operands, in a WebSocket frame or behind a length.

use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;

use super::{Protocol, upgrade, websocket};
use crate::Result;
use crate::inbox::Framing;

/// As long as a call of `bench.add` in wslink.
const ECHO: [u8; 64] = [b'E'; 64];

/// Over a WebSocket.
pub struct Raw;

/// Over TCP.
pub struct Tcp;

fn operands(letter: u8, numbers: &[usize]) -> Vec<u8> {
    let mut bytes = vec![letter];
    numbers.iter().for_each(|number| bytes.extend((*number as u64).to_le_bytes()));
    bytes
}

fn bytes(size: usize) -> Vec<u8> {
    let mut bytes = vec![0x77; size + 1];
    bytes[0] = b'U';
    bytes
}

fn behind_length(message: &[u8]) -> Bytes {
    [&(message.len() as u32).to_le_bytes(), message].concat().into()
}

macro_rules! bare {
    ($name:ident, $framing:expr, $open:expr, $wrap:expr) => {
        impl Protocol for $name {
            fn framing(&self) -> Framing {
                $framing
            }

            fn open(&self, address: SocketAddr) -> Result<TcpStream> {
                $open(address)
            }

            fn greeting(&self) -> Option<Bytes> {
                None
            }

            fn add(&self) -> Bytes {
                $wrap(&ECHO)
            }

            fn blob(&self, size: usize) -> Bytes {
                $wrap(&operands(b'B', &[size]))
            }

            fn upload(&self, size: usize) -> Bytes {
                $wrap(&bytes(size))
            }

            fn subscribe(&self, size: usize) -> Option<Bytes> {
                Some($wrap(&operands(b'J', &[size])))
            }

            fn stream(&self, size: usize, count: usize) -> Bytes {
                $wrap(&operands(b'S', &[size, count]))
            }
        }
    };
}

bare!(Raw, Framing::WebSocket, |address| upgrade(address, "/"), |message: &[u8]| websocket::frame(websocket::BINARY, message));
bare!(Tcp, Framing::Length, |address| Ok(TcpStream::connect(address)?), behind_length);
