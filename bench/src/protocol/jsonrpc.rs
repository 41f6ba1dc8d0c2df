//! JSON-RPC 2.0 as jsonrpsee speaks it, binary data as base64.

use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;

use super::{Protocol, upgrade, websocket};
use crate::Result;
use crate::inbox::Framing;

pub struct JsonRpc;

fn call(method: &str, parameters: &str) -> Bytes {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[{parameters}]}}"#);
    websocket::frame(websocket::TEXT, text.as_bytes())
}

impl Protocol for JsonRpc {
    fn framing(&self) -> Framing {
        Framing::WebSocket
    }

    fn open(&self, address: SocketAddr) -> Result<TcpStream> {
        upgrade(address, "/")
    }

    fn greeting(&self) -> Option<Bytes> {
        None
    }

    fn add(&self) -> Bytes {
        call("bench.add", "20,22")
    }

    fn blob(&self, size: usize) -> Bytes {
        call("bench.blob", &size.to_string())
    }

    fn upload(&self, size: usize) -> Bytes {
        call("bench.upload", &format!("\"{}\"", "Abc7".repeat(size / 3 + 1)))
    }

    fn subscribe(&self, _: usize) -> Option<Bytes> {
        Some(call("bench.subscribe", ""))
    }

    fn stream(&self, size: usize, count: usize) -> Bytes {
        call("bench.stream.start", &format!("{size},{count}"))
    }
}
