//! What is known of a connection before its first message: where it is from, and what its request said.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// The handshake of a connection.
///
/// Kept for as long as the connection lasts, so what only the handshake itself needs is left out and
/// nothing of the buffer it was read from is kept alive.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    address: Option<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
}

/// What has done its work when the connection is there.
const DONE: [HeaderName; 5] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_EXTENSIONS,
];

impl Handshake {
    /// From the request; `address` is its sender's, where there is one.
    pub(crate) fn new(address: Option<SocketAddr>, uri: &Uri, headers: &HeaderMap) -> Self {
        let kept = headers.iter().filter(|(name, _)| !DONE.contains(name));
        Self {
            address,
            uri: uri.to_string().parse().unwrap_or_default(),
            headers: kept.map(|(name, value)| (name.clone(), own(value))).collect(),
        }
    }

    /// The address of the client; none where the connection was not made by TCP.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The path and query that the client asked for.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The headers of the request but for those of the WebSocket handshake itself: `Origin`, `Cookie`,
    /// `Authorization` and so on.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// A copy that shares nothing with the buffer that the request was read into.
fn own(value: &HeaderValue) -> HeaderValue {
    let mut copy = HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""));
    copy.set_sensitive(value.is_sensitive());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_itself_is_not_kept() {
        let all = [
            ("host", "localhost"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "AAAA"),
            ("cookie", "a=b"),
            ("cookie", "c=d"),
        ];
        let headers = all.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let handshake = Handshake::new(None, &Uri::from_static("/ws?token=1"), &HeaderMap::from_iter(headers));
        let names: Vec<_> = handshake.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(names, [("host", "localhost"), ("cookie", "a=b"), ("cookie", "c=d")]);
        assert_eq!(handshake.uri().query(), Some("token=1"));
    }
}
