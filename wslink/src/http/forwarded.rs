//! Parses the headers of proxies: `Forwarded` (RFC 7239) and `X-Forwarded-*`.
//!
//! Any peer can send these headers. The server believes them only of trusted proxies, and along the chain only as far as
//! each proxy's own peer is a trusted one too.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// The addresses of proxies whose word is taken.
#[derive(Debug, Default)]
pub(crate) struct Trusted(pub(crate) Vec<IpNet>);

impl Trusted {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// One step of a request's way: what a proxy says of the request that it got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    /// Whose request it was; none where the proxy does not tell.
    pub(crate) address: Option<SocketAddr>,
    /// The `Host` of the request.
    pub(crate) host: Option<String>,
    /// Whether it came over TLS.
    pub(crate) secure: Option<bool>,
}

/// `Forwarded` and `X-Forwarded-For` name different clients, so one of them was not written by a proxy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contradiction;

/// What the headers of a trusted peer say of the client; nothing where there are none.
pub(crate) fn client(trusted: &Trusted, headers: &HeaderMap) -> Result<Option<Hop>, Contradiction> {
    let standard = outermost(trusted, standard(headers));
    let customary = customary(trusted, headers);
    match (standard, customary) {
        (Some(one), Some(other)) if one.address.map(ip) != other.address.map(ip) => Err(Contradiction),
        (Some(one), Some(other)) => Ok(Some(Hop { host: one.host.or(other.host), secure: one.secure.or(other.secure), ..one })),
        (one, other) => Ok(one.or(other)),
    }
}

fn ip(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

/// Goes back from the last proxy while each names a trusted one. What is before the first that is not
/// trusted may be made up.
fn outermost(trusted: &Trusted, hops: Vec<Hop>) -> Option<Hop> {
    let mut client = None;
    for hop in hops.into_iter().rev() {
        match hop.address {
            Some(address) if trusted.contains(address.ip()) => client = Some(hop),
            Some(_) => return Some(hop),
            None => return client.or(Some(hop)),
        }
    }
    client
}

/// The hops of `Forwarded`, the first one first.
fn standard(headers: &HeaderMap) -> Vec<Hop> {
    texts(headers, &header::FORWARDED).iter().flat_map(|text| split(text, ',')).map(element).collect()
}

/// The lines of a header. What a client wrote into one that is no text does not hide what a proxy added to it.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<Cow<'a, str>> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
}

fn element(text: &str) -> Hop {
    let mut hop = Hop::default();
    for pair in split(text, ';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let value = unquote(value.trim());
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.address = address(&value),
            "host" => hop.host = Some(value),
            "proto" => hop.secure = scheme(&value),
            _ => {}
        }
    }
    hop
}

/// The outermost hop of `X-Forwarded-For`. Host and scheme are those that the last proxy wrote, whichever it is.
fn customary(trusted: &Trusted, headers: &HeaderMap) -> Option<Hop> {
    const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    let last = |name: HeaderName| texts(headers, &name).last().and_then(|text| Some(text.rsplit(',').next()?.trim().to_owned()));
    let host = last(HOST);
    let secure = last(PROTO).as_deref().and_then(scheme);
    let hops = texts(headers, &FOR)
        .iter()
        .flat_map(|text| text.split(','))
        .map(|text| Hop { address: address(text.trim()), ..Hop::default() })
        .collect();
    let hop = outermost(trusted, hops).or_else(|| (host.is_some() || secure.is_some()).then(Hop::default))?;
    Some(Hop { host, secure, ..hop })
}

fn scheme(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// An address with or without port; 0 stands for none.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.parse().ok().or_else(|| Some(SocketAddr::new(bare.parse().ok()?, 0)))
}

/// Splits where `separator` stands outside of quotes. A quote that nobody closes is none, else it would hide
/// what a proxy writes behind it.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut whole = Quotes::default();
    text.chars().for_each(|c| _ = whole.pass(c));
    let mut quotes = Quotes::default();
    text.split(move |c| (quotes.pass(c) || whole.open) && c == separator)
}

