//! Which pages and host names may reach the WebSocket, by the `Origin` and `Host` of the handshake.
//!
//! Browsers let any page connect anywhere, so the server must ask where the page is from. And a page
//! may point its own host name at this machine, so the server must know its names.

use std::{fmt, net::IpAddr};

use http::{Request, header};

use super::sender::Sender;

/// What is admitted beyond the server's own addresses.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Serialised origins, compared exactly.
    pub(crate) origins: Vec<String>,
    /// Host names without port.
    pub(crate) hosts: Vec<String>,
}

/// Why a handshake is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoHost,
    Host(String),
    Origin(String),
}

impl Refusal {
    /// As it is counted.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::NoHost | Self::Host(_) => "host",
            Self::Origin(_) => "origin",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the request names no single host"),
            Self::Host(host) => {
                write!(f, "host {host:?} is not one of this server's; allow it with `allow_host` or `--allow-host`")
            }
            Self::Origin(origin) => {
                write!(f, "origin {origin:?} may not connect; allow it with `allow_origin` or `--allow-origin`")
            }
        }
    }
}

impl Admission {
    /// Whether the request is for this server.
    pub(super) fn admit_host<'a, B>(&self, request: &'a Request<B>) -> Result<Host<'a>, Refusal> {
        let host = requested_host(request).ok_or(Refusal::NoHost)?;
        let known = |name: &str| self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
        // An address in `Host` is safe: only a name can be pointed at another machine.
        if !(host.address().is_some() || host.is_loopback() || known(host.name)) {
            return Err(Refusal::Host(host.name.to_owned()));
        }
        Ok(host)
    }

    /// Whether the request is for this server, and from a page that may use it.
    pub(super) fn admit<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let host = self.admit_host(request)?;
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(()) };
        let refusal = || Refusal::Origin(String::from_utf8_lossy(origin.as_bytes()).into_owned());
        let text = origin.to_str().map_err(|_| refusal())?;
        if origins.next().is_some() {
            return Err(refusal());
        }
        if self.origins.iter().any(|allowed| allowed == text) {
            return Ok(());
        }
        let (scheme, authority) = text.split_once("://").ok_or_else(refusal)?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(refusal()),
        };
        let origin = Host::parse(authority).ok_or_else(refusal)?;
        let same_port = origin.port.unwrap_or(default_port) == host.port.unwrap_or(default_port);
        // A page that was not encrypted may be anybody's, so it is not the encrypted site's own.
        let secure = request.extensions().get::<Sender>().and_then(|sender| sender.secure);
        let same_scheme = secure.is_none_or(|secure| secure == (scheme == "https"));
        let same_host = same_scheme && same_port && origin.name.eq_ignore_ascii_case(host.name);
        let same_machine = origin.is_loopback() && host.is_loopback();
        if same_host || same_machine { Ok(()) } else { Err(refusal()) }
    }
}

/// The one host that a request is for.
fn requested_host<B>(request: &Request<B>) -> Option<Host<'_>> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let forwarded = request.extensions().get::<Sender>().and_then(|sender| sender.host.as_deref());
    let authority = match (forwarded, hosts.next(), hosts.next()) {
        (Some(host), ..) => host,
        (None, Some(host), None) => host.to_str().ok()?,
        (None, None, None) => request.uri().authority()?.as_str(),
        _ => return None,
    };
    Host::parse(authority)
}

/// A host name or address with its port, if given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Host<'a> {
    /// Without the brackets of an IPv6 address.
    name: &'a str,
    port: Option<u16>,
}

impl<'a> Host<'a> {
    fn parse(authority: &'a str) -> Option<Self> {
        let (name, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (name, port) = rest.split_once(']')?;
                name.parse::<std::net::Ipv6Addr>().ok()?;
                (name, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port))),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        let port = match port {
            None => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { name, port })
    }

    fn address(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }

    fn is_loopback(&self) -> bool {
        self.name.eq_ignore_ascii_case("localhost") || self.address().is_some_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(host: &str, origin: Option<&str>) -> Result<(), Refusal> {
        let admission = Admission { origins: vec!["https://app.example.com".into()], hosts: vec!["render.example.com".into()] };
        admission.admit(&request(host, origin))
    }

    fn request(host: &str, origin: Option<&str>) -> Request<()> {
        let request = Request::get("/ws").header(header::HOST, host);
        origin.into_iter().fold(request, |request, origin| request.header(header::ORIGIN, origin)).body(()).unwrap()
    }

    #[test]
    fn programs_and_own_pages_are_admitted() {
        for (host, origin) in [
            ("127.0.0.1:8080", None),
            ("[::1]:8080", Some("http://[::1]:8080")),
            ("localhost:8080", Some("http://localhost:5173")),
            ("127.0.0.1:8080", Some("https://localhost")),
            ("192.168.1.5:8080", Some("http://192.168.1.5:8080")),
            ("render.example.com", Some("https://render.example.com")),
            ("Render.Example.com:443", Some("https://render.example.com")),
            ("render.example.com", Some("https://app.example.com")),
        ] {
            assert_eq!(admit(host, origin), Ok(()), "{host} {origin:?}");
        }
    }

    #[test]
    fn other_pages_are_refused() {
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://render.example.com.evil.example",
            "http://evil-render.example.com",
            "https://render.example.com:444",
            "http://render.example.com",
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://render.example.com@evil.example",
            "http://localhost",
            "file://",
            "ws://render.example.com",
        ] {
            assert!(matches!(admit("render.example.com:443", Some(origin)), Err(Refusal::Origin(_))), "{origin}");
        }
        assert!(admit("192.168.1.5", Some("http://localhost:5173")).is_err());
    }

    #[test]
    fn names_that_are_not_ours_are_refused_even_by_their_own_pages() {
        assert_eq!(admit("evil.example", Some("http://evil.example")), Err(Refusal::Host("evil.example".into())));
        assert_eq!(admit("evil.example", None), Err(Refusal::Host("evil.example".into())));
        assert_eq!(admit("a b", None), Err(Refusal::NoHost));
        assert!(admit("render.example.com.evil.example", None).is_err());
    }

    #[test]
    fn what_a_trusted_proxy_was_asked_for_counts() {
        let admission = Admission { origins: Vec::new(), hosts: vec!["render.example.com".into()] };
        let admit = |host: &str, secure, origin| {
            let mut request = request("10.0.0.7:8080", Some(origin));
            request.extensions_mut().insert(Sender { host: Some(host.into()), secure, ..Sender::default() });
            admission.admit(&request)
        };
        assert_eq!(admit("render.example.com", Some(true), "https://render.example.com"), Ok(()));
        assert_eq!(admit("render.example.com", None, "http://render.example.com"), Ok(()));
        assert!(admit("render.example.com", Some(true), "http://render.example.com").is_err(), "a page that was not encrypted");
        assert!(admit("render.example.com", Some(true), "http://10.0.0.7:8080").is_err());
        assert_eq!(admit("evil.example", Some(true), "https://evil.example"), Err(Refusal::Host("evil.example".into())));
        assert_eq!(admit("a, b", Some(true), "https://a"), Err(Refusal::NoHost));
    }
}
