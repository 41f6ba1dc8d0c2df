//! Sockets: connecting, TLS, and WebSocket frames in and out of a byte stream. Tungstenite makes the handshakes; the
//! frames are read and written here.

#[cfg(feature = "client")]
pub(crate) use self::connect::Proxy;
pub(crate) use self::connect::{Address, ConnectError, Headers};
#[cfg(feature = "server")]
pub use self::listener::{Listener, Source};
#[cfg(all(feature = "server", unix))]
pub use self::socket_file::SocketFile;
#[cfg(feature = "client-tls")]
pub(crate) use self::tls::{Encryption, Trust};
pub(crate) use self::websocket::Totals;
// Public for the property tests alone.
#[cfg_attr(not(feature = "testing"), expect(unreachable_pub))]
pub use self::websocket::{Incoming, Role, WebSocket};

mod connect;
#[cfg(feature = "server")]
mod listener;
#[cfg(all(feature = "server", unix))]
mod socket_file;
#[cfg(feature = "client-tls")]
mod tls;
#[cfg_attr(not(feature = "testing"), expect(unreachable_pub))]
mod websocket;
