//! Sockets: frames in and out of a byte stream. The only place that names tungstenite.

#[cfg(feature = "client-tls")]
pub(crate) use self::tls::Trust;
pub(crate) use self::{
    connect::{Address, ConnectError},
    websocket::{Incoming, Role, WebSocket},
};

mod connect;
mod outgoing;
#[cfg(feature = "client-tls")]
mod tls;
mod websocket;
