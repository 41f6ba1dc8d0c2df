//! HTTP proxies: a TCP connection to a server by way of `CONNECT`.

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tungstenite::http::Uri;

use super::{ConnectError, dial::dial, handshake::read_response, refused};

/// A proxy that is asked for connections.
#[derive(Clone)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    /// The value of its header, where the proxy wants to know the user.
    authorization: Option<String>,
}

impl Proxy {
    /// From `http://host:port` or `http://user:password@host:port`; the text of an error says what is wrong.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err("only `http://host:port` can be a proxy".to_owned());
        }
        let host = uri.host().ok_or("it names no host")?.trim_matches(['[', ']']).to_owned();
        let user = uri.authority().and_then(|authority| authority.as_str().rsplit_once('@'));
        let authorization = user.map(|(user, _)| {
            let user: Vec<u8> = percent_decode_str(user).collect();
            format!("Basic {}", BASE64.encode(&user))
        });
        Ok(Self { host, port: uri.port_u16().unwrap_or(80), authorization })
    }

    /// Connects to `host` through the proxy.
    pub(super) async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
        let mut stream = dial(&self.host, self.port).await?;
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        let (response, rest) = read_response(&mut stream).await?;
        if !response.status().is_success() {
            return Err(refused(format_args!("the proxy answered {}", response.status())));
        }
        // A server of WebSockets or TLS says nothing before it is asked.
        if rest.is_empty() { Ok(stream) } else { Err(refused("the proxy answered with more than a connection")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_a_host_and_perhaps_a_user() {
        let proxy = Proxy::parse("http://user:p%40ss@proxy.example:3128").unwrap();
        assert_eq!((&*proxy.host, proxy.port), ("proxy.example", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("Basic dXNlcjpwQHNz"));
        let proxy = Proxy::parse("http://[::1]").unwrap();
        assert_eq!((&*proxy.host, proxy.port, proxy.authorization.is_none()), ("::1", 80, true));
        for wrong in ["https://proxy.example", "proxy.example:3128", "http://", "socks5://proxy.example"] {
            assert!(Proxy::parse(wrong).is_err(), "{wrong}");
        }
    }
}
