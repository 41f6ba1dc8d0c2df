//! Sockets: frames in and out of a byte stream. Beside the server's handshake, the only place that
//! names tungstenite.

pub(crate) use self::connect::Address;
#[cfg(feature = "client")]
pub(crate) use self::connect::ConnectError;
#[cfg(feature = "client-tls")]
pub(crate) use self::tls::Trust;
#[cfg(feature = "server")]
pub(crate) use self::websocket::Totals;
pub use self::websocket::{Incoming, Role, WebSocket};

mod connect;
mod header;
mod inflow;
mod outgoing;
#[cfg(feature = "client-tls")]
mod tls;
mod websocket;
