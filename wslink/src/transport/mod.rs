//! Sockets: frames in and out of a byte stream. The only place that names tungstenite.

pub(crate) use self::websocket::{Incoming, Role, WebSocket};

mod outgoing;
mod websocket;