/// Where a text is quoted.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    /// Whether `c`, the next character, stands outside of quotes.
    fn pass(&mut self, c: char) -> bool {
        let escapes = self.open && !self.escaped && c == '\\';
        if c == '"' && !self.escaped {
            self.open = !self.open;
        }
        self.escaped = escapes;
        !self.open
    }
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text.to_owned() };
    let mut escaped = false;
    inner
        .chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> Trusted {
        Trusted(["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into())
    }

    fn told(headers: &[(&'static str, &str)]) -> Result<Option<Hop>, Contradiction> {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        client(&trusted(), &headers.collect())
    }

    fn client_of(headers: &[(&'static str, &str)]) -> Option<String> {
        told(headers).unwrap()?.address.map(|address| address.to_string())
    }

    #[test]
    fn the_client_is_the_last_that_is_no_proxy() {
        for (value, client) in [
            ("192.0.2.1", "192.0.2.1:0"),
            ("192.0.2.1:4711", "192.0.2.1:4711"),
            ("2001:db8::1", "[2001:db8::1]:0"),
            ("[2001:db8::1]", "[2001:db8::1]:0"),
            ("[2001:db8::1]:80", "[2001:db8::1]:80"),
            ("6.6.6.6, 192.0.2.1", "192.0.2.1:0"),
            ("6.6.6.6,192.0.2.1 , 10.0.0.2", "192.0.2.1:0"),
            ("10.9.9.9, 192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1:0"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3:0"),
            ("unknown, 10.0.0.2", "10.0.0.2:0"),
            ("6.6.6.6, <script>, 10.0.0.2", "10.0.0.2:0"),
        ] {
            assert_eq!(client_of(&[("x-forwarded-for", value)]).as_deref(), Some(client), "{value}");
        }
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(client_of(&lines).as_deref(), Some("192.0.2.1:0"), "lines are one list");
    }

    #[test]
    fn the_standard_header_is_understood_as_far_as_it_goes() {
        for (value, client) in [
            ("for=192.0.2.1", Some("192.0.2.1:0")),
            ("For=\"192.0.2.1:80\";proto=https;by=10.0.0.1", Some("192.0.2.1:80")),
            ("for=\"[2001:db8::1]:4711\"", Some("[2001:db8::1]:4711")),
            ("for=6.6.6.6, for=192.0.2.1 ;host=x, for=10.0.0.1", Some("192.0.2.1:0")),
            ("host=\"a,for=6.6.6.6\";for=192.0.2.1", Some("192.0.2.1:0")),
            ("host=\"a\\\",for=6.6.6.6\";for=192.0.2.1", Some("192.0.2.1:0")),
            ("for=unknown", None),
            ("for=_hidden, for=\"_gone", None),
            ("for", None),
            ("=,;=;\"", None),
            ("", None),
        ] {
            assert_eq!(client_of(&[("forwarded", value)]).as_deref(), client, "{value}");
        }
    }

    #[test]
    fn host_and_scheme_come_with_the_client() {
        let hop = told(&[("forwarded", "for=6.6.6.6;host=evil;proto=http, for=192.0.2.1;host=\"app:1\";proto=https")]);
        let hop = hop.unwrap().unwrap();
        assert_eq!((hop.host.as_deref(), hop.secure), (Some("app:1"), Some(true)));
        let hop = told(&[("x-forwarded-host", "evil, app"), ("x-forwarded-proto", "https")]).unwrap().unwrap();
        assert_eq!((hop.address, hop.host.as_deref(), hop.secure), (None, Some("app"), Some(true)));
        assert_eq!(told(&[("x-forwarded-proto", "gopher")]), Ok(None));
        assert_eq!(told(&[("host", "app")]), Ok(None));
    }

    #[test]
    fn a_header_that_a_proxy_let_through_is_no_way_in() {
        let both = |standard, customary| told(&[("forwarded", standard), ("x-forwarded-for", customary)]);
        assert_eq!(both("for=6.6.6.6", "192.0.2.1"), Err(Contradiction));
        assert_eq!(both("for=192.0.2.1", "6.6.6.6"), Err(Contradiction));
        assert_eq!(both("for=unknown", "192.0.2.1"), Err(Contradiction));
        assert!(both("for=192.0.2.1;proto=https", "192.0.2.1").unwrap().unwrap().secure.unwrap());
    }
}
