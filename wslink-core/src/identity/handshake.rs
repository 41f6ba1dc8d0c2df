//! The handshake of a connection: its address, and the headers of its request.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// The handshake of a connection.
///
/// Kept for as long as the connection lasts, so what only the handshake itself needs is left out and
/// nothing of the buffer it was read from is kept alive. Cheap to clone; a context parameter of handlers.
#[derive(Clone, Debug, Default)]
pub struct Handshake(Arc<Parts>);

#[derive(Clone, Debug, Default)]
struct Parts {
    address: Option<SocketAddr>,
    secure: Option<bool>,
    uri: Uri,
    headers: HeaderMap,
    certificate: Option<Bytes>,
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
    /// From the request; `address` is its sender's, where there is one, and `secure` whether it speaks
    /// TLS, where that is known.
    pub fn new(address: Option<SocketAddr>, secure: Option<bool>, uri: &Uri, headers: &HeaderMap) -> Self {
        let kept = headers.iter().filter(|(name, _)| !DONE.contains(name));
        Self(Arc::new(Parts {
            address,
            secure,
            uri: uri.to_string().parse().unwrap_or_default(),
            headers: kept.map(|(name, value)| (name.clone(), own(value))).collect(),
            certificate: None,
        }))
    }

    /// The same of a client that showed `certificate`, in DER, and was verified.
    #[must_use]
    pub fn with_client_certificate(mut self, certificate: Bytes) -> Self {
        Arc::make_mut(&mut self.0).certificate = Some(certificate);
        self
    }

    /// The certificate, in DER, by which the client proved who it is to this server's TLS. Only a server whose own TLS
    /// configuration asks for certificates knows one; a trusted proxy's is never a client's.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&[u8]> {
        self.0.certificate.as_deref()
    }

    /// The address of the client: the other end of the connection, or what a trusted proxy says, whose port
    /// is 0 if the proxy does not tell. None where neither is known, as on Unix sockets.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// Whether the client speaks TLS, to the server or to a trusted proxy. None where neither speaks of it:
    /// there may be a proxy all the same.
    #[must_use]
    pub fn secure(&self) -> Option<bool> {
        self.0.secure
    }

    /// The path and query that the client asked for.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// The headers of the request but for those of the WebSocket handshake itself: `Origin`, `Cookie`,
    /// `Authorization` and so on.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The page that the client belongs to, where it is one.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.headers().get(header::ORIGIN)?.to_str().ok()
    }

    /// The first cookie of that name, as it was sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers().get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"')).next()
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
            ("cookie", "a=b; e=\"f\""),
            ("cookie", "c=d"),
        ];
        let headers = all.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let handshake = Handshake::new(None, None, &Uri::from_static("/ws?token=1"), &HeaderMap::from_iter(headers));
        let names: Vec<_> = handshake.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(names, [("host", "localhost"), ("cookie", "a=b; e=\"f\""), ("cookie", "c=d")]);
        assert_eq!(handshake.uri().query(), Some("token=1"));
        assert_eq!(["a", "c", "e", "b"].map(|name| handshake.cookie(name)), [Some("b"), Some("d"), Some("f"), None]);
    }
}
